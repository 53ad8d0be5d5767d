"""Two runs compared: settings, the first record that differs, records by what they are about, money."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, NamedTuple

from fundclock.events.record import Record
from fundclock.events.units import from_cents
from fundclock.scenarios.comparisons.compare import compare
from fundclock.scenarios.files.changes import leaves
from fundclock.scenarios.runs.manifest import calendar_of
from fundclock.scenarios.runs.recorded import RecordedRun
from fundclock.scenarios.timing.dollar_days import dollar_days

DATED = frozenset(
    (
        "market.moved/1",
        "book.valued/1",
        "nav.reported/1",
        "cash_interest.received/1",
        "fee.accrued/1",
        "leverage.measured/1",
        "allocation.optimized/1",
        "facility_interest.accrued/1",
    )
)
"""Kinds that happen on days that are the same in every run: their records are held against each other by day."""

ABOUT = ("loan_id", "facility", "test", "fee", "partner", "purpose", "reason", "source")
"""Fields that say what a record is about; those that it has, in this order, make its key."""

REFERENCES = frozenset(("lot", "lots", "scheduled_seq", "call", "draws"))
"""Fields that number other records of the same run, or count: they differ without anything being different."""


class Pair(NamedTuple):
    """The same thing in both runs, or in one of them: its kind and key, and the records."""

    kind: str
    key: str
    first: Record | None
    second: Record | None

    @property
    def change(self) -> str:
        """same, moved (to another day), changed (on the same day), only_first or only_second."""
        if self.first is None:
            return "only_second"
        if self.second is None:
            return "only_first"
        if self.first.day != self.second.day:
            return "moved"
        return "same" if _content(self.first) == _content(self.second) else "changed"


CHANGES = ("same", "moved", "changed", "only_first", "only_second")


@dataclass(frozen=True)
class Diff:
    """Everything in which two runs differ. ``first_difference`` holds the records at the first seq that differs."""

    first: RecordedRun
    second: RecordedRun
    settings: list[dict[str, Any]]
    first_difference: tuple[Record | None, Record | None] | None
    pairs: list[Pair]

    @property
    def same(self) -> bool:
        """Whether the logs are the same, byte for byte."""
        return self.first.head_hash == self.second.head_hash

    def kinds(self) -> dict[str, dict[str, int]]:
        """How many records of each kind are the same, moved, changed, or in one run only; kinds with a difference."""
        counted: dict[str, Counter[str]] = {}
        for pair in self.pairs:
            counted.setdefault(pair.kind, Counter())[pair.change] += 1
        return {
            kind: {change: counts[change] for change in CHANGES}
            for kind, counts in sorted(counted.items())
            if counts.total() != counts["same"]
        }

    def money(self) -> list[dict[str, str]]:
        """Balances of the ledger's accounts at the end of both, and second − first; the differences sum to zero."""
        balances = [run.state.ledger.balances for run in (self.first, self.second)]
        rows = []
        for account in sorted(balances[0].keys() | balances[1].keys()):
            a, b = (found.get(account, 0) for found in balances)
            if a or b:
                rows.append(
                    {
                        "account": account,
                        "first": from_cents(a),
                        "second": from_cents(b),
                        "delta": from_cents(b - a),
                    }
                )
        return rows

    def timing(self) -> list[dict[str, str]]:
        """Dollar-days by reason in both, and second − first."""
        found = [dollar_days(run).by_reason() for run in (self.first, self.second)]
        rows = []
        for reason in dict.fromkeys([*found[0], *found[1]]):
            a, b = (days.get(reason, 0) for days in found)
            rows.append({"reason": reason, "first": from_cents(a), "second": from_cents(b), "delta": from_cents(b - a)})
        return rows

    def as_json(self, limit: int | None = None) -> dict[str, Any]:
        """All of it as JSON values; at most ``limit`` rows of what exists in one run only, and of what moved."""
        dates = [calendar_of(run.manifest) for run in (self.first, self.second)]

        def shown(record: Record | None, side: int) -> dict[str, Any] | None:
            if record is None:
                return None
            return {
                "seq": record.seq,
                "date": dates[side].date(record.day).isoformat(),
                "kind": record.kind,
                "payload": record.payload.model_dump(mode="json"),
            }

        first_difference = None
        if self.first_difference is not None:
            a, b = self.first_difference
            some = a or b
            assert some is not None
            first_difference = {"seq": some.seq, "first": shown(a, 0), "second": shown(b, 1)}
        only, moved = [], []
        for pair in self.pairs:
            row = {"kind": pair.kind, "key": pair.key, "first": shown(pair.first, 0), "second": shown(pair.second, 1)}
            if pair.change in ("only_first", "only_second"):
                only.append({**row, "in": pair.change.removeprefix("only_")})
            elif pair.change == "moved":
                assert pair.first is not None
                assert pair.second is not None
                moved.append({"kind": pair.kind, "key": pair.key, "days": pair.second.day - pair.first.day})
        return {
            "schema": "fundclock.diff/1",
            "first": self.first.name,
            "second": self.second.name,
            "same": self.same,
            "same_scenario": not self.settings,
            "settings": self.settings,
            "first_difference": first_difference,
            "kinds": self.kinds(),
            "money": self.money(),
            "metrics": compare(self.first, self.second),
            "timing": self.timing(),
            "only_in_one": only[:limit],
            "only_in_one_total": len(only),
            "moved": moved[:limit],
            "moved_total": len(moved),
        }


def diff(first: RecordedRun, second: RecordedRun) -> Diff:
    """Compare any two runs, whatever they were made from."""
    a, b = list(first.log), list(second.log)
    difference = next(((x, y) for x, y in zip_longest(a[1:], b[1:]) if x != y), None)
    shared = min(len(a), len(b)) if difference is None else (difference[0] or difference[1]).seq - 1
    known = _keyed(a[:shared])
    mine, theirs = (_keyed(records, dict(known), shared) for records in (a, b))
    pairs = [Pair(*key[:2], record, record) for key, record in known.items()]
    for key in dict.fromkeys([*list(mine)[len(known) :], *list(theirs)[len(known) :]]):
        about = key[1] if key[2] == 0 else f"{key[1]} #{key[2] + 1}".strip()
        pairs.append(Pair(key[0], about, mine.get(key), theirs.get(key)))
    return Diff(first, second, _settings(first, second), difference, pairs)


Key = tuple[str, str, int]
"""Kind, what the record is about, and which of those it is."""


def _keyed(records: list[Record], known: dict[Key, Record] | None = None, after: int = 0) -> dict[Key, Record]:
    """Records by key; those up to ``after`` are in ``known`` already."""
    found = {} if known is None else known
    counts: Counter[tuple[str, str]] = Counter((kind, about) for kind, about, _ in found)
    for record in records[after:]:
        about = _about(record, records)
        if record.kind in DATED:
            about = f"{about} day {record.day}".strip()
        number = counts[record.kind, about]
        counts[record.kind, about] += 1
        found[record.kind, about, number] = record
    return found


def _about(record: Record, records: list[Record]) -> str:
    """What a record is about, in words that mean the same in another run."""
    fields: Mapping[str, Any] = record.payload.__dict__
    lot = fields.get("lot")
    if lot is None and "command" in fields:
        command = fields["command"]
        lot = command.__dict__.get("lot")
        if lot is None:
            return f"{command.kind} {command.business_key} {fields.get('source') or ''}".strip()
    if lot is not None:
        origin = records[lot - 1]
        return f"{origin.kind} {_about(origin, records)}"
    return " ".join(str(fields[name]) for name in ABOUT if fields.get(name) is not None)


def _content(record: Record) -> dict[str, Any]:
    fields = {name: value for name, value in record.payload.__dict__.items() if name not in REFERENCES}
    if "command" in fields:
        command = fields["command"].__dict__
        fields["command"] = {name: value for name, value in command.items() if name not in REFERENCES}
    return fields


def _settings(first: RecordedRun, second: RecordedRun) -> list[dict[str, Any]]:
    """Scenario, seed and settings that differ, by key."""
    rows = [
        {"key": name, "first": first.manifest[name], "second": second.manifest[name]}
        for name in ("name", "seed", "replication", "start_date", "inputs", "versions", "phases")
        if first.manifest[name] != second.manifest[name]
    ]
    mine, theirs = (leaves("", dict(run.manifest.scenario)) for run in (first, second))
    rows += [
        {"key": key, "first": mine.get(key), "second": theirs.get(key)}
        for key in dict.fromkeys([*mine, *theirs])
        if mine.get(key) != theirs.get(key)
    ]
    return rows
