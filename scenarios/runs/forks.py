"""Forks: a run again with an intervention in the morning of a day. Everything before that day is checked by hash."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from itertools import takewhile
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fundclock.events.commands import SetConfig
from fundclock.events.dates import parse_iso
from fundclock.events.record import Record
from fundclock.events.state import State
from fundclock.events.stores.memory import MemoryLog
from fundclock.events.stores.sqlite import SqliteStore, SqliteWriter
from fundclock.events.stores.store import Log, Status
from fundclock.scenarios.files.changes import changed, current
from fundclock.scenarios.files.documents import Document, parse
from fundclock.scenarios.files.problems import InvalidInput, Problem, explain_validation
from fundclock.scenarios.files.schema import ScenarioConfig, ScriptEntry, manual_body
from fundclock.scenarios.runs.manifest import calendar_of
from fundclock.scenarios.runs.plan import Added, Plan
from fundclock.scenarios.runs.playing import closing
from fundclock.scenarios.runs.recorded import RecordedRun
from fundclock.scenarios.runs.rerun import PrefixCheck, apart, plan_of, read_entries
from fundclock.scenarios.runs.simulation import Simulation
from fundclock.scenarios.scripts.entries import Act, read_script

Progress = Callable[[int, int], None]


def fork(
    parent: RecordedRun,
    at: str | date,
    set: Mapping[str, Any] | None = None,
    do: Sequence[Mapping[str, Any]] | Document = (),
    store: str | Path | SqliteStore | None = None,
    on_day: Progress | None = None,
    name: str | None = None,
) -> RecordedRun:
    """Play a run again up to a day, intervene in that day's morning, and play on with the same random draws.

    ``set`` changes settings from the day on; promises made before keep their due day. ``do`` lists script entries
    (``{when: …, do: …}``), or just commands (``{shock_price: -20%}``) for the day itself. An intervention that
    changes nothing gives the parent's records, byte for byte. In a store the fork is called ``name``, or what
    ``fork_name`` says. Raises InvalidInput for a day outside the run and for
    what can't be done, Mismatch where the records before the day are not the parent's, StoreError.
    """
    plan, day = plan_fork(parent, at, set or {}, do)
    before = sum(1 for _ in _until(parent, day)) or 1  # the manifest is the parent's in any case
    opened = store if store is None or isinstance(store, SqliteStore) else SqliteStore(store)
    branch = _Branch(plan, opened, parent, before + 1, name or _name(plan, day))
    with apart(parent.log) as stored:
        check = PrefixCheck(stored, before, branch, branch.prefix)
        last = plan.config.last_day()
        simulation = Simulation(plan, check, None if on_day is None else lambda day: on_day(day, last))
        with closing(branch.close):
            simulation.run()
            check.seal()
            same = check.shared == len(stored) == simulation.state.seq
            branch.diverged(None if same else check.shared + 1)
    return branch.run(simulation.state, check.head_hash)


class _Branch:
    """Where a fork's records go: begun when the prefix has been checked, so that a fork that fails leaves nothing."""

    def __init__(self, plan: Plan, store: SqliteStore | None, parent: RecordedRun, at_least: int, name: str) -> None:
        """The first record that differs has ``at_least`` this seq."""
        self.prefix: list[Record] = []
        self.divergence_seq: int | None = None
        self._plan = plan
        self._store = store
        self._parent = parent
        self._at_least = at_least
        self._name = name
        self._memory = MemoryLog()
        self._writer: SqliteWriter | None = None

    def append(self, records: list[Record]) -> None:
        """Take what comes after the prefix; the first time with all of the prefix, whole."""
        if self.prefix:
            records, self.prefix = [*self.prefix, *records], []
        if self._store is None:
            self._memory.append(records)
            return
        if self._writer is None:
            plan = self._plan
            name, seed, inputs = plan.manifest.name, plan.seed, plan.inputs.values()
            self._writer = self._store.begin(self._name, name, seed, inputs, self._parent.name, self._at_least)
        self._writer.append(records)

    def diverged(self, seq: int | None) -> None:
        """Say where the records differ from the parent's; before the run is finished, since then it can't change."""
        self.divergence_seq = seq
        if self._store is not None and self._writer is not None:
            self._store.diverged(self._writer.run, seq)

    def close(self, status: Status) -> None:
        """Write the rest and the status."""
        if self._writer is not None:
            self._writer.close(status)

    def run(self, state: State, head_hash: str) -> RecordedRun:
        """The run that was played."""
        name: str | None = None
        log: Log = self._memory
        if self._store is not None and self._writer is not None:
            name = self._writer.run
            log = self._store.log(name)
        origin = (self._parent.name, self.divergence_seq)
        return RecordedRun(
            self._plan.manifest, log, state, head_hash, name, self._parent.kept, origin, self._plan.python
        )


def plan_fork(
    parent: RecordedRun, at: str | date, changes: Mapping[str, Any], do: Sequence[Mapping[str, Any]] | Document
) -> tuple[Plan, int]:
    """What a fork is made from, and the day of its intervention. Raises InvalidInput for what can't be done."""
    calendar, when = calendar_of(parent.manifest), _date(at)
    plan = plan_of(parent.manifest, parent.log, parent.kept)
    if parent.python is not None:
        plan = plan._replace(python=parent.python, recorded=())
    elif parent.manifest.python is not None and not parent.state.results.finished:
        message = f"the run was played with the Python script {parent.manifest.python} and is not finished"
        raise InvalidInput([Problem("run", f"{message}; resume it with the script first")])
    day = calendar.day(_in_life(plan, when))
    if not parent.state.results.finished and day > parent.state.day:
        stops = calendar.date(parent.state.day)
        raise InvalidInput([Problem("at", f"{when} is after the run's end; its log stops on {stops}")])
    config = settings_on(parent, plan.config, day)
    entries = _entries(config, when, changes, do, _acts_on(plan, day))
    if entries:
        place = sum(other.day <= day for other in plan.added)
        later = [
            other._replace(script=read_entries(config, other.entries, number))
            for number, other in enumerate(plan.added[place:], start=place + 1)
        ]
        mine = Added(day, entries, read_entries(config, entries, place))
        plan = plan._replace(added=(*plan.added[:place], mine, *later))
    return plan, day


def fork_name(
    parent: RecordedRun,
    at: str | date,
    set: Mapping[str, Any] | None = None,
    do: Sequence[Mapping[str, Any]] | Document = (),
) -> str:
    """What this fork is called in a store. Raises InvalidInput for what can't be done."""
    return _name(*plan_fork(parent, at, set or {}, do))


def check_ahead(
    plan: Plan, at: str | date, set: Mapping[str, Any] | None = None, do: Sequence[Mapping[str, Any]] | Document = ()
) -> None:
    """Check a fork of a run that is still being played, by the settings that it began with. Raises InvalidInput."""
    _entries(plan.config, _in_life(plan, at), set or {}, do, _acts_on(plan, plan.config.calendar().day(_date(at))))


def _date(at: str | date) -> date:
    try:
        return parse_iso(at) if isinstance(at, str) else at
    except ValueError as error:
        raise InvalidInput([Problem("at", str(error))]) from None


def _in_life(plan: Plan, at: str | date) -> date:
    """A day of the fund's life. Raises InvalidInput for another."""
    calendar, last, when = plan.config.calendar(), plan.config.last_day(), _date(at)
    if not 0 <= calendar.day(when) < last:
        message = f"{when} is outside the fund's life, {calendar.start} to {calendar.date(last - 1)}"
        raise InvalidInput([Problem("at", message)])
    return when


def settings_on(run: RecordedRun, config: ScenarioConfig, day: int) -> ScenarioConfig:
    """The settings of a run that began with these, as they stand in the morning of a day."""
    for record in _until(run, day, ("config.changed/1",)):
        config = changed(config, record.payload.changes)
    return config


def _until(parent: RecordedRun, day: int, kinds: Sequence[str] | None = None) -> Iterator[Record]:
    """The parent's records of the days before ``day``."""
    return takewhile(lambda record: record.day < day, parent.log.read(kinds=kinds))


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
) -> list[dict[str, Any]]:
    """The script entries of an intervention, as they are recorded. Raises InvalidInput for what can't be done."""
    document = do if isinstance(do, Document) else Document("do", {"do": list(do)})
    given: list[Any] = list(document.values["do"])
    if changes:
        given.append({"do": {"set": dict(changes)}})
    entries: list[ScriptEntry] = []
    problems: list[Problem] = []
    for number, entry in enumerate(given):
        whole = _whole(entry, at)
        try:
            entries.append(ScriptEntry.model_validate(whole))
        except ValidationError as error:
            for path, message, hint in explain_validation(error, ScriptEntry, whole):
                problems.append(document.problem(("do", number, *path), message, hint))
    if problems:
        raise InvalidInput(problems)
    first = config.calendar().day(at)
    for act in beside:
        if isinstance(act.command, SetConfig):  # what is asked for on the day already
            config = changed(config, act.command.changes)
    try:
        read = read_script(config, document, entries, ("do",), beside)
    except InvalidInput as error:
        raise InvalidInput(
            _about_settings(problem, len(given) - 1 if changes else None) for problem in error.problems
        ) from None
    for act in read.acts:
        if act.day < first:
            number = int(act.source.removeprefix("do[").removesuffix("]"))
            when = config.calendar().date(act.day)
            problems.append(document.problem(("do", number), f"{when} is before the fork's day {at}"))
    if problems:
        raise InvalidInput(problems)
    kept = [left for entry in entries if (left := _effective(entry, at, config)) is not None]
    return [entry.model_dump(mode="json") for entry in kept]


def _whole(entry: Any, at: date) -> Any:
    """An entry of an intervention as one of a script: a bare command gets its ``do:``, what has no time the day."""
    if not isinstance(entry, dict):
        return {"do": entry, "at": at}
    whole = entry if entry.keys() & ScriptEntry.model_fields.keys() else {"do": entry}
    do = whole.get("do")
    timed = "when" in whole or "at" in whole or (isinstance(do, dict) and "year" in (manual_body(do) or {}))
    return whole if timed else {"at": at, **whole}


def _about_settings(problem: Problem, number: int | None) -> Problem:
    """A problem of ``set`` by the setting's own key."""
    start = f"do.{number}.do.set"
    if number is None or not problem.key.startswith(start):
        return problem
    return Problem(
        problem.key.removeprefix(start).removeprefix("."), problem.message, "--set", suggestion=problem.suggestion
    )


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
    if isinstance(document.values.get("do"), list) and len(document.values) == 1:
        return document
    document.values = {"do": [document.values]}  # one entry or command by itself
    document.positions = {("do", 0, *place): position for place, position in document.positions.items()}
    return document


def _name(plan: Plan, day: int) -> str:
    """A short name that depends on the manifest and the interventions alone."""
    digest = hashlib.sha256(plan.manifest.to_json())
    digest.update(json.dumps([day, [[added.day, added.entries] for added in plan.added]]).encode())
    return f"{plan.manifest.name}-{digest.hexdigest()[:8]}"
