"""Sweeps: a scenario under every combination of some settings and seeds."""

import hashlib
import json
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse

from fundclock.app.service import views
from fundclock.app.service.jobs import Job, Jobs
from fundclock.app.service.models import Sweep, SweepRequest, Sweeps
from fundclock.app.service.problems import ServiceProblem
from fundclock.app.service.requests import axes_of_request
from fundclock.app.service.routes.described import made
from fundclock.app.service.service import BASE, JSON_TYPE, service_of
from fundclock.scenarios.runs.manifest import versions

router = APIRouter(tags=["sweeps"])
Name = Annotated[str, Path(max_length=200, description="The sweep.")]
SWEEP: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "How it stands; rows, summary and the fan of a finished one",
        "content": {JSON_TYPE: {"schema": {"$ref": "#/components/schemas/Sweep"}}},
    }
}


def _told(job: Job) -> Sweep:
    chosen = job.request.get("scenario", "document")
    named = chosen if isinstance(chosen, str) else str(chosen.get("name") or "scenario")
    return Sweep(
        id=job.id,
        status=job.status,
        scenario=named,
        progress=1.0 if job.status == "finished" else job.done,
        axes=job.request["sweep"],
        problem=job.problem,
    )


async def _job(request: Request, name: str) -> Job:
    job = (await service_of(request).reader.one(name)).job
    if job is None or "sweep" not in job.request:
        raise ServiceProblem(404, f"there is no sweep '{name}'")
    return job


@router.post("/sweeps", status_code=202, responses=made("Sweep", 202), response_model=Sweep)
async def create(request: Request, body: SweepRequest) -> Response:
    """Queue a sweep; it is played by one worker, run after run."""
    engine, asked = service_of(request).engine, body.model_dump(exclude_none=True)
    asked["versions"] = versions()
    asked["sweep"] = await engine.compute(axes_of_request, asked, pool="checks")
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    job, _ = await engine.tell(Jobs.add, f"sweep-{digest[:8]}", asked)
    engine.play(job)
    found = _told(await _job(request, job))
    return JSONResponse(found.model_dump(), status_code=202, headers={"Location": f"{BASE}/sweeps/{job}"})


@router.get("/sweeps")
async def sweeps(request: Request) -> Sweeps:
    """Every sweep, the newest first."""
    return Sweeps(sweeps=[_told(job) for job in await service_of(request).reader.sweeps()])


@router.get("/sweeps/{name}", responses=SWEEP)
async def sweep(request: Request, name: Name) -> Response:
    """How a sweep stands; of a finished one its rows, the summary and the fan too."""
    engine = service_of(request).engine
    job = await _job(request, name)
    found = _told(job).model_dump()
    if job.status != "finished":
        return JSONResponse(found)

    if job.request["versions"] != versions():
        raise ServiceProblem(409, f"{name} was played by another version of Fundclock; ask for the sweep again")

    async def compute() -> str:
        return await engine.compute(views.sweep_rows, str(engine.path), job.request)

    rows = json.loads(await engine.kept(("sweep", name), compute))
    return JSONResponse({**rows, **found})


@router.delete("/sweeps/{name}", status_code=202)
async def cancel(request: Request, name: Name) -> Sweep:
    """Cancel a sweep that is queued or running; the runs that it has played are kept."""
    job = await _job(request, name)
    if not await service_of(request).engine.cancel(name):
        raise ServiceProblem(409, f"{name} is {job.status}; there is nothing to cancel")
    return _told(await _job(request, name))


@router.post("/sweeps/{name}/resume", status_code=202)
async def resume(request: Request, name: Name) -> Sweep:
    """Go on with a sweep that was interrupted or cancelled."""
    engine, job = service_of(request).engine, await _job(request, name)
    if not await engine.tell(Jobs.again, name):
        raise ServiceProblem(409, f"{name} is {job.status}; there is nothing to resume")
    engine.play(name)
    return _told(await _job(request, name))
