"""What the routes work with: the engine, the reader, and simulations as they are told of."""

from pathlib import Path
from typing import Any

from fastapi import Request, Response

from fundclock.app.service.engine import Engine, Pool
from fundclock.app.service.models import Simulation
from fundclock.app.service.problems import ServiceProblem
from fundclock.app.service.reader import Found, Reader
from fundclock.events.stores.store import RunInfo

BASE = "/api/v1"
JSON_TYPE = "application/json"


class Service:
    """One store, served."""

    def __init__(self, path: Path, workers: int | None = None) -> None:
        self.engine = Engine(path, workers)
        self.reader = Reader(path)

    def close(self) -> None:
        """End workers and threads."""
        self.reader.close()
        self.engine.close()

    async def found(self, name: str) -> Found:
        """A simulation. Raises ServiceProblem where there is none."""
        found = await self.reader.one(name)
        if found.info is None and (found.job is None or "sweep" in found.job.request):
            raise ServiceProblem(404, f"there is no simulation '{name}'")
        return found

    async def one(self, name: str) -> tuple[Simulation, RunInfo | None]:
        """A simulation as it is told of, and the row of its run. Raises ServiceProblem where there is none."""
        found = await self.found(name)
        return told(found), found.info

    async def recorded(self, name: str) -> RunInfo:
        """The run of a simulation that has a log. Raises ServiceProblem where there is none yet."""
        simulation, info = await self.one(name)
        if info is None or not info.records:
            raise ServiceProblem(409, f"{name} is {simulation.status}: nothing is recorded yet", {"Retry-After": "1"})
        return info


def told(found: Found) -> Simulation:
    """A simulation as clients are told of it. A run's own row counts, once it is finished."""
    name, job, info = found
    if info is not None and info.status == "finished":
        status: Any = "finished"
    elif job is not None:
        status = job.status if job.status != "finished" else "failed"
    else:
        status = "failed" if info is None else info.status
    asked = job.request if job is not None else {}
    scenario = asked.get("scenario", "a fork" if "fork" in asked else "a document")
    named = scenario if isinstance(scenario, str) else str(scenario.get("name") or "scenario")
    return Simulation(
        id=name,
        status=status,
        scenario=named if info is None else info.scenario,
        seed=int(asked.get("seed") or 0) if info is None else info.seed,
        progress=1.0 if status == "finished" else 0.0 if job is None else job.done,
        records=0 if info is None else info.records,
        head_hash=None if info is None or not info.records else info.head_hash,
        parent=asked.get("fork") if info is None else info.parent,
        divergence_seq=None if info is None else info.divergence_seq,
        problem=None if job is None else job.problem,
    )


def service_of(request: Request) -> Service:
    """The service that a request was sent to."""
    service: Service = request.app.state.service
    return service


def tag(info: RunInfo) -> str:
    """The strong ETag of what is said of a run: it can't change once the run is finished."""
    return f'"{info.head_hash}"'


def headers(info: RunInfo) -> dict[str, str] | None:
    """Headers of an answer about a run."""
    return {"ETag": tag(info)} if info.status == "finished" else None


def not_modified(request: Request, info: RunInfo) -> Response | None:
    """304 where the client has what a finished run will always answer."""
    given = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if info.status == "finished" and (tag(info) in given or "*" in given):
        return Response(status_code=304, headers={"ETag": tag(info)})
    return None


async def view(request: Request, run: str, kind: str, *, pool: Pool = "views", **words: Any) -> Response:
    """A view of a run as an answer."""
    service = service_of(request)
    info = await service.recorded(run)
    head = info.head_hash if info.status == "finished" else None
    text = await service.engine.view(run, head, kind, words, pool)
    return not_modified(request, info) or Response(text, media_type=JSON_TYPE, headers=headers(info))
