"""What a sweep's rows come to: quantiles over draws, paired differences, a fan, and files for other tools."""

import csv
import math
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scenarios.charts import Chart, Series
from scenarios.problems import InvalidInput, Problem, closest

if TYPE_CHECKING:
    from scenarios.sweeps import Sweep

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
    """A figure as a float; money is a decimal string in rows."""
    return None if value is None else float(value)


def summary(rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> list[dict[str, Any]]:
    """One entry for each combination of the keys: how many draws, and by figure its mean, deviation and quantiles.

    ``paired`` is the difference to the first combination, draw by draw: its mean, deviation and standard error. Draws
    in which a figure is undefined are left out (of a pair, both).
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


def fan(sweep: "Sweep", figure: str = "net_irr") -> Chart:
    """Quantiles of a figure over draws, by combination of settings: one series a quantile."""
    names = [settings_line(entry["settings"]) for entry in sweep.summary]
    shown = [(name, entry["figures"].get(figure)) for name, entry in zip(names, sweep.summary, strict=True)]
    series = [
        Series(
            f"{quantile:.0%} quantile",
            "decimal",
            [name for name, _ in shown],
            [None if found is None else found["quantiles"][str(quantile)] for _, found in shown],
            [[] for _ in shown],
        )
        for quantile in QUANTILES
    ]
    return Chart("sweep_fan", f"{sweep.scenario}: {figure} over draws", "settings", series)


FORMATS = (".csv", ".parquet")


def check_format(path: Path) -> None:
    """Raises InvalidInput where rows can't be written to a file of this name."""
    if path.suffix.lower() not in FORMATS:
        message = f"expected a name that ends in .csv or .parquet, got '{path}'"
        raise InvalidInput([Problem("--output", message, suggestion=closest(path.suffix, FORMATS))])
    if path.is_dir() or not path.absolute().parent.is_dir() or not os.access(path.absolute().parent, os.W_OK):
        raise InvalidInput([Problem("--output", "is not in a folder that can be written to", str(path))])


def save(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write rows as CSV (money as decimal strings) or Parquet (money as decimals); whole or not at all."""
    check_format(path)
    text, partial = path.with_name(f"{path.name}.csv.part"), path.with_name(f"{path.name}.part")
    try:
        with text.open("w", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        if path.suffix.lower() == ".csv":
            os.replace(text, path)
        else:
            _to_parquet(rows, text, partial)
            os.replace(partial, path)
    finally:
        text.unlink(missing_ok=True)
        partial.unlink(missing_ok=True)


def _to_parquet(rows: Sequence[Mapping[str, Any]], text: Path, path: Path) -> None:
    """Parquet from a CSV file of the rows, each column by the type of its values."""
    import duckdb

    types = ", ".join(f"{_quoted(name)}: {_quoted(_type(name, rows))}" for name in rows[0])
    source = f"read_csv({_quoted(str(text))}, header=true, columns={{{types}}})"
    with duckdb.connect() as database:
        database.execute(f"COPY (SELECT * FROM {source}) TO {_quoted(str(path))} (FORMAT parquet)")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _type(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    values = [row[name] for row in rows if row[name] is not None]
    if values and all(isinstance(value, bool) for value in values):
        return "BOOLEAN"
    if any(isinstance(value, bool) for value in values):
        return "VARCHAR"
    if all(isinstance(value, int) for value in values) and values:
        return "BIGINT" if max(values) < 2**63 else "HUGEINT"
    if all(isinstance(value, int | float) for value in values):
        return "DOUBLE"
    if all(isinstance(value, str) and MONEY.fullmatch(value) for value in values):
        return "DECIMAL(38,2)"
    return "VARCHAR"


MONEY = re.compile(r"-?\d+\.\d\d")
"""How rows write money."""
