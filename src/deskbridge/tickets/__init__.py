"""Tickets: the unit of work, its conversation and its history."""
