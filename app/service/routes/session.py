"""A session for browsers, which can't send a token with every request: a cookie that stands for it."""

import hmac
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from app.service.guard import COOKIE, session_of
from app.service.models import Body
from app.service.problems import ServiceProblem

TERMS = "Path=/; HttpOnly; SameSite=Strict"

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
    if not hmac.compare_digest(body.token.encode("utf-8", "surrogatepass"), token.encode()):
        raise ServiceProblem(401, "this is not the token", {"WWW-Authenticate": "Bearer"})
    return Response(status_code=204, headers={"Set-Cookie": f"{COOKIE}={session_of(token)}; {TERMS}"})


@router.delete("/session", status_code=204, response_class=Response)
async def end() -> Response:
    """Take the cookie back."""
    return Response(status_code=204, headers={"Set-Cookie": f"{COOKIE}=; Max-Age=0; {TERMS}"})
