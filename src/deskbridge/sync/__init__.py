"""Keeping tickets in step with other trackers."""
