"""The axes of a sweep: keys and the values that each takes."""

import json
import re
from datetime import date
from typing import Any

from fundclock.scenarios.files.documents import parse_value
from fundclock.scenarios.files.problems import InvalidInput, Problem

DRAWS = ("seed", "replication")
"""Axes that choose the draws; all others are settings."""

MAX_SEED = 2**63 - 1
MAX_CELLS = 1_000_000

Axes = dict[str, list[Any]]


def parse_axis(text: str) -> tuple[str, list[Any]]:
    """``a.b=1,2,3`` or ``seed=1:500`` (both ends included; ``1:500:10`` has a step). Raises InvalidInput."""
    key, equals, values = text.partition("=")
    if not equals or not key.strip() or not values.strip():
        example = "expected KEY=VALUES like reinvestment_engine.reinvestment_delay=0,1,3 or seed=1:500"
        raise InvalidInput([Problem("", f"{example}, got '{text}'", "--sweep")])
    return key.strip(), axis_values(key.strip(), values.strip())


def axis_values(key: str, given: Any) -> list[Any]:
    """The values of an axis: a list, or a text with commas or a range. Raises InvalidInput."""
    if isinstance(given, str):
        span = re.fullmatch(r"(-?\d+):(-?\d+)(?::(\d+))?", given)
        if span is None:
            if "\n" in given:
                raise InvalidInput([Problem(key, "expected values on one line, like 0,1,3", "sweep")])
            values = parse_value(f"[{given}]", f"--sweep {key}")
        else:
            first, last, step = int(span[1]), int(span[2]), int(span[3] or 1)
            if step < 1 or last < first:
                raise InvalidInput([Problem(key, f"expected a range like 1:500, got {given}", "sweep")])
            if (last - first) // step >= MAX_CELLS:
                raise InvalidInput([Problem(key, f"{given} has more than {MAX_CELLS:,} values", "sweep")])
            values = list(range(first, last + 1, step))
            _check_draws(key, values)
            return values
    else:
        values = given
    if not isinstance(values, list) or not values:
        raise InvalidInput([Problem(key, f"expected values like 0,1,3 or 1:500, got {given!r}", "sweep")])
    _check_draws(key, values)
    values = [value.isoformat() if isinstance(value, date) else value for value in values]
    seen: set[str] = set()
    for value in values:
        written = json.dumps(value, default=str)
        if written in seen:
            raise InvalidInput([Problem(key, f"lists {written} twice", "sweep")])
        seen.add(written)
    return values


def _check_draws(key: str, values: list[Any]) -> None:
    if key not in DRAWS:
        return
    for value in values:
        if type(value) is not int or not 0 <= value <= MAX_SEED:
            message = f"must be whole numbers from 0 to {MAX_SEED}, like 1,2,3 or 1:500; got {value}"
            raise InvalidInput([Problem(key, message, "sweep")])
