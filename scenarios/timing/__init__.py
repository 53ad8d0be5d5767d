"""The timing audit: where cash was idle and why, what waiting cost, what was promised, and when anyone knew."""
