"""Serve a store over HTTP: on loopback, or elsewhere with a token."""

import ipaddress
from pathlib import Path

import uvicorn

from app.service.application import make_application
from app.service.guard import LOOPBACK, Guard
from scenarios.problems import InvalidInput, Problem


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
    return Guard(make_application(path, workers, token), hosts_of(host, port, more), token)


def serve(path: Path, host: str, port: int, token: str | None, more: list[str], workers: int | None) -> None:
    """Serve until interrupted."""
    application = guarded(path, host, port, token, more, workers)
    uvicorn.run(application, host=host, port=port, log_level="warning", access_log=False, server_header=False)
