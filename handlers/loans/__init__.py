"""Loans: what is on offer, what they are owed, when and how they end."""
