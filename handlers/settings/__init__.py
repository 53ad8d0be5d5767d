"""Settings: each section of a scenario, with the unit, default, limits and effect of every key."""
