"""Re-runs: what a run was made from, played again and checked against its log by hash."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fundclock.events.bus import LogWriter
from fundclock.events.chain import ChainedLog
from fundclock.events.facts import CommandScheduled, ConditionMet, ConfigChanged, RunStarted, ScriptAdded, parse_fact
from fundclock.events.record import Record
from fundclock.events.stores.sqlite import SqliteLog, SqliteStore
from fundclock.events.stores.store import DamagedLog, InputFile, Log, RawRecord
from fundclock.scenarios.files.changes import changed
from fundclock.scenarios.files.documents import Document
from fundclock.scenarios.files.schema import ScenarioConfig, ScriptEntry
from fundclock.scenarios.runs.plan import Added, Plan
from fundclock.scenarios.runs.planning import plan_again
from fundclock.scenarios.runs.simulation import Simulation
from fundclock.scenarios.scripts.entries import Script, read_script
from fundclock.sim.script import PYTHON

KINDS = ("config.changed/1", "script.added/1", "condition.met/1", "command.scheduled/1")
"""Records that say what a run was made from beside its manifest, and the settings of the day."""


@contextmanager
def apart(log: Log) -> Iterator[Log]:
    """A log to be read while something is written: a stored one on a connection of its own.

    Who has begun to read sees the file as it was then, and can't write once somebody else has written.
    """
    if not isinstance(log, SqliteLog):
        yield log
        return
    with SqliteStore(log.store.path, create=False) as store:
        yield store.log(log.run)


class Mismatch(DamagedLog):
    """A re-run differs from the log; ``seq`` is the first record that does."""


class EndOfPrefix(Exception):
    """All stored records have been reproduced."""


class PrefixCheck(ChainedLog):
    """A log writer that compares records with stored ones and passes on those that come after them."""

    def __init__(self, stored: Log, count: int, beyond: LogWriter | None, checked: list[Record] | None = None) -> None:
        """The first ``count`` records of a log are checked.

        With ``beyond`` None the re-run stops where they end; ``checked`` gets those that were met. ``shared`` counts
        records until the first that differs, also of those that need not be the same.
        """
        super().__init__()
        self._stored = stored
        self._hashes = stored.hashes(None)
        self._count = count
        self._beyond = beyond
        self._checked = checked
        self._done = False
        self.shared = 0

    def _write(self, records: list[Record], payloads: list[bytes], hashes: list[str]) -> None:
        """Check sealed records. Raises Mismatch at the first that differs."""
        handed_on = 0
        for record, payload, digest in zip(records, payloads, hashes, strict=True):
            expected = None if self._done else next(self._hashes, None)
            if expected == digest:
                self.shared += 1
            elif record.seq <= self._count:
                raise Mismatch(record.seq, difference(self._stored.row(record.seq), record, payload))
            else:
                self._done = True
            if record.seq > self._count and self._beyond is None:
                raise EndOfPrefix
            if record.seq <= self._count:
                handed_on += 1
                if self._checked is not None:
                    self._checked.append(record)
        if self._beyond is not None and records[handed_on:]:
            self._beyond.append(records[handed_on:])

    def meet_all(self, simulation: Simulation) -> None:
        """Play a simulation into this until the records end. Raises Mismatch if it ends before them."""
        try:
            simulation.run()
            self.seal()
        except EndOfPrefix:
            pass
        if self.shared < self._count:
            left = self._stored.row(self.shared + 1)
            raise Mismatch(left.seq, f"{left.kind} is in the log, but the re-run ends before it")


def difference(row: RawRecord, record: Record, payload: bytes) -> str:
    """How a stored record and a re-run's record differ."""
    for name in ("day", "phase", "kind", "cause", "correlation"):
        if getattr(row, name) != getattr(record, name):
            return f"{name} is {getattr(row, name)} in the log but {getattr(record, name)} in the re-run"
    if row.payload != payload:
        stored = parse_fact(row.kind, row.payload)
        for name in type(stored).model_fields:
            if stored[name] != record.payload[name]:
                return f"{row.kind} {name} is {stored[name]!r} in the log but {record.payload[name]!r} in the re-run"
    return f"{row.kind} has a different hash in the re-run"


def plan_of(
    manifest: RunStarted,
    log: Log,
    kept: Callable[[str], InputFile],
    keep: Callable[[dict[str, Any]], bool] = lambda _entry: True,
) -> Plan:
    """What a run was made from: its manifest, the interventions in its log, and what a Python script did in it.

    Of interventions, only the entries to ``keep``.
    """
    plan = plan_again(manifest, kept)
    config = plan.config
    added: list[Added] = []
    recorded: list[Record] = []
    for record in log.read(kinds=KINDS):
        fact = record.payload
        if isinstance(fact, ConfigChanged):
            config = changed(config, fact.changes)
        elif isinstance(fact, ScriptAdded):
            entries = [entry for entry in fact.entries if keep(entry)]
            added.append(Added(record.day, entries, read_entries(config, entries, len(added))))
        elif isinstance(fact, ConditionMet | CommandScheduled) and (fact.source or "").startswith(PYTHON):
            recorded.append(record)
    return plan._replace(added=tuple(added), recorded=tuple(recorded))


def read_entries(config: ScenarioConfig, entries: list[dict[str, Any]], earlier: int) -> Script:
    """The script of an intervention, by the settings of its day; the first one's entries are ``fork1[0]`` and so on."""
    read = [ScriptEntry.model_validate(entry) for entry in entries]
    name = f"fork{earlier + 1}"
    return read_script(config, Document(name, {name: entries}), read, (name,))
