"""The borrowing base: which loans count as collateral, and how much may be borrowed against them.

A paying loan whose LTV is low enough counts at its value. T is the sum of those values. One loan counts for at most
``concentration.loan`` × T and then one zone for at most ``concentration.zone`` × T: the excess is cut first, and the
advance rate applies to the rest. With fewer than ``min_loans`` loans there is no base.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fundclock.events.state.loan_book import grown
from fundclock.handlers.settings.leverage import GreenSleeveConfig

Floats = NDArray[np.float64]


class BorrowingBase(NamedTuple):
    """A base with all its terms, in cents; ``zone_excess_cents`` by zone, in the order of the zones."""

    loans: int
    eligible_cents: int
    loan_excess_cents: int
    zone_excess_cents: list[int]
    counted_cents: int
    base_cents: int

    def terms(self) -> dict[str, int]:
        """What is in a test's record; what counts is eligible − loan_excess − zone_excess."""
        excess = sum(self.zone_excess_cents)
        return {
            "loans": self.loans,
            "eligible_cents": self.eligible_cents,
            "loan_excess_cents": self.loan_excess_cents,
            "zone_excess_cents": excess,
        }


class CollateralPool:
    """Eligible values of living loans by row, summed by zone; kept up to date loan by loan.

    The loans that may be above the limit of a single loan are kept by size, so that a base after an exit is a few
    sums. When the pool has halved since they were found, they are found anew.
    """

    def __init__(self, zones: int, config: GreenSleeveConfig) -> None:
        self._config = config
        self._values = np.zeros(0, np.int64)
        self._zone = np.zeros(0, np.int16)
        self._by_zone = [0] * zones
        self._large: dict[int, int] = {}
        self._found_at = 0
        self._known: BorrowingBase | None = None
        self.loans = 0

    def mark(self, zone: NDArray[np.int16], value_cents: NDArray[np.int64], eligible: NDArray[np.bool_]) -> None:
        """All loans by row at a valuation; a loan that is not eligible counts nothing."""
        self._known = None
        self._values = np.where(eligible, value_cents, 0)
        self._zone = zone.copy()
        self.loans = int(np.count_nonzero(self._values))
        self._by_zone = [int(self._values[zone == number].sum()) for number in range(len(self._by_zone))]
        self._find_large()

    def add(self, first: int, zone: NDArray[np.int16], value_cents: NDArray[np.int64]) -> None:
        """New loans, in the rows from ``first`` on; one that is not eligible has the value 0."""
        self._known = None
        count = first + len(zone)
        if count > len(self._values):
            self._values, self._zone = grown(self._values, count), grown(self._zone, count)
        self._values[first:count] = value_cents
        self._zone[first:count] = zone
        self.loans += int(np.count_nonzero(value_cents))
        for row, (number, value) in enumerate(zip(zone.tolist(), value_cents.tolist(), strict=True), first):
            self._by_zone[number] += value
            if value > self._config.concentration.loan * self._found_at / 2:
                self._large[row] = value
        if sum(self._by_zone) > 2 * self._found_at:
            self._find_large()

    def remove(self, row: int) -> int:
        """A loan has left, or stopped to pay: its value, which does not count any more."""
        value = self._values.item(row)
        if value:
            self._known = None
            self._values[row] = 0
            self._by_zone[self._zone.item(row)] -= value
            self._large.pop(row, None)
            self.loans -= 1
        return value

    def base(self) -> BorrowingBase:
        """The base as the pool is now; it is asked for several times on a quarter's end."""
        if self._known is None:
            self._known = self._reckoned()
        return self._known

    def _reckoned(self) -> BorrowingBase:
        total = sum(self._by_zone)
        if total < self._found_at / 2:
            self._find_large()
        limits = self._config.concentration
        per_loan, per_zone = int(limits.loan * total), int(limits.zone * total)
        by_zone = list(self._by_zone)
        loan_excess = 0
        for row, value in self._large.items():
            over = value - per_loan
            if over > 0:
                by_zone[self._zone.item(row)] -= over
                loan_excess += over
        zone_excess = [max(0, value - per_zone) for value in by_zone]
        counted = sum(by_zone) - sum(zone_excess)
        enough = self.loans >= self._config.min_loans
        base = int(self._config.advance_rate * counted) if enough else 0
        return BorrowingBase(self.loans, total, loan_excess, zone_excess, counted, base)

    def _find_large(self) -> None:
        """Loans above half the limit: none of the others can come above it before the pool has halved."""
        self._found_at = sum(self._by_zone)
        rows = np.flatnonzero(self._values > self._config.concentration.loan * self._found_at / 2)
        self._large = dict(zip(rows.tolist(), self._values[rows].tolist(), strict=True))


def too_high(ltv: Floats, config: GreenSleeveConfig) -> NDArray[np.bool_]:
    """Which loans do not count because of their LTV."""
    return ltv > config.eligible_loan_ltv
