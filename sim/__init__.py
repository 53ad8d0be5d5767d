"""When things happen: the clock, the fund's timed processes, random streams, market paths."""
