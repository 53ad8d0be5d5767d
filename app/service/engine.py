"""Worker processes of the service: one pool plays simulations, another computes what is asked of finished ones."""

import asyncio
import multiprocessing
import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, TypeVar

from app import terminal
from app.service import jobs as jobs_module
from app.service import views
from app.service.jobs import Jobs, play_job
from events.stores.sqlite import SqliteStore
from scenarios.sweeps import end_with_parent

T = TypeVar("T")

CACHED_BYTES = 64_000_000
"""Views of finished runs that are kept; they can't change."""


class Engine:
    """The store, the jobs, and the processes that work for them."""

    def __init__(self, path: Path, workers: int | None = None) -> None:
        """Creates the store where there is none; what an earlier service left open is interrupted."""
        SqliteStore(path).close()
        self.path = path
        self.jobs = Jobs(path)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([jobs_module.__name__, views.__name__])
        self._workers = workers or os.cpu_count() or 1
        self._runs = self._pool(self._workers)
        self._views = self._pool(2)
        self._cache: OrderedDict[tuple[str, ...], str] = OrderedDict()
        self._cached = 0
        for name in self.jobs.interrupt_open():
            terminal.log().warning("job.interrupted", job=name)

    def _pool(self, workers: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(workers, self._context, initializer=end_with_parent)

    def close(self) -> None:
        """End the workers. Runs that are being played are interrupted; their logs so far are valid."""
        for pool in (self._runs, self._views):
            workers = list((pool._processes or {}).values())
            pool.shutdown(wait=False, cancel_futures=True)
            for process in workers:
                process.terminate()
            for process in workers:
                process.join()
        self.jobs.interrupt_open()
        self.jobs.close()

    def play(self, job: str) -> None:
        """Queue a job."""
        try:
            future = self._runs.submit(play_job, str(self.path), job)
        except BrokenProcessPool:  # a worker was killed: what it played has failed, the others go on
            self._runs = self._pool(self._workers)
            future = self._runs.submit(play_job, str(self.path), job)
        future.add_done_callback(lambda done: self._played(job, done))

    def _played(self, job: str, done: "Future[None]") -> None:
        if done.cancelled():
            return
        error = done.exception()
        if isinstance(error, BrokenProcessPool):
            self.jobs.move(job, "failed", problem={"detail": "its worker process was ended from outside"})
        if error is not None:
            terminal.log().error("job.failed", job=job, error=str(error))

    async def compute(self, work: Callable[..., T], *words: Any) -> T:
        """The answer of a function, from a worker process."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._views, work, *words)
        except BrokenProcessPool:
            self._views = self._pool(2)
            return await loop.run_in_executor(self._views, work, *words)

    async def view(self, run: str, head_hash: str | None, name: str, words: Mapping[str, Any]) -> str:
        """A view of a run; with a head hash (of a finished run) from the cache, where it is there."""
        key = (head_hash or "", run, name, *(f"{word}={words[word]}" for word in sorted(words)))
        if head_hash is not None and key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        text = await self.compute(views.view, str(self.path), run, name, dict(words))
        if head_hash is not None:
            self._cache[key] = text
            self._cached += len(text)
            while self._cached > CACHED_BYTES:
                self._cached -= len(self._cache.popitem(last=False)[1])
        return text
