"""The living book in sums, kept up to date by what changes in it, never by a look at all loans.

A loan stands at its claim and LTV of the last valuation, or of its purchase if that was later. So a check costs
what has been bought and has ended since the last check, however many loans there are.
"""

from bisect import insort
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from events.facts import LoanExited, LoanOriginated, LoanRecovered
from events.record import Record
from events.state.loan_book import LoanBook, grown
from handlers.loans.config import LoansConfig
from handlers.ports import MarketView
from handlers.risk.measures import BookSums
from handlers.settings import Settings

Floats = NDArray[np.float64]

CLAIM, CLAIM_SQUARED, CLAIM_LTV, CLAIM_COUPON, PARTICIPATION = range(5)
"""Columns of a loan's marks; participation is the share of the property's value whose relative gain is the fund's."""

CANDIDATES = 64
"""So many of the largest claims are kept, so that the ten largest are known after some of them have ended."""


class Exposure:
    """Sums over living loans by zone, and the largest claims. A cache that valuations and facts give again."""

    def __init__(self, book: LoanBook, settings: Settings, market: MarketView) -> None:
        self._book = book
        self._settings = settings
        self._market = market
        self._marks = np.zeros((5, 256))
        self._sums: list[list[float]] = []
        self._rows = 0
        self._ended: list[int] = []
        self._largest: list[tuple[float, int]] = []
        self._smallest_kept = 0.0

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
        for sums, column in zip(self._sums, marks, strict=True):
            for zone, value in enumerate(np.bincount(zones, column, len(sums)).tolist()):
                sums[zone] += value
        self._keep_largest(rows, marks[CLAIM])

    def end_on_paid_off(self, _record: Record, fact: LoanExited | LoanRecovered) -> None:
        """A loan is gone."""
        self._ended.append(self._book.row_of[fact.loan_id])

    def claims(self) -> dict[str, float]:
        """Claims of living loans by zone, in cents."""
        self._catch_up()
        return dict(zip(self._book.zones, self._sums[CLAIM], strict=True))

    def sums(self, day: int, bought: Sequence[LoanOriginated] = ()) -> BookSums:
        """The book as known on a day, with loans that are about to be bought.

        What it may earn in a year: coupons, plus participation × the zone's trailing twelve-month appreciation, less
        claims × the zone's default rate × (1 − recovery rate).
        """
        self._catch_up()
        sums = [list(column) for column in self._sums]
        claims = [-claim for claim, _ in self._largest[:10]]
        place = {zone: number for number, zone in enumerate(self._book.zones)}
        for loan in bought:
            zone = place[loan.zone]
            for column, value in zip(sums, opening_marks(loan, self._settings.loans), strict=True):
                column[zone] += value
            claims.append(float(loan.principal_cents))
        gain = 0.0
        appreciation = self._market.appreciation(day)
        for number, terms in enumerate(self._settings.zones.values()):
            loss = terms.default_rate * (1 - terms.recovery_rate)
            gain += sums[CLAIM_COUPON][number] + sums[PARTICIPATION][number] * appreciation[number]
            gain -= sums[CLAIM][number] * loss
        return BookSums(
            dict(zip(self._book.zones, sums[CLAIM], strict=True)),
            sum(sums[CLAIM_SQUARED]),
            sum(sums[CLAIM_LTV]),
            gain,
            sorted(claims, reverse=True)[:10],
        )

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
        if len(rows) > CANDIDATES:
            top = np.argpartition(-claims, CANDIDATES)
            self._smallest_kept = max(self._smallest_kept, float(claims[top[CANDIDATES]]))
            rows, claims = rows[top[:CANDIDATES]], claims[top[:CANDIDATES]]
        for claim, row in zip(claims.tolist(), rows.tolist(), strict=True):
            if claim >= self._smallest_kept:
                insort(self._largest, (-claim, row))
        if len(self._largest) > CANDIDATES:
            self._smallest_kept = max(self._smallest_kept, -self._largest[CANDIDATES][0])
            del self._largest[CANDIDATES:]


def make_marks(claim: Floats, ltv: Floats, coupon: Floats, participation: Floats) -> Floats:
    """Marks of some loans; shape (5, number of loans)."""
    return np.stack((claim, claim * claim, claim * ltv, claim * coupon, participation))


def opening_marks(loan: LoanOriginated, config: LoansConfig) -> tuple[float, ...]:
    """Marks of one loan on the day of its purchase."""
    claim, value = loan.principal_cents, loan.property_value_cents
    share = loan.appreciation_share
    if share is None:
        share = config.tiers()[1][0]
    return claim, claim * claim, claim * claim / value, claim * loan.coupon, share * value


def share_at(gain: Floats, shares: Floats, tiers: tuple[Sequence[float], Sequence[float]]) -> Floats:
    """The share of the next cent of appreciation: the flat one, or that of the tier in which the gain stands."""
    thresholds, by_tier = tiers
    return np.where(np.isnan(shares), np.array(by_tier)[np.searchsorted(np.array(thresholds), gain)], shares)
