"""Scenarios and what is done with them: read, played, looked at, compared, audited."""
