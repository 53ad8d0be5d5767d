"""Rows of a sweep as files for other tools."""

import csv
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fundclock.scenarios.files.problems import InvalidInput, Problem, closest

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
