"""Write the page of all settings from the schema that checks scenarios: ``python -m docs.settings``."""

import datetime
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from textwrap import fill
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from fundclock.events.units import Amount, Rate
from fundclock.scenarios.files.schema import CHANGEABLE, DEFAULT_ZONES, FIXED, ScenarioConfig

HERE = Path(__file__).parent

HEAD = """\
# Settings

All settings of a scenario: what they are when left out, what they may be, and what they do. `python -m docs.settings`
writes this page from the schema that scenarios are checked with; `fundclock explain SCENARIO` prints a scenario with
every setting filled in, below the same sentences.

In the tables, **rates and shares are decimals**: 0.0425 is 4.25%. A scenario may write them as `4.25%` or `425bp` too;
settings whose names end in `_bps` or `_pct` are plain numbers of basis points or per cent. Amounts are in currency
units, up to 10,000 billion; `400k`, `25m` and `1bn` are accepted. Dates are ISO dates like `2026-01-01`.

A file nests keys (`fund:`, and below it `size: 50m`); `--set`, sweeps and scripts write them with dots
(`--set fund.size=50m`). A key that does not exist is refused, and the nearest one that does is named.

{changes}

## In an editor

The same sentences are in the JSON Schema of scenarios: an editor with a YAML language server shows them, completes keys
and marks mistakes. Write the schema beside the scenario and name it in the scenario's first line:

```sh
fundclock schema > fundclock.schema.json
```

```yaml
# yaml-language-server: $schema=fundclock.schema.json
name: my-fund
```
"""

CHANGES = (
    "A script may change during a run: {changeable}. Of these it may not change {fixed}, which have made the market's"
    " paths, the opening book or loans."
)

ZONES = (
    "Defaults are those of {names}, in this order. A zone of any other name must give every key but those whose default"
    " is `null`."
)


class Row(NamedTuple):
    """A setting in its table: the cells, in Markdown."""

    key: str
    default: str
    allowed: str
    does: str


def page() -> str:
    """The page, in Markdown."""
    defaults = ScenarioConfig().model_dump(mode="json")
    fields, plain = ScenarioConfig.model_fields, ("name", "description")
    fixed = _codes(name.replace("*", "<name>") for name in FIXED)
    changes = CHANGES.format(changeable=_codes(CHANGEABLE), fixed=fixed)
    parts = [HEAD.format(changes=fill(changes, 120, break_long_words=False, break_on_hyphens=False))]
    parts.append(_section(", ".join(f"`{key}`" for key in plain), [_row(key, fields[key], defaults) for key in plain]))
    for key, field in fields.items():
        if key in plain:
            continue
        inner = _models(field.annotation)
        if key == "zones":
            text = f"{field.description}\n\n{ZONES.format(names=_codes(DEFAULT_ZONES))}"
            parts.append(_section(f"`{key}`", _zone_rows(inner[0], defaults[key]), text))
        elif inner and get_origin(field.annotation) is not list:
            parts.append(_section(f"`{key}`", _rows(inner[0], defaults[key], f"{key}."), field.description or ""))
        else:
            entries = [row for model in inner for row in _rows(model, {}, f"{key}[].")]
            parts.append(_section(f"`{key}`", [_row(key, field, defaults), *entries]))
    return "\n".join(parts)


def _section(title: str, rows: "list[Row] | Iterator[Row]", text: str = "") -> str:
    lines = [f"## {title}", ""]
    if text:
        lines += [text, ""]
    lines += ["| setting | default | allowed | what it does |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join([*lines, ""])


def _rows(model: type[BaseModel], defaults: Mapping[str, Any], prefix: str) -> Iterator[Row]:
    """A row for each key of a model, those of mappings below the mapping itself; left-out defaults are the model's."""
    for key, field in model.model_fields.items():
        yield _row(key, field, defaults, prefix)
        for inner in _models(field.annotation):
            given = defaults.get(key)
            yield from _rows(inner, given if isinstance(given, dict) else {}, f"{prefix}{key}.")


def _zone_rows(model: type[BaseModel], zones: Mapping[str, Mapping[str, Any]]) -> Iterator[Row]:
    """The keys of a zone once, with the defaults of all standard zones."""
    for key, field in model.model_fields.items():
        by_zone = list(dict.fromkeys(_written(zone[key], field) for zone in zones.values()))
        yield Row(f"`zones.<name>.{key}`", ", ".join(by_zone), _allowed(field), field.description or "")


def _row(key: str, field: FieldInfo, defaults: Mapping[str, Any], prefix: str = "") -> Row:
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
        default = ""
    elif key in defaults:
        default = _written(defaults[key], field)
    elif field.is_required():
        default = "required"
    else:
        default = _written(field.get_default(call_default_factory=True), field)
    return Row(f"`{prefix}{key}`", default, _allowed(field), field.description or "")


def _written(value: Any, field: FieldInfo) -> str:
    """A default as a scenario would have it."""
    return f"`{_yaml(value, _unit(field.metadata) == 'amount')}`"


def _yaml(value: Any, is_amount: bool = False) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_yaml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    if isinstance(value, float | int):
        for size, unit in ((10**9, "bn"), (10**6, "m"), (10**3, "k")) if is_amount and value else ():
            if value % size == 0:
                return f"{value / size:g}{unit}"
        return f"{value:.12g}"
    return str(value) or '""'


def _allowed(field: FieldInfo) -> str:
    """What a setting may be, in words."""
    return _words(field.annotation, field.metadata)


def _words(annotation: Any, metadata: list[Any]) -> str:
    annotation, metadata = _unwrapped(annotation, metadata)
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return ", or ".join(_words(part, metadata) for part in args)
    if origin is Literal:
        return _codes(args)
    if origin is dict:
        inner = "" if args[1] is Any or _models(args[1]) else f", each {_words(args[1], [])}"
        return f"mapping{inner}"
    if origin in (list, tuple):
        return "list" if _models(args[0]) else f"list, each {_words(args[0], [])}"
    if annotation is NoneType:
        return "`null`"
    if issubclass(annotation, BaseModel):
        return "keys below"
    if issubclass(annotation, Enum):
        return _codes(member.value for member in annotation)
    if annotation is bool:
        return _codes(["true", "false"])
    kind = {int: "whole number", float: _unit(metadata) or "number", str: "text", datetime.date: "date"}[annotation]
    return ", ".join([kind, *_limits(metadata, kind == "amount")])


def _limits(metadata: list[Any], is_amount: bool) -> Iterator[str]:
    """The limits of a value; the same for all amounts are left out."""
    given: dict[str, Any] = {}
    for part in metadata:
        given |= {name: getattr(part, name) for name in ("gt", "ge", "lt", "le", "pattern") if hasattr(part, name)}
    if is_amount and given.get("le") == 1e13:
        del given["le"]
    said = {name: _yaml(value, is_amount) for name, value in given.items() if value is not None}
    if "ge" in said and "le" in said:
        yield f"{said['ge']} to {said['le']}"
    else:
        words = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
        yield from (f"{word} {said[name]}" for name, word in words.items() if name in said)
    if "pattern" in said:
        yield f"`{said['pattern'].strip('^$')}`"


def _unit(metadata: list[Any]) -> str:
    """Which of the spellings with units a value has: rate, amount, or none."""
    for name, kind in (("rate", Rate), ("amount", Amount)):
        if any(part in get_args(kind) for part in metadata):
            return name
    return ""


def _unwrapped(annotation: Any, metadata: list[Any]) -> tuple[Any, list[Any]]:
    """An annotation without what it is annotated with, which comes after the metadata given."""
    if get_origin(annotation) is not Annotated:
        return annotation, metadata
    found = list(metadata)
    for part in annotation.__metadata__:
        found += part.metadata if isinstance(part, FieldInfo) else [part]
    return _unwrapped(annotation.__origin__, found)


def _parts(annotation: Any) -> list[Any]:
    """The alternatives of an annotation; of a mapping or list, those of what it holds."""
    annotation, _ = _unwrapped(annotation, [])
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return [part for inner in args for part in _parts(inner)]
    if origin in (dict, list):
        return _parts(args[-1])
    return [annotation]


def _models(annotation: Any) -> list[type[BaseModel]]:
    return [part for part in _parts(annotation) if isinstance(part, type) and issubclass(part, BaseModel)]


def _codes(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)


def main() -> None:
    """Write it."""
    (HERE / "settings.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
