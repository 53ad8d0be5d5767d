"""The embedded store: one SQLite file, many runs, append-only by its own triggers."""

import hashlib
import sqlite3
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import sleep
from typing import Self

from fundclock.events.chain import ChainedLog
from fundclock.events.record import FIRST_HASH, Record
from fundclock.events.stores.store import DamagedLog, InputFile, RawRecord, RunInfo, Status, StoreError, no_such

VERSION = 1
BATCH = 1000
WAIT_SECONDS = 10.0
"""For which a file that somebody else writes to is waited for."""

_MAGIC = 0x46434C4B  # "FCLK", in the file's header: tells our files from other people's

_SCHEMA = f"""
CREATE TABLE runs (
    run TEXT NOT NULL UNIQUE, scenario TEXT NOT NULL, seed INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'finished', 'interrupted', 'failed')),
    records INTEGER NOT NULL, head_hash TEXT NOT NULL, parent TEXT, divergence_seq INTEGER
) STRICT;
CREATE TABLE records (
    run TEXT NOT NULL, seq INTEGER NOT NULL, day INTEGER NOT NULL, phase TEXT NOT NULL, kind TEXT NOT NULL,
    cause INTEGER, correlation INTEGER NOT NULL, payload TEXT NOT NULL, hash TEXT NOT NULL,
    PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE inputs (digest TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, content BLOB NOT NULL) STRICT;
CREATE TRIGGER records_are_never_updated BEFORE UPDATE ON records
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER records_are_never_deleted BEFORE DELETE ON records
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER inputs_are_never_updated BEFORE UPDATE ON inputs
    BEGIN SELECT RAISE(ABORT, 'inputs are append-only'); END;
CREATE TRIGGER inputs_are_never_deleted BEFORE DELETE ON inputs
    BEGIN SELECT RAISE(ABORT, 'inputs are append-only'); END;
PRAGMA application_id = {_MAGIC};
PRAGMA user_version = {VERSION};
"""

_CELLS = """
CREATE TABLE IF NOT EXISTS cells (cell TEXT NOT NULL PRIMARY KEY, row TEXT NOT NULL) STRICT, WITHOUT ROWID
"""
"""Made with the first sweep. A cell's name is a hash of all that it is made from."""

_RUNS = "SELECT run, scenario, seed, status, records, head_hash, parent, divergence_seq FROM runs"
_INSERT = "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All of what is done inside, or nothing; the file is this connection's from the beginning."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _close(connection: sqlite3.Connection) -> None:
    with suppress(sqlite3.ProgrammingError):  # another thread's, where SQLite does not let threads share
        connection.close()


class SqliteStore:
    """Runs, records and inputs in one file. Raises StoreError for whatever the file refuses.

    Whoever opens one closes it: ``with SqliteStore(path) as store``. One that was handed on, as inside a run whose log
    is read when it is asked for, is closed when nobody holds it any more, in whichever thread that is.
    """

    def __init__(self, path: str | Path, *, create: bool = True, wait_seconds: float = WAIT_SECONDS) -> None:
        self.path = Path(path)
        if not self.path.exists() and not create:
            raise StoreError(f"there is no store at {self.path}")
        one_thread = sqlite3.threadsafety < 3
        with self._errors():
            self._db = sqlite3.connect(
                self.path, timeout=wait_seconds, isolation_level=None, check_same_thread=one_thread
            )
            self._release = weakref.finalize(self, _close, self._db)
            try:
                self._db.text_factory = lambda raw: raw.decode("utf-8", "replace")
                self._open()
            except BaseException:
                self._release()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")  # whoever creates the file does it alone
        try:
            magic = self._db.execute("PRAGMA application_id").fetchone()[0]
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            empty = self._db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
            if not empty and magic != _MAGIC:
                raise StoreError(f"{self.path} is not a Fundclock store")
            if version > VERSION:
                raise StoreError(
                    f"{self.path} has version {version}, this Fundclock reads up to {VERSION}: use a newer Fundclock"
                )
            if empty:
                for statement in _statements(_SCHEMA):
                    self._db.execute(statement)
        finally:
            self._db.execute("COMMIT")
        self._write_ahead()
        self._db.execute("PRAGMA synchronous = FULL")

    def _write_ahead(self) -> None:
        """Switch to write-ahead logging; that needs the file for itself for a moment and does not wait by itself."""
        for attempt in range(100):
            try:
                if self._db.execute("PRAGMA journal_mode = WAL").fetchone()[0] == "wal":
                    return
            except sqlite3.OperationalError:
                if attempt == 99:
                    raise
            sleep(0.02)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            text = str(error)
            if "locked" in text:
                text = "another process holds it locked"
            elif "disk is full" in text or "disk I/O" in text:
                text = f"the disk is full or failing ({text}); the log so far is valid"
            raise StoreError(f"{self.path}: {text}") from error
        except UnicodeDecodeError as error:  # SQLite quotes a damaged schema in its message
            raise StoreError(f"{self.path}: the file is damaged") from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._errors(), transaction(self._db) as db:
            yield db

    def close(self) -> None:
        """Release the file."""
        self._release()

    def begin(
        self,
        name: str,
        scenario: str,
        seed: int,
        inputs: Iterable[InputFile],
        parent: str | None = None,
        divergence_seq: int | None = None,
    ) -> "SqliteWriter":
        """A new run, called ``name`` (or ``name`` and a number, where that is taken).

        A fork names its parent and the seq of its first record that the parent does not have.
        """
        with self._transaction() as db:
            run, number = name, 1
            while db.execute("SELECT 1 FROM runs WHERE run = ?", (run,)).fetchone():
                number += 1
                run = f"{name}-{number}"
            for item in inputs:
                db.execute("INSERT OR IGNORE INTO inputs VALUES (?, ?, ?)", (item.digest, item.name, item.content))
            db.execute(
                "INSERT INTO runs VALUES (?, ?, ?, 'running', 0, ?, ?, ?)",
                (run, scenario, seed, FIRST_HASH, parent, divergence_seq),
            )
        return SqliteWriter(self, run, 0, FIRST_HASH)

    def resume(self, run: str) -> "SqliteWriter":
        """Go on with a run where its log ends."""
        info = self.info(run)
        with self._transaction() as db:
            db.execute("UPDATE runs SET status = 'running' WHERE run = ?", (run,))
        return SqliteWriter(self, run, info.records, info.head_hash)

    def commit(self, run: str, rows: list[tuple[object, ...]], before: int, head: str, status: Status) -> None:
        """Append rows and move the run's head, both or neither.

        Raises StoreError where someone else has written to this run since ``before`` records.
        """
        records = before + len(rows)
        with self._transaction() as db:
            held = db.execute("SELECT records, head_hash FROM runs WHERE run = ?", (run,)).fetchone()
            if held == (before + len(rows), head):
                rows = []  # committed already, when an interrupt came before that was known
            elif held is None or held[0] != before:
                raise StoreError(f"{self.path}: another process is writing run {run}")
            db.executemany(_INSERT, rows)
            db.execute(
                "UPDATE runs SET status = ?, records = ?, head_hash = ? WHERE run = ?",
                (status, records, head, run),
            )

    def keep_cells(self, rows: Iterable[tuple[str, str]]) -> None:
        """Keep rows of sweeps (name of the cell and JSON text)."""
        with self._transaction() as db:
            db.execute(_CELLS)
            db.executemany("INSERT OR REPLACE INTO cells VALUES (?, ?)", list(rows))

    def cells(self, names: Sequence[str]) -> dict[str, str]:
        """The rows that are kept of these cells, by name."""
        found: dict[str, str] = {}
        with self._errors():
            there = "SELECT 1 FROM sqlite_schema WHERE name = 'cells'"
            if self._db.execute(there).fetchone() is None:
                return {}
            for first in range(0, len(names), BATCH):
                part = names[first : first + BATCH]
                sql = f"SELECT cell, row FROM cells WHERE cell IN ({', '.join('?' * len(part))})"
                found |= dict(self._db.execute(sql, list(part)))
        return found

    def diverged(self, run: str, seq: int | None) -> None:
        """Say where a fork differs from its parent, now that it is known."""
        with self._transaction() as db:
            db.execute("UPDATE runs SET divergence_seq = ? WHERE run = ?", (seq, run))

    def forget_empty(self, run: str) -> None:
        """Forget a run of which nothing was recorded."""
        with self._transaction() as db:
            db.execute("DELETE FROM runs WHERE run = ? AND records = 0", (run,))

    def runs(self) -> list[RunInfo]:
        """All runs, oldest first."""
        with self._errors():
            rows = self._db.execute(f"{_RUNS} ORDER BY rowid").fetchall()
        return [RunInfo(*row) for row in rows]

    def row(self, run: str) -> RunInfo | None:
        """The row of a run by its full name; None where there is none."""
        with self._errors():
            found = self._db.execute(f"{_RUNS} WHERE run = ?", (run,)).fetchone()
        return None if found is None else RunInfo(*found)

    def find(self, name: str) -> RunInfo:
        """The run with this name, with this unique prefix, or the ``last`` one. Raises UnknownRun."""
        runs = self.runs()
        if name == "last":
            if not runs:
                raise no_such(name, "the store holds no run")
            return next((info for info in reversed(runs) if info.records), runs[-1])
        matches = [info for info in runs if info.run == name] or [i for i in runs if i.run.startswith(name)]
        if not matches:
            raise no_such(name, "no run has this name")
        if len(matches) > 1:
            raise no_such(name, f"{len(matches)} runs start with this")
        return matches[0]

    def info(self, run: str) -> RunInfo:
        """The row of a run by its full name. Raises UnknownRun."""
        found = self.row(run)
        if found is None:
            raise no_such(run, "no run has this name")
        return found

    def log(self, run: str) -> "SqliteLog":
        """The log of a run, for reading."""
        return SqliteLog(self, run)

    def rows(
        self,
        run: str,
        after: int = 0,
        kinds: Iterable[str] | None = None,
        limit: int | None = None,
        correlation: int | None = None,
    ) -> Iterator[RawRecord]:
        """Stored records as they are; the payload as bytes."""
        sql = (
            "SELECT seq, day, phase, kind, cause, correlation, CAST(payload AS BLOB), hash FROM records"
            " WHERE run = ? AND seq > ?"
        )
        values: list[object] = [run, after]
        if kinds is not None:
            wanted = list(kinds)
            sql += f" AND kind IN ({', '.join('?' * len(wanted))})"
            values += wanted
        if correlation is not None:
            sql += " AND correlation = ?"
            values.append(correlation)
        sql += " ORDER BY seq"
        if limit is not None:
            sql += " LIMIT ?"
            values.append(limit)
        with self._errors():
            for row in self._db.execute(sql, values):
                yield RawRecord(*row)

    def hashes(self, run: str, limit: int | None = None) -> Iterator[str]:
        """The stored hashes of a run's first records, or of all."""
        sql = "SELECT hash FROM records WHERE run = ? ORDER BY seq LIMIT ?"
        with self._errors():
            for (digest,) in self._db.execute(sql, (run, -1 if limit is None else limit)):
                yield digest

    def input(self, digest: str) -> InputFile:
        """An input by its digest. Raises StoreError where it is lost or is not what was kept."""
        with self._errors():
            row = self._db.execute("SELECT digest, name, content FROM inputs WHERE digest = ?", (digest,)).fetchone()
        if row is None:
            raise StoreError(f"{self.path}: the input with digest {digest[:12]}… is missing")
        item = InputFile(*row)
        if hashlib.sha256(item.content).hexdigest() != digest:
            raise StoreError(f"{self.path}: the input '{item.name}' is not what was kept (digest {digest[:12]}…)")
        return item

    def damage(self) -> str | None:
        """What SQLite's own check of the file finds wrong, if anything."""
        with self._errors():
            found = [str(row[0]) for row in self._db.execute("PRAGMA integrity_check(3)")]
        return None if found == ["ok"] else "; ".join(found)


class SqliteWriter(ChainedLog):
    """Appends a run's records, a thousand to a transaction."""

    def __init__(self, store: SqliteStore, run: str, count: int, head: str) -> None:
        super().__init__(head)
        self.run = run
        self._store = store
        self._written = count
        self._written_head = head
        self._rows: list[tuple[object, ...]] = []

    def _write(self, records: list[Record], payloads: list[bytes], hashes: list[str]) -> None:
        run = self.run
        self._rows += [
            (run, r.seq, r.day, r.phase, r.kind, r.cause, r.correlation, payload.decode(), digest)
            for r, payload, digest in zip(records, payloads, hashes, strict=True)
        ]
        if len(self._rows) >= BATCH:
            self._flush("running")

    def append(self, records: list[Record]) -> None:
        """Take a batch; the first, which begins with the manifest, is on disk at once."""
        super().append(records)
        if not self._written:
            self.seal()
            if not self._written:  # sealing has not written a whole batch
                self._flush("running")

    def _flush(self, status: Status) -> None:
        rows = self._rows
        head = str(rows[-1][-1]) if rows else self._written_head
        self._store.commit(self.run, rows, self._written, head, status)
        self._written, self._written_head, self._rows = self._written + len(rows), head, []

    def close(self, status: Status) -> None:
        """Write the rest and the run's status."""
        self.seal()
        self._flush(status)


class SqliteLog:
    """A stored log, read as it is asked for."""

    def __init__(self, store: SqliteStore, run: str) -> None:
        self.store = store
        self.run = run

    def __len__(self) -> int:
        return self.store.info(self.run).records

    def hashes(self, limit: int | None = None) -> Iterator[str]:
        """The hashes of the first ``limit`` records, or of all."""
        return self.store.hashes(self.run, limit)

    def row(self, seq: int) -> RawRecord:
        """A record as it is stored. Raises DamagedLog where it is not there."""
        found = next(self.store.rows(self.run, after=seq - 1, limit=1), None)
        if found is None or found.seq != seq:
            raise DamagedLog(seq, "the record is missing")
        return found

    def __iter__(self) -> Iterator[Record]:
        return self.read()

    def read(self, after: int = 0, kinds: Iterable[str] | None = None, limit: int | None = None) -> Iterator[Record]:
        """Records with seq > ``after``, of these kinds, at most ``limit``. Raises DamagedLog for an unreadable one."""
        from fundclock.events.stores.reading import record_of  # who only lists runs needs no facts

        return map(record_of, self.store.rows(self.run, after, kinds, limit))

    def episode(self, correlation: int) -> Iterator[Record]:
        """The records of the episode that began with this seq: those with this correlation."""
        from fundclock.events.stores.reading import record_of

        return map(record_of, self.store.rows(self.run, correlation - 1, correlation=correlation))


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
