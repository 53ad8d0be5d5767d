"""What is computed of runs: states, engines, figures, audit, stress, reports, comparisons."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from fundclock.app.service import views
from fundclock.app.service.engine import Pool
from fundclock.app.service.routes.described import PAGE, fields
from fundclock.app.service.routes.simulations import Name
from fundclock.app.service.service import JSON_TYPE, headers, not_modified, service_of, view

router = APIRouter(tags=["views"])
aliases = APIRouter(tags=["leverage"])
"""The paths of leverage without a version, as older clients know them."""

Day = Annotated[str | None, Query(max_length=40, description="An ISO date.")]

STATE = fields(
    run="text", state_digest="text", seq="integer", day="integer", date="text", cash="text", reserve="text", nav="text",
    loans="object", facilities="object", pending_commands="integer", ledger="object",
)  # fmt: skip


@router.get("/simulations/{name}/state", responses=STATE)
async def state(request: Request, name: Name, as_of: Day = None) -> Response:
    """The state that the log folds to, at the end of a day."""
    return await view(request, name, "state", as_of=as_of)


REINVESTMENT = fields(events="list", summary="object", visualization="object", risk="object")


@router.get("/simulations/{name}/reinvestment", tags=["reinvestment"], responses=REINVESTMENT)
async def reinvestment(request: Request, name: Name) -> Response:
    """Events, summary and figures of reinvestment."""
    return await view(request, name, "reinvestment")


@router.get(
    "/simulations/{name}/reinvestment/risk", tags=["reinvestment"], responses=fields(latest="object?", trend="any")
)
async def reinvestment_risk(request: Request, name: Name) -> Response:
    """Risk before and after each reinvestment."""
    return await view(request, name, "reinvestment_risk")


ALLOCATION = fields(checks="list", conditions="any")


@router.get("/simulations/{name}/allocation", responses=ALLOCATION)
async def allocation(request: Request, name: Name) -> Response:
    """Checks, drift, triggers and conditions of the market."""
    return await view(request, name, "allocation")


LONG = ("timing_waterfall", "leverage_impact")
"""Figures for which other runs are played."""

FIGURE = fields(data="object", figure="object", numbers="object")


@router.get("/simulations/{name}/visualizations", responses=fields(figures="list"))
async def visualizations(request: Request, name: Name) -> Response:
    """The names of the figures that this run can have."""
    return await view(request, name, "visualizations")


@router.get("/simulations/{name}/visualizations/{figure}", responses=FIGURE)
async def visualization(request: Request, name: Name, figure: str) -> Response:
    """A figure by its name: its data, and the drawing of it. ``sweep_fan`` is a figure of sweeps."""
    return await view(request, name, "visualization", pool="long" if figure in LONG else "views", figure=figure)


AUDIT = fields(
    dollar_days="object", dollar_days_total="text", cash_integral="text", promises="object", latencies="object"
)


@router.get("/simulations/{name}/audit", responses=AUDIT)
async def audit(
    request: Request, name: Name, ladder: bool = False, shapley: bool = False, ties: bool = False
) -> Response:
    """The timing audit; with the ladder, with every order of it (Shapley), with other orders of a day (ties)."""
    pool: Pool = "long" if ladder or shapley or ties else "views"
    return await view(request, name, "audit", pool=pool, ladder=ladder, shapley=shapley, ties=ties)


STRESS = fields(stress_test_results="object", headroom="any")


@router.get("/simulations/{name}/stress", tags=["leverage"], responses=STRESS)
async def stress(request: Request, name: Name, at: Day = None, headroom: bool = False) -> Response:
    """What shocks would have done to the covenant tests of a day; with the headroom, how far things could go."""
    return await view(request, name, "stress", pool="long" if headroom else "views", headroom=headroom, at=at)


@router.get("/simulations/{name}/report.html", response_class=HTMLResponse, responses=PAGE)
async def report(request: Request, name: Name) -> Response:
    """The report, one page that opens without a network."""
    service = service_of(request)
    info = await service.recorded(name)
    unchanged = not_modified(request, info)
    if unchanged is not None:
        return unchanged

    async def compute() -> str:
        return await service.engine.compute(views.report, str(service.engine.path), name, pool="long")

    page = await (service.engine.kept(("report", name, info.head_hash), compute) if headers(info) else compute())
    return HTMLResponse(page, headers=headers(info))


COMPARISON = fields(
    first="text", second="text", same="any", settings="list", first_difference="object?", kinds="object",
    metrics="object", figures="object",
)  # fmt: skip


@router.get("/comparisons", responses=COMPARISON)
async def comparisons(
    request: Request, a: Annotated[str, Query(max_length=200)], b: Annotated[str, Query(max_length=200)]
) -> Response:
    """Two runs against each other: settings, records, money, dollar-days, and the bridges between them."""
    service = service_of(request)
    infos = [await service.recorded(name) for name in (a, b)]

    async def compute() -> str:
        return await service.engine.compute(views.comparison, str(service.engine.path), a, b)

    if all(info.status == "finished" for info in infos):
        text = await service.engine.kept(("comparison", a, b, *(info.head_hash for info in infos)), compute)
    else:
        text = await compute()
    return Response(text, media_type=JSON_TYPE)


LEVERAGE = {
    "leverage": (
        "leverage",
        "Facilities, metrics, figures and stress.",
        fields(facilities="list", metrics="any", visualization="object", stress_test_results="object"),
    ),
    "leverage/facilities": ("leverage_facilities", "The facilities.", fields(facilities="list")),
    "leverage/events": ("leverage_events", "Draws, repayments, payments, breaches.", fields(events="list")),
    "leverage/metrics": ("leverage_metrics", "Leverage and its ratios.", fields(metrics="any")),
}
"""Paths of leverage, their views and what they answer."""


def _leverage_route(path: str, kind: str, text: str) -> None:
    async def leverage(request: Request, name: Name) -> Response:
        return await view(request, name, kind)

    leverage.__doc__ = text
    for where, prefix in ((router, ""), (aliases, "alias_")):
        where.get(
            f"/simulations/{{name}}/{path}",
            tags=["leverage"],
            name=f"{prefix}{kind}",
            summary=text,
            responses=LEVERAGE[path][2],
        )(leverage)


for _path, (_kind, _text, _) in LEVERAGE.items():
    _leverage_route(_path, _kind, _text)
