"""Verification and resumption: one mechanism, a re-run whose records are checked against the log by hash."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from events.bus import HandlerError
from events.facts import RunStarted, parse_fact
from events.integrity import check_chain
from events.replay import replay
from events.state import InvariantError, State
from events.stores.sqlite import SqliteStore
from events.stores.store import DamagedLog, Log, RunInfo, StoreError
from scenarios.compose import Simulation
from scenarios.manifest import versions
from scenarios.rerun import Mismatch, PrefixCheck, apart, plan_of
from scenarios.run import Run
from scenarios.scenario import closing
from sim.script import PythonScript

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Verdict:
    """What verification found. ``bad_seq`` is the first bad record, if one is bad."""

    info: RunInfo
    status: str
    checks: dict[str, str]
    bad_seq: int | None = None
    problem: str | None = None

    def summary(self) -> dict[str, Any]:
        """What ``verify --json`` prints."""
        return {
            "schema": "fundclock.verify/1",
            "run": self.info.run,
            "status": self.status,
            "records": self.info.records,
            "head_hash": self.info.head_hash,
            "checks": self.checks,
            "bad_seq": self.bad_seq,
            "problem": self.problem,
        }


def manifest_of(store: SqliteStore, info: RunInfo) -> RunStarted:
    """The first record of a run. Raises DamagedLog where it is not a manifest."""
    if not info.records:
        raise StoreError(f"nothing was recorded of run {info.run} yet")
    first = next(store.rows(info.run, limit=1), None)
    if first is None or first.seq != 1:
        raise DamagedLog(1, "the manifest is missing")
    try:
        manifest = parse_fact(first.kind, first.payload)
    except ValueError as error:
        raise DamagedLog(1, str(error)) from None
    if not isinstance(manifest, RunStarted):
        raise DamagedLog(1, f"expected run.started/1, found {first.kind}")
    return manifest


def load_run(store: SqliteStore, info: RunInfo) -> Run:
    """A stored run, folded from its log."""
    log = store.log(info.run)
    origin = (info.parent, info.divergence_seq)
    return Run(manifest_of(store, info), log, fold(log), info.head_hash, info.run, store.input, origin)


def fold(log: Log, until_day: int | None = None, state: State | None = None) -> State:
    """The state of a stored log; ``state`` is where to go on from. Raises DamagedLog where it does not fold."""
    state = State() if state is None else state
    try:
        replay(log.read(after=state.seq), until_day, state)
    except (InvariantError, KeyError) as error:
        raise DamagedLog(state.seq, f"does not fold: {error} (see `fundclock verify`)") from None
    return state


def verify(store: SqliteStore, info: RunInfo, on_day: Progress | None = None) -> Verdict:
    """Check the hash chain, the file, the folds and a byte-identical re-run; stop at the first that fails."""
    checks: dict[str, str] = {}

    def verdict(status: str, seq: int | None = None, problem: str | None = None) -> Verdict:
        return Verdict(info, status, checks, seq, problem)

    try:
        check = "chain"
        if info.records == 0:
            return verdict("incomplete", None, "nothing was recorded yet")
        check_chain(store.rows(info.run), info)
        checks["chain"] = "ok"
        check = "manifest"
        manifest = manifest_of(store, info)
        for name, kept, written in (
            ("scenario", info.scenario, manifest.name),
            ("seed", info.seed, manifest.seed),
        ):
            if kept != written:
                raise DamagedLog(1, f"the run's row says {name} {kept!r}, the manifest {written!r}")
        checks["manifest"] = "ok"
        if info.parent is not None:
            check = "parent"
            checks["parent"] = _check_parent(store, info)
        check = "file"
        damage = store.damage()
        if damage:
            checks["file"] = "damaged"
            return verdict("mismatch", None, f"the file is damaged: {damage}")
        checks["file"] = "ok"
        check = "folds"
        state = replay(store.log(info.run))
        checks["folds"] = "ok"
        finished = state.results.finished
        if info.status == "finished" and not finished:
            raise DamagedLog(
                info.records, f"the run's row says {info.status}, the log is {'whole' if finished else 'incomplete'}"
            )
        check = "rerun"
        _rerun(store, info, manifest, None, on_day)
        checks["rerun"] = "ok"
    except (DamagedLog, Mismatch) as error:
        checks[check] = "failed"
        problem = error.problem
        if isinstance(error, Mismatch) and manifest.versions != versions():
            made, now = manifest.versions, versions()
            changes = ", ".join(
                f"{name} {made.get(name)} (now {now[name]})" for name in now if made.get(name) != now[name]
            )
            problem += f"; the run was made with other versions: {changes}"
        return verdict("mismatch", error.seq, problem)
    except InvariantError as error:
        checks[check] = "failed"
        return verdict("mismatch", None, str(error))
    except HandlerError as error:
        checks[check] = "failed as the run did"
        return verdict("incomplete", None, f"the log is valid up to where the run failed: {error}")
    if info.status != "finished":
        return verdict(
            "incomplete", None, f"the log ends after {info.records} records; `run --resume {info.run}` completes it"
        )
    return verdict("ok")


def _check_parent(store: SqliteStore, info: RunInfo) -> str:
    """Whether a fork's records before its divergence are its parent's. Raises DamagedLog where they are not."""
    if store.row(str(info.parent)) is None:
        return f"{info.parent} is not in this store; the run itself is whole"
    whole = min(info.records, store.info(str(info.parent)).records)
    shared = whole if info.divergence_seq is None else info.divergence_seq - 1
    first, second = (next(store.rows(run, after=shared - 1, limit=1), None) for run in (info.run, str(info.parent)))
    if first is None or second is None or first.hash != second.hash:
        raise DamagedLog(shared, f"is not the record of its parent {info.parent}")
    return "ok"


def resume(
    store: SqliteStore, info: RunInfo, on_day: Progress | None = None, script: PythonScript | None = None
) -> Run:
    """Complete an incomplete run: a re-run whose beginning is checked against the log.

    One that was played with a Python ``script`` needs it again. Raises StoreError where the run is complete or its
    script is missing, Mismatch or DamagedLog where its log is not what a re-run gives.
    """
    if info.status == "finished":
        raise StoreError(f"run {info.run} is finished; there is nothing to resume")
    if info.records:
        check_chain(store.rows(info.run), info)
    manifest = manifest_of(store, info)
    if manifest.python is not None and script is None:
        raise StoreError(f"run {info.run} was played with the Python script {manifest.python}; resume it with that")
    return _rerun(store, info, manifest, info.run, on_day, script)


def _rerun(
    store: SqliteStore,
    info: RunInfo,
    manifest: RunStarted,
    append_to: str | None,
    on_day: Progress | None,
    script: PythonScript | None = None,
) -> Run:
    plan = plan_of(manifest, store.log(info.run), store.input)
    if script is not None:
        plan = plan._replace(python=script, recorded=())
    writer = None if append_to is None else store.resume(append_to)
    with apart(store.log(info.run)) as stored:
        check = PrefixCheck(stored, info.records, writer)
        last = plan.config.last_day()
        simulation = Simulation(plan, check, None if on_day is None else lambda day: on_day(day, last))
        with closing(writer.close if writer is not None else lambda _status: None):
            check.meet_all(simulation)
    return Run(manifest, store.log(info.run), simulation.state, check.head_hash, info.run)
