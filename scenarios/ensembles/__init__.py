"""Ensembles: one scenario under many settings and seeds, and the statistics of what came of it."""
