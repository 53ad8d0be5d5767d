"""Reinvestment of proceeds."""
