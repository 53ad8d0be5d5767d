"""When things happen: the clock, the fund's timed processes, random streams, market paths."""

if __name__ == "sim":  # from a checkout's folder: a second copy, whose classes are not those of fundclock
    raise ImportError("import this package as fundclock.sim: `from fundclock import Scenario` has the public names")
