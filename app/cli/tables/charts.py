"""The numbers of charts and tables of data."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from fundclock.app.labels import label, number

COLUMNS = 4
"""Series side by side in one table of a chart's numbers."""

PLAIN = ("share", "index", "number", "ratio", "decimal")
"""Units that stand in no head: their values say what they are."""


def chart_table(data: Mapping[str, Any]) -> RenderableType:
    """A chart's numbers: one table for all series that share their x, then the thresholds."""
    if "rows" in data:
        return data_table(data)
    parts: list[RenderableType] = []
    left = list(data["series"])
    while left:
        shared = [series for series in left if series["x"] == left[0]["x"]][:COLUMNS]
        left = [series for series in left if not any(series is other for other in shared)]
        if not shared[0]["x"]:
            parts.append(f"{data['title']}: nothing to show in this run")
            continue
        table = Table(title=data["title"], title_justify="left")
        table.add_column(data["x_label"].capitalize(), no_wrap=True)
        for series in shared:
            unit = "" if series["unit"] in PLAIN else f", {series['unit']}"
            table.add_column(f"{series['name']}{unit}", justify="right", no_wrap=True)
        for place, x in enumerate(shared[0]["x"]):
            table.add_row(x, *(number(series["y"][place], series["unit"]) for series in shared))
        parts.append(table)
    for level in data["thresholds"]:
        steps = ", ".join(f"{number(y, level['unit'])} from {x}" for x, y in zip(level["x"], level["y"], strict=True))
        parts.append(f"{level['name']}: {steps}")
    return Group(*parts)


def data_table(data: Mapping[str, Any]) -> Table:
    """A table's data as a table."""
    table = Table(title=data["title"], title_justify="left")
    for column in data["columns"]:
        words = column["unit"] in ("name", "date", "year")
        table.add_column(label(column["name"]), justify="left" if words else "right", no_wrap=True)
    for row in data["rows"]:
        cells = zip(row, data["columns"], strict=True)
        table.add_row(*(number(value, column["unit"]) for value, column in cells))
    return table
