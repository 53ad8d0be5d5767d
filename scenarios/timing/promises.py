"""Promised and kept: every scheduled command, its due day, and its outcome."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from fundclock.events.commands import Command
from fundclock.events.facts import CommandCancelled, CommandRejected, CommandScheduled
from fundclock.events.record import Record

FATES = ("kept", "cut", "declined", "rejected", "cancelled", "pending")
"""Done as promised; done in part; answered by a fact that says no; refused; taken back; still open at the log's end."""

DECLINED = ("draw.declined/1", "reinvestment.declined/1", "deployment.deferred/1")


class Promise(NamedTuple):
    """One scheduled command and what happened: ``lag`` is the day of that less the due day."""

    seq: int
    kind: str
    about: str
    source: str | None
    made: int
    due: int
    fate: str
    happened: str | None
    day: int | None

    @property
    def lag(self) -> int | None:
        """Days between the due day and what happened; None where nothing has."""
        return None if self.day is None or self.fate in ("cancelled", "pending") else self.day - self.due


@dataclass(frozen=True)
class PromiseSummary:
    """Commands of one kind: how many were promised, what became of them, and days."""

    promises: int
    kept: int
    cut: int
    declined: int
    rejected: int
    cancelled: int
    pending: int
    mean_days_ahead: float
    """From the word to the due day."""
    mean_lag_days: float | None
    """From the due day to what happened; None where nothing has."""
    max_lag_days: int | None


class Promises:
    """A fold over the whole log: the first record that names a promise as its cause is its outcome."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[CommandScheduled, int]] = {}
        self.kept: list[Promise] = []

    def apply(self, record: Record) -> None:
        """Fold one record, of any kind."""
        fact = record.payload
        if record.cause in self._open:
            self._close(record.cause, _fate(self._open[record.cause][0].command, record), record.kind, record.day)
        if isinstance(fact, CommandScheduled):
            self._open[record.seq] = fact, record.day
        elif isinstance(fact, CommandCancelled) and fact.scheduled_seq in self._open:
            self._close(fact.scheduled_seq, "cancelled", record.kind, record.day)

    def finish(self) -> None:
        """The log's end: what is open is pending."""
        for seq in list(self._open):
            self._close(seq, "pending", None, None)
        self.kept.sort()

    def _close(self, seq: int, fate: str, happened: str | None, day: int | None) -> None:
        promised, made = self._open.pop(seq)
        command = promised.command
        self.kept.append(
            Promise(
                seq, command.kind, command.business_key, promised.source, made, promised.due_day, fate, happened, day
            )
        )

    def by_kind(self) -> "dict[str, PromiseSummary]":
        """What became of them, by kind of command."""
        found = {}
        for kind in sorted({promise.kind for promise in self.kept}):
            of = [promise for promise in self.kept if promise.kind == kind]
            lags = [promise.lag for promise in of if promise.lag is not None]
            fates = Counter(promise.fate for promise in of)
            found[kind] = PromiseSummary(
                promises=len(of),
                kept=fates["kept"],
                cut=fates["cut"],
                declined=fates["declined"],
                rejected=fates["rejected"],
                cancelled=fates["cancelled"],
                pending=fates["pending"],
                mean_days_ahead=sum(promise.due - promise.made for promise in of) / len(of),
                mean_lag_days=sum(lags) / len(lags) if lags else None,
                max_lag_days=max(lags) if lags else None,
            )
        return found


def _fate(command: Command, record: Record) -> str:
    fact: Mapping[str, Any] = record.payload.__dict__
    if isinstance(record.payload, CommandRejected):
        return "rejected"
    if record.kind in DECLINED:
        return "declined"
    asked = command.__dict__.get("amount_cents")
    done = fact.get("amount_cents")
    return "cut" if asked is not None and done is not None and done < asked else "kept"
