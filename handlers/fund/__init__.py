"""The fund's own money: calls, deployment, idle cash."""
