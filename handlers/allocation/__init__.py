"""Capital allocation."""
