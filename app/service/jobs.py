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

from app.service.problems import ServiceProblem
from events.stores.sqlite import transaction
from events.stores.store import StoreError

JobStatus = Literal["queued", "running", "cancelling", "finished", "failed", "cancelled", "interrupted"]
OPEN = ("queued", "running", "cancelling")

MAX_QUEUED = 1000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT NOT NULL PRIMARY KEY, request TEXT NOT NULL, status TEXT NOT NULL, done REAL NOT NULL DEFAULT 0,
    problem TEXT, idempotency_key TEXT UNIQUE
) STRICT
"""

_JOBS = "SELECT id, request, status, done, problem FROM jobs"

_LISTED = """
WITH listed AS (
    SELECT id AS name, 1 AS unrecorded, rowid AS place FROM jobs
    WHERE json_extract(request, '$.sweep') IS NULL AND NOT EXISTS (SELECT 1 FROM runs WHERE run = id)
    UNION ALL SELECT run, 0, rowid FROM runs
)
"""
"""Every simulation: first those of which nothing is recorded yet."""


@dataclass(frozen=True)
class Job:
    """One row."""

    id: str
    request: dict[str, Any]
    status: JobStatus
    done: float
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
        self._db = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA synchronous = NORMAL")  # a status may be lost with the machine, a log may not
        self._db.execute(_SCHEMA)

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    @contextmanager
    def _alone(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._lock, transaction(self._db) as db:
                yield db
        except sqlite3.Error as error:
            raise StoreError(f"{self._path}: {error}") from error

    def _rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def add(self, name: str, request: dict[str, Any], key: str | None = None) -> tuple[str, bool]:
        """A new job, called ``name`` (or that and a number); for a known key the job that it made. Whether it is new.

        Raises ServiceProblem where the key was used for another request, or too much is queued.
        """
        text = json.dumps(request, sort_keys=True)
        with self._alone() as db:
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

    def adopt(self, run: str) -> bool:
        """Queue the completion of a run that someone else began and left; whether nobody had."""
        with self._alone() as db:
            sql = "INSERT OR IGNORE INTO jobs (id, request, status) VALUES (?, '{}', 'queued')"
            return db.execute(sql, (run,)).rowcount > 0

    def find(self, job: str) -> Job | None:
        """A job by its name."""
        rows = self._rows(f"{_JOBS} WHERE id = ?", (job,))
        return _job(rows[0]) if rows else None

    def names(self, after: str | None, limit: int) -> list[str]:
        """Names of simulations, jobs and recorded runs alike, the newest first."""
        since = "(unrecorded, place) < (SELECT unrecorded, place FROM listed WHERE name = ?)"
        where, values = ("", (limit,)) if after is None else (f"WHERE {since}", (after, limit))
        rows = self._rows(
            f"{_LISTED} SELECT name FROM listed {where} ORDER BY unrecorded DESC, place DESC LIMIT ?", values
        )
        return [str(row[0]) for row in rows]

    def sweeps(self) -> list[Job]:
        """Every sweep, the newest first."""
        return [
            _job(row)
            for row in self._rows(f"{_JOBS} WHERE json_extract(request, '$.sweep') IS NOT NULL ORDER BY rowid DESC")
        ]

    def move(self, job: str, status: JobStatus, *, only: tuple[str, ...] = OPEN, problem: Any = None) -> bool:
        """Give a job another status, if it has one of these; whether it had."""
        places = ", ".join("?" * len(only))
        text = None if problem is None else json.dumps(problem)
        with self._alone() as db:
            sql = f"UPDATE jobs SET status = ?, problem = ? WHERE id = ? AND status IN ({places})"
            return db.execute(sql, (status, text, job, *only)).rowcount > 0

    def cancel(self, job: str) -> bool:
        """Cancel a job that is queued, or ask the worker of one that is running to stop; whether it was either."""
        return self.move(job, "cancelled", only=("queued",)) or self.move(job, "cancelling", only=("running",))

    def status(self, job: str) -> str | None:
        """How a job stands."""
        rows = self._rows("SELECT status FROM jobs WHERE id = ?", (job,))
        return str(rows[0][0]) if rows else None

    def progress(self, job: str, done: float) -> None:
        """The part that has been played."""
        with self._alone() as db:
            db.execute("UPDATE jobs SET done = ? WHERE id = ?", (done, job))

    def interrupt_open(self) -> list[str]:
        """What another process has left open is interrupted; the names."""
        with self._alone() as db:
            names = [str(row[0]) for row in db.execute(f"SELECT id FROM jobs WHERE status IN {OPEN}")]
            db.execute(f"UPDATE jobs SET status = 'interrupted' WHERE status IN {OPEN}")
        return names


def _job(row: tuple[Any, ...]) -> Job:
    name, request, status, done, problem = row
    return Job(name, json.loads(request), status, done, None if problem is None else json.loads(problem))
