"""Verification and resumption: one mechanism, a re-run whose records are checked against the log by hash."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fundclock.events.bus import HandlerError
from fundclock.events.facts import RunStarted
from fundclock.events.integrity import check_chain
from fundclock.events.replay import replay
from fundclock.events.state import InvariantError
from fundclock.events.stores.sqlite import SqliteStore
from fundclock.events.stores.store import DamagedLog, RunInfo, StoreError
from fundclock.scenarios.runs.manifest import versions
from fundclock.scenarios.runs.playing import closing
from fundclock.scenarios.runs.recorded import RecordedRun
from fundclock.scenarios.runs.rerun import Mismatch, PrefixCheck, apart, plan_of
from fundclock.scenarios.runs.simulation import Simulation
from fundclock.scenarios.runs.stored import manifest_of
from fundclock.sim.script import PythonScript

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


def verify(store: SqliteStore, info: RunInfo, on_day: Progress | None = None) -> Verdict:
    """Check the hash chain, the file, the folds and a byte-identical re-run; stop at the first that fails."""
    checks: dict[str, str] = {}

    def verdict(status: str, seq: int | None = None, problem: str | None = None) -> Verdict:
        return Verdict(info, status, checks, seq, problem)

    try:
        check = "chain"
        if info.records == 0:
            return verdict("incomplete", None, "the run has no records yet")
        check_chain(store.rows(info.run), info)
        checks["chain"] = "ok"
        check = "manifest"
        manifest = manifest_of(store, info)
        for name, kept, written in (
            ("scenario", info.scenario, manifest.name),
            ("seed", info.seed, manifest.seed),
        ):
            if kept != written:
                raise DamagedLog(1, f"the run's row says {name} {kept!r}, but the manifest says {written!r}")
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
                info.records,
                f"the run's row says {info.status}, but the log is {'whole' if finished else 'incomplete'}",
            )
        check = "rerun"
        _rerun(store, info, manifest, None, on_day)
        checks["rerun"] = "ok"
    except DamagedLog as error:
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
        return verdict("incomplete", None, f"the log is valid up to the point where the run failed: {error}")
    if info.status != "finished":
        return verdict(
            "incomplete", None, f"the log ends after {info.records} records; `run --resume {info.run}` completes it"
        )
    return verdict("ok")


def _check_parent(store: SqliteStore, info: RunInfo) -> str:
    """Whether a fork's records before its divergence are its parent's. Raises DamagedLog where they are not."""
    if store.row(str(info.parent)) is None:
        return f"{info.parent} is not in this store; the run itself is complete"
    whole = min(info.records, store.info(str(info.parent)).records)
    shared = whole if info.divergence_seq is None else info.divergence_seq - 1
    first, second = (next(store.rows(run, after=shared - 1, limit=1), None) for run in (info.run, str(info.parent)))
    if first is None or second is None or first.hash != second.hash:
        raise DamagedLog(shared, f"differs from the record of its parent {info.parent}")
    return "ok"


def resume(
    store: SqliteStore, info: RunInfo, on_day: Progress | None = None, script: PythonScript | None = None
) -> RecordedRun:
    """Complete an incomplete run: a re-run whose beginning is checked against the log.

    A run that was played with a Python ``script`` needs it again. Raises StoreError if the run is complete or its
    script is missing, Mismatch or DamagedLog if a re-run does not reproduce its log.
    """
    if info.status == "finished":
        raise StoreError(f"run {info.run} is finished; there is nothing to resume")
    if info.records:
        check_chain(store.rows(info.run), info)
    manifest = manifest_of(store, info)
    if manifest.python is not None and script is None:
        raise StoreError(
            f"run {info.run} was played with the Python script {manifest.python}; pass that script to resume it"
        )
    return _rerun(store, info, manifest, info.run, on_day, script)


def _rerun(
    store: SqliteStore,
    info: RunInfo,
    manifest: RunStarted,
    append_to: str | None,
    on_day: Progress | None,
    script: PythonScript | None = None,
) -> RecordedRun:
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
    return RecordedRun(manifest, store.log(info.run), simulation.state, check.head_hash, info.run)
