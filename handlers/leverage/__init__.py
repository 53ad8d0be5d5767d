"""Facilities and covenants."""
