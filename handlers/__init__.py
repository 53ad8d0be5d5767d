"""What the fund decides: loans, reinvestment, calls, cash."""

if __name__ == "handlers":  # from a checkout's folder: a second copy, whose classes are not those of fundclock
    raise ImportError(
        "import this package as fundclock.handlers: `from fundclock import Scenario` has the public names"
    )
