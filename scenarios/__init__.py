"""Scenarios and what is done with them: read, played, looked at, compared, audited."""

import sys

if __name__ == "scenarios":  # from a checkout's folder: a second copy, whose classes are not those of fundclock
    raise ImportError(
        "import this package as fundclock.scenarios: `from fundclock import Scenario` has the public names"
    )


def __getattr__(name: str) -> object:
    """Public names are those of fundclock. Raises ImportError that says so, AttributeError for any other."""
    if name in sys.modules["fundclock"].__all__:
        raise ImportError(f"'{name}' is a public name: from fundclock import {name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
