"""What the command line prints, as tables for a terminal."""
