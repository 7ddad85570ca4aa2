"""Polarion: work items of one project over its REST API (JSON:API)."""
