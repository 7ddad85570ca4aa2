"""Importers: one file per source that tickets are brought in from, with their past as it was."""
