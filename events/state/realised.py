"""Loans that have paid off, by zone, as running sums: what any window of days has seen is a difference of two."""

from array import array
from bisect import bisect_right
from typing import Any, NamedTuple

from fundclock.events.facts import LoanExited, LoanRecovered, RunStarted
from fundclock.events.record import Fact, Record
from fundclock.events.state.folding import Mutator


class Window(NamedTuple):
    """Loans that paid off in a span of days: their number, cost and proceeds in cents, cost × days held.

    Proceeds include the coupons that they had paid before.
    """

    loans: int
    cost_cents: int
    proceeds_cents: int
    cent_days: float


class _Sums:
    """Of one zone: the day of each loan that paid off, and the sums up to it (with a 0 in front)."""

    __slots__ = ("cent_days", "cost", "days", "proceeds")

    def __init__(self) -> None:
        self.days = array("i")
        self.cost, self.proceeds, self.cent_days = array("q", (0,)), array("q", (0,)), array("d", (0.0,))


class Realised:
    """Loans that have paid off, by zone. Columns, so that a million of them take little room."""

    def __init__(self) -> None:
        self._zones: dict[str, _Sums] = {}

    def on(self) -> dict[type[Fact], Mutator]:
        """Which facts change it, and how."""
        return {
            RunStarted: self._started,
            LoanExited: self._paid_off,
            LoanRecovered: self._paid_off,
        }

    def between(self, zone: str, after_day: int, day: int) -> Window:
        """What a zone's loans brought that paid off after ``after_day``, up to and with ``day``."""
        sums = self._zones[zone]
        first, last = bisect_right(sums.days, after_day), bisect_right(sums.days, day)
        return Window(
            last - first,
            sums.cost[last] - sums.cost[first],
            sums.proceeds[last] - sums.proceeds[first],
            sums.cent_days[last] - sums.cent_days[first],
        )

    def _started(self, _record: Record, fact: RunStarted) -> None:
        zones = fact.scenario["zones"]
        assert isinstance(zones, dict)
        self._zones = {zone: _Sums() for zone in zones}

    def _paid_off(self, record: Record, fact: LoanExited | LoanRecovered) -> None:
        sums = self._zones[fact.zone]
        cost = fact.principal_cents
        sums.days.append(record.day)
        sums.cost.append(sums.cost[-1] + cost)
        sums.proceeds.append(sums.proceeds[-1] + fact.proceeds_cents + fact.coupons_cents)
        sums.cent_days.append(sums.cent_days[-1] + cost * fact.held_days)

    def summary(self) -> dict[str, Any]:
        """The sums so far by zone."""
        return {
            zone: [len(sums.days), sums.cost[-1], sums.proceeds[-1], sums.cent_days[-1]]
            for zone, sums in self._zones.items()
        }
