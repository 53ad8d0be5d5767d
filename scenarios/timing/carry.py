"""The cost of waiting: what idle cash would have earned at the yield known that day, less what it earned as cash.

Σ balance × (y − c)/365 over nights: y is the coupon of the loans that paid (weighted by principal), for drawn cash that
waits the line's rate, for cash that waits for a payment day the hurdle; c is what the fund's cash earned in the period
of each interest posting. First-order: no compounding, and no claim that a loan would have been available.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fundclock.events.day_counts import YEAR
from fundclock.events.facts import (
    CashInterestReceived,
    FacilityInterestAccrued,
    LoanDefaulted,
    LoanExited,
    LoanOriginated,
    LoanRecovered,
)
from fundclock.events.record import Record
from fundclock.scenarios.timing.idle_cash import Stay

Floats = NDArray[np.float64]


class Yields:
    """A fold over the log: the book's coupon by day, each line's rate, what cash earned."""

    kinds = (LoanOriginated, LoanExited, LoanDefaulted, LoanRecovered, CashInterestReceived, FacilityInterestAccrued)

    def __init__(self) -> None:
        self._loans: dict[str, tuple[int, float]] = {}
        self._principal = 0
        self._interest = 0.0
        self._steps: dict[int, float] = {}
        self._earned: list[tuple[int, int, int]] = []
        self._rates: dict[str, list[tuple[int, int, float]]] = {}

    def apply(self, record: Record) -> None:
        """Fold one record."""
        fact = record.payload
        match fact:
            case LoanOriginated():
                self._loans[fact.loan_id] = fact.principal_cents, fact.coupon
                self._add(record.day, fact.principal_cents, fact.coupon)
            case LoanExited() | LoanDefaulted() | LoanRecovered():
                principal, coupon = self._loans.pop(fact.loan_id, (0, 0.0))  # a default has gone before its recovery
                self._add(record.day, -principal, coupon)
            case CashInterestReceived():
                self._earned.append((fact.from_day, record.day, fact.amount_cents))
            case FacilityInterestAccrued():
                rows = self._rates.setdefault(fact.facility, [])
                rows += [(first, last, rate) for first, last, _, _, rate in fact.segments]

    def _add(self, day: int, principal: int, coupon: float) -> None:
        self._principal += principal
        self._interest += principal * coupon
        self._steps[day] = self._interest / self._principal if self._principal > 0 else 0.0

    def carry(self, stays: list[Stay], days: int, hurdle: float) -> dict[str, int]:
        """Cents by reason, rounded once each."""
        book = np.zeros(days + 1)
        steps = sorted(self._steps.items())
        for (day, value), (until, _) in zip(steps, [*steps[1:], (days, 0.0)], strict=True):
            book[day:until] = value
        cash = self._cash_yield(stays, days)
        excess = {"book": book - cash, "hurdle": hurdle - cash}
        for name, rows in self._rates.items():
            rate = book.copy()
            for first, last, value in rows:
                rate[first:last] = value
            excess[f"draw_{name}"] = rate - cash
        sums = {name: np.concatenate(([0.0], np.cumsum(values))) for name, values in excess.items()}
        found: dict[str, float] = {}
        for stay in stays:
            name = "hurdle" if stay.reason == "awaiting_distribution" else "book"
            if stay.reason == "uninvested_draw" and stay.source in sums:
                name = stay.source
            earned = stay.cents * (sums[name].item(stay.last) - sums[name].item(stay.first)) / YEAR
            found[stay.reason] = found.get(stay.reason, 0.0) + earned
        return {reason: round(cents) for reason, cents in found.items()}

    def _cash_yield(self, stays: list[Stay], days: int) -> Floats:
        """What a cent earned in a year by night: each posting over the cash of its nights."""
        change = np.zeros(days + 2)
        for stay in stays:
            change[stay.first] += stay.cents
            change[stay.last] -= stay.cents
        balance = np.cumsum(change)
        found = np.zeros(days + 1)
        for first, last, cents in self._earned:
            lay = float(balance[first:last].sum())
            if lay > 0:
                found[first:last] = YEAR * cents / lay
        return found


def hurdle_of(scenario: Any) -> float:
    """The preferred return of a run's waterfall."""
    return float(scenario["waterfall"]["hurdle"])
