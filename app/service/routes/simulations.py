"""Simulations: ask for one, look how it stands, read its records, cancel it, go on with it, fork it."""

import asyncio
import json
import re
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from fundclock.app.service import views
from fundclock.app.service.jobs import OPEN, Jobs
from fundclock.app.service.models import (
    Events,
    ForkRequest,
    ReinvestRequest,
    Simulation,
    SimulationRequest,
    Simulations,
)
from fundclock.app.service.problems import ServiceProblem
from fundclock.app.service.requests import check_size, name_of_request, plan_of_request
from fundclock.app.service.routes.described import NOT_MODIFIED, fields, made
from fundclock.app.service.service import BASE, JSON_TYPE, headers, not_modified, service_of, told, view
from fundclock.events.dates import Calendar
from fundclock.events.facts import FACTS
from fundclock.scenarios.files.documents import Document
from fundclock.scenarios.files.problems import InvalidInput, Problem, closest
from fundclock.scenarios.scripts.commands import arguments_of

MAX_EVENTS = 10_000
MAX_SEQ = 2**53
PATIENCE = 20.0
"""Seconds that a fork's client waits for it to be played; then it is told that the fork is queued."""

Name = Annotated[str, Path(max_length=200, description="The simulation.")]

router = APIRouter(tags=["simulations"])


@router.post("/simulations", status_code=202, responses=made("Simulation", 202), response_model=Simulation)
async def create(
    request: Request, body: SimulationRequest, idempotency_key: Annotated[str | None, Header(max_length=200)] = None
) -> Response:
    """Queue a simulation. With an Idempotency-Key, the same request again names the same simulation."""
    engine, asked = service_of(request).engine, body.model_dump(exclude_none=True)
    name = await engine.compute(name_of_request, asked, pool="checks")
    job, new = await engine.tell(Jobs.add, name, asked, idempotency_key)
    if new:
        engine.play(job)
    return await _made(request, job, 202)


async def _made(request: Request, job: str, status: int) -> Response:
    found, _ = await service_of(request).one(job)
    return JSONResponse(found.model_dump(), status_code=status, headers={"Location": f"{BASE}/simulations/{job}"})


@router.get("/simulations")
async def simulations(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Annotated[str | None, Query(max_length=200, description="The last name of the page before.")] = None,
) -> Simulations:
    """Every simulation, the newest first."""
    service = service_of(request)
    if after is not None:
        await service.found(after)
    found = [told(one) for one in await service.reader.some(after, limit + 1)]
    more = f"{BASE}/simulations?limit={limit}&after={found[limit - 1].id}" if len(found) > limit else None
    return Simulations(simulations=found[:limit], next=more)


MORE = ("metrics", "warnings", "days", "start_date", "end_date", "changes", "interventions")

SIMULATION: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "How it stands; metrics, warnings and days of a finished one",
        "content": {JSON_TYPE: {"schema": {"$ref": "#/components/schemas/Simulation"}}},
    },
    **NOT_MODIFIED,
}


@router.get("/simulations/{name}", responses=SIMULATION)
async def simulation(request: Request, name: Name) -> Response:
    """How a simulation stands; of a finished one its figures too."""
    service = service_of(request)
    found, info = await service.one(name)
    if info is None or found.status != "finished":
        return JSONResponse(found.model_dump())
    summary = json.loads(await service.engine.view(name, info.head_hash, "summary", {}))
    more = {key: summary[key] for key in MORE}
    return not_modified(request, info) or JSONResponse({**found.model_dump(), **more}, headers=headers(info))


@router.delete("/simulations/{name}", status_code=202)
async def cancel(request: Request, name: Name) -> Simulation:
    """Cancel a simulation that is queued or running; what it has recorded is kept."""
    service = service_of(request)
    found, _ = await service.one(name)
    if not await service.engine.cancel(name):
        raise ServiceProblem(409, f"{name} is {found.status}; there is nothing to cancel")
    return (await service.one(name))[0]


@router.post("/simulations/{name}/resume", status_code=202)
async def resume(request: Request, name: Name) -> Simulation:
    """Go on with a simulation that was interrupted or cancelled, to the same bytes."""
    service = service_of(request)
    found = await service.found(name)
    parent = None if found.job is None or found.info is not None else found.job.request.get("fork")
    if parent is not None:
        stands, _ = await service.one(parent)
        if stands.status not in OPEN and not stands.records:
            raise ServiceProblem(409, f"{name} is a fork of {parent}, which is {stands.status}: resume that first")
    if not await service.engine.tell(Jobs.again, name):
        raise ServiceProblem(409, f"{name} is {told(found).status}; there is nothing to resume")
    await _play(request, name, parent)
    return (await service.one(name))[0]


async def _play(request: Request, job: str, parent: str | None) -> Any:
    """Play a job now, or when its parent is over."""
    service = service_of(request)
    after = None
    if parent is not None:
        job_of_parent = (await service.found(parent)).job
        if job_of_parent is not None and job_of_parent.open:
            after = parent
    future = service.engine.play(job, after)
    if after is not None:  # it may have ended while we looked
        job_of_parent = (await service.found(after)).job
        if job_of_parent is not None and not job_of_parent.open:
            service.engine.release(after)
    return future


@router.get("/simulations/{name}/events", response_model=Events, responses=NOT_MODIFIED)
async def events(
    request: Request,
    name: Name,
    after_seq: Annotated[int, Query(ge=0, le=MAX_SEQ)] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_EVENTS)] = 1000,
    kind: Annotated[list[str] | None, Query(max_length=50)] = None,
) -> Response:
    """Records in the order of the log; ``next`` is where the page after this one is."""
    for one in kind or []:
        if one not in FACTS:
            raise InvalidInput(
                [Problem("kind", f"there is no kind '{one}'", "request", suggestion=closest(one, FACTS))]
            )
    service = service_of(request)
    info = await service.recorded(name)
    unchanged = not_modified(request, info)
    if unchanged is not None:
        return unchanged
    rows = await service.reader.page(name, after_seq, kind, limit)
    more = "null"
    if len(rows) == limit:
        last = int(rows[-1][7 : rows[-1].index(b",")])
        kinds = "".join(f"&kind={one}" for one in kind or [])
        more = json.dumps(f"{BASE}/simulations/{name}/events?after_seq={last}&limit={limit}{kinds}")
    body = b'{"schema":"fundclock.events/1","records":[' + b",".join(rows) + b'],"next":' + more.encode() + b"}"
    return Response(body, media_type=JSON_TYPE, headers=headers(info))


WHY = fields(record="object", causes="list", effects="list", lots="list")


@router.get("/simulations/{name}/events/{seq}/why", responses=WHY)
async def why(request: Request, name: Name, seq: Annotated[int, Path(ge=1, le=MAX_SEQ)]) -> Response:
    """The causes of a record up to its root, its effects, and the lots that paid for it."""
    return await view(request, name, "why", seq=seq)


SETTINGS = fields(settings="object", changeable="list", commands="object")


@router.get("/simulations/{name}/settings", tags=["forks"], responses=SETTINGS)
async def settings(request: Request, name: Name) -> Response:
    """The settings of a run, which of them an intervention may change, and the commands that it may give."""
    return await view(request, name, "settings")


FORKED = made("Simulation", 201, 202)


@router.post("/simulations/{name}/forks", status_code=201, tags=["forks"], responses=FORKED, response_model=Simulation)
async def fork(request: Request, name: Name, body: ForkRequest) -> Response:
    """Play a run again up to a day, intervene, and play on with the same random draws.

    202 while the run is still being played: the fork is played when the run is over.
    """
    return await _fork(request, name, body.at, body.set, body.do)


@router.post(
    "/simulations/{name}/reinvestment",
    status_code=201,
    tags=["reinvestment"],
    responses=FORKED,
    response_model=Simulation,
)
async def reinvest(request: Request, name: Name, body: ReinvestRequest) -> Response:
    """A manual reinvestment: a fork of the run, never a change of it."""
    asked = body.model_dump(exclude_none=True)
    months = arguments_of("reinvest", asked, ("reinvest",), Document("request", {"reinvest": asked})).months()
    calendar = await _calendar(request, name)
    try:
        day = calendar.date(calendar.add_months(0, months)).isoformat()
    except (IndexError, OverflowError, ValueError):
        raise ServiceProblem(422, f"year {body.year:g} is outside the fund's life") from None
    return await _fork(request, name, day, {}, [{"do": {"reinvest": asked}}])


async def _calendar(request: Request, name: str) -> Calendar:
    service = service_of(request)
    found = await service.found(name)
    if found.info is not None and found.info.records:
        return await service.reader.calendar(found.info)
    asked = await _asked(request, name)
    if asked is None:
        raise ServiceProblem(409, f"{name} is {told(found).status}: nothing is recorded yet", {"Retry-After": "1"})
    plan = await service.engine.compute(plan_of_request, asked, pool="checks")
    return plan.config.calendar()


async def _asked(request: Request, name: str | None) -> dict[str, Any] | None:
    """The request for the simulation that a fork, or a fork of a fork, stands on; None where there was none."""
    while name is not None:
        job = (await service_of(request).found(name)).job
        if job is None or not job.request:
            return None
        if "fork" not in job.request:
            return job.request
        name = job.request["fork"]
    return None


def _forked(name: str) -> str:
    """What a fork is called whose digest is not known yet; forks of forks are not called ever longer."""
    return re.sub(r"-fork(-\d+)?$", "", name) + "-fork"


async def _fork(request: Request, name: str, at: str, changes: dict[str, Any], do: list[Any]) -> Response:
    service = service_of(request)
    engine = service.engine
    check_size([changes, do])
    found = await service.found(name)
    asked = {"fork": name, "at": at, "set": changes, "do": do}
    if found.job is not None and found.job.open:
        played = await _asked(request, name)
        if played is not None:
            await engine.compute(views.check_fork, played, at, changes, do, pool="checks")
        job, _ = await engine.tell(Jobs.add, _forked(name), asked)
        await _play(request, job, name)
        return await _made(request, job, 202)
    info = await service.recorded(name)
    if found.job is None and info.status == "running":
        raise ServiceProblem(409, f"{name} is being played by someone else; fork it when it is over")
    named = await engine.compute(views.name_of_fork, str(engine.path), name, at, changes, do)
    job, _ = await engine.tell(Jobs.add, named, asked)
    future = engine.play(job)
    assert future is not None
    await asyncio.wait([asyncio.wrap_future(future)], timeout=PATIENCE)
    stands, _ = await service.one(job)
    return await _made(request, job, 201 if stands.status == "finished" else 202)
