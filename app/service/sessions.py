"""Sessions of browsers, which can't send a token with every request: a cookie stands for it until it is ended."""

import secrets
import time
from collections import OrderedDict

COOKIE = "fundclock_session"
TERMS = "Path=/; HttpOnly; SameSite=Strict"
SECONDS = 7 * 86_400
MOST = 1000


class Sessions:
    """Names of sessions and when each ends; they end with the service too."""

    def __init__(self) -> None:
        self._ends: OrderedDict[str, float] = OrderedDict()

    def begin(self) -> str:
        """A new session's name."""
        name = secrets.token_urlsafe(32)
        self._ends[name] = time.monotonic() + SECONDS
        while len(self._ends) > MOST:
            self._ends.popitem(last=False)
        return name

    def holds(self, name: str) -> bool:
        """Whether there is such a session, and it has not ended."""
        return self._ends.get(name, 0) > time.monotonic()

    def end(self, name: str) -> None:
        """End a session, if there is one."""
        self._ends.pop(name, None)


def cookie_of(header: str) -> str:
    """The session that a Cookie header names; other cookies of the host may be of any form."""
    for part in header.split(";"):
        name, equals, value = part.strip().partition("=")
        if name == COOKIE and equals:
            return value
    return ""
