"""Stress: what shocks would do to the tests of a day, and the smallest shock that breaks one.

A rate shock raises what the debt costs: a year of it more in debt service, a quarter of it more in the liquidity that
is needed. A NAV shock takes a share of what loans are worth off worth, claims and base, and as much money off NAV. A
liquidity shock takes a share off liquid cash and off what was collected. Which loans are eligible does not change.
Pure functions of the terms of a test; nothing of a run is touched.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from fundclock.handlers.leverage.covenants import Ratios, Result, Terms, ratios, run_tests
from fundclock.handlers.settings.leverage import GreenSleeveConfig, StressTestingConfig

STEPS = 60
"""Halvings of the search: finer than a cent of debt can tell."""

MOST = {"interest_rate": 1.0, "nav": 1.0, "liquidity": 1.0, "combined": 10.0}
"""The largest shock that is searched: 100 percentage points, all of it, or ten times the configured shocks."""


class Shock(NamedTuple):
    """Sizes of a shock, as decimals."""

    rate: float = 0.0
    nav: float = 0.0
    liquidity: float = 0.0


class Stressed(NamedTuple):
    """Tests and ratios under a shock."""

    shock: Shock
    terms: Terms
    results: list[Result]
    ratios: Ratios

    @property
    def failed(self) -> list[str]:
        """Names of the tests that fail."""
        return [result.test for result in self.results if not result.passed]


class Smallest(NamedTuple):
    """The smallest shock of a kind that breaks a test, and which; None where none does. 0 where one fails already."""

    size: float | None
    test: str | None


def shocks(config: StressTestingConfig) -> dict[str, Shock]:
    """The configured shocks by name, with the unshocked day first."""
    rate, nav, liquidity = config.interest_rate_shock, config.nav_shock, config.liquidity_shock
    return {
        "none": Shock(),
        "interest_rate": Shock(rate=rate),
        "nav": Shock(nav=nav),
        "liquidity": Shock(liquidity=liquidity),
        "combined": Shock(rate, nav, liquidity),
    }


def apply(terms: Terms, shock: Shock) -> Terms:
    """The terms of a test under a shock."""
    dearer = terms.debt_cents * shock.rate
    left = 1 - min(1.0, shock.nav)
    liquid = 1 - min(1.0, shock.liquidity)
    return terms._replace(
        nav_cents=terms.nav_cents - round(terms.worth_cents * (1 - left)),
        worth_cents=round(terms.worth_cents * left),
        claims_cents=round(terms.claims_cents * left),
        base_cents=int(terms.base_cents * left),
        collected_cents=round(terms.collected_cents * liquid),
        cash_income_cents=round(terms.cash_income_cents * liquid),
        service_cents=terms.service_cents + round(dearer),
        liquidity_cents=round(terms.liquidity_cents * liquid),
        liquidity_needed_cents=terms.liquidity_needed_cents + round(dearer / 4),
    )


def stressed(terms: Terms, config: GreenSleeveConfig, months: int, shock: Shock) -> Stressed:
    """Tests and ratios of a day under a shock."""
    after = apply(terms, shock)
    return Stressed(shock, after, run_tests(after, config, months), ratios(after))


def table(terms: Terms, config: GreenSleeveConfig, months: int, stress: StressTestingConfig) -> dict[str, Stressed]:
    """All configured shocks by name."""
    return {name: stressed(terms, config, months, shock) for name, shock in shocks(stress).items()}


def smallest(
    terms: Terms, config: GreenSleeveConfig, months: int, stress: StressTestingConfig
) -> Mapping[str, Smallest]:
    """The smallest shock of each kind that breaks a test; of ``combined``, in multiples of the configured shocks."""
    kinds: dict[str, Callable[[float], Shock]] = {
        "interest_rate": lambda size: Shock(rate=size),
        "nav": lambda size: Shock(nav=size),
        "liquidity": lambda size: Shock(liquidity=size),
        "combined": lambda size: Shock(
            stress.interest_rate_shock * size, stress.nav_shock * size, stress.liquidity_shock * size
        ),
    }
    return {name: _bisect(terms, config, months, made, MOST[name]) for name, made in kinds.items()}


def _bisect(
    terms: Terms, config: GreenSleeveConfig, months: int, made: Callable[[float], Shock], most: float
) -> Smallest:
    """Bisection: a larger shock never makes a test pass that a smaller one of its kind breaks."""

    def first_failing(size: float) -> str | None:
        failed = stressed(terms, config, months, made(size)).failed
        return failed[0] if failed else None

    at_once = first_failing(0.0)
    if at_once is not None:
        return Smallest(0.0, at_once)
    if first_failing(most) is None:
        return Smallest(None, None)
    low, high = 0.0, most
    for _ in range(STEPS):
        middle = (low + high) / 2
        if first_failing(middle) is None:
            low = middle
        else:
            high = middle
    return Smallest(high, first_failing(high))
