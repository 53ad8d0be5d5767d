"""What happened: facts, commands, the bus that records them, the stores that keep them, the state they fold to."""

if __name__ == "events":  # from a checkout's folder: a second copy, whose classes are not those of fundclock
    raise ImportError("import this package as fundclock.events: `from fundclock import Scenario` has the public names")
