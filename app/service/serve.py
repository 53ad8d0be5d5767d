"""Serve a store over HTTP: on loopback, or elsewhere with a token."""

import ipaddress
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from fundclock.app.service.application import make_application
from fundclock.app.service.guard import LOOPBACK, Guard
from fundclock.app.service.sessions import Sessions
from fundclock.events.stores.store import StoreError
from fundclock.scenarios.files.problems import InvalidInput, Problem

GRACE_SECONDS = 3
"""What requests that are being answered get when the service ends."""


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def hosts_of(host: str, port: int, more: list[str]) -> frozenset[str]:
    """The values of Host that are answered."""
    shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
    names = {*LOOPBACK, shown} if is_loopback(host) else {shown}
    return frozenset({f"{name}:{port}".lower() for name in names} | {name.lower() for name in more})


def guarded(path: Path, host: str, port: int, token: str | None, more: list[str], workers: int | None = None) -> Guard:
    """The service behind its guard. Raises InvalidInput for an open address without a token."""
    if not is_loopback(host) and not token:
        message = f"{host} can be reached from other machines: set FUNDCLOCK_TOKEN (or --token), or listen on 127.0.0.1"
        raise InvalidInput([Problem("--host", message)])
    if token is not None and len(token) < 16:
        raise InvalidInput([Problem("--token", "is too short: 16 characters at least")])
    sessions = Sessions()
    return Guard(make_application(path, workers, token, sessions), hosts_of(host, port, more), token, sessions)


def serve(path: Path, host: str, port: int, token: str | None, more: list[str], workers: int | None) -> None:
    """Serve until interrupted. Raises StoreError where another service has the store."""
    application = guarded(path, host, port, token, more, workers)
    # The server raises the signal that ended it once more: what it does then must let Python clean up behind itself.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with alone(path):
        uvicorn.run(
            application,
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a store's lock, a small file beside it; it is free again when its holder is no more, however it ended."""
    lock = path.with_name(f"{path.name}.service")
    held = sqlite3.connect(lock, timeout=0, isolation_level=None)
    try:
        held.execute("BEGIN EXCLUSIVE")
        yield
    except sqlite3.OperationalError as error:
        raise StoreError(f"{path}: another service has this store ({error})") from None
    finally:
        held.close()
