"""What was asked for: simulations, forks and sweeps, kept in the store's file, one row each.

A job has the name that its run will have. The row says what was asked and how it stands; once a run is finished, its
log is all that counts. What a stopped service leaves queued or running is interrupted, and can be resumed.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fundclock.app.service.problems import ServiceProblem
from fundclock.events.stores.sqlite import WAIT_SECONDS, transaction
from fundclock.events.stores.store import StoreError

JobStatus = Literal["queued", "running", "cancelling", "finished", "failed", "cancelled", "interrupted"]
OPEN = ("queued", "running", "cancelling")
STOPPED = ("interrupted", "cancelled")
"""What can be resumed."""

MAX_QUEUED = 1000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS service_jobs (
    id TEXT NOT NULL PRIMARY KEY, request TEXT NOT NULL, status TEXT NOT NULL, done REAL NOT NULL DEFAULT 0,
    begun INTEGER NOT NULL DEFAULT 0, problem TEXT, idempotency_key TEXT UNIQUE, after_run INTEGER NOT NULL
) STRICT
"""
"""``begun`` says whether a run of this name may be the job's own; ``after_run`` is the last run's place when it was
asked for, by which jobs and the runs of others have one order that never changes."""

_JOBS = "SELECT id, request, status, done, begun, problem FROM service_jobs"

_LISTED = """
WITH listed AS (
    SELECT id AS name, after_run AS place, rowid AS turn FROM service_jobs
    WHERE json_extract(request, '$.sweep') IS NULL
    UNION ALL SELECT run, rowid, 0 FROM runs WHERE run NOT IN (SELECT id FROM service_jobs)
)
"""


@dataclass(frozen=True)
class Job:
    """One row."""

    id: str
    request: dict[str, Any]
    status: JobStatus
    done: float
    begun: bool
    problem: dict[str, Any] | None

    @property
    def open(self) -> bool:
        """Whether it is still to be played, or being played."""
        return self.status in OPEN


class Jobs:
    """The table, on a connection of its own; threads may share it. Raises StoreError for what the file refuses."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        with self._errors():
            self._db = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
            try:
                self._db.execute("PRAGMA synchronous = NORMAL")  # a status may be lost with the machine, a log may not
                self._db.execute(_SCHEMA)
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"{self._path}: {error}") from error

    @contextmanager
    def _alone(self) -> Iterator[sqlite3.Connection]:
        with self._errors(), self._lock, transaction(self._db) as db:
            yield db

    def _rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        with self._errors(), self._lock:
            return self._db.execute(sql, values).fetchall()

    def add(self, name: str, request: dict[str, Any], key: str | None = None) -> tuple[str, bool]:
        """A new job, called ``name`` (or that and a number); for a known key the job that it made. Whether it is new.

        Raises ServiceProblem where the key was used for another request, or too much is queued.
        """
        with self._alone() as db:
            if key is not None:
                known = db.execute("SELECT id, request FROM service_jobs WHERE idempotency_key = ?", (key,)).fetchone()
                if known is not None:
                    if json.loads(known[1]) != request:
                        raise ServiceProblem(409, "this Idempotency-Key was used for another request")
                    return str(known[0]), False
            _check_room(db)
            taken, number = name, 1
            there = "SELECT 1 FROM runs WHERE run = ? UNION SELECT 1 FROM service_jobs WHERE id = ?"
            while db.execute(there, (taken, taken)).fetchone():
                number += 1
                taken = f"{name}-{number}"
            db.execute(
                "INSERT INTO service_jobs (id, request, status, idempotency_key, after_run)"
                " VALUES (?, ?, 'queued', ?, (SELECT coalesce(max(rowid), 0) FROM runs))",
                (taken, json.dumps(request), key),
            )
        return taken, True

    def again(self, name: str) -> bool:
        """Queue a job that was stopped once more, or the completion of a run that someone else began and left.

        Whether there was anything to go on with. Raises ServiceProblem where too much is queued.
        """
        with self._alone() as db:
            _check_room(db)
            sql = f"UPDATE service_jobs SET status = 'queued', problem = NULL WHERE id = ? AND status IN {STOPPED}"
            if db.execute(sql, (name,)).rowcount:
                return True
            left = db.execute("SELECT rowid FROM runs WHERE run = ? AND status = 'interrupted'", (name,)).fetchone()
            if left is None or db.execute("SELECT 1 FROM service_jobs WHERE id = ?", (name,)).fetchone():
                return False
            sql = "INSERT INTO service_jobs (id, request, status, begun, after_run) VALUES (?, '{}', 'queued', 1, ?)"
            db.execute(sql, (name, left[0]))
            return True

    def find(self, job: str) -> Job | None:
        """A job by its name."""
        rows = self._rows(f"{_JOBS} WHERE id = ?", (job,))
        return _job(rows[0]) if rows else None

    def names(self, after: str | None, limit: int) -> list[str]:
        """Names of simulations, jobs and recorded runs alike, the newest first."""
        since = "(place, turn) < (SELECT place, turn FROM listed WHERE name = ?)"
        where, values = ("", (limit,)) if after is None else (f"WHERE {since}", (after, limit))
        rows = self._rows(f"{_LISTED} SELECT name FROM listed {where} ORDER BY place DESC, turn DESC LIMIT ?", values)
        return [str(row[0]) for row in rows]

    def sweeps(self) -> list[Job]:
        """Every sweep, the newest first."""
        is_sweep = "json_extract(request, '$.sweep') IS NOT NULL"
        return [_job(row) for row in self._rows(f"{_JOBS} WHERE {is_sweep} ORDER BY rowid DESC")]

    def begin(self, job: str) -> Job | None:
        """Take a queued job to play it; None where it is not queued any more. ``begun`` says how it was before."""
        with self._alone() as db:
            row = db.execute(f"{_JOBS} WHERE id = ? AND status = 'queued'", (job,)).fetchone()
            if row is not None:
                db.execute("UPDATE service_jobs SET status = 'running', begun = 1 WHERE id = ?", (job,))
        return None if row is None else _job(row)

    def move(self, job: str, status: JobStatus, *, only: tuple[str, ...] = OPEN, problem: Any = None) -> bool:
        """Give a job another status, if it has one of these; whether it had. An interrupted job's run is too."""
        places = ", ".join("?" * len(only))
        text = None if problem is None else json.dumps(problem)
        with self._alone() as db:
            sql = f"UPDATE service_jobs SET status = ?, problem = ? WHERE id = ? AND status IN ({places})"
            moved = db.execute(sql, (status, text, job, *only)).rowcount > 0
            if moved and status == "interrupted":
                db.execute("UPDATE runs SET status = 'interrupted' WHERE run = ? AND status = 'running'", (job,))
        return moved

    def cancel(self, job: str) -> bool:
        """Cancel a job that is queued, or ask the worker of one that is running to stop; whether it was either."""
        return self.move(job, "cancelled", only=("queued",)) or self.move(job, "cancelling", only=("running",))

    def status(self, job: str) -> str | None:
        """How a job stands."""
        rows = self._rows("SELECT status FROM service_jobs WHERE id = ?", (job,))
        return str(rows[0][0]) if rows else None

    def progress(self, job: str, done: float) -> None:
        """The part that has been played."""
        with self._alone() as db:
            db.execute("UPDATE service_jobs SET done = ? WHERE id = ?", (done, job))

    def interrupt_open(self) -> list[str]:
        """What a service that is no more has left open is interrupted, and so are its runs; the names."""
        with self._alone() as db:
            names = [str(row[0]) for row in db.execute(f"SELECT id FROM service_jobs WHERE status IN {OPEN}")]
            begun = f"SELECT id FROM service_jobs WHERE begun AND status IN {OPEN}"
            db.execute(f"UPDATE runs SET status = 'interrupted' WHERE status = 'running' AND run IN ({begun})")
            db.execute(f"UPDATE service_jobs SET status = 'interrupted' WHERE status IN {OPEN}")
        return names


def _check_room(db: sqlite3.Connection) -> None:
    if db.execute("SELECT count(*) FROM service_jobs WHERE status = 'queued'").fetchone()[0] >= MAX_QUEUED:
        raise ServiceProblem(429, f"{MAX_QUEUED:,} simulations are queued already", {"Retry-After": "5"})


def _job(row: tuple[Any, ...]) -> Job:
    name, request, status, done, begun, problem = row
    return Job(name, json.loads(request), status, done, bool(begun), None if problem is None else json.loads(problem))
