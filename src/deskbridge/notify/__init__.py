"""Notify: who hears what; the live stream."""
