"""A session for browsers."""

import asyncio
import hmac
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from fundclock.app.service.models import Body
from fundclock.app.service.problems import ServiceProblem
from fundclock.app.service.sessions import COOKIE, SECONDS, TERMS, Sessions, cookie_of

GUESS_SECONDS = 0.5
"""How long a wrong token takes."""

router = APIRouter(tags=["service"])


class TokenRequest(Body):
    """The token that the service was started with."""

    token: Annotated[str, Field(max_length=500)]


@router.post("/session", status_code=204, response_class=Response)
async def begin(request: Request, body: TokenRequest) -> Response:
    """Give a browser a cookie that stands for the token. On loopback there is nothing to prove."""
    token: str | None = request.app.state.token
    if token is None:
        return Response(status_code=204)
    if not hmac.compare_digest(body.token.encode(), token.encode()):
        await asyncio.sleep(GUESS_SECONDS)
        raise ServiceProblem(401, "this is not the token", {"WWW-Authenticate": "Bearer"})
    sessions: Sessions = request.app.state.sessions
    return Response(status_code=204, headers={"Set-Cookie": f"{COOKIE}={sessions.begin()}; Max-Age={SECONDS}; {TERMS}"})


@router.delete("/session", status_code=204, response_class=Response)
async def end(request: Request) -> Response:
    """End the session."""
    request.app.state.sessions.end(cookie_of(request.headers.get("cookie", "")))
    return Response(status_code=204, headers={"Set-Cookie": f"{COOKIE}=; Max-Age=0; {TERMS}"})
