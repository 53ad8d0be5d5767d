"""Risk of the loan book."""
