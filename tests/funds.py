"""Small funds for tests."""

from scenarios import Scenario

QUIET = {
    "market": {"base_rate": {"model": "constant", "initial": 0, "floor": 0}},
    "zones": {
        "green": {
            "target_allocation": 1.0,
            "appreciation": 0.0,
            "volatility": 0.0,
            "default_rate": 0.0,
            "recovery_rate": 1.0,
        }
    },
    "fees": {"management": 0, "origination": 0, "expenses": 0, "setup": 0},
    "waterfall": {"hurdle": 0, "carry": 0, "catch_up": 0},
    "loans": {"idiosyncratic_volatility": 0, "selling_cost": 0},
}
"""A market in which nothing moves: one zone, no rate, no default; and a fund without fees and carry."""


def quiet(**changes: object) -> Scenario:
    """A fund in a market where nothing moves; keys are written with __ for dots."""
    return Scenario.from_dict(QUIET, "quiet").with_(
        set={key.replace("__", "."): value for key, value in changes.items()}
    )
