"""The loan book: one row a loan, in columns."""

import hashlib
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fundclock.events.facts import (
    LoanDefaulted,
    LoanExited,
    LoanHistoryKnown,
    LoanInterestPaid,
    LoanOriginated,
    LoanRecovered,
    RunStarted,
)
from fundclock.events.facts.loans import SOURCES, KnownKind
from fundclock.events.record import Fact, Record
from fundclock.events.state.folding import InvariantError, Mutator

PERFORMING, DEFAULTED, GONE = 0, 1, 2
FILL = 4096
"""New rows that may wait before they are written to the columns: a row in a list is ten times as large."""

COLUMNS: dict[str, type[np.generic]] = {
    "zone": np.int16,
    "principal_cents": np.int64,
    "property_value_cents": np.int64,
    "senior_debt_cents": np.int64,
    "coupon": np.float64,
    "share": np.float64,
    "pays_cash": np.bool_,
    "bought_day": np.int32,
    "source": np.int8,
    "entity": np.int32,
    "born_day": np.int32,
    "maturity_day": np.int32,
    "exit_threshold": np.float64,
    "default_threshold": np.float64,
    "kind_draw": np.float64,
}
"""Columns that an origination fills; ``share`` is NaN where the marginal tiers apply."""


class KnownEnding(NamedTuple):
    """How a tape says that a loan ended; ``proceeds_cents`` None leaves them to the model."""

    day: int
    kind: KnownKind
    default_day: int | None
    proceeds_cents: int | None


class Default(NamedTuple):
    """A loan's claim when it defaulted; neither grows while the recovery is awaited."""

    day: int
    claim_cents: int
    interest_cents: int


class NewLoan(NamedTuple):
    """A row before it is written to the columns; fields as ``COLUMNS``."""

    zone: int
    principal_cents: int
    property_value_cents: int
    senior_debt_cents: int
    coupon: float
    share: float
    pays_cash: bool
    bought_day: int
    source: int
    entity: int
    born_day: int
    maturity_day: int
    exit_threshold: float
    default_threshold: float
    kind_draw: float


class LoanTerms(NamedTuple):
    """What a loan's claim depends on, as plain numbers: the first columns of a row."""

    zone: int
    principal_cents: int
    property_value_cents: int
    senior_debt_cents: int
    coupon: float
    share: float
    pays_cash: bool
    bought_day: int


class LoanBook:
    """Rows in order of origination. New rows wait in a list until a column is asked for."""

    def __init__(self) -> None:
        self.zones: list[str] = []
        self._zone_numbers: dict[str, int] = {}
        self.ids: list[str] = []
        self.row_of: dict[str, int] = {}
        self.next_entity: dict[tuple[str, str], int] = {}
        self.performing = 0
        self.in_recovery = 0
        self.cost_in_recovery_cents = 0
        self.interest_paid_day = 0
        self.known_endings: dict[int, KnownEnding] = {}
        self.defaults: dict[int, Default] = {}
        self._columns = {name: np.empty(256, dtype) for name, dtype in COLUMNS.items()}
        self._cells = [self._columns[name] for name in LoanTerms._fields]
        self._status = np.zeros(256, np.int8)
        self._filled = 0
        self._new: list[NewLoan] = []

    def on(self) -> dict[type[Fact], Mutator]:
        """Which facts change it, and how."""
        return {
            RunStarted: self._started,
            LoanOriginated: self._originated,
            LoanHistoryKnown: self._history_known,
            LoanExited: self._exited,
            LoanDefaulted: self._defaulted,
            LoanRecovered: self._recovered,
            LoanInterestPaid: self._interest_paid,
        }

    def __len__(self) -> int:
        return len(self.ids)

    def column(self, name: str) -> NDArray[Any]:
        """A column of ``COLUMNS``, one entry a loan ever originated; shape (len(book),)."""
        if self._new:
            self._fill()
        return self._columns[name][: self._filled]

    def terms(self, row: int) -> LoanTerms:
        """One row; an origination that has not been filled into columns yet is found too."""
        if row >= self._filled:
            return LoanTerms._make(self._new[row - self._filled][: len(LoanTerms._fields)])
        return LoanTerms._make([column.item(row) for column in self._cells])

    def value(self, name: str, row: int) -> Any:
        """One cell as a plain number."""
        if row >= self._filled:
            return getattr(self._new[row - self._filled], name)
        return self._columns[name].item(row)

    def status(self) -> NDArray[np.int8]:
        """PERFORMING, DEFAULTED or GONE; shape (len(book),)."""
        if self._new:
            self._fill()
        return self._status[: self._filled]

    def performing_rows(self) -> NDArray[np.intp]:
        """Rows of loans that pay."""
        rows: NDArray[np.intp] = (self.status() == PERFORMING).nonzero()[0]
        return rows

    def living_rows(self) -> NDArray[np.intp]:
        """Rows of loans that pay or wait for their recovery."""
        rows: NDArray[np.intp] = (self.status() != GONE).nonzero()[0]
        return rows

    def _fill(self) -> None:
        count = self._filled + len(self._new)
        if count > len(self._status):
            self._columns = {name: grown(old, count) for name, old in self._columns.items()}
            self._cells = [self._columns[name] for name in LoanTerms._fields]
        self._status = grown(self._status, count)
        for name, values in zip(COLUMNS, zip(*self._new, strict=True), strict=True):
            self._columns[name][self._filled : count] = values
        self._status[self._filled : count] = PERFORMING
        self._filled = count
        self._new = []

    def _started(self, _record: Record, fact: RunStarted) -> None:
        zones = fact.scenario["zones"]
        assert isinstance(zones, dict)
        self.zones = list(zones)
        self._zone_numbers = {zone: number for number, zone in enumerate(zones)}
        self.next_entity = {(zone, source): 0 for zone in self.zones for source in SOURCES}

    def _originated(self, record: Record, fact: LoanOriginated) -> None:
        if fact.loan_id in self.row_of:
            raise InvariantError(f"loan {fact.loan_id} is originated a second time at seq {record.seq}")
        zone = self._zone_numbers[fact.zone]
        self.row_of[fact.loan_id] = len(self.ids)
        self.ids.append(fact.loan_id)
        self.next_entity[fact.zone, fact.source] = fact.entity + 1
        self.performing += 1
        share = fact.appreciation_share
        self._new.append(
            NewLoan(
                zone,
                fact.principal_cents,
                fact.property_value_cents,
                fact.senior_debt_cents,
                fact.coupon,
                np.nan if share is None else share,
                fact.pays_cash,
                record.day,
                SOURCES.index(fact.source),
                fact.entity,
                record.day - fact.first_age_days,
                fact.maturity_day,
                fact.exit_threshold,
                fact.default_threshold,
                fact.kind_draw,
            )
        )
        if len(self._new) >= FILL:
            self._fill()

    def _history_known(self, _record: Record, fact: LoanHistoryKnown) -> None:
        self.known_endings[self.row_of[fact.loan_id]] = KnownEnding(
            fact.exit_day, fact.exit_kind, fact.default_day, fact.proceeds_cents
        )

    def _move(self, record: Record, loan_id: str, before: int, after: int) -> None:
        row = self.row_of.get(loan_id, -1)
        if row < 0:
            raise InvariantError(f"seq {record.seq} ends loan {loan_id}, which was never originated")
        if row >= self._filled:
            self._fill()
        if self._status.item(row) != before:
            raise InvariantError(f"seq {record.seq} ends loan {loan_id}, which has already ended")
        self._status[row] = after

    def _exited(self, record: Record, fact: LoanExited) -> None:
        self._move(record, fact.loan_id, PERFORMING, GONE)
        self.performing -= 1

    def _defaulted(self, record: Record, fact: LoanDefaulted) -> None:
        self._move(record, fact.loan_id, PERFORMING, DEFAULTED)
        self.performing -= 1
        self.in_recovery += 1
        self.cost_in_recovery_cents += fact.principal_cents
        self.defaults[self.row_of[fact.loan_id]] = Default(record.day, fact.claim_cents, fact.interest_cents)

    def _recovered(self, record: Record, fact: LoanRecovered) -> None:
        self._move(record, fact.loan_id, DEFAULTED, GONE)
        self.in_recovery -= 1
        self.cost_in_recovery_cents -= fact.principal_cents
        del self.defaults[self.row_of[fact.loan_id]]

    def _interest_paid(self, record: Record, _fact: LoanInterestPaid) -> None:
        self.interest_paid_day = record.day

    def summary(self) -> dict[str, Any]:
        """Counts, and a digest over all columns and the loans' names."""
        digest = hashlib.sha256("\n".join(self.ids).encode())
        for name in COLUMNS:
            digest.update(self.column(name).tobytes())
        digest.update(self.status().tobytes())
        return {
            "originated": len(self.ids),
            "performing": self.performing,
            "in_recovery": self.in_recovery,
            "columns": digest.hexdigest(),
        }


def grown(column: NDArray[Any], count: int) -> NDArray[Any]:
    """The column with room for ``count`` rows, at least doubled when it has to grow; new rows are 0."""
    if count <= len(column):
        return column
    new = np.zeros(max(count, 2 * len(column)), column.dtype)
    new[: len(column)] = column
    return new
