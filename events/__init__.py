"""What happened: facts, commands, the bus that records them, the stores that keep them, the state they fold to."""
