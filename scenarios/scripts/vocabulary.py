"""The state that conditions can name, and how each is read. Money is in currency units, rates are decimals."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from fundclock.events.dates import Calendar
from fundclock.events.state import State
from fundclock.events.state.facilities import Facility
from fundclock.handlers.leverage.engine import LeverageEngine
from fundclock.handlers.ports import MarketView
from fundclock.handlers.risk.exposure import Exposure
from fundclock.scenarios.files.schema import ScenarioConfig
from fundclock.scenarios.scripts.conditions import Kind


class View(NamedTuple):
    """The state that conditions may use when they are evaluated; ``market`` only as known on the day."""

    state: State
    calendar: Calendar
    market: MarketView
    exposure: Exposure
    leverage: LeverageEngine | None
    committed_cents: int


class Named(NamedTuple):
    """A piece of state: its kind, what it is, and how it is read (for one zone or facility, where it is by name)."""

    kind: Kind
    meaning: str
    read: Callable[..., Any]


def _leverage(view: View) -> float | None:
    nav = view.state.ledger.nav_cents()
    return view.state.facilities.debt_cents / nav if nav > 0 else None


def _share(view: View, zone: str) -> float | None:
    claims = view.exposure.claims()
    total = sum(claims.values())
    return claims[zone] / total if total > 0 else None


def _price(view: View, day: int, zone: str) -> float:
    return math.exp(view.market.known_levels(day)[view.state.book.zones.index(zone)])


def _facility(view: View, name: str) -> Facility:
    return view.state.facilities.by_name[name]


def _available(view: View, day: int, name: str) -> float:
    assert view.leverage is not None  # facilities are named only where there is an engine
    return view.leverage.lines.available_cents(name, day) / 100


ALL: dict[str, Named] = {
    "nav": Named("number", "net asset value, loans as last valued", lambda v, _: v.state.ledger.nav_cents() / 100),
    "cash": Named("number", "cash, the reserve not included", lambda v, _: v.state.ledger.cash_cents / 100),
    "reserve": Named("number", "cash in the reserve", lambda v, _: v.state.ledger.reserve_cents / 100),
    "committed": Named("number", "commitments", lambda v, _: v.committed_cents / 100),
    "contributed": Named(
        "number",
        "what the partners have paid in",
        lambda v, _: (v.state.capital.lp_contributed_cents + v.state.capital.gp_contributed_cents) / 100,
    ),
    "distributed": Named(
        "number",
        "what the partners have got, carry not included",
        lambda v, _: (v.state.capital.lp_distributed_cents + v.state.capital.gp_distributed_cents) / 100,
    ),
    "uncalled": Named(
        "number",
        "commitments that have not been called",
        lambda v, _: (
            (v.committed_cents + v.state.capital.recallable_cents - sum(v.state.capital.called.values())) / 100
        ),
    ),
    "uninvested_call": Named(
        "number", "called capital that waits for loans", lambda v, _: max(0, v.state.capital.undeployed_cents) / 100
    ),
    "uninvested_draw": Named(
        "number", "drawn cash that waits for loans", lambda v, _: v.state.facilities.unlent_cents / 100
    ),
    "fees_owed": Named("number", "fees that are owed and not paid", lambda v, _: v.state.capital.owed_cents() / 100),
    "eligible_proceeds": Named(
        "number", "proceeds whose delay is over", lambda v, _: v.state.lots.eligible_cents / 100
    ),
    "waiting_proceeds": Named(
        "number", "proceeds whose delay is not over", lambda v, _: v.state.lots.waiting_cents / 100
    ),
    "reinvested": Named("number", "what has been reinvested", lambda v, _: v.state.lots.reinvested_cents / 100),
    "loans": Named("number", "loans that perform", lambda v, _: v.state.book.performing),
    "loans_in_recovery": Named("number", "defaulted loans that pay later", lambda v, _: v.state.book.in_recovery),
    "debt": Named("number", "what all facilities have lent", lambda v, _: v.state.facilities.debt_cents / 100),
    "leverage_ratio": Named("number", "debt over net asset value", lambda v, _: _leverage(v)),
    "sweep": Named("truth", "a facility holds cash back", lambda v, _: v.state.facilities.holds_cash_back),
    "breaches": Named(
        "number",
        "covenant tests that fail",
        lambda v, _: sum(len(line.breaches) for line in v.state.facilities.by_name.values()),
    ),
    "base_rate": Named("number", "the base rate", lambda v, day: v.market.rate(day)),
    "volatility": Named("state", "the market's volatility state", lambda v, _: v.state.conditions.volatility_state),
    "transaction_cost": Named("number", "level of transaction costs", lambda v, _: v.state.conditions.cost_level),
    "breaker": Named("truth", "the circuit breaker is tripped", lambda v, _: v.state.conditions.tripped),
    "suspended": Named("truth", "reinvestment is suspended", lambda v, _: v.state.lots.suspended),
    "reinvestment_over": Named("truth", "the reinvestment period is over", lambda v, _: v.state.lots.period_over),
    "date": Named("date", "the day's date", lambda v, day: v.calendar.date(day)),
    "day": Named("number", "days since the fund's start", lambda _, day: day),
    "month": Named("number", "whole months since the fund's start", lambda v, day: v.calendar.months_since_start(day)),
}
"""State of the whole fund."""

BY_ZONE: dict[str, Named] = {
    "originated": Named("number", "loans made", lambda v, _, zone: v.state.results.zones[zone].originated),
    "exited": Named("number", "loans that have exited", lambda v, _, zone: v.state.results.zones[zone].exited),
    "defaulted": Named("number", "loans that have defaulted", lambda v, _, zone: v.state.results.zones[zone].defaulted),
    "allocation": Named("number", "share of the claims of living loans", lambda v, _, zone: _share(v, zone)),
    "price": Named("number", "price level, 1 on the first day", _price),
    "appreciation": Named(
        "number",
        "trailing twelve-month change of prices",
        lambda v, day, zone: v.market.appreciation(day)[v.state.book.zones.index(zone)],
    ),
}
"""State of a zone, like ``allocation.green``; the first three of all zones too, like ``defaulted``."""

COUNTED = ("originated", "exited", "defaulted")
"""What zones sum to."""

BY_FACILITY: dict[str, Named] = {
    "balance": Named(
        "number", "drawn and not repaid", lambda v, _, f: v.state.facilities.by_name[f].balance_cents / 100
    ),
    "undrawn": Named(
        "number", "committed and not drawn", lambda v, _, f: v.state.facilities.by_name[f].undrawn_cents / 100
    ),
    "available": Named("number", "what can be drawn", _available),
    "in_cure": Named("truth", "a test fails", lambda v, _, f: bool(v.state.facilities.by_name[f].breaches)),
    "in_default": Named(
        "truth", "an event of default was declared", lambda v, _, f: v.state.facilities.by_name[f].defaulted
    ),
}
"""State of a facility, like ``available.green_sleeve``."""


def names_of(config: ScenarioConfig) -> dict[str, Kind]:
    """Every name that a condition of this scenario can use, and its kind."""
    names: dict[str, Kind] = {name: named.kind for name, named in ALL.items()}
    names |= dict.fromkeys(COUNTED, "number")
    names |= {f"{name}.{zone}": named.kind for name, named in BY_ZONE.items() for zone in config.zones}
    for name, named in BY_FACILITY.items():
        names |= {f"{name}.{line}": named.kind for line in config.leverage.lines()}
    return names


def value_of(view: View, name: str, day: int) -> Any:
    """The current value of a name; None if it is undefined."""
    if name in ALL:
        return ALL[name].read(view, day)
    if name in COUNTED:
        return sum(BY_ZONE[name].read(view, day, zone) for zone in view.state.results.zones)
    kind, _, of = name.partition(".")
    return (BY_ZONE if kind in BY_ZONE else BY_FACILITY)[kind].read(view, day, of)
