"""The loans as the NAV line sees them: eligible or not, with their value, kept up to date loan by loan.

A valuation marks them anew, ``valuation_lag_days`` after its day. In between, new loans stand at their principal, and
what has left or stopped to pay does not count any more.
"""

import numpy as np
from numpy.typing import NDArray

from fundclock.events.state.loan_book import DEFAULTED, PERFORMING, LoanBook, grown
from fundclock.handlers.context import Context
from fundclock.handlers.leverage.borrowing_base import BorrowingBase, CollateralPool, Floats, too_high
from fundclock.handlers.settings.leverage import GreenSleeveConfig


class _Marks:
    """A valuation by row, as it is collected."""

    def __init__(self, day: int, rows: int) -> None:
        self.day = day
        self.rows = rows
        self.worth = np.zeros(rows, np.int64)
        self.claims = np.zeros(rows, np.int64)
        self.ltv = np.zeros(rows)


class Collateral:
    """A cache that can be rebuilt from valuations and facts. Cents."""

    def __init__(self, context: Context) -> None:
        self._book = context.state.book
        self._settings = context.settings
        self._zones = len(context.settings.zones)
        self._pool = CollateralPool(self._zones, context.settings.leverage.green_sleeve)
        self._worth = np.zeros(256, np.int64)
        self._claims = np.zeros(256, np.int64)
        self._rows = 0
        self._waiting: list[_Marks] = []
        self._gone: list[int] = []
        self.valued_day = -1
        self.worth_cents = 0
        self.claims_cents = 0
        self._too_high = np.zeros(0, np.bool_)

    @property
    def _config(self) -> GreenSleeveConfig:
        return self._settings.leverage.green_sleeve

    def begin_valuation(self, day: int) -> None:
        """All loans are about to be marked."""
        self._waiting.append(_Marks(day, len(self._book)))
        self.valued_day = day

    def mark(self, rows: NDArray[np.intp], worth: NDArray[np.int64], claims: NDArray[np.int64], ltv: Floats) -> None:
        """Some of the living loans at the valuation that has begun."""
        marks = self._waiting[-1]
        marks.worth[rows] = worth
        marks.claims[rows] = claims
        marks.ltv[rows] = ltv

    def remove(self, row: int) -> None:
        """A loan has left, or stopped to pay."""
        self._gone.append(row)

    def ineligible(self) -> dict[str, list[str]]:
        """Loans that live and do not count, by reason."""
        status, ids = self._book.status(), self._book.ids
        paying = status[: len(self._too_high)] == PERFORMING
        return {
            "defaulted": [ids[row] for row in np.flatnonzero(status == DEFAULTED).tolist()],
            "ltv": [ids[row] for row in np.flatnonzero(self._too_high & paying).tolist()],
        }

    def base(self, day: int) -> BorrowingBase:
        """The borrowing base as known on a day."""
        self.catch_up(day)
        return self._pool.base()

    def catch_up(self, day: int) -> None:
        """Take in the valuations that count by now, and what was bought and has gone since."""
        due = [marks for marks in self._waiting if marks.day + self._config.valuation_lag_days <= day]
        if due:
            self._waiting = self._waiting[len(due) :]
            self._take(due[-1])
        if self._rows < len(self._book):
            self._take_new_rows()
        for row in self._gone:
            self._pool.remove(row)
            self.worth_cents -= self._worth.item(row)
            self.claims_cents -= self._claims.item(row)
            self._worth[row] = self._claims[row] = 0
        self._gone.clear()

    def _take(self, marks: _Marks) -> None:
        """Put a valuation in place. Loans that have gone since are not in the sums; those bought since come next."""
        rows = marks.rows
        pays = self._book.status()[:rows] == PERFORMING
        self._too_high = too_high(marks.ltv, self._config)
        self._pool.mark(self._book.column("zone")[:rows], marks.worth, pays & ~self._too_high)
        self._worth, self._claims = marks.worth * pays, marks.claims * pays
        self.worth_cents, self.claims_cents = int(self._worth.sum()), int(self._claims.sum())
        self._rows = rows
        self._gone.clear()

    def _take_new_rows(self) -> None:
        book, first = self._book, self._rows
        new = slice(first, len(book))
        principal = book.column("principal_cents")[new] * (book.status()[new] == PERFORMING)
        ltv = principal / book.column("property_value_cents")[new]
        zones = book.column("zone")[new]
        high = too_high(ltv, self._config)
        self._too_high = np.concatenate((self._too_high, high))
        self._pool.add(first, zones, np.where(high, 0, principal))
        self._rows = len(book)
        self._worth, self._claims = grown(self._worth, self._rows), grown(self._claims, self._rows)
        self._worth[new] = self._claims[new] = principal
        self.worth_cents += int(principal.sum())
        self.claims_cents += int(principal.sum())


def base_of(
    book: LoanBook, rows: NDArray[np.intp], worth: NDArray[np.int64], ltv: Floats, config: GreenSleeveConfig
) -> BorrowingBase:
    """The borrowing base of living loans that are worth and owe this today; ``worth`` in cents, lengths as ``rows``."""
    pool = CollateralPool(len(book.zones), config)
    counts = (book.status()[rows] == PERFORMING) & ~too_high(ltv, config)
    pool.mark(book.column("zone")[rows], worth, counts)
    return pool.base()
