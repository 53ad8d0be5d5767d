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
    "loans": {"idiosyncratic_volatility": 0, "selling_cost": 0},
}
"""A market in which nothing moves: one zone, no rate, no default."""


def quiet(**changes: object) -> Scenario:
    """A fund in a market where nothing moves; keys are written with __ for dots."""
    return Scenario.from_dict(QUIET, "quiet").with_(
        set={key.replace("__", "."): value for key, value in changes.items()}
    )
