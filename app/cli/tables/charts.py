"""The numbers of charts and tables of data."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from fundclock.app.labels import head, label, named, number, unit_of, written
from fundclock.scenarios.charts.chart import DataTable, Series, read

COLUMNS = 4
"""Series side by side in one table of a chart's numbers."""


def chart_table(data: Mapping[str, Any]) -> RenderableType:
    """A chart's numbers: one table for all series that share their x, then the thresholds."""
    found = read(data)
    if isinstance(found, DataTable):
        return _table(found)
    parts: list[RenderableType] = []
    left = list(found.series)
    while left:
        shared = [series for series in left if series.x == left[0].x][:COLUMNS]
        left = [series for series in left if not any(series is other for other in shared)]
        if not shared[0].x:
            parts.append(f"{found.title}: nothing to show in this run")
            continue
        table = Table(title=found.title, title_justify="left")
        table.add_column(label(found.x_label), no_wrap=True)
        for series in shared:
            table.add_column(head(series), justify="right", no_wrap=True)
        for place, x in enumerate(shared[0].x):
            name = label(x, found.x_names) if found.x_names else x
            table.add_row(name, *(_value(series, place) for series in shared))
        parts.append(table)
    for level in found.thresholds:
        unit = unit_of(level.unit)
        steps = ", ".join(f"{number(y, unit)} from {x}" for x, y in zip(level.x, level.y, strict=True))
        parts.append(f"{named(level)}: {steps}")
    return Group(*parts)


def _value(series: Series, place: int) -> str:
    return number(series.y[place], unit_of(series.unit))


def data_table(data: Mapping[str, Any]) -> Table:
    """A table's data as a table."""
    found = read(data)
    assert isinstance(found, DataTable)
    return _table(found)


def _table(found: DataTable) -> Table:
    table = Table(title=found.title, title_justify="left")
    for column in found.columns:
        left = unit_of(column.unit) in ("name", "text")
        table.add_column(head(column), justify="left" if left else "right", no_wrap=True)
    for row in found.rows:
        table.add_row(*(written(value, column) for value, column in zip(row, found.columns, strict=True)))
    return table
