"""The whole service of a store: the dashboard, REST and the stream."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, WebSocket

from fundclock.app.service import dashboard, problems
from fundclock.app.service.routes import scenarios, session, simulations, sweeps, views
from fundclock.app.service.routes.described import COMMON, PROBLEM
from fundclock.app.service.service import BASE, Service
from fundclock.app.service.sessions import Sessions
from fundclock.app.service.stream import asyncapi, stream
from fundclock.scenarios.runs.manifest import versions


def make_application(
    path: Path, workers: int | None = None, token: str | None = None, sessions: Sessions | None = None
) -> FastAPI:
    """The service of a store. Raises StoreError where it can't be opened."""

    @asynccontextmanager
    async def life(api: FastAPI) -> AsyncIterator[None]:
        api.state.service = Service(path, workers)
        try:
            yield
        finally:
            api.state.service.close()

    api = FastAPI(
        title="Fundclock",
        version=versions()["fundclock"],
        description="Play private loan funds, look at what happened and when, fork, compare and audit them.",
        openapi_url=f"{BASE}/openapi.json",
        docs_url=None,
        redirect_slashes=False,
        redoc_url=None,
        lifespan=life,
        responses=COMMON,
    )
    api.state.token = token
    api.state.sessions = sessions or Sessions()
    for module in (scenarios, simulations, views, sweeps, session):
        api.include_router(module.router, prefix=BASE)
    api.include_router(views.aliases)
    api.include_router(dashboard.router)

    @api.websocket(f"{BASE}/simulations/{{name}}/stream")
    async def streamed(socket: WebSocket, name: str, after_seq: str = "0") -> None:
        await stream(socket, api.state.service, name, after_seq)

    @api.get(f"{BASE}/asyncapi.json", tags=["service"])
    async def described() -> dict[str, Any]:
        """The AsyncAPI document of the stream."""
        return asyncapi()

    problems.install(api)
    document = api.openapi

    def openapi() -> dict[str, Any]:
        found = document()
        found["components"]["schemas"]["Problem"] = PROBLEM
        return found

    api.openapi = openapi  # type: ignore[method-assign]
    return api
