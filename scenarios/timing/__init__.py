"""The timing audit: where cash lay and why, what waiting cost, what was promised, and when anyone knew."""
