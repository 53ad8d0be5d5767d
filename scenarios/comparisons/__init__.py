"""Comparisons: two runs beside each other."""
