"""A summary of a sweep's rows: quantiles over draws, and paired differences."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
FIGURES = (
    "net_irr",
    "gross_irr",
    "tvpi",
    "moic",
    "distributed",
    "reinvested",
    "mean_days_to_reinvest",
    "idle_dollar_days",
    "covenant_breaches",
)
"""What is summed up over draws."""


def as_number(value: Any) -> float | None:
    """A metric as a float; money is a decimal string in rows."""
    return None if value is None else float(value)


def summary(rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> list[dict[str, Any]]:
    """One entry per combination of the keys: the number of draws, and by metric the mean, deviation and quantiles.

    ``paired`` is the difference from the first combination, draw by draw: its mean, deviation and standard error. Draws
    in which a metric is undefined are left out (in a pair, both).
    """
    groups: dict[tuple[Any, ...], dict[tuple[int, int], Mapping[str, Any]]] = {}
    for row in rows:
        place = tuple(str(row[key]) for key in keys)
        groups.setdefault(place, {})[row["seed"], row["replication"]] = row
    first = next(iter(groups.values()), {})
    found = []
    for group in groups.values():
        some = next(iter(group.values()))
        figures = {}
        for name in FIGURES:
            values = [value for row in group.values() if (value := as_number(row[name])) is not None]
            if values:
                figures[name] = {
                    **_spread(values),
                    "quantiles": dict(zip(map(str, QUANTILES), np.quantile(values, QUANTILES).tolist(), strict=True)),
                    "paired": None if group is first else _paired(first, group, name),
                }
        found.append({"settings": {key: some[key] for key in keys}, "draws": len(group), "figures": figures})
    return found


def _spread(values: Sequence[float]) -> dict[str, float | None]:
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": math.fsum(values) / len(values), "deviation": deviation}


def _paired(first: Mapping[Any, Any], second: Mapping[Any, Any], name: str) -> dict[str, float | None] | None:
    pairs = [(as_number(first[draw][name]), as_number(row[name])) for draw, row in second.items() if draw in first]
    deltas = [b - a for a, b in pairs if a is not None and b is not None]
    if not deltas:
        return None
    spread = _spread(deltas)
    deviation = spread["deviation"]
    return {**spread, "error": None if deviation is None else deviation / math.sqrt(len(deltas))}


def settings_line(settings: Mapping[str, Any]) -> str:
    """A combination of settings in a few words: the last parts of their keys."""
    return ", ".join(f"{key.rsplit('.', 1)[-1]} {value}" for key, value in settings.items()) or "all"
