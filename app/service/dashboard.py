"""The files of the dashboard: a page, its modules, and Plotly's script from its installed package."""

import asyncio
import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter, Request, Response
from plotly.offline import get_plotlyjs

from fundclock.app.service.problems import ServiceProblem

FOLDER = Path(__file__).parent.parent / "dashboard"
PLOTLY = "plotly.js"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
SMALL = 1000
"""Bytes below which packing is not worth it."""


class Asset(NamedTuple):
    """A file as it is sent."""

    content: bytes
    packed: bytes
    kind: str
    tag: str


router = APIRouter(include_in_schema=False)


@cache
def asset(name: str) -> Asset:
    """A file by its name. Raises ServiceProblem where there is none."""
    if name == PLOTLY:
        content = get_plotlyjs().encode()
    elif name in {path.name for path in FOLDER.iterdir() if path.suffix in TYPES}:
        content = (FOLDER / name).read_bytes()
    else:
        raise ServiceProblem(404, f"there is no file '{name}'")
    packed = gzip.compress(content, 6, mtime=0) if len(content) > SMALL else content
    return Asset(content, packed, TYPES[Path(name).suffix], f'"{hashlib.sha256(content).hexdigest()[:16]}"')


async def _answer(request: Request, name: str) -> Response:
    found = await asyncio.to_thread(asset, name)
    headers = {"ETag": found.tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == found.tag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", "") and found.packed is not found.content:
        return Response(found.packed, media_type=found.kind, headers={**headers, "Content-Encoding": "gzip"})
    return Response(found.content, media_type=found.kind, headers=headers)


@router.get("/")
async def page(request: Request) -> Response:
    """The page."""
    return await _answer(request, "index.html")


@router.get("/assets/{name}")
async def file(request: Request, name: str) -> Response:
    """One of its files."""
    return await _answer(request, name)
