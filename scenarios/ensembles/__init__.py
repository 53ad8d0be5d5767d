"""Ensembles: one scenario under many settings and seeds, and statistics of the results."""
