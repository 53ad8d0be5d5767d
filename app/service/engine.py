"""Worker processes of the service: they play what is asked for, and compute what is asked of runs."""

import asyncio
import os
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, Literal, TypeVar

from fundclock.app.logs import log
from fundclock.app.service import player, views
from fundclock.app.service.jobs import Job, Jobs
from fundclock.app.service.player import play_job
from fundclock.app.service.problems import ServiceProblem
from fundclock.events.stores.sqlite import SqliteStore
from fundclock.events.stores.store import StoreError
from fundclock.scenarios.ensembles.sweeps import end_with_parent, worker_context

T = TypeVar("T")

CACHED_CHARACTERS = 64_000_000
"""Of views of finished runs that are kept; they can't change."""

NICER = 10
"""Steps by which what takes long is behind what somebody is waiting for."""

Pool = Literal["runs", "views", "long", "checks"]
SIZES: dict[Pool, int] = {"views": 2, "long": 1, "checks": 1}
"""Processes that answer: views of runs; what takes many runs (ladder, headroom, report); whether a request is valid."""

MAX_WAITING: dict[Pool, int] = {"views": 200, "long": 16, "checks": 200}
"""Answers that are computed or wait for it at the same time."""

ENDED = "its worker process was ended from outside"
RETRY_SECONDS = 2.0


class Engine:
    """The store, the jobs, and the processes that work for them."""

    def __init__(self, path: Path, workers: int | None = None) -> None:
        """Creates the store where there is none; what an earlier service left open is interrupted."""
        SqliteStore(path).close()
        self.path = path
        self._jobs = Jobs(path)
        self._clerk = ThreadPoolExecutor(1, thread_name_prefix="clerk")
        self._context = worker_context(player.__name__, views.__name__)
        self._sizes: dict[Pool, int] = {**SIZES, "runs": workers or os.cpu_count() or 1}
        self._pools: dict[Pool, ProcessPoolExecutor] = {}
        self._playing: dict[str, set[Future[None]]] = {}
        self._after: dict[str, list[str]] = {}
        self._retried: set[str] = set()
        self._waiting: dict[Pool, int] = dict.fromkeys(MAX_WAITING, 0)
        self._computing: dict[tuple[str, ...], asyncio.Future[str]] = {}
        self._cache: OrderedDict[tuple[str, ...], str] = OrderedDict()
        self._cached = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        for name in self._jobs.interrupt_open():
            log().warning("job.interrupted", job=name)

    def _submit(self, pool: Pool, work: Callable[..., T], *words: Any) -> "Future[T]":
        for last in (False, True):
            found = self._pools.get(pool)
            if found is None:
                found = ProcessPoolExecutor(self._sizes[pool], self._context, initializer=_begin, initargs=(pool,))
                self._pools[pool] = found
            try:
                return found.submit(work, *words)
            except BrokenProcessPool:  # a worker was killed, and with it the pool
                if self._pools.get(pool) is found:
                    del self._pools[pool]
                if last:
                    raise
        raise AssertionError

    def close(self) -> None:
        """End the workers. What is being played is interrupted; the logs so far are valid."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        for pool in self._pools.values():
            workers = list((pool._processes or {}).values())
            pool.shutdown(wait=False, cancel_futures=True)
            for process in workers:
                process.terminate()
            for process in workers:
                process.join()
            pool.shutdown(wait=True)
        self._clerk.shutdown(wait=True)
        self._jobs.interrupt_open()
        self._jobs.close()

    async def tell(self, change: Callable[..., T], *words: Any) -> T:
        """Change the table of jobs, ``tell(Jobs.cancel, name)``: it may have to wait for the file."""
        return await asyncio.get_running_loop().run_in_executor(self._clerk, change, self._jobs, *words)

    async def cancel(self, job: str) -> bool:
        """Cancel a job; whether there was anything to cancel."""
        done = await self.tell(Jobs.cancel, job)
        for future in list(self._playing.get(job, ())) if done else ():
            future.cancel()  # where it has not begun
        return done

    def play(self, job: str, after: str | None = None) -> "Future[None] | None":
        """Queue a job; with ``after`` when that one is over."""
        if after is not None:
            self._after.setdefault(after, []).append(job)
            return None
        loop = asyncio.get_running_loop()
        future = self._submit("runs", play_job, str(self.path), job)
        self._playing.setdefault(job, set()).add(future)
        future.add_done_callback(lambda done: loop.call_soon_threadsafe(self._played, job, done))
        return future

    def _played(self, job: str, done: "Future[None]") -> None:
        attempts = self._playing[job]
        attempts.discard(done)
        if self._closed or attempts:  # one that was cancelled and resumed may have two; the last one tells
            return
        del self._playing[job]
        task = asyncio.get_running_loop().create_task(self._settle(job, None if done.cancelled() else done.exception()))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _settle(self, job: str, error: BaseException | None) -> None:
        """See to it that a job whose worker is done with it is not open for ever, and play what waited for it."""
        if error is not None:
            log().error("job.failed", job=job, error=f"{type(error).__name__}: {error}")
        while True:
            try:
                found = await self.tell(Jobs.find, job)
                if found is not None and found.open:
                    await self._close_open(found, error)
                break
            except StoreError as refused:  # the file is taken; what happened must be written down nevertheless
                log().warning("job.waits_for_the_store", job=job, error=str(refused))
                await asyncio.sleep(RETRY_SECONDS)
        self.release(job)

    async def _close_open(self, job: Job, error: BaseException | None) -> None:
        if isinstance(error, BrokenProcessPool):
            # All that were played in the pool are done with; one of them may be why. Each gets one more try.
            if job.status != "cancelling" and (job.status == "queued" or job.id not in self._retried):
                if job.status == "running":
                    self._retried.add(job.id)
                await self.tell(lambda jobs: jobs.move(job.id, "queued"))
                self.play(job.id)
            else:
                await self.tell(lambda jobs: jobs.move(job.id, "interrupted", problem={"detail": ENDED}))
        elif isinstance(error, StoreError):  # the log so far is valid: it can be gone on with
            await self.tell(lambda jobs: jobs.move(job.id, "interrupted", problem={"detail": str(error)}))
        elif error is not None:
            problem = {"detail": f"{type(error).__name__}: {error}"}
            await self.tell(lambda jobs: jobs.move(job.id, "failed", problem=problem))
        elif job.status == "cancelling":
            await self.tell(lambda jobs: jobs.move(job.id, "cancelled"))
        elif job.status == "queued" and job.id not in self._playing:  # anew, while the last attempt came to its end
            self.play(job.id)

    def release(self, job: str) -> None:
        """Play what was waiting for a job that is over."""
        if job in self._playing:
            return
        for waiting in self._after.pop(job, []):
            self.play(waiting)

    async def compute(self, work: Callable[..., T], *words: Any, pool: Pool = "views") -> T:
        """The answer of a function, from a worker process. Raises ServiceProblem where too many wait already."""
        if self._waiting[pool] >= MAX_WAITING[pool]:
            detail = f"{MAX_WAITING[pool]} answers of this kind are being computed already"
            raise ServiceProblem(429, detail, {"Retry-After": "5"})
        self._waiting[pool] += 1
        try:
            for last in (False, True):
                try:
                    return await asyncio.wrap_future(self._submit(pool, work, *words))
                except BrokenProcessPool:
                    if last:
                        raise ServiceProblem(503, ENDED, {"Retry-After": "5"}) from None
            raise AssertionError
        finally:
            self._waiting[pool] -= 1

    async def view(
        self, run: str, head_hash: str | None, name: str, words: Mapping[str, Any], pool: Pool = "views"
    ) -> str:
        """A view of a run; with a head hash (of a finished run) from the cache, where it is there."""

        async def compute() -> str:
            return await self.compute(views.view, str(self.path), run, name, dict(words), pool=pool)

        if head_hash is None:
            return await compute()
        return await self.kept((head_hash, run, name, *(f"{word}={words[word]}" for word in sorted(words))), compute)

    async def kept(self, key: tuple[str, ...], compute: Callable[[], Awaitable[str]]) -> str:
        """A text that can't change, from the cache where it is there; whoever asks meanwhile waits for the same."""
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        under_way = self._computing.get(key)
        if under_way is None:
            under_way = self._computing[key] = asyncio.ensure_future(compute())
            under_way.add_done_callback(lambda done: self._keep(key, done))
        return await asyncio.shield(under_way)  # who leaves does not take it from the others

    def _keep(self, key: tuple[str, ...], done: "asyncio.Future[str]") -> None:
        del self._computing[key]
        if done.cancelled() or done.exception() is not None:
            return
        self._cache[key] = done.result()
        self._cached += len(done.result())
        while self._cached > CACHED_CHARACTERS:
            self._cached -= len(self._cache.popitem(last=False)[1])


def _begin(pool: Pool) -> None:
    """A worker's first act."""
    end_with_parent()
    if pool in ("runs", "long") and hasattr(os, "nice"):  # Windows has none
        os.nice(NICER)
