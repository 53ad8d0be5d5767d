"""Chart data, before anyone draws it: series, units, panels, roles, limits, and the records behind each point.

Everything that a drawing depends on is a field here, made by the function that makes the chart. Names are for people
and for clients that look a series up; nobody has to read a meaning out of one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, asdict, dataclass, field, fields
from typing import Any, Literal, TypeVar

Role = Literal["actual", "target", "before", "after", "limit", "minimum", "maximum", "with_debt", "without_debt"]
"""What values are beside others of the same measure: what was to be and what was, before and after, and so on."""

Kind = Literal["bar", "line", "step"]
"""How a series is drawn."""

Names = Literal["account", "flow", "reason", "rung", "shock", "zone"]
"""What kind of names stand on an axis or in a column; what people call one is a label of that kind."""


@dataclass(frozen=True)
class Values:
    """What a series and a threshold share: a name, a unit, and what they are about.

    ``unit`` is ``share``, ``decimal``, ``ratio``, ``index`` or ``number``; any other is a currency, or a currency times
    days. What has the same ``panel`` shares an axis, under that name; without one it is that of the unit. ``measure``
    is what is measured, by the name that has a label, where ``name`` says more than that; ``zone``, ``facility`` or
    ``reason`` (of dollar-days) is whose it is.
    """

    name: str
    unit: str
    x: list[str]
    _: KW_ONLY
    panel: str | None = None
    measure: str | None = None
    zone: str | None = None
    facility: str | None = None
    reason: str | None = None
    role: Role | None = None


@dataclass(frozen=True)
class Series(Values):
    """One line or set of bars: ``y`` in ``unit`` over ``x``, with the seqs of the records that each point is from.

    ``x`` are ISO dates, names of periods or names of categories; all three lists have the same length. Of a fan,
    ``quantile`` says which one this is.
    """

    y: list[float | None]
    records: list[list[int]]
    kind: Kind = "line"
    _: KW_ONLY
    quantile: float | None = None

    def __post_init__(self) -> None:
        if not len(self.x) == len(self.y) == len(self.records):
            raise ValueError(f"series {self.name}: {len(self.x)} x, {len(self.y)} y, {len(self.records)} records")


@dataclass(frozen=True)
class Threshold(Values):
    """A level to compare with; each value holds from its date on. Not ``drawn`` where a series shows it already."""

    y: list[float]
    _: KW_ONLY
    drawn: bool = True


@dataclass(frozen=True)
class Chart:
    """A figure's data.

    ``form``: ``panels`` are axes below each other over the same ``x``. A ``waterfall`` is one series whose first value
    is where it starts, whose last is where it ends and whose others are the steps between; with ``more_is_worse`` a
    step up is a bad one. A ``fan`` is one series a quantile.

    ``axis``: a ``date`` axis has ISO dates, or periods (2028, 2028-03, 2028-Q1) in the order of time; a ``category``
    axis has names in the order of the data, of the kind that ``x_names`` says.

    Bars of a panel are ``stacked`` where they are parts of a sum. Where charts are ``near_limits``, what is far beyond
    a panel's thresholds is cut off.
    """

    name: str
    title: str
    x_label: str
    series: list[Series]
    thresholds: list[Threshold] = field(default_factory=list)
    _: KW_ONLY
    form: Literal["panels", "waterfall", "fan"] = "panels"
    axis: Literal["date", "category"] = "date"
    x_names: Names | None = None
    stacked: bool = False
    near_limits: bool = False
    more_is_worse: bool = False

    def __post_init__(self) -> None:
        units: dict[str, str] = {}
        for values in (*self.series, *self.thresholds):
            if values.panel is not None and units.setdefault(values.panel, values.unit) != values.unit:
                raise ValueError(f"chart {self.name}: {values.name} is in {values.unit}, its panel is not")

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return {"schema": "fundclock.chart/1", **asdict(self)}


@dataclass(frozen=True)
class Column:
    """A column of a table and the unit of its values: one of a series, or ``name``, ``date`` or ``year``.

    A column of a ``zone`` is named after it; ``names`` is the kind of the names in a column of names.
    """

    name: str
    unit: str
    _: KW_ONLY
    zone: str | None = None
    names: Names | None = None


@dataclass(frozen=True)
class DataTable:
    """A table's data; ``records`` are the seqs behind each row.

    The rows of a ``sankey`` are a source, a use, and the amount that flowed from the one to the other.
    """

    name: str
    title: str
    columns: list[Column]
    rows: list[list[Any]]
    records: list[list[int]]
    _: KW_ONLY
    form: Literal["table", "sankey"] = "table"

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return {"schema": "fundclock.table/1", **asdict(self)}


def read(data: Mapping[str, Any]) -> Chart | DataTable:
    """The chart or table that JSON values are of; fields that an older version did not write have their defaults."""
    if data["schema"] == "fundclock.table/1":
        return _made(DataTable, {**data, "columns": [_made(Column, column) for column in data["columns"]]})
    series = [_made(Series, one) for one in data["series"]]
    return _made(Chart, {**data, "series": series, "thresholds": [_made(Threshold, one) for one in data["thresholds"]]})


Made = TypeVar("Made", Chart, DataTable, Column, Series, Threshold)


def _made(kind: type[Made], values: Mapping[str, Any]) -> Made:
    return kind(**{known.name: values[known.name] for known in fields(kind) if known.name in values})


def running_total(values: Sequence[float]) -> list[float | None]:
    """Each value and all before it."""
    total = 0.0
    totals: list[float | None] = []
    for value in values:
        total += value
        totals.append(round(total, 2))
    return totals
