"""Chart data, before anyone draws it: series, units, thresholds, and the records behind each point."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Series:
    """One line or set of bars: ``y`` in ``unit`` over ``x``, with the seqs of the records that each point is from.

    ``x`` are ISO dates, names of periods or names of categories; all three lists have the same length.
    """

    name: str
    unit: str
    x: list[str]
    y: list[float | None]
    records: list[list[int]]
    kind: Literal["bar", "line", "step"] = "line"

    def __post_init__(self) -> None:
        if not len(self.x) == len(self.y) == len(self.records):
            raise ValueError(f"series {self.name}: {len(self.x)} x, {len(self.y)} y, {len(self.records)} records")


@dataclass(frozen=True)
class Threshold:
    """A level to compare with; each value holds from its date on."""

    name: str
    unit: str
    x: list[str]
    y: list[float]


@dataclass(frozen=True)
class Chart:
    """A figure's data."""

    name: str
    title: str
    x_label: str
    series: list[Series]
    thresholds: list[Threshold] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return {"schema": "fundclock.chart/1", **asdict(self)}


@dataclass(frozen=True)
class Column:
    """A column of a table and the unit of its values."""

    name: str
    unit: str


@dataclass(frozen=True)
class DataTable:
    """A table's data; ``records`` are the seqs behind each row."""

    name: str
    title: str
    columns: list[Column]
    rows: list[list[Any]]
    records: list[list[int]]

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return {"schema": "fundclock.table/1", **asdict(self)}


def running_total(values: Sequence[float]) -> list[float | None]:
    """Each value and all before it."""
    total = 0.0
    totals: list[float | None] = []
    for value in values:
        total += value
        totals.append(round(total, 2))
    return totals
