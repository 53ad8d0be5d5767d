"""What is wrong with an input, where, and what was probably meant."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: its key, the place in the file it came from, and what is allowed."""

    key: str
    message: str
    source: str = ""
    line: int | None = None
    column: int | None = None
    suggestion: str | None = None

    def __str__(self) -> str:
        place = self.source
        if self.line is not None:
            place += f":{self.line}" + (f":{self.column}" if self.column is not None else "")
        text = f"{place}: " if place else ""
        text += f"{self.key}: {self.message}" if self.key else self.message
        return text + (f"; did you mean '{self.suggestion}'?" if self.suggestion else "")


class InvalidInput(Exception):
    """An input is refused whole; ``problems`` lists everything that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


def closest(word: str, allowed: Iterable[str]) -> str | None:
    """The allowed word that was probably meant, if any is near."""
    matches = get_close_matches(word, list(allowed), n=1, cutoff=0.6)
    return matches[0] if matches else None


def explain_validation(
    error: ValidationError, model: type[BaseModel], document: Any
) -> list[tuple[Path, str, str | None]]:
    """Path, message and suggestion for each error of a pydantic validation."""
    found = []
    for item in error.errors(include_url=False):
        path = real_path(item["loc"], document)
        context = item.get("ctx", {})
        suggestion = None
        value = item.get("input")
        match item["type"]:
            case "extra_forbidden":
                message = "unknown key"
                suggestion = elsewhere(model, str(path[-1])) if len(path) == 1 else None
                suggestion = suggestion or closest(str(path[-1]), keys_at(model, path[:-1]))
                if suggestion is None:
                    message += f"; allowed here: {', '.join(keys_at(model, path[:-1]))}"
            case "between_sections":
                message = context["message"]
                path = tuple(int(part) if part.isdigit() else part for part in context["path"].split("."))
            case "literal_error":
                message = f"expected {context['expected']}, got {value!r}"
                suggestion = closest(
                    str(value), str(context["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
                )
            case "missing":
                message = "is missing"
            case "value_error":
                message = str(context["error"])
            case "finite_number":
                message = f"must be a finite number, got {value}"
            case "model_type" | "dict_type" | "model_attributes_type":
                message = f"expected a mapping of keys, got {value!r}"
            case "list_type":
                message = f"expected a list, got {value!r}"
            case "not_a_number":
                message = item["msg"]
            case _:
                message = f"{item['msg'][0].lower()}{item['msg'][1:]}, got {value!r}"
        found.append((path, message, suggestion))
    return found


def real_path(loc: tuple[str | int, ...], document: Any) -> Path:
    """The part of an error's location that exists in the document; names of union branches are left out."""
    path: list[str | int] = []
    node = document
    for place, part in enumerate(loc):
        in_list = isinstance(node, list) and isinstance(part, int) and part < len(node)
        if in_list or (isinstance(node, Mapping) and part in node):
            node = node[part]
        elif isinstance(part, str) and not re.fullmatch(r"[\w.-]+", part):
            continue  # the name of a key, a union's branch or a validator, not of a place
        elif place < len(loc) - 1 or not isinstance(node, Mapping):
            continue
        path.append(part)
    return tuple(path)


def elsewhere(model: type[BaseModel], word: str) -> str | None:
    """The dotted key of the one section that has a key with this name; None where none or several have it."""
    found = [
        f"{section}.{word}"
        for section, field in model.model_fields.items()
        for kind in _alternatives(field.annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel) and word in kind.model_fields
    ]
    return found[0] if len(found) == 1 else None


def keys_at(model: type[BaseModel], path: Path) -> list[str]:
    """The keys that a model allows at a path."""
    types: list[Any] = [model]
    for part in path:
        types = [inner for kind in types for inner in _descend(kind, part)]
    return [
        key for kind in types if isinstance(kind, type) and issubclass(kind, BaseModel) for key in kind.model_fields
    ]


def _descend(kind: Any, part: str | int) -> list[Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        field = kind.model_fields.get(str(part))
        return _alternatives(field.annotation) if field else []
    if get_origin(kind) is dict:
        return _alternatives(get_args(kind)[1])
    if get_origin(kind) is list:
        return _alternatives(get_args(kind)[0])
    return []


def _alternatives(annotation: Any) -> list[Any]:
    if get_origin(annotation) in (Union, UnionType):
        return [kind for part in get_args(annotation) for kind in _alternatives(part)]
    if hasattr(annotation, "__metadata__"):
        return _alternatives(annotation.__origin__)
    return [annotation]
