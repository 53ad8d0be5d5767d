"""The state of the market that decides how much is deployed: circuit breaker, volatility state, transaction costs."""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import stdev
from typing import Literal, Protocol

from fundclock.events.bus import Led, Output, Rejected
from fundclock.events.commands import (
    ClearBreaker,
    ExpireBreaker,
    LendDraw,
    OriginateLoans,
    SetTransactionCost,
    SetVolatility,
    TripBreaker,
)
from fundclock.events.facts import (
    BreakerReset,
    BreakerTripped,
    CommandCancelled,
    CommandScheduled,
    NavReported,
    TransactionCostChanged,
    VolatilityStateChanged,
)
from fundclock.events.facts.conditions import VolatilityState
from fundclock.events.parts import Commands, Part, Reactions
from fundclock.events.record import Fact, Record
from fundclock.events.state.capital import Quarter
from fundclock.handlers.context import Context

RETURNS = 12
"""So many returns make a volatility state."""

STATES: tuple[tuple[float, VolatilityState], ...] = ((0.15, "extreme"), (0.05, "high"), (0.02, "medium"))
"""From which standard deviation of monthly returns on, unannualised, which state holds."""


class BreakerTerms(Protocol):
    """What trips the breaker and how long it holds."""

    @property
    def nav_fall(self) -> float:
        """The fall of net asset value in a quarter above which it trips, as a decimal."""
        ...

    @property
    def reset_months(self) -> float:
        """How long it holds without a new trip."""
        ...


def nav_fall(before: Quarter, nav_cents: int, contributed_cents: int, distributed_cents: int) -> float:
    """The share by which net asset value has fallen since a quarter's end, net of contributions and distributions.

    Contributions and distributions are those since the fund's start. 0 where there was no value to fall from.
    """
    if before.nav_cents <= 0:
        return 0.0
    paid_in = contributed_cents - before.contributed_cents
    paid_out = distributed_cents - before.distributed_cents
    return 1 - (nav_cents + paid_out - paid_in) / before.nav_cents


class MarketState(Part):
    """Watches the market and the fund, and carries out what scripts say of them."""

    def __init__(
        self, context: Context, breaker: BreakerTerms, *, months_a_return: int, watch_volatility: bool
    ) -> None:
        """``months_a_return`` is the prices' own step; the volatility state is watched where it matters."""
        self._state = context.state
        self._settings = context.settings
        self._calendar = context.calendar
        self._market = context.market
        self._breaker = breaker
        self._period_end = min(context.period_end, context.last_day)
        self._last_day = context.last_day
        self._months = months_a_return
        self._watch = watch_volatility

    def reactions(self) -> Reactions:
        """What it does when facts are recorded."""
        return {
            NavReported: [self.trip_on_nav_reported],
            BreakerReset: [self.deploy_on_breaker_reset],
        }

    def commands(self) -> Commands:
        """The commands that it carries out."""
        return {
            TripBreaker: self.trip,
            ClearBreaker: self.clear,
            ExpireBreaker: self.expire,
            SetVolatility: self.set_volatility,
            SetTransactionCost: self.set_transaction_cost,
        }

    def trip_on_nav_reported(self, record: Record, fact: NavReported) -> Output:
        """Trip after a quarter in which net asset value, net of flows, has fallen too far."""
        quarters = self._state.capital.quarters
        if len(quarters) < 2 or record.day >= self._period_end:
            return None
        before, now = quarters[-2], quarters[-1]
        fall = nav_fall(before, fact.nav_cents, now.contributed_cents, now.distributed_cents)
        return self._trip(record.day, "nav_fall", fall) if fall > self._breaker.nav_fall else None

    def trip(self, day: int, _command: TripBreaker) -> Output:
        """By script; a breaker that is already tripped holds longer."""
        return self._trip(day, "script", None)

    def _trip(self, day: int, reason: Literal["nav_fall", "script"], fall: float | None) -> Output:
        months = self._breaker.reset_months
        due = self._calendar.add_months(day, int(months)) + round((months % 1) * 30)
        tripped = BreakerTripped(reason=reason, nav_fall=fall, reset_due_day=due)
        rest: list[Fact] = self._no_expiry()
        if due < self._last_day:
            rest.append(CommandScheduled(due_day=max(due, day + 1), command=ExpireBreaker()))
        return Led(tripped, rest)

    def _no_expiry(self) -> list[Fact]:
        promises = self._state.agenda.promises(ExpireBreaker)
        return [CommandCancelled(scheduled_seq=seq, reason="tripped again or reset") for seq, _ in promises]

    def clear(self, day: int, _command: ClearBreaker) -> Output | Rejected:
        """By script."""
        if not self._state.conditions.tripped:
            return Rejected("the circuit breaker is not tripped")
        held = day - self._state.conditions.tripped_day
        return Led(BreakerReset(reason="script", held_days=held), self._no_expiry())

    def expire(self, day: int, _command: ExpireBreaker) -> Output:
        """Its time is over, without a new trip."""
        return [BreakerReset(reason="time", held_days=day - self._state.conditions.tripped_day)]

    def deploy_on_breaker_reset(self, record: Record, _fact: BreakerReset) -> Output:
        """Lend waiting called and drawn cash today."""
        facts: list[Fact] = []
        if record.day >= self._period_end:
            return None
        if self._state.capital.undeployed_cents > 0:
            facts.append(CommandScheduled(due_day=record.day, command=OriginateLoans(call=0)))
        lines = self._state.facilities
        if lines.unlent_cents > 0:
            name = next(iter(lines.by_name))
            facts.append(CommandScheduled(due_day=record.day, command=LendDraw(facility=name)))
        return facts

    def set_volatility(self, day: int, command: SetVolatility) -> Output | Rejected:
        """By script: this state, until the script gives it back to the market."""
        conditions = self._state.conditions
        state, deviation = (command.state, None) if command.state is not None else self._measured(day)
        if state == conditions.volatility_state and (deviation is None) == conditions.scripted_volatility:
            return Rejected(f"the volatility state is {state} already")
        return [_changed(state, conditions.volatility_state, deviation)]

    def set_transaction_cost(self, _day: int, command: SetTransactionCost) -> Output:
        """By script."""
        return [TransactionCostChanged(level=command.level, previous=self._state.conditions.cost_level)]

    def watch(self, day: int) -> Output:
        """A month's end: the state that the market's own returns make, where no script has set another."""
        conditions = self._state.conditions
        if not self._watch or conditions.scripted_volatility:
            return None
        state, deviation = self._measured(day)
        return (
            None if state == conditions.volatility_state else [_changed(state, conditions.volatility_state, deviation)]
        )

    def _measured(self, day: int) -> tuple[VolatilityState, float]:
        """The state by the last twelve returns of the zones' prices, weighted as the fund lends, as of a month."""
        shares = [zone.target_allocation for zone in self._settings.zones.values()]
        deviation = stdev(self._returns(day, shares)) / math.sqrt(self._months)
        return next((name for least, name in STATES if deviation >= least), "low"), deviation

    def _returns(self, day: int, shares: Sequence[float]) -> list[float]:
        """Returns until the day's month, the oldest first; before the first price the zones' own drift."""
        months = [self._calendar.months_before(day, self._months * back) for back in range(RETURNS, -1, -1)]
        levels = [self._market.known_levels(month) for month in months]
        return [
            sum(share * math.expm1(now - then) for share, then, now in zip(shares, before, after, strict=True))
            for before, after in pairwise(levels)
        ]


def _changed(state: VolatilityState, previous: VolatilityState, deviation: float | None) -> VolatilityStateChanged:
    return VolatilityStateChanged(state=state, previous=previous, deviation=deviation)
