"""Scenario documents: YAML with the line of each key, and changes laid on top of it."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from fundclock.scenarios.files.problems import InvalidInput, Path, Problem, explain_validation
from fundclock.scenarios.files.schema import DEFAULT_ZONES, ScenarioConfig

MAX_BYTES = 300_000
MAX_NODES = 12_000
MAX_DEPTH = 50
MAX_MERGES = 100
"""Looked at before anything is built: building what is huge or deep, or merged into itself, takes minutes."""


@dataclass
class Document:
    """A parsed scenario: plain values, and where each key stands in its source."""

    source: str
    values: dict[str, Any]
    positions: dict[Path, tuple[int, int]] = field(default_factory=dict)
    origins: dict[Path, str] = field(default_factory=dict)

    def problem(self, path: Path, message: str, suggestion: str | None = None) -> Problem:
        """A problem at a path, with the line and column of the nearest key that is in the source."""
        key = ".".join(map(str, path))
        laid_on = [origin for place, origin in self.origins.items() if path and place[: len(path)] == path]
        if laid_on:  # a section is wrong as a whole since something was laid on top of it
            return Problem(key, message, laid_on[-1], suggestion=suggestion)
        for length in range(len(path), -1, -1):
            if path[:length] in self.origins:
                return Problem(key, message, self.origins[path[:length]], suggestion=suggestion)
            if path[:length] in self.positions:
                line, column = self.positions[path[:length]]
                return Problem(key, message, self.source, line, column, suggestion)
            beside = [origin for place, origin in self.origins.items() if length and place[:length] == path[:length]]
            if beside:  # what it stands in came with something that was laid on top
                return Problem(key, message, beside[-1], suggestion=suggestion)
        return Problem(key, message, self.source, suggestion=suggestion)


def parse(text: str | bytes, source: str, listed: str | None = None) -> Document:
    """Read YAML 1.2 (or JSON). Raises InvalidInput with line and column.

    The text is a mapping of sections; with ``listed`` it may be a list, which is put under that key.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import DuplicateKeyError
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    if len(text) > MAX_BYTES:
        raise InvalidInput([Problem("", f"is larger than {MAX_BYTES:,} bytes", source)])
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InvalidInput([Problem("", f"is not UTF-8 text (byte {error.start})", source)]) from None
    yaml = YAML(typ="rt")
    yaml.allow_duplicate_keys = False
    try:
        _check_size(text, source)
        root = yaml.load(io.StringIO(text))
    except DuplicateKeyError as error:
        mark = error.problem_mark
        raise InvalidInput(
            [Problem("", str(error.problem).split("with value")[0].strip(), source, mark.line + 1, mark.column + 1)]
        ) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        raise InvalidInput(
            [Problem("", f"is not valid YAML: {error.problem or error.context}", source, line, column)]
        ) from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise InvalidInput([Problem("", f"is not valid YAML: {str(error).splitlines()[0]}", source)]) from None
    if isinstance(root, list) and listed is not None:
        document = Document(source, {})
        document.values = {listed: _Plain(document).convert(root, (listed,))}
        return document
    if listed is not None and not isinstance(root, Mapping):
        got = "nothing" if root is None else "text"
        message = f"expected a list of script entries or commands, like '- shock_price: -20%'; got {got}"
        raise InvalidInput([Problem("", message, source, 1, 1)])
    if root is None:
        raise InvalidInput([Problem("", "is empty; write at least one section, like 'fund:'", source)])
    if not isinstance(root, Mapping):
        raise InvalidInput(
            [
                Problem(
                    "",
                    f"expected sections like 'fund:', got {'a list' if isinstance(root, list) else 'text'}",
                    source,
                    1,
                    1,
                )
            ]
        )
    document = Document(source, {})
    document.values = _Plain(document).convert(root, ())
    return document


def _check_size(text: str, source: str) -> None:
    """Raises InvalidInput for a text with too many values, levels or merge keys."""
    from ruamel.yaml import YAML
    from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent, ScalarEvent

    nodes = depth = merges = 0
    for event in YAML(typ="rt").parse(io.StringIO(text)):
        starts = isinstance(event, CollectionStartEvent)
        depth += starts - isinstance(event, CollectionEndEvent)
        nodes += starts or isinstance(event, ScalarEvent)
        merges += isinstance(event, ScalarEvent) and event.value == "<<"
        if nodes > MAX_NODES or depth > MAX_DEPTH:
            raise InvalidInput(
                [Problem("", f"has more than {MAX_NODES:,} values or {MAX_DEPTH} levels of nesting", source)]
            )
        if merges > MAX_MERGES:
            raise InvalidInput([Problem("", f"has more than {MAX_MERGES} merge keys (<<)", source)])


class _Plain:
    """Turns the parser's nodes into plain values and notes where keys stand."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._nodes = 0

    def convert(self, node: Any, path: Path) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES or len(path) > MAX_DEPTH:
            raise InvalidInput(
                [
                    Problem(
                        "",
                        f"has more than {MAX_NODES:,} values or {MAX_DEPTH} levels of nesting",
                        self._document.source,
                    )
                ]
            )
        if getattr(getattr(node, "tag", None), "value", None):
            raise InvalidInput([self._document.problem(path, "has a YAML tag; only plain values are allowed")])
        if isinstance(node, Mapping):
            plain = {}
            for key, value in node.items():
                inner = (*path, str(key))
                position = _position(node, key)
                if position is not None:
                    self._document.positions[inner] = position
                plain[str(key)] = self.convert(value, inner)
            return plain
        if isinstance(node, list):
            for place in range(len(node)):
                position = _position(node, place)
                if position is not None:
                    self._document.positions[(*path, place)] = position
            return [self.convert(value, (*path, place)) for place, value in enumerate(node)]
        if isinstance(node, bool) or node is None:
            return node
        for kind in (int, float, str):
            if isinstance(node, kind):
                return kind(node)
        return node


def _position(node: Any, key: Any) -> tuple[int, int] | None:
    mapping = isinstance(node, dict)
    try:
        line, column = node.lc.key(key) if mapping else node.lc.item(key)
    except (AttributeError, KeyError, TypeError):
        return None
    return line + 1, column + 1


def parse_value(text: str, source: str) -> Any:
    """The YAML value of a ``--set``."""
    return parse(f"value: {text}", source).values["value"] if text.strip() else None


def parse_setting(text: str) -> tuple[str, Any]:
    """``a.b=VALUE`` as key and value. Raises InvalidInput."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise InvalidInput(
            [Problem("", f"expected KEY=VALUE like reinvestment_engine.reinvestment_delay=3, got '{text}'", "--set")]
        )
    return key.strip(), parse_value(value, f"--set {key.strip()}")


def lay_on(document: Document, key: str, value: Any, origin: str) -> None:
    """Put a value at a dotted key; mappings merge, anything else replaces."""
    parts = key.split(".")
    node = document.values
    if parts[0] == "zones" and "zones" not in node:
        node["zones"] = {name: dict(zone) for name, zone in DEFAULT_ZONES.items()}
    for part in parts[:-1]:
        inner = node.get(part)
        if not isinstance(inner, dict):
            inner = node[part] = {}
        node = inner
    node[parts[-1]] = merge(node.get(parts[-1]), value)
    document.origins[tuple(parts)] = origin


def merge(old: Any, new: Any) -> Any:
    """Mappings merge key by key; anything else is replaced."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{key: merge(old.get(key), value) for key, value in new.items()}}
    return new


def validate(document: Document) -> ScenarioConfig:
    """The resolved config of a document. Raises InvalidInput with every problem found."""
    try:
        return ScenarioConfig.model_validate(document.values)
    except ValidationError as error:
        raise InvalidInput(
            document.problem(path, message, suggestion)
            for path, message, suggestion in explain_validation(error, ScenarioConfig, document.values)
        ) from None
