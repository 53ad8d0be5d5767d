"""Simulations that were asked for: kept in the store's file, played in worker processes, one row each.

A job has the name that its run will have. The row says what was asked and how it stands; once the run is finished, its
log is all that counts. What a stopped service leaves queued or running is interrupted, and can be resumed.
"""

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from app.service.problems import ServiceProblem, rows_of
from events.stores.sqlite import SqliteStore, transaction
from scenarios.inputs import KEYS
from scenarios.plan import Plan
from scenarios.problems import InvalidInput, Problem, closest
from scenarios.scenario import Scenario, play_into, run_name, shipped
from scenarios.verify import resume

JobStatus = Literal["queued", "running", "cancelling", "finished", "failed", "cancelled", "interrupted"]
OPEN = ("queued", "running", "cancelling")

STEP = 0.05
"""The part of a run after which its progress is told again."""

MAX_QUEUED = 1000
MAX_VALUES = 20_000
MAX_DEPTH = 30

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT NOT NULL PRIMARY KEY, request TEXT NOT NULL, status TEXT NOT NULL, done REAL NOT NULL DEFAULT 0,
    problem TEXT, idempotency_key TEXT UNIQUE
) STRICT
"""


class Cancelled(KeyboardInterrupt):
    """Someone has cancelled the simulation; what was recorded is kept."""


@dataclass(frozen=True)
class Job:
    """One row."""

    id: str
    request: dict[str, Any]
    status: JobStatus
    done: float
    problem: dict[str, Any] | None


class Jobs:
    """The table, on a connection of its own."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA synchronous = NORMAL")  # a status may be lost with the machine, a log may not
        self._db.execute(_SCHEMA)

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    def add(self, name: str, request: dict[str, Any], key: str | None) -> tuple[str, bool]:
        """A new job, called ``name`` (or that and a number); for a known key the job that it made. Whether it is new.

        Raises ServiceProblem where the key was used for another request, or too much is queued.
        """
        text = json.dumps(request, sort_keys=True)
        with transaction(self._db) as db:
            if key is not None:
                known = db.execute("SELECT id, request FROM jobs WHERE idempotency_key = ?", (key,)).fetchone()
                if known is not None:
                    if known[1] != text:
                        raise ServiceProblem(409, "this Idempotency-Key was used for another request")
                    return str(known[0]), False
            if db.execute("SELECT count(*) FROM jobs WHERE status = 'queued'").fetchone()[0] >= MAX_QUEUED:
                raise ServiceProblem(429, f"{MAX_QUEUED:,} simulations are queued already", {"Retry-After": "5"})
            taken, number = name, 1
            there = "SELECT 1 FROM runs WHERE run = ? UNION SELECT 1 FROM jobs WHERE id = ?"
            while db.execute(there, (taken, taken)).fetchone():
                number += 1
                taken = f"{name}-{number}"
            db.execute(
                "INSERT INTO jobs (id, request, status, idempotency_key) VALUES (?, ?, 'queued', ?)", (taken, text, key)
            )
        return taken, True

    def find(self, job: str) -> Job | None:
        """A job by its name."""
        row = self._db.execute("SELECT id, request, status, done, problem FROM jobs WHERE id = ?", (job,)).fetchone()
        return None if row is None else _job(row)

    def all(self) -> list[Job]:
        """Every job, oldest first."""
        rows = self._db.execute("SELECT id, request, status, done, problem FROM jobs ORDER BY rowid").fetchall()
        return [_job(row) for row in rows]

    def move(self, job: str, status: JobStatus, *, only: tuple[str, ...] = OPEN, problem: Any = None) -> bool:
        """Give a job another status, if it has one of these; whether it had."""
        places = ", ".join("?" * len(only))
        text = None if problem is None else json.dumps(problem)
        with transaction(self._db) as db:
            sql = f"UPDATE jobs SET status = ?, problem = ? WHERE id = ? AND status IN ({places})"
            return db.execute(sql, (status, text, job, *only)).rowcount > 0

    def status(self, job: str) -> str | None:
        """How a job stands."""
        row = self._db.execute("SELECT status FROM jobs WHERE id = ?", (job,)).fetchone()
        return None if row is None else str(row[0])

    def progress(self, job: str, done: float) -> None:
        """The part of the fund's life that has been played."""
        self._db.execute("UPDATE jobs SET done = ? WHERE id = ?", (done, job))

    def interrupt_open(self) -> list[str]:
        """What another process has left open is interrupted; the names."""
        with transaction(self._db) as db:
            names = [str(row[0]) for row in db.execute(f"SELECT id FROM jobs WHERE status IN {OPEN}")]
            db.execute(f"UPDATE jobs SET status = 'interrupted' WHERE status IN {OPEN}")
        return names


def _job(row: tuple[Any, ...]) -> Job:
    name, request, status, done, problem = row
    return Job(name, json.loads(request), status, done, None if problem is None else json.loads(problem))


def plan_of_request(request: dict[str, Any]) -> Plan:
    """What a request asks to be played. Raises InvalidInput; files of the machine can't be named."""
    _check_size(request)
    chosen, settings = request["scenario"], dict(request.get("set") or {})
    if isinstance(chosen, str) and chosen not in shipped():
        message = f"there is no '{chosen}'; there are {', '.join(shipped())}"
        raise InvalidInput([Problem("scenario", message, "request", suggestion=closest(chosen, shipped()))])
    sections = [settings] if isinstance(chosen, str) else [chosen, settings]
    files = [key for key in KEYS if any(_names_file(values, key) for values in sections)]
    if files:
        raise InvalidInput(Problem(key, "names a file; files can't be named over HTTP", "request") for key in files)
    scenario = Scenario.load(chosen) if isinstance(chosen, str) else Scenario.from_dict(chosen)
    return scenario.with_(seed=request.get("seed"), set=settings).plan()


def _names_file(values: dict[str, Any], key: str) -> bool:
    section, name = key.split(".")
    inner = values.get(section)
    return values.get(key) is not None or (isinstance(inner, dict) and inner.get(name) is not None)


def _check_size(value: Any) -> None:
    """Raises InvalidInput for a request with too many values or levels."""
    count, level = 0, [value]
    for _ in range(MAX_DEPTH + 1):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner += item.values()
            elif isinstance(item, list):
                inner += item
        count += len(inner)
        if count > MAX_VALUES:
            raise InvalidInput([Problem("", f"has more than {MAX_VALUES:,} values", "request")])
        if not inner:
            return
        level = inner
    raise InvalidInput([Problem("", f"has more than {MAX_DEPTH} levels", "request")])


def name_of_request(request: dict[str, Any]) -> str:
    """Check a request, and the name that its run would have."""
    return run_name(plan_of_request(request))


def play_job(path: str, job: str) -> None:
    """Play a queued job, or complete the run of one that was interrupted. For a worker process."""
    jobs = Jobs(Path(path))
    try:
        if not jobs.move(job, "running", only=("queued",)):
            return  # cancelled meanwhile
        found = jobs.find(job)
        assert found is not None
        store = SqliteStore(path)
        try:
            _play(store, jobs, found)
        finally:
            store.close()
        jobs.move(job, "finished")
    except Cancelled:
        jobs.move(job, "cancelled")
    except InvalidInput as error:
        jobs.move(job, "failed", problem={"detail": str(error), "problems": rows_of(error)})
    except Exception as error:
        jobs.move(job, "failed", problem={"detail": f"{type(error).__name__}: {error}"})
        raise
    finally:
        jobs.close()


def _play(store: SqliteStore, jobs: Jobs, job: Job) -> None:
    shown = 0.0

    def told(day: int, last: int) -> None:
        nonlocal shown
        if jobs.status(job.id) == "cancelling":
            raise Cancelled
        if day / last - shown >= STEP:
            shown = day / last
            jobs.progress(job.id, shown)

    info = next((info for info in store.runs() if info.run == job.id), None)
    if info is not None and info.records:
        resume(store, info, told)
        return
    play_into(store, plan_of_request(job.request), told, job.id)
