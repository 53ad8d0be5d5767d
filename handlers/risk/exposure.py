"""Sums over the living book, updated by its changes, never by a pass over all loans.

A loan stands at its claim and LTV of the last valuation, or of its purchase if that was later. So a check costs
what has been bought and has ended since the last check, however many loans there are.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fundclock.events.facts import LoanExited, LoanOriginated, LoanRecovered, ReinvestmentPeriodEnded
from fundclock.events.parts import Part, Reactions
from fundclock.events.record import Record
from fundclock.events.state.loan_book import grown
from fundclock.handlers.context import Context
from fundclock.handlers.risk.measures import BookSums

Floats = NDArray[np.float64]

CLAIM, CLAIM_SQUARED, CLAIM_LTV, CLAIM_COUPON, PARTICIPATION = range(5)
"""Columns of a loan's marks; participation is the share of the property's value whose relative gain is the fund's."""

CANDIDATES = 32
"""So many of the largest claims are kept, so that the ten largest are known after some of them have ended."""


class Exposure(Part):
    """Sums over living loans by zone, and the largest claims. A cache that can be rebuilt from valuations and facts."""

    def __init__(self, context: Context) -> None:
        self._book = context.state.book
        self._settings = context.settings
        self._market = context.market
        self._marks = np.zeros((5, 256))
        self._sums: list[list[float]] = []
        self._rows = 0
        self._ended: list[int] = []
        self._largest: list[tuple[float, int]] = []
        self._smallest_kept = 0.0
        self.open = True

    def reactions(self) -> Reactions:
        """What it does when facts are recorded."""
        return {
            LoanExited: [self.end_on_paid_off],
            LoanRecovered: [self.end_on_paid_off],
            ReinvestmentPeriodEnded: [self.close_on_period_ended],
        }

    def close_on_period_ended(self, _record: Record, _fact: ReinvestmentPeriodEnded) -> None:
        """There will be no check any more."""
        self.open = False
        self._marks = np.zeros((5, 0))
        self._ended.clear()

    def begin_valuation(self) -> None:
        """All loans are about to be marked anew."""
        self._rows = len(self._book)
        self._ended.clear()
        self._marks = np.zeros((5, max(256, self._rows))) if self._rows > self._marks.shape[1] else self._marks
        self._sums = [[0.0] * len(self._book.zones) for _ in range(5)]
        self._largest = []
        self._smallest_kept = 0.0

    def mark(self, rows: NDArray[np.intp], zones: NDArray[np.int16], marks: Floats) -> None:
        """Marks of some of the living loans; shape (5, len(rows))."""
        self._marks[:, rows] = marks
        zones = zones.astype(np.intp)  # what bincount would come to for each column
        count = len(self._book.zones)
        for place, column in enumerate(marks):
            sums = np.bincount(zones, column, count).tolist()
            self._sums[place] = [a + b for a, b in zip(self._sums[place], sums, strict=True)]
        self._keep_largest(rows, marks[CLAIM])

    def end_on_paid_off(self, _record: Record, fact: LoanExited | LoanRecovered) -> None:
        """A loan is gone."""
        if self.open:
            self._ended.append(self._book.row_of[fact.loan_id])

    def claims(self) -> dict[str, float]:
        """Claims of living loans by zone, in cents."""
        self._catch_up()
        return dict(zip(self._book.zones, self._sums[CLAIM], strict=True))

    def sums(self, day: int) -> BookSums:
        """The book as known on a day.

        What it may earn in a year: coupons, plus participation × the zone's trailing twelve-month appreciation, less
        claims × the zone's default rate × (1 − recovery rate).
        """
        self._catch_up()
        sums = self._sums
        gain = 0.0
        for number, (change, loss) in enumerate(self._outlook(day)):
            gain += sums[CLAIM_COUPON][number] + sums[PARTICIPATION][number] * change - sums[CLAIM][number] * loss
        return BookSums(
            dict(zip(self._book.zones, sums[CLAIM], strict=True)),
            sum(sums[CLAIM_SQUARED]),
            sum(sums[CLAIM_LTV]),
            gain,
            [-claim for claim, _ in self._largest[:10]],
        )

    def with_bought(self, book: BookSums, loans: Sequence[LoanOriginated], day: int) -> BookSums:
        """The book with loans that are about to be bought."""
        claims, squares, by_ltv, gain, largest = book
        claims = dict(claims)
        outlook = dict(zip(self._book.zones, self._outlook(day), strict=True))
        first_tier = self._settings.loans.tiers()[1][0]
        for loan in loans:
            claim, value, share = loan.principal_cents, loan.property_value_cents, loan.appreciation_share
            change, loss = outlook[loan.zone]
            claims[loan.zone] += claim
            squares += claim * claim
            by_ltv += claim * claim / value
            gain += claim * (loan.coupon - loss) + (first_tier if share is None else share) * value * change
        largest = sorted([*largest, *(float(loan.principal_cents) for loan in loans)], reverse=True)[:10]
        return BookSums(claims, squares, by_ltv, gain, largest)

    def _outlook(self, day: int) -> list[tuple[float, float]]:
        """By zone: the trailing appreciation, and the loss to expect of a claim in a year."""
        losses = [zone.default_rate * (1 - zone.recovery_rate) for zone in self._settings.zones.values()]
        return list(zip(self._market.appreciation(day), losses, strict=True))

    def _catch_up(self) -> None:
        """Take in what was bought and has ended since the last look."""
        book = self._book
        if not self._sums:
            self._sums = [[0.0] * len(book.zones) for _ in range(5)]
        if self._rows < len(book):
            self._take_new_rows()
        if not self._ended:
            return
        marks = self._marks[:, self._ended].T.tolist()
        gone = set(self._ended)
        for row, values in zip(self._ended, marks, strict=True):
            zone = book.value("zone", row)
            for column, value in zip(self._sums, values, strict=True):
                column[zone] -= value
        self._ended.clear()
        if not book.performing and not book.in_recovery:
            self._sums = [[0.0] * len(book.zones) for _ in range(5)]
        self._largest = [entry for entry in self._largest if entry[1] not in gone]
        if len(self._largest) < 10 and self._smallest_kept:
            rows = book.living_rows()
            self._largest = []
            self._smallest_kept = 0.0
            self._keep_largest(rows, self._marks[CLAIM, rows])

    def _take_new_rows(self) -> None:
        book = self._book
        new = slice(self._rows, len(book))
        claim = book.column("principal_cents")[new].astype(np.float64)
        value = book.column("property_value_cents")[new]
        share = book.column("share")[new]
        share = np.where(np.isnan(share), self._settings.loans.tiers()[1][0], share)
        marks = make_marks(claim, claim / value, book.column("coupon")[new], share * value)
        if len(book) > self._marks.shape[1]:
            self._marks = np.stack([grown(column, len(book)) for column in self._marks])
        rows = np.arange(self._rows, len(book))
        self._rows = len(book)
        self.mark(rows, book.column("zone")[new], marks)

    def _keep_largest(self, rows: NDArray[np.intp], claims: Floats) -> None:
        """Keep the largest claims seen since the last valuation; what is below any that was dropped is not kept."""
        if self._smallest_kept:
            large = claims >= self._smallest_kept
            rows, claims = rows[large], claims[large]
        if len(rows) > CANDIDATES:
            top = claims.argpartition(-CANDIDATES - 1)[-CANDIDATES - 1 :]
            self._smallest_kept = max(self._smallest_kept, claims.item(top[0]))
            rows, claims = rows[top[1:]], claims[top[1:]]
        self._largest += zip((-claims).tolist(), rows.tolist(), strict=True)
        self._largest.sort()
        if len(self._largest) > CANDIDATES:
            self._smallest_kept = max(self._smallest_kept, -self._largest[CANDIDATES][0])
            del self._largest[CANDIDATES:]


def make_marks(claim: NDArray[Any], ltv: Floats, coupon: Floats, participation: Floats) -> Floats:
    """Marks of some loans; shape (5, number of loans)."""
    marks = np.empty((5, len(claim)))
    marks[CLAIM] = claim
    claims = marks[CLAIM]
    np.multiply(claims, claims, out=marks[CLAIM_SQUARED])
    np.multiply(claims, ltv, out=marks[CLAIM_LTV])
    np.multiply(claims, coupon, out=marks[CLAIM_COUPON])
    marks[PARTICIPATION] = participation
    return marks


def share_at(gain: Floats, shares: Floats, tiers: tuple[Sequence[float], Sequence[float]]) -> Floats:
    """The share of the next cent of appreciation: the flat one, or that of the tier in which the gain stands."""
    thresholds, by_tier = tiers
    return np.where(np.isnan(shares), np.array(by_tier)[np.searchsorted(np.array(thresholds), gain)], shares)
