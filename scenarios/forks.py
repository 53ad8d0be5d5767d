"""Forks: a run again with an intervention in the morning of a day. What was before that day is checked by hash."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from itertools import takewhile
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from events.commands import SetConfig
from events.dates import parse_iso
from events.record import Record
from events.stores.memory import MemoryLog
from events.stores.sqlite import SqliteStore
from events.stores.store import StoreError
from scenarios.changes import changed, current
from scenarios.compose import Simulation
from scenarios.loader import Document, parse
from scenarios.manifest import calendar_of
from scenarios.plan import Added, Plan
from scenarios.problems import InvalidInput, Problem, explain_validation
from scenarios.rerun import PrefixCheck, plan_of
from scenarios.run import Run
from scenarios.schema import ScenarioConfig, ScriptEntry, manual_body
from scenarios.scripts import Act, Script, read_script

Progress = Callable[[int, int], None]


def fork(
    parent: Run,
    at: str | date,
    set: Mapping[str, Any] | None = None,
    do: Sequence[Mapping[str, Any]] | Document = (),
    store: str | Path | SqliteStore | None = None,
    on_day: Progress | None = None,
) -> Run:
    """Play a run again up to a day, intervene in that day's morning, and play on with the same random draws.

    ``set`` changes settings from the day on; promises made before keep their due day. ``do`` lists script entries
    (``{when: …, do: …}``), or just commands (``{shock_price: -20%}``) for the day itself. An intervention that
    changes nothing gives the parent's records, byte for byte. Raises InvalidInput for a day outside the run and for
    what can't be done, Mismatch where the records before the day are not the parent's, StoreError.
    """
    plan, day = plan_fork(parent, at, set or {}, do)
    before = sum(1 for _ in _until(parent, day))
    opened = store if store is None or isinstance(store, SqliteStore) else SqliteStore(store)
    diverges = before + 1 if plan.added[len(_interventions(parent)) :] else None
    branch = _Branch(plan, opened, (parent.name, diverges), _name(plan, day))
    check = PrefixCheck(parent.log, before, branch, branch.prefix)
    last = plan.config.last_day()
    simulation = Simulation(plan, check, None if on_day is None else lambda day: on_day(day, last))
    try:
        simulation.run()
        check.seal()
    except KeyboardInterrupt:
        branch.close("interrupted")
        raise
    except StoreError:
        raise
    except Exception:
        branch.close("failed")
        raise
    branch.close("finished")
    return branch.run(simulation.state, check.head_hash, parent)


class _Branch:
    """Where a fork's records go: begun when the prefix has been checked, so that a fork that fails leaves nothing."""

    def __init__(self, plan: Plan, store: SqliteStore | None, origin: tuple[str | None, int | None], name: str) -> None:
        self.prefix: list[Record] = []
        self._plan = plan
        self._store = store
        self._origin = origin
        self._name = name
        self._writer: Any = None

    def append(self, records: list[Record]) -> None:
        """Take what comes after the prefix; the first time with all of the prefix, whole."""
        if self._writer is None:
            records = [*self.prefix, *records]
            plan = self._plan
            self._writer = MemoryLog()
            if self._store is not None:
                name, seed, inputs = plan.manifest.name, plan.seed, plan.inputs.values()
                self._writer = self._store.begin(self._name, name, seed, inputs, *self._origin)
        self._writer.append(records)

    def close(self, status: str) -> None:
        """Write the rest and the status."""
        if self._store is not None and self._writer is not None:
            self._writer.close(status)

    def run(self, state: Any, head_hash: str, parent: Run) -> Run:
        """The run that was played."""
        name, log = None, self._writer
        if self._store is not None:
            name = self._writer.run
            log = self._store.log(name)
        return Run(self._plan.manifest, log, state, head_hash, name, parent.kept, self._origin, self._plan.python)


def plan_fork(
    parent: Run, at: str | date, changes: Mapping[str, Any], do: Sequence[Mapping[str, Any]] | Document
) -> tuple[Plan, int]:
    """What a fork is made from, and the day of its intervention. Raises InvalidInput for what can't be done."""
    calendar = calendar_of(parent.manifest)
    try:
        when = parse_iso(at) if isinstance(at, str) else at
    except ValueError as error:
        raise InvalidInput([Problem("at", str(error))]) from None
    plan = plan_of(parent.manifest, parent.log, parent.kept)
    if parent.python is not None:
        plan = plan._replace(python=parent.python, recorded=())
    day, last = calendar.day(when), plan.config.last_day()
    if not 0 <= day < last:
        raise InvalidInput(
            [Problem("at", f"{when} is outside the fund's life, {calendar.start} to {calendar.date(last - 1)}")]
        )
    if not parent.state.results.finished and day > parent.state.day:
        stops = calendar.date(parent.state.day)
        raise InvalidInput([Problem("at", f"{when} is after the run's end; its log stops on {stops}")])
    config = plan.config
    for record in _until(parent, day, ("config.changed/1",)):
        config = changed(config, record.payload.changes)
    entries, script = _entries(config, when, changes, do, _acts_on(plan, day))
    added = plan.added
    if entries:
        place = sum(other.day <= day for other in added)
        added = (*added[:place], Added(day, entries, script), *added[place:])
    return plan._replace(added=added), day


def _until(parent: Run, day: int, kinds: Sequence[str] | None = None) -> Iterator[Record]:
    """The parent's records of the days before ``day``."""
    return takewhile(lambda record: record.day < day, parent.log.read(kinds=kinds))


def _interventions(parent: Run) -> list[Record]:
    return list(parent.log.read(kinds=("script.added/1",)))


def _acts_on(plan: Plan, day: int) -> list[Act]:
    """What scripts ask for on the day already."""
    scripts = [plan.script, *(added.script for added in plan.added)]
    return [act for script in scripts for act in script.acts if act.day == day]


def _entries(
    config: ScenarioConfig,
    at: date,
    changes: Mapping[str, Any],
    do: Sequence[Mapping[str, Any]] | Document,
    beside: list[Act],
) -> tuple[list[dict[str, Any]], Script]:
    """The script entries of an intervention, as they are recorded, and read."""
    document = do if isinstance(do, Document) else Document("do", {"do": [dict(entry) for entry in do]})
    given: list[Any] = list(document.values["do"])
    if changes:
        given.append({"do": {"set": dict(changes)}})
        document.origins[("do", len(given) - 1)] = "set"
    entries: list[ScriptEntry] = []
    problems: list[Problem] = []
    for number, entry in enumerate(given):
        whole = entry if isinstance(entry, dict) and "do" in entry else {"do": entry}
        has_day = "when" in whole or "at" in whole or "year" in (manual_body(whole["do"]) or {})
        dated = whole if has_day else {"at": at, **whole}
        try:
            entries.append(ScriptEntry.model_validate(dated))
        except ValidationError as error:
            for path, message, hint in explain_validation(error, ScriptEntry, dated):
                problems.append(document.problem(("do", number, *path), message, hint))
            continue
        if entries[-1].at is not None and entries[-1].at < at:
            problems.append(document.problem(("do", number), f"{entries[-1].at} is before the fork's day {at}"))
    if problems:
        raise InvalidInput(problems)
    read_script(config, document, entries, ("do",), beside)
    kept = [left for entry in entries if (left := _effective(entry, at, config)) is not None]
    written = [entry.model_dump(mode="json") for entry in kept]
    return written, read_script(config, Document("fork", {"fork": written}), kept, ("fork",))


def _effective(entry: ScriptEntry, at: date, config: ScenarioConfig) -> ScriptEntry | None:
    """The entry without settings that stand so already on the day; None where nothing is left."""
    if entry.at != at or "set" not in entry.do:
        return entry
    act = read_script(config, Document("do", {}), [entry], ("do",)).acts[0]
    assert isinstance(act.command, SetConfig)
    resolved = current(changed(config, act.command.changes), act.command.changes)
    before = current(config, act.command.changes)
    left = {key: value for key, value in act.command.changes.items() if resolved[key] != before[key]}
    return entry.model_copy(update={"do": {"set": left}}) if left else None


def read_file(path: Path) -> Document:
    """The entries of a ``--do`` file: a list of script entries or commands, in YAML or JSON. Raises InvalidInput."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInput([Problem("", str(error.strerror), str(path))]) from None
    document = parse(content, path.name, listed="do")
    if not isinstance(document.values.get("do"), list) or len(document.values) > 1:
        document.values = {"do": [document.values]}  # one entry or command by itself
    return document


def _name(plan: Plan, day: int) -> str:
    """A short name that depends on the manifest and the interventions alone."""
    digest = hashlib.sha256(plan.manifest.to_json())
    digest.update(json.dumps([day, [[added.day, added.entries] for added in plan.added]]).encode())
    return f"{plan.manifest.name}-{digest.hexdigest()[:8]}"
