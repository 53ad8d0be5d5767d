"""What is wrong with an input, where, and what was probably meant."""

import json
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
        said = self.source.endswith(f" {self.key}")  # --set names the key already
        text += f"{self.key}: {self.message}" if self.key and not said else self.message
        return text + (f"; did you mean '{self.suggestion}'?" if self.suggestion else "")


class InvalidInput(Exception):
    """An input is refused whole; ``problems`` lists everything that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


def closest(word: str, allowed: Iterable[str]) -> str | None:
    """The allowed word that was probably meant, if any is near: spelt like it, or the only one that has it in it."""
    words = list(allowed)
    matches = get_close_matches(word, words, n=1, cutoff=0.6)
    if matches:
        return matches[0]
    holding = [other for other in words if len(word) > 2 and word in other]
    return holding[0] if len(holding) == 1 else None


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
                message, suggestion = _unknown(model, path, document)
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
                message = f"expected a mapping of keys, got {_shown(value)}"
            case "list_type":
                message = f"expected a list, which is set as a whole; got {_shown(value)}"
            case "not_a_number":
                message = item["msg"]
            case _:
                message = f"{item['msg'][0].lower()}{item['msg'][1:]}, got {value!r}"
        found.append((path, message, suggestion))
    return found


def _unknown(model: type[BaseModel], path: Path, document: Any) -> tuple[str, str | None]:
    """What to say of a key that is not there, and what was probably meant."""
    word = str(path[-1])
    if path == ("seed",):
        return "is not a setting; give the seed when the scenario is run (--seed)", None
    if len(path) == 1:
        zones = document.get("zones", {}) if isinstance(document, Mapping) else {}
        if word in (*zones, "green", "orange", "red"):
            return "unknown key", f"zones.{word}"
        found = elsewhere(model, word)
        if len(found) == 1:
            return "unknown key", found[0]
        if found:
            return f"unknown key here; sections that have it: {', '.join(found)}", None
    near = closest(word, keys_at(model, path[:-1]))
    if near is None:
        return f"unknown key; allowed here: {', '.join(keys_at(model, path[:-1]))}", None
    return "unknown key", near


def _shown(value: Any) -> str:
    """A value as it may have been written, in short."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}…"


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


def elsewhere(model: type[BaseModel], word: str, inside: str = "") -> list[str]:
    """The dotted keys of settings with this name, wherever they stand in sections."""
    found: list[str] = []
    for name, field in model.model_fields.items():
        key = f"{inside}{name}"
        if inside and name == word:
            found.append(key)
        for kind in _alternatives(field.annotation):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                found += elsewhere(kind, word, f"{key}.")
    return found


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
