"""Covenants of the NAV line: each test with all its terms, passed or failed. Money in cents, ratios as decimals.

Leverage = debt / NAV. LTV = debt / gross claims of performing loans. DSCR = what came in over the last twelve months
(exits, recoveries, cash interest, less expenses) / interest and fees paid in them. ICR is the same on cash income
alone; it is reported, not tested. A ratio without its denominator is undefined (None), not 0.
"""

from typing import NamedTuple

from fundclock.handlers.settings.leverage import GreenSleeveConfig


class Terms(NamedTuple):
    """What a day's tests of a facility are made from, in cents.

    ``debt_cents`` is that of all facilities, ``balance_cents`` this one's; ``worth_cents`` is what loans are worth at
    the valuation that tests go by. Flows (``collected``, ``cash_income``, ``service``) are of the last twelve months.
    """

    debt_cents: int
    balance_cents: int
    nav_cents: int
    worth_cents: int
    claims_cents: int
    base_cents: int
    collected_cents: int
    cash_income_cents: int
    service_cents: int
    liquidity_cents: int
    liquidity_needed_cents: int


class Result(NamedTuple):
    """One test. ``headroom_cents`` is how far debt may rise, or its measure fall, before it fails; below 0 if it does.

    ``value`` is None where nothing is owed (passed), or where there is nothing against what is owed (failed).
    """

    test: str
    value: float | None
    limit: float
    passed: bool
    headroom_cents: int


def ratio(part: int, whole: int) -> float | None:
    """part / whole; None if the whole is 0."""
    return part / whole if whole > 0 else None


def run_tests(terms: Terms, config: GreenSleeveConfig, months: int) -> list[Result]:
    """Base, LTV, DSCR (from ``dscr_test_from_months`` on) and liquidity, in this order; ``months`` since the start."""
    tests = removal_tests(terms.balance_cents, terms.base_cents, terms.debt_cents, terms.claims_cents, config)
    if months >= config.dscr_test_from_months:
        tests.append(_dscr(terms, config.min_dscr))
    tests.append(_liquidity(terms))
    return tests


def removal_tests(balance: int, base: int, debt: int, claims: int, config: GreenSleeveConfig) -> list[Result]:
    """What a loan that leaves the base may break: base and LTV; cents."""
    headroom = int(config.max_ltv * claims) - debt
    return [base_test(balance, base), Result("ltv", ratio(debt, claims), config.max_ltv, headroom >= 0, headroom)]


def base_test(balance: int, base: int) -> Result:
    """Whether the base covers the balance; cents."""
    return Result("base", ratio(balance, base), 1.0, base >= balance, base - balance)


def _dscr(terms: Terms, least: float) -> Result:
    headroom = terms.collected_cents - round(least * terms.service_cents)
    value = ratio(terms.collected_cents, terms.service_cents)
    return Result("dscr", value, least, value is None or value >= least, headroom)


def _liquidity(terms: Terms) -> Result:
    needed = terms.liquidity_needed_cents
    headroom = terms.liquidity_cents - needed
    return Result("liquidity", ratio(terms.liquidity_cents, needed), 1.0, headroom >= 0, headroom)


class Ratios(NamedTuple):
    """The ratios that are reported, of all debt; None without their denominator."""

    leverage_ratio: float | None
    loan_to_value_ratio: float | None
    debt_service_coverage_ratio: float | None
    interest_coverage_ratio: float | None


def ratios(terms: Terms) -> Ratios:
    """Leverage, LTV, DSCR and ICR."""
    return Ratios(
        ratio(terms.debt_cents, terms.nav_cents),
        ratio(terms.debt_cents, terms.claims_cents),
        ratio(terms.collected_cents, terms.service_cents),
        ratio(terms.cash_income_cents, terms.service_cents),
    )
