"""Who may ask: exact hosts and origins, a token where the service listens beyond loopback, bodies of a bounded size."""

import hmac
from typing import Any

from fundclock.app.service.problems import problem
from fundclock.app.service.sessions import Sessions, cookie_of

MAX_BODY = 1_000_000
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
SESSION = "/api/v1/session"

HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
}
OPEN_PATHS = ("/", "/favicon.ico")
"""The dashboard's page and, under ``/assets/``, its files can be had without a token: there is nothing of anyone's in
them."""

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:;"
    " connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Plotly sets styles from its script; nothing is loaded from another host."""

REPORT_POLICY = (
    "sandbox allow-scripts allow-downloads allow-popups; default-src 'none'; script-src 'unsafe-inline';"
    " style-src 'unsafe-inline'; img-src data: blob:; frame-ancestors 'none'"
)
"""A report stands by itself: what is in it can ask this service nothing."""


class Guard:
    """ASGI middleware in front of everything, WebSockets too."""

    def __init__(self, inner: Any, hosts: frozenset[str], token: str | None, sessions: Sessions | None = None) -> None:
        """``hosts`` are the values of Host that are answered, with their port; of Origin too, behind a scheme."""
        self._inner = inner
        self._hosts = hosts
        self._token = token
        self._sessions = sessions or Sessions()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Refuse, or pass on."""
        if scope["type"] not in ("http", "websocket"):
            await self._inner(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(headers, scope)
        if scope["type"] == "websocket":
            if refusal is None:
                await self._inner(scope, receive, send)
                return
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": refusal[1][:120]})
            return
        policy = REPORT_POLICY if scope["path"].endswith("/report.html") else PAGE_POLICY
        added = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
        added.append((b"content-security-policy", policy.encode()))

        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *added]}
            await send(message)

        if refusal is not None:
            status, detail = refusal
            extra = {"WWW-Authenticate": "Bearer"} if status == 401 else None
            await problem(status, detail, scope["path"], extra)(scope, receive, with_headers)
            return
        await self._bounded(headers, scope, receive, with_headers)

    def _refusal(self, headers: dict[str, str], scope: Any) -> tuple[int, str] | None:
        if headers.get("host", "").lower() not in self._hosts:
            return 403, "this Host is not served here"
        origin = headers.get("origin")
        if origin is not None:
            scheme, _, place = origin.lower().partition("://")
            if scheme not in ("http", "https") or place not in self._hosts:
                return 403, "requests from this Origin are refused"
        site = headers.get("sec-fetch-site", "none")
        visit = headers.get("sec-fetch-mode") == "navigate" and scope["path"] in OPEN_PATHS  # a link to the page
        if site not in ("none", "same-origin") and not visit:
            return 403, "requests from other sites are refused"
        if self._token is None or self._open(scope):
            return None
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and hmac.compare_digest(given.encode(), self._token.encode()):
            return None
        if self._sessions.holds(cookie_of(headers.get("cookie", ""))):
            return None
        return 401, "a bearer token is needed"

    @staticmethod
    def _open(scope: Any) -> bool:
        path = scope["path"]
        return scope["type"] == "http" and (path in OPEN_PATHS or path.startswith("/assets/") or path == SESSION)

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
