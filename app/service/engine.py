"""Worker processes of the service: they play what is asked for, and compute what is asked of runs."""

import asyncio
import multiprocessing
import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, Literal, TypeVar

from app import terminal
from app.service import player, views
from app.service.jobs import Jobs
from app.service.player import play_job
from app.service.problems import ServiceProblem
from events.stores.sqlite import SqliteStore
from scenarios.sweeps import end_with_parent

T = TypeVar("T")

CACHED_BYTES = 64_000_000
"""Views of finished runs that are kept; they can't change."""

VIEWERS = 2
MAX_LONG = 16
"""Answers that take many runs (ladder, headroom, report) and wait at the same time."""

NICER = 10
"""Steps by which what takes long is behind what somebody is waiting for."""

Pool = Literal["runs", "views", "long"]


class Engine:
    """The store, the jobs, and the processes that work for them."""

    def __init__(self, path: Path, workers: int | None = None) -> None:
        """Creates the store where there is none; what an earlier service left open is interrupted."""
        SqliteStore(path).close()
        self.path = path
        self._jobs = Jobs(path)
        self._clerk = ThreadPoolExecutor(1, thread_name_prefix="clerk")
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([player.__name__, views.__name__])
        self._sizes: dict[Pool, int] = {"runs": workers or os.cpu_count() or 1, "views": VIEWERS, "long": 1}
        self._pools: dict[Pool, ProcessPoolExecutor] = {}
        self._after: dict[str, list[str]] = {}
        self._long = 0
        self._closed = False
        self._cache: OrderedDict[tuple[str, ...], str] = OrderedDict()
        self._cached = 0
        for name in self._jobs.interrupt_open():
            terminal.log().warning("job.interrupted", job=name)

    def _submit(self, pool: Pool, work: Callable[..., T], *words: Any) -> "Future[T]":
        for last in (False, True):
            found = self._pools.get(pool)
            if found is None:
                found = ProcessPoolExecutor(self._sizes[pool], self._context, initializer=_begin, initargs=(pool,))
                self._pools[pool] = found
            try:
                return found.submit(work, *words)
            except BrokenProcessPool:  # a worker was killed: what it did has failed, the others go on
                self._pools.pop(pool, None)
                if last:
                    raise
        raise AssertionError

    def close(self) -> None:
        """End the workers. What is being played is interrupted; the logs so far are valid."""
        self._closed = True
        for pool in self._pools.values():
            workers = list((pool._processes or {}).values())
            pool.shutdown(wait=False, cancel_futures=True)
            for process in workers:
                process.terminate()
            for process in workers:
                process.join()
        self._clerk.shutdown(wait=True)
        self._jobs.interrupt_open()
        self._jobs.close()

    async def tell(self, change: Callable[..., T], *words: Any) -> T:
        """Change the table of jobs, ``tell(Jobs.cancel, name)``: it may have to wait for the file."""
        return await asyncio.get_running_loop().run_in_executor(self._clerk, change, self._jobs, *words)

    def play(self, job: str, after: str | None = None) -> "Future[None] | None":
        """Queue a job; with ``after`` when that one is over."""
        if after is not None:
            self._after.setdefault(after, []).append(job)
            return None
        loop = asyncio.get_running_loop()
        future = self._submit("runs", play_job, str(self.path), job)
        future.add_done_callback(lambda done: loop.call_soon_threadsafe(self._played, job, done))
        return future

    def _played(self, job: str, done: "Future[None]") -> None:
        if done.cancelled() or self._closed:
            return
        error = done.exception()
        if isinstance(error, BrokenProcessPool):
            problem = {"detail": "its worker process was ended from outside"}
            self._clerk.submit(lambda: self._jobs.move(job, "failed", problem=problem))
        if error is not None:
            terminal.log().error("job.failed", job=job, error=str(error))
        self.release(job)

    def release(self, job: str) -> None:
        """Play what was waiting for a job that is over."""
        for waiting in self._after.pop(job, []):
            self.play(waiting)

    async def compute(self, work: Callable[..., T], *words: Any, long: bool = False) -> T:
        """The answer of a function, from a worker process. Raises ServiceProblem where too many wait for long ones."""
        if long and self._long >= MAX_LONG:
            detail = f"{MAX_LONG} answers that take long are being computed already"
            raise ServiceProblem(429, detail, {"Retry-After": "5"})
        self._long += long
        try:
            for last in (False, True):
                try:
                    return await asyncio.wrap_future(self._submit("long" if long else "views", work, *words))
                except BrokenProcessPool:
                    if last:
                        raise
            raise AssertionError
        finally:
            self._long -= long

    async def view(
        self, run: str, head_hash: str | None, name: str, words: Mapping[str, Any], long: bool = False
    ) -> str:
        """A view of a run; with a head hash (of a finished run) from the cache, where it is there."""

        async def compute() -> str:
            return await self.compute(views.view, str(self.path), run, name, dict(words), long=long)

        if head_hash is None:
            return await compute()
        return await self.kept((head_hash, run, name, *(f"{word}={words[word]}" for word in sorted(words))), compute)

    async def kept(self, key: tuple[str, ...], compute: Callable[[], Any]) -> str:
        """A text that can't change, from the cache where it is there."""
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        text: str = await compute()
        if key not in self._cache:
            self._cache[key] = text
            self._cached += len(text)
            while self._cached > CACHED_BYTES:
                self._cached -= len(self._cache.popitem(last=False)[1])
        return text


def _begin(pool: Pool) -> None:
    """A worker's first act."""
    end_with_parent()
    if pool != "views":
        os.nice(NICER)
