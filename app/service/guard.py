"""Who may ask: exact hosts and origins, a token where the service listens beyond loopback, bodies of a bounded size."""

import hmac
from typing import Any
from urllib.parse import urlsplit

from app.service.problems import problem

MAX_BODY = 1_000_000
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class Guard:
    """ASGI middleware in front of everything, WebSockets too."""

    def __init__(self, inner: Any, hosts: frozenset[str], token: str | None) -> None:
        """``hosts`` are the values of Host that are answered, with their port; of Origin too, behind a scheme."""
        self._inner = inner
        self._hosts = hosts
        self._token = token

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Refuse, or pass on."""
        if scope["type"] not in ("http", "websocket"):
            await self._inner(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(headers)
        if refusal is not None:
            status, detail = refusal
            if scope["type"] == "websocket":
                await receive()
                await send({"type": "websocket.close", "code": 1008, "reason": detail[:120]})
                return
            extra = {"WWW-Authenticate": "Bearer"} if status == 401 else None
            await problem(status, detail, scope["path"], extra)(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await self._inner(scope, receive, send)
            return
        await self._bounded(headers, scope, receive, send)

    def _refusal(self, headers: dict[str, str]) -> tuple[int, str] | None:
        if headers.get("host", "").lower() not in self._hosts:
            return 403, "this Host is not served here"
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() not in self._hosts:
            return 403, "requests from this Origin are refused"
        if self._token is not None:
            given = headers.get("authorization", "").removeprefix("Bearer ")
            if not hmac.compare_digest(given.encode(), self._token.encode()):
                return 401, "a bearer token is needed"
        return None

    async def _bounded(self, headers: dict[str, str], scope: Any, receive: Any, send: Any) -> None:
        """Read a body of at most ``MAX_BODY`` bytes before anyone works with it."""
        too_large = problem(413, f"a body may have {MAX_BODY:,} bytes", scope["path"])
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > MAX_BODY:
            await too_large(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > MAX_BODY:
                await too_large(scope, receive, send)
                return
        sent = False

        async def again() -> Any:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._inner(scope, again, send)
