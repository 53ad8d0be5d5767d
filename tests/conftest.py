"""What tests share: small funds, and the real series where they are at hand."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from scenarios import Run, Scenario

settings.register_profile(
    "fundclock", deadline=None, derandomize=True, max_examples=25, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("fundclock")

REAL_SERIES = Path(__file__).resolve().parent.parent.parent / "shared" / "data"

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


@pytest.fixture(scope="session")
def base_run() -> Run:
    """The shipped base fund with seed 7."""
    return Scenario.load("base").with_(seed=7).run()


@pytest.fixture
def real_series() -> Path:
    """The folder of published series; the test skips where it is not there."""
    if not REAL_SERIES.is_dir():
        pytest.skip("the published series are not at hand")
    return REAL_SERIES
