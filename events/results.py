"""Results as frozen dataclasses, and what they are as JSON: money is cents inside and text at the edge."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from fundclock.events.units import from_cents


def as_json(result: Any) -> dict[str, Any]:
    """A frozen dataclass as JSON values.

    A field whose name ends in ``_cents`` holds cents, also inside mappings and lists, and becomes decimal strings under
    the name without that ending. A trailing underscore, of a name that Python keeps for itself, is left out too.
    """
    return {
        field.name.removesuffix("_cents").rstrip("_"): _plain(
            getattr(result, field.name), money=field.name.endswith("_cents")
        )
        for field in fields(result)
    }


def _plain(value: Any, *, money: bool) -> Any:
    if is_dataclass(value):
        return as_json(value)
    if isinstance(value, Mapping):
        return {key: _plain(inner, money=money) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, money=money) for inner in value]
    return from_cents(value) if money and isinstance(value, int) else value
