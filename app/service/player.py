"""What worker processes do: play the simulation, the fork or the sweep that a job asks for."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from fundclock.app.service.jobs import Job, Jobs
from fundclock.app.service.problems import rows_of
from fundclock.app.service.requests import plan_of_request, scenario_of
from fundclock.events.stores.sqlite import SqliteStore
from fundclock.events.stores.store import StoreError
from fundclock.scenarios.ensembles.sweeps import Sweep, sweep
from fundclock.scenarios.files.problems import InvalidInput
from fundclock.scenarios.runs.forks import fork
from fundclock.scenarios.runs.playing import play_into
from fundclock.scenarios.runs.stored import load_run
from fundclock.scenarios.runs.verify import resume

STEP = 0.02
"""The part of a run after which its progress is told again."""

Told = Callable[[int, int], None]


class Cancelled(KeyboardInterrupt):
    """Someone has cancelled the job; what was recorded is kept."""


def play_job(path: str, name: str) -> None:
    """Play a queued job, or go on with one that was interrupted. What the store refuses is raised."""
    jobs = Jobs(Path(path))
    try:
        job = jobs.begin(name)
        if job is None:
            return  # cancelled meanwhile
        with SqliteStore(path) as store:
            _play(store, job, _told(jobs, name))
        jobs.move(name, "finished")
    except Cancelled:
        jobs.move(name, "cancelled")
    except InvalidInput as error:
        jobs.move(name, "failed", problem={"detail": str(error), "problems": rows_of(error)})
    finally:
        jobs.close()


def _told(jobs: Jobs, name: str) -> Told:
    """Keeps the job's progress, and stops the work when the job is cancelled."""
    shown = 0.0

    def told(done: int, all_: int) -> None:
        nonlocal shown
        if jobs.status(name) == "cancelling":
            raise Cancelled
        if done / all_ - shown >= STEP:
            shown = done / all_
            with suppress(StoreError):  # the file is taken: the run itself waits for it, or fails
                jobs.progress(name, shown)

    return told


def _play(store: SqliteStore, job: Job, told: Told) -> None:
    info = store.row(job.id)
    if info is not None and info.records:
        if not job.begun:
            raise StoreError(f"somebody else has begun a run called {job.id} meanwhile")
        resume(store, info, told)
        return
    store.forget_empty(job.id)
    if "sweep" in job.request:
        sweep_of(store, job.request, told)
    elif "fork" in job.request:
        asked = job.request
        parent = store.row(asked["fork"])
        if parent is None or not parent.records:
            raise StoreError(f"nothing was recorded of {asked['fork']}; there is nothing to fork")
        fork(load_run(store, parent), asked["at"], asked["set"], asked["do"], store, told, job.id)
    else:
        play_into(store, plan_of_request(job.request), told, job.id)


def sweep_of(store: SqliteStore, request: dict[str, Any], told: Told | None = None) -> Sweep:
    """The sweep of a request whose axes were checked; what the store has of it is not played again."""
    return sweep(scenario_of(request), request["sweep"], workers=1, store=store, on_cell=told)
