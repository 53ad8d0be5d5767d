"""Errors as ``application/problem+json`` (RFC 9457): every failure is one, and says what and where."""

import json
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from fundclock.events.stores.store import DamagedLog, StoreError, UnknownRun
from fundclock.scenarios.files.problems import InvalidInput

MEDIA_TYPE = "application/problem+json"


class ServiceProblem(Exception):
    """A request that can't be answered: its status, what is wrong, headers that go with it."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.headers = headers


def problem(status: int, detail: str, instance: str, headers: dict[str, str] | None = None, **more: Any) -> Response:
    """One problem as a response."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    text = json.dumps({**body, "instance": instance, **more})  # ASCII: what was sent may be no text at all
    return Response(text, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def rows_of(error: InvalidInput) -> list[dict[str, Any]]:
    """Each thing that is wrong with an input."""
    return [
        {
            "key": item.key,
            "message": item.message,
            "source": item.source,
            "line": item.line,
            "column": item.column,
            "suggestion": item.suggestion,
        }
        for item in error.problems
    ]


def of(error: Exception, instance: str) -> Response:
    """What an error of ours means to a client."""
    match error:
        case ServiceProblem():
            return problem(error.status, error.detail, instance, error.headers)
        case InvalidInput():
            return problem(422, str(error), instance, problems=rows_of(error))
        case UnknownRun():
            return problem(404, str(error), instance)
        case DamagedLog():
            return problem(500, f"the log is not what was written: {error}", instance, seq=error.seq)
        case StoreError():
            return problem(503, str(error), instance)
        case _:
            return problem(500, "an error of the service itself; its log has the details", instance)


def install(api: FastAPI) -> None:
    """Answer every error with a problem."""

    async def ours(request: Request, error: Exception) -> Response:
        return of(error, request.url.path)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        detail = "the body is not JSON that can be read" if error.status_code == 400 else str(error.detail)
        return problem(error.status_code, detail, request.url.path, dict(error.headers or {}))

    async def validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        rows = [
            {"key": ".".join(map(str, item["loc"])), "message": item["msg"], "source": "request", "suggestion": None}
            for item in error.errors()
        ]
        detail = "; ".join(f"{row['key']}: {row['message']}" for row in rows)
        return problem(422, detail, request.url.path, problems=rows)

    for kind in (ServiceProblem, InvalidInput, StoreError, DamagedLog, Exception):
        api.add_exception_handler(kind, ours)
    api.add_exception_handler(HTTPException, http)
    api.add_exception_handler(RequestValidationError, validation)
