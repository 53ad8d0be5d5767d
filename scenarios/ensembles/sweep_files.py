"""Rows of a sweep as files for other tools."""

import csv
import os
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from fundclock.scenarios.files.problems import InvalidInput, Problem, closest

FORMATS = (".csv", ".parquet")


def check_format(path: Path) -> None:
    """Raises InvalidInput where rows can't be written to a file of this name."""
    if path.suffix.lower() not in FORMATS:
        message = f"expected a file name ending in .csv or .parquet, got '{path}'"
        raise InvalidInput([Problem("--output", message, suggestion=closest(path.suffix, FORMATS))])
    if path.is_dir() or not path.absolute().parent.is_dir() or not os.access(path.absolute().parent, os.W_OK):
        raise InvalidInput(
            [Problem("--output", "is a directory, or its parent directory is missing or not writable", str(path))]
        )


def save(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write rows as CSV (money as decimal strings) or Parquet (money as decimals); whole or not at all."""
    check_format(path)
    partial = path.with_name(f"{path.name}.part")
    try:
        if path.suffix.lower() == ".csv":
            _to_csv(rows, partial)
        else:
            _to_parquet(rows, partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _to_csv(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _to_parquet(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Each column by the type of its values."""
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyarrow import parquet

    columns = {}
    for name in rows[0]:
        kind, convert = _type([row[name] for row in rows if row[name] is not None])
        values = [None if row[name] is None else convert(row[name]) for row in rows]
        columns[name] = pa.array(values, kind)
    parquet.write_table(pa.table(columns), path)


def _type(values: Sequence[Any]) -> tuple[Any, Callable[[Any], Any]]:
    """A column's type, and what makes its values of what rows hold. A column without values is of numbers."""
    import pyarrow as pa

    if values and all(isinstance(value, bool) for value in values):
        return pa.bool_(), bool
    if any(isinstance(value, bool) for value in values):
        return pa.string(), str
    if values and all(isinstance(value, int) for value in values):
        if min(values) >= -(2**63) and max(values) < 2**63:
            return pa.int64(), int
        return (pa.decimal128(38, 0), Decimal) if max(map(abs, values)) < 10**38 else (pa.string(), str)
    if all(isinstance(value, int | float) for value in values):
        return pa.float64(), float
    if all(isinstance(value, str) and MONEY.fullmatch(value) for value in values):
        return pa.decimal128(38, 2), Decimal
    return pa.string(), str


MONEY = re.compile(r"-?\d{1,36}\.\d\d")
"""How rows write money, as long as a column of it can hold."""
