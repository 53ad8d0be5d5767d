"""Loans that have paid off, by zone, as running sums: what any window of days has seen is a difference of two."""

from bisect import bisect_right
from typing import Any, NamedTuple

from events.facts import LoanExited, LoanRecovered, RunStarted
from events.record import Fact, Record
from events.state.folding import Mutator


class Window(NamedTuple):
    """Loans that paid off in a span of days: their number, cost and proceeds in cents, cost × days held.

    Proceeds include the coupons that they had paid before.
    """

    loans: int
    cost_cents: int
    proceeds_cents: int
    cent_days: int


class Realised:
    """For each zone, the days on which loans paid off and the sums until each of them."""

    def __init__(self) -> None:
        self._days: dict[str, list[int]] = {}
        self._sums: dict[str, list[tuple[int, int, int, int]]] = {}
        self.on: dict[type[Fact], Mutator] = {
            RunStarted: self._started,
            LoanExited: self._paid_off,
            LoanRecovered: self._paid_off,
        }

    def between(self, zone: str, after_day: int, day: int) -> Window:
        """What a zone's loans brought that paid off after ``after_day``, up to and with ``day``."""
        days, sums = self._days[zone], self._sums[zone]
        first, last = sums[bisect_right(days, after_day)], sums[bisect_right(days, day)]
        return Window(*(b - a for a, b in zip(first, last, strict=True)))

    def _started(self, _record: Record, fact: RunStarted) -> None:
        zones = fact.scenario["zones"]
        assert isinstance(zones, dict)
        self._days = {zone: [] for zone in zones}
        self._sums = {zone: [(0, 0, 0, 0)] for zone in zones}

    def _paid_off(self, record: Record, fact: LoanExited | LoanRecovered) -> None:
        self._days[fact.zone].append(record.day)
        sums = self._sums[fact.zone]
        loans, cost, proceeds, cent_days = sums[-1]
        principal = fact.principal_cents
        sums.append(
            (
                loans + 1,
                cost + principal,
                proceeds + fact.proceeds_cents + fact.coupons_cents,
                cent_days + principal * fact.held_days,
            )
        )

    def summary(self) -> dict[str, Any]:
        """The sums so far by zone."""
        return {zone: list(sums[-1]) for zone, sums in self._sums.items()}
