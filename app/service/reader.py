"""Short reads of the store in threads, each with connections of its own: the event loop never waits for the file."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

from fundclock.app.service.jobs import Job, Jobs
from fundclock.events.dates import Calendar
from fundclock.events.stores.sqlite import SqliteStore
from fundclock.events.stores.store import RunInfo
from fundclock.scenarios.runs.manifest import calendar_of
from fundclock.scenarios.runs.stored import manifest_of

T = TypeVar("T")

THREADS = 4


class Found(NamedTuple):
    """A simulation: the job that asked for it, if one did, and the row of its run, if it has one."""

    name: str
    job: Job | None
    info: RunInfo | None


class _Connections(NamedTuple):
    store: SqliteStore
    jobs: Jobs

    def one(self, name: str) -> Found:
        return Found(name, self.jobs.find(name), self.store.row(name))

    def close(self) -> None:
        self.store.close()
        self.jobs.close()


class Reader:
    """Asks the store."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mine = threading.local()
        self._opened: list[_Connections] = []
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="reader")

    async def _ask(self, question: Callable[[_Connections], T]) -> T:
        def ask() -> T:
            mine: _Connections | None = getattr(self._mine, "connections", None)
            if mine is None:
                mine = self._mine.connections = _Connections(SqliteStore(self._path, create=False), Jobs(self._path))
                self._opened.append(mine)
            return question(mine)

        return await asyncio.get_running_loop().run_in_executor(self._pool, ask)

    async def one(self, name: str) -> Found:
        """A simulation by its name."""
        return await self._ask(lambda mine: mine.one(name))

    async def some(self, after: str | None, limit: int) -> list[Found]:
        """Simulations after the one with this name, the newest first."""
        return await self._ask(lambda mine: [mine.one(name) for name in mine.jobs.names(after, limit)])

    async def sweeps(self) -> list[Job]:
        """Every sweep, the newest first."""
        return await self._ask(lambda mine: mine.jobs.sweeps())

    async def page(self, run: str, after: int, kinds: list[str] | None, limit: int) -> list[bytes]:
        """Stored records as JSON objects, as they are."""

        def read(mine: _Connections) -> list[bytes]:
            return [
                b'{"seq":%d,"day":%d,"phase":"%s","kind":"%s","cause":%s,"correlation":%d,"payload":%s}'
                % (
                    row.seq,
                    row.day,
                    row.phase.encode(),
                    row.kind.encode(),
                    b"null" if row.cause is None else b"%d" % row.cause,
                    row.correlation,
                    row.payload,
                )
                for row in mine.store.rows(run, after, kinds, limit)
            ]

        return await self._ask(read)

    async def calendar(self, info: RunInfo) -> Calendar:
        """The calendar of a run."""
        return await self._ask(lambda mine: calendar_of(manifest_of(mine.store, info)))

    def close(self) -> None:
        """Let the threads end, and the file go."""
        self._pool.shutdown(wait=True)
        for connections in self._opened:
            connections.close()
