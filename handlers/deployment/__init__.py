"""Deployment: capital is called and lent, tranche by tranche."""
