"""Deskbridge: a service desk that keeps every tracker in step."""

__version__ = "0.1.0"
