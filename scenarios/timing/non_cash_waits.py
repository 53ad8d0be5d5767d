"""What waits and is not cash: defaulted loans until they pay, sold loans until they settle, calls and draws on notice.

Each table has an identity of its own: the items' amount × nights sum to the integral of what was outstanding.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple

from fundclock.events.commands import DrawFacility, RepayFacility
from fundclock.events.facts import (
    CapitalCalled,
    CapitalContributed,
    CommandScheduled,
    LoanDefaulted,
    LoanExited,
    LoanRecovered,
    LoanSaleAgreed,
    RunFinished,
)
from fundclock.events.record import Record

TABLES = ("recovery_wait", "settlement", "call_notice", "draw_notice", "repayment_notice")
"""Loans at cost until they recover, or their sale settles; calls, draws and repayments until they are paid."""


class Wait(NamedTuple):
    """One thing that waited: cents outstanding from its first day until its last."""

    about: str
    cents: int
    first: int
    last: int
    seq: int


@dataclass(frozen=True)
class WaitSummary:
    """What has waited and is not cash, in one table."""

    items: int
    mean_days: float | None
    dollar_days_cents: int
    """In cent-days."""
    integral_cents: int
    """The integral of what waits over the run, to which ``dollar_days_cents`` is equal."""
    by_cents: dict[str, int]
    """The same by zone, purpose or facility."""


class Waits:
    """A fold over the log."""

    kinds = (
        LoanDefaulted,
        LoanRecovered,
        LoanSaleAgreed,
        LoanExited,
        CapitalCalled,
        CapitalContributed,
        CommandScheduled,
        RunFinished,
    )

    def __init__(self) -> None:
        self.waits: dict[str, list[Wait]] = {table: [] for table in TABLES}
        self._open: dict[tuple[str, Hashable], tuple[str, int, int, int]] = {}
        self._level = dict.fromkeys(TABLES, 0)
        self._integral = dict.fromkeys(TABLES, 0)
        self._since = dict.fromkeys(TABLES, 0)
        self._due: list[tuple[int, str, int]] = []

    def apply(self, record: Record) -> None:
        """Fold one record."""
        fact, day = record.payload, record.day
        while self._due and self._due[0][0] <= day:  # a notice is over on its day, whatever came of it
            due, table, seq = self._due.pop(0)
            self._end(table, seq, due)
        match fact:
            case LoanDefaulted():
                self._begin("recovery_wait", fact.loan_id, fact.zone, fact.principal_cents, record)
            case LoanRecovered():
                self._end("recovery_wait", fact.loan_id, day)
            case LoanSaleAgreed():
                self._begin("settlement", fact.loan_id, fact.zone, fact.principal_cents, record)
            case LoanExited():
                self._end("settlement", fact.loan_id, day)
            case CapitalCalled():
                self._begin("call_notice", fact.call, fact.purpose, fact.amount_cents, record)
            case CapitalContributed():
                self._end("call_notice", fact.call, day)
            case CommandScheduled() if isinstance(fact.command, DrawFacility | RepayFacility):
                table = "draw_notice" if isinstance(fact.command, DrawFacility) else "repayment_notice"
                self._begin(table, record.seq, fact.command.facility, fact.command.amount_cents, record)
                self._due.append((fact.due_day, table, record.seq))
                self._due.sort()

    def finish(self, day: int) -> None:
        """The log's end: what still waits has waited until now."""
        for table, key in list(self._open):
            self._end(table, key, day)

    def _begin(self, table: str, key: Hashable, about: str, cents: int, record: Record) -> None:
        self._move(table, record.day, cents)
        self._open[table, key] = about, cents, record.day, record.seq

    def _end(self, table: str, key: Hashable, day: int) -> None:
        found = self._open.pop((table, key), None)
        if found is not None:
            about, cents, first, seq = found
            self._move(table, day, -cents)
            self.waits[table].append(Wait(about, cents, first, day, seq))

    def _move(self, table: str, day: int, cents: int) -> None:
        self._integral[table] += self._level[table] * (day - self._since[table])
        self._since[table] = day
        self._level[table] += cents

    def by_table(self) -> "dict[str, WaitSummary]":
        """What has waited, by table."""
        found = {}
        for table, waits in self.waits.items():
            by: dict[str, int] = {}
            for wait in waits:
                by[wait.about] = by.get(wait.about, 0) + wait.cents * (wait.last - wait.first)
            mean = sum(wait.last - wait.first for wait in waits) / len(waits) if waits else None
            found[table] = WaitSummary(len(waits), mean, sum(by.values()), self._integral[table], by)
        return found
