"""What answers look like, for the OpenAPI document."""

from typing import Any

from fundclock.app.service import problems

Described = dict[int | str, dict[str, Any]]

PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "problems": {"type": "array", "items": {"type": "object"}},
    },
}


def _problem(text: str) -> dict[str, Any]:
    return {"description": text, "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


COMMON: Described = {
    400: _problem("Not HTTP that can be understood"),
    401: _problem("A token is needed"),
    403: _problem("This Host or Origin is not served"),
    404: _problem("There is no such thing"),
    409: _problem("Not as things stand now"),
    413: _problem("The body is too large"),
    422: _problem("What was sent is not valid; each thing that is wrong is listed"),
    429: _problem("Too much is waiting already"),
    503: _problem("The store can't be used now"),
}
"""Problems that any route may answer with."""

TYPES: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "object": {"type": "object"},
    "list": {"type": "array"},
    "any": {},
}


def fields(**names: str) -> Described:
    """An answer that is a JSON object with at least these fields; a type that ends in ``?`` may be null."""
    properties = {name: _type(kind) for name, kind in names.items()}
    schema = {"type": "object", "required": list(names), "properties": properties}
    return {200: {"description": "The answer", "content": {"application/json": {"schema": schema}}}, **NOT_MODIFIED}


def _type(kind: str) -> dict[str, Any]:
    known = TYPES[kind.removesuffix("?")]
    return {"anyOf": [known, {"type": "null"}]} if kind.endswith("?") else known


NOT_MODIFIED: Described = {304: {"description": "As the client has it already (If-None-Match)"}}
PAGE: Described = {
    200: {"description": "A page", "content": {"text/html": {"schema": {"type": "string"}}}},
    **NOT_MODIFIED,
}


def made(model: str, *codes: int) -> Described:
    """Answers that say where something new is."""
    shown = {"application/json": {"schema": {"$ref": f"#/components/schemas/{model}"}}}
    texts = {201: "Made, and played", 202: "Queued; it is played when its turn comes"}
    location = {"Location": {"description": "Where it is", "schema": {"type": "string"}}}
    return {code: {"description": texts[code], "content": shown, "headers": location} for code in codes}
