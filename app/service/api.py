"""The REST interface: simulations, what can be asked of them, forks and comparisons."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from app.service import problems, views
from app.service.engine import Engine
from app.service.jobs import Job, name_of_request
from app.service.models import ForkRequest, ReinvestRequest, Simulation, SimulationRequest, Simulations
from app.service.problems import ServiceProblem
from events.facts import FACTS, parse_fact
from events.stores.sqlite import SqliteStore
from events.stores.store import RunInfo
from scenarios.loader import Document
from scenarios.manifest import calendar_of, versions
from scenarios.script_commands import arguments_of

BASE = "/api/v1"
MAX_EVENTS = 10_000
JSON_TYPE = "application/json"
PROBLEM = {"description": "What is wrong", "content": {problems.MEDIA_TYPE: {"schema": {"type": "object"}}}}
COMMON: dict[int | str, dict[str, Any]] = dict.fromkeys((401, 403, 404, 413, 422), PROBLEM)


class Reader:
    """Short reads of the store in threads, each with a connection of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="reader")

    def _store(self) -> SqliteStore:
        store: SqliteStore | None = getattr(self._local, "store", None)
        if store is None:
            store = self._local.store = SqliteStore(self._path, create=False)
        return store

    async def infos(self) -> list[RunInfo]:
        """The rows of all runs, oldest first."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: self._store().runs())

    async def page(self, run: str, after: int, kinds: list[str] | None, limit: int) -> list[bytes]:
        """Stored records as JSON objects, as they are."""

        def read() -> list[bytes]:
            rows = self._store().rows(run, after, kinds, limit)
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
                for row in rows
            ]

        return await asyncio.get_running_loop().run_in_executor(self._pool, read)

    async def first_day(self, run: str) -> Any:
        """The calendar of a run."""

        def read() -> Any:
            row = next(self._store().rows(run, limit=1))
            manifest: Any = parse_fact(row.kind, row.payload)
            return calendar_of(manifest)

        return await asyncio.get_running_loop().run_in_executor(self._pool, read)

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False)


class Service:
    """What the routes work with."""

    def __init__(self, path: Path, workers: int | None = None) -> None:
        self.engine = Engine(path, workers)
        self.reader = Reader(path)

    def close(self) -> None:
        """End workers and threads."""
        self.reader.close()
        self.engine.close()

    async def all(self) -> list[Simulation]:
        """Every simulation, the newest first: jobs, and runs that others have put into the store."""
        jobs = {job.id: job for job in self.engine.jobs.all()}
        infos = {info.run: info for info in await self.reader.infos()}
        names = [*infos, *(name for name in jobs if name not in infos)]
        return [_simulation(name, infos.get(name), jobs.get(name)) for name in reversed(names)]

    async def one(self, name: str) -> tuple[Simulation, RunInfo | None]:
        """A simulation and the row of its run. Raises ServiceProblem where there is none."""
        job = self.engine.jobs.find(name)
        info = next((info for info in await self.reader.infos() if info.run == name), None)
        if job is None and info is None:
            raise ServiceProblem(404, f"there is no simulation '{name}'")
        return _simulation(name, info, job), info

    async def recorded(self, name: str) -> RunInfo:
        """The run of a simulation that has a log. Raises ServiceProblem where there is none yet."""
        simulation, info = await self.one(name)
        if info is None or not info.records:
            raise ServiceProblem(409, f"{name} is {simulation.status}: nothing is recorded yet", {"Retry-After": "1"})
        return info


def _simulation(name: str, info: RunInfo | None, job: Job | None) -> Simulation:
    status = (
        job.status if job is not None and job.status != "finished" else info.status if info is not None else "failed"
    )
    if info is not None and info.status == "finished":
        status = "finished"
    asked = job.request if job is not None else {}
    scenario = asked.get("scenario", "")
    named = scenario if isinstance(scenario, str) else str(scenario.get("name") or "scenario")
    return Simulation(
        id=name,
        status=status,
        scenario=named if info is None else info.scenario,
        seed=int(asked.get("seed") or 0) if info is None else info.seed,
        progress=1.0 if status == "finished" else 0.0 if job is None else job.done,
        records=0 if info is None else info.records,
        head_hash=None if info is None or not info.records else info.head_hash,
        parent=None if info is None else info.parent,
        divergence_seq=None if info is None else info.divergence_seq,
        problem=None if job is None else job.problem,
    )


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _tag(info: RunInfo) -> str:
    return f'"{info.head_hash}"'


def _not_modified(request: Request, info: RunInfo) -> Response | None:
    """304 where the client has what a finished run will always answer."""
    given = request.headers.get("if-none-match", "")
    if info.status == "finished" and _tag(info) in [tag.strip() for tag in given.split(",")]:
        return Response(status_code=304, headers={"ETag": _tag(info)})
    return None


async def _view(request: Request, run: str, kind: str, **words: Any) -> Response:
    service = _service(request)
    info = await service.recorded(run)
    unchanged = _not_modified(request, info)
    if unchanged is not None:
        return unchanged
    finished = info.status == "finished"
    text = await service.engine.view(run, info.head_hash if finished else None, kind, words)
    return Response(text, media_type=JSON_TYPE, headers={"ETag": _tag(info)} if finished else None)


router = APIRouter(responses=COMMON)
aliases = APIRouter(responses=COMMON)
"""The paths of leverage without a version, as older clients know them."""


@router.get("/version", tags=["service"])
async def version() -> dict[str, Any]:
    """Versions of Fundclock and of what results depend on."""
    return {"versions": versions()}


@router.post("/simulations", status_code=202, tags=["simulations"], response_model=Simulation)
async def create(
    request: Request, body: SimulationRequest, idempotency_key: Annotated[str | None, Header(max_length=200)] = None
) -> Response:
    """Queue a simulation. With an Idempotency-Key, the same request again names the same simulation."""
    service, asked = _service(request), body.model_dump()
    name = await service.engine.compute(name_of_request, asked)
    job, new = service.engine.jobs.add(name, asked, idempotency_key)
    if new:
        service.engine.play(job)
    simulation, _ = await service.one(job)
    return JSONResponse(simulation.model_dump(), status_code=202, headers={"Location": f"{BASE}/simulations/{job}"})


@router.get("/simulations", tags=["simulations"])
async def simulations(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Annotated[str | None, Query(description="The last name of the page before.")] = None,
) -> Simulations:
    """Every simulation, the newest first."""
    found = await _service(request).all()
    names = [simulation.id for simulation in found]
    if after is not None and after not in names:
        raise ServiceProblem(404, f"there is no simulation '{after}'")
    first = 0 if after is None else names.index(after) + 1
    page = found[first : first + limit]
    more = first + limit < len(found)
    return Simulations(
        simulations=page, next=f"{BASE}/simulations?limit={limit}&after={page[-1].id}" if more and page else None
    )


@router.get("/simulations/{name}", tags=["simulations"])
async def simulation(request: Request, name: str) -> Response:
    """How a simulation stands; of a finished one its figures too."""
    service = _service(request)
    found, info = await service.one(name)
    if info is None or found.status != "finished":
        return JSONResponse(found.model_dump())
    unchanged = _not_modified(request, info)
    if unchanged is not None:
        return unchanged
    summary = json.loads(await service.engine.view(name, info.head_hash, "summary", {}))
    more = {key: summary[key] for key in ("metrics", "warnings", "days")}
    return JSONResponse({**found.model_dump(), **more}, headers={"ETag": _tag(info)})


@router.delete("/simulations/{name}", status_code=202, tags=["simulations"])
async def cancel(request: Request, name: str) -> Simulation:
    """Cancel a simulation that is queued or running; what it has recorded is kept."""
    service = _service(request)
    found, _ = await service.one(name)
    jobs = service.engine.jobs
    if not jobs.move(name, "cancelled", only=("queued",)) and not jobs.move(name, "cancelling", only=("running",)):
        raise ServiceProblem(409, f"{name} is {found.status}; there is nothing to cancel")
    return (await service.one(name))[0]


@router.post("/simulations/{name}/resume", status_code=202, tags=["simulations"])
async def resume(request: Request, name: str) -> Simulation:
    """Go on with a simulation that was interrupted or cancelled, to the same bytes."""
    service = _service(request)
    found, _ = await service.one(name)
    if not service.engine.jobs.move(name, "queued", only=("interrupted", "cancelled")):
        raise ServiceProblem(409, f"{name} is {found.status}; there is nothing to resume")
    service.engine.play(name)
    return (await service.one(name))[0]


@router.get("/simulations/{name}/events", tags=["simulations"])
async def events(
    request: Request,
    name: str,
    after_seq: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_EVENTS)] = 1000,
    kind: Annotated[list[str] | None, Query(max_length=50)] = None,
) -> Response:
    """Records in the order of the log; ``next`` is where the page after this one is."""
    service = _service(request)
    for one in kind or []:
        if one not in FACTS:
            raise ServiceProblem(422, f"there is no kind '{one}'")
    info = await service.recorded(name)
    rows = await service.reader.page(name, after_seq, kind, limit)
    more = "null"
    if len(rows) == limit:
        last = int(rows[-1][7 : rows[-1].index(b",")])
        kinds = "".join(f"&kind={one}" for one in kind or [])
        more = json.dumps(f"{BASE}/simulations/{name}/events?after_seq={last}&limit={limit}{kinds}")
    body = b'{"schema":"fundclock.events/1","records":[' + b",".join(rows) + b'],"next":' + more.encode() + b"}"
    return Response(body, media_type=JSON_TYPE, headers={"ETag": _tag(info)} if info.status == "finished" else None)


@router.get("/simulations/{name}/state", tags=["views"])
async def state(
    request: Request, name: str, as_of: Annotated[str | None, Query(description="An ISO date.")] = None
) -> Response:
    """The state that the log folds to, at the end of a day."""
    return await _view(request, name, "state", **({} if as_of is None else {"as_of": as_of}))


@router.get("/simulations/{name}/reinvestment", tags=["reinvestment"])
async def reinvestment(request: Request, name: str) -> Response:
    """Events, summary and figures of reinvestment."""
    return await _view(request, name, "reinvestment")


@router.get("/simulations/{name}/reinvestment/risk", tags=["reinvestment"])
async def reinvestment_risk(request: Request, name: str) -> Response:
    """Risk before and after each reinvestment."""
    return await _view(request, name, "reinvestment_risk")


async def _fork(request: Request, name: str, at: str, settings: dict[str, Any], do: list[Any]) -> Response:
    service = _service(request)
    info = await service.recorded(name)
    if info.status not in ("finished", "interrupted"):
        raise ServiceProblem(409, f"{name} is {info.status}; fork it when it is finished", {"Retry-After": "1"})
    made = await service.engine.compute(views.fork, str(service.engine.path), name, at, settings, do)
    found, _ = await service.one(made)
    return JSONResponse(found.model_dump(), status_code=201, headers={"Location": f"{BASE}/simulations/{made}"})


@router.post("/simulations/{name}/reinvestment", status_code=201, tags=["reinvestment"], response_model=Simulation)
async def reinvest(request: Request, name: str, body: ReinvestRequest) -> Response:
    """A manual reinvestment: a fork of the run, never a change of it."""
    asked = body.model_dump(exclude_none=True)
    calendar = await _service(request).reader.first_day((await _service(request).recorded(name)).run)
    months = arguments_of("reinvest", asked, ("reinvest",), Document("request", {"reinvest": asked})).months()
    try:
        day = calendar.date(calendar.add_months(0, months)).isoformat()
    except (IndexError, OverflowError, ValueError):
        raise ServiceProblem(422, f"year {body.year:g} is outside the fund's life") from None
    return await _fork(request, name, day, {}, [{"do": {"reinvest": asked}}])


@router.post("/simulations/{name}/forks", status_code=201, tags=["forks"], response_model=Simulation)
async def fork(request: Request, name: str, body: ForkRequest) -> Response:
    """Play a run again up to a day, intervene, and play on with the same random draws."""
    return await _fork(request, name, body.at, body.set, body.do)


@router.get("/simulations/{name}/allocation", tags=["views"])
async def allocation(request: Request, name: str) -> Response:
    """Checks, drift, triggers and conditions of the market."""
    return await _view(request, name, "allocation")


@router.get("/simulations/{name}/visualizations/{figure}", tags=["views"])
async def visualization(request: Request, name: str, figure: str) -> Response:
    """A figure by its name: its data, and the drawing of it."""
    return await _view(request, name, "visualization", name=figure)


@router.get("/simulations/{name}/audit", tags=["views"])
async def audit(
    request: Request, name: str, ladder: bool = False, shapley: bool = False, ties: bool = False
) -> Response:
    """The timing audit."""
    return await _view(request, name, "audit", ladder=ladder, shapley=shapley, ties=ties)


@router.get("/simulations/{name}/report.html", tags=["views"], response_class=HTMLResponse)
async def report(request: Request, name: str) -> Response:
    """The report, one page that opens without a network."""
    service = _service(request)
    info = await service.recorded(name)
    unchanged = _not_modified(request, info)
    if unchanged is not None:
        return unchanged
    page = await service.engine.compute(views.report, str(service.engine.path), name)
    return HTMLResponse(page, headers={"ETag": _tag(info)} if info.status == "finished" else None)


@router.get("/comparisons", tags=["views"])
async def comparisons(request: Request, a: str, b: str) -> Response:
    """Two runs against each other."""
    service = _service(request)
    for name in (a, b):
        await service.recorded(name)
    text = await service.engine.compute(views.comparison, str(service.engine.path), a, b)
    return Response(text, media_type=JSON_TYPE)


LEVERAGE = {
    "leverage": ("leverage", "Facilities, metrics, figures and stress."),
    "leverage/facilities": ("leverage_facilities", "The facilities."),
    "leverage/events": ("leverage_events", "Draws, repayments, payments, breaches."),
    "leverage/metrics": ("leverage_metrics", "Leverage and its ratios."),
}
"""Paths of leverage and their views."""


def _leverage_route(path: str, kind: str, text: str) -> None:
    async def leverage(request: Request, name: str) -> Response:
        return await _view(request, name, kind)

    leverage.__doc__ = text
    for where, prefix in ((router, ""), (aliases, "alias_")):
        where.get(f"/simulations/{{name}}/{path}", tags=["leverage"], name=f"{prefix}{kind}", summary=text)(leverage)


for _path, (_kind, _text) in LEVERAGE.items():
    _leverage_route(_path, _kind, _text)
