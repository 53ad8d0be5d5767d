"""Charts and tables drawn with Plotly, from the data that ``fundclock.scenarios.charts.figures`` makes of a run.

One drawing for the report, the service, the dashboard and notebooks: ``draw(run.figure("cash"))``. What is drawn where
and how is said by the data's fields; names are only written.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fundclock.app.labels import WRITTEN, Unit, head, label, named, number, short, unit_of, written
from fundclock.scenarios.charts.chart import Chart, Column, DataTable, Role, Series, Threshold, Values, read

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800", "#8c564b", "#7f7f7f", "#17becf")
"""After Okabe and Ito: told apart by people who see colours differently."""

ZONES = {"green": "#2e9e6b", "orange": "#e08a1e", "red": "#cf4b4b"}
"""Zones that are called by a colour have it; others have one of ``COLOURS``, the same in all their series."""

ROLES: dict[Role, str] = {
    "before": COLOURS[0],
    "after": COLOURS[1],
    "with_debt": COLOURS[0],
    "without_debt": COLOURS[1],
}
"""Roles that are held against each other, in every panel in the same colours."""

GOOD, BAD = COLOURS[2], COLOURS[5]
MUTED, GRID = "#808890", "rgba(128,136,144,0.25)"
TICKS: dict[Unit, str] = {"share": ".1%", "ratio": ".2f", "index": ".2f"}
"""Formats of an axis's labels by unit, in Plotly's words; amounts have k, M and B."""

FEW_TICKS = 10
FEW_IN_LEGEND = 6


def draw(data: Mapping[str, Any]) -> go.Figure:
    """The figure of a chart's or table's data. Colours are those that read on light and dark ground."""
    found = read(data)
    figure = _table_form(found) if isinstance(found, DataTable) else _chart_form(found)
    figure.update_layout(
        title={"text": found.title, "x": 0, "xanchor": "left"},
        font={"color": MUTED, "family": "system-ui, sans-serif", "size": 12},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        colorway=COLOURS,
        legend={"orientation": "h", "yref": "container", "y": 0.01, "yanchor": "bottom"},
    )
    figure.update_xaxes(gridcolor=GRID, zerolinecolor=GRID, linecolor=GRID)
    figure.update_yaxes(gridcolor=GRID, zerolinecolor=GRID, linecolor=GRID)
    return figure


def _chart_form(chart: Chart) -> go.Figure:
    match chart.form:
        case "waterfall":
            figure = _waterfall(chart)
        case "fan":
            figure = _fan(chart)
        case "panels":
            figure = _panels(chart)
    top = 64 if figure.layout.annotations else 48  # for the title of the first panel
    figure.update_layout(
        margin={"l": 64, "r": 16, "t": top, "b": 92}, hovermode=None if chart.form == "waterfall" else "x unified"
    )
    return figure


def _table_form(table: DataTable) -> go.Figure:
    figure = _sankey(table) if table.form == "sankey" else _table(table)
    figure.update_layout(margin={"l": 64, "r": 16, "t": 48, "b": 16})
    return figure


Panel = tuple[str | None, str]
"""What shares an axis: the name of a panel, or without one the unit."""


def _panel(values: Values) -> Panel:
    return (None, values.unit) if values.panel is None else (values.panel, "")


def _panels(chart: Chart) -> go.Figure:
    """Axes below each other, in the order of the series."""
    panels = list(dict.fromkeys(map(_panel, chart.series))) or [(None, "")]
    titles = ["" if name is None else label(name) for name, _ in panels]
    gap = min(0.06, 0.3 / len(panels))
    figure = make_subplots(rows=len(panels), cols=1, shared_xaxes=True, vertical_spacing=gap, subplot_titles=titles)
    figure.update_annotations(x=0, xanchor="left", font={"size": 12})
    alone = [panel for panel in panels if sum(_panel(series) == panel for series in chart.series) == 1]
    zones = list(dict.fromkeys(series.zone for series in chart.series if series.zone is not None))
    for place, series in enumerate(chart.series):
        panel = _panel(series)
        titled = panel in alone and named(series) == titles[panels.index(panel)]
        trace = _trace(series, _colour(series, place, zones), showlegend=not titled)
        figure.add_trace(trace, row=panels.index(panel) + 1, col=1)
    for threshold in chart.thresholds:
        panel = _panel(threshold)
        if threshold.drawn and threshold.y and panel in panels and any(series.x for series in chart.series):
            figure.add_trace(_level(chart, threshold), row=panels.index(panel) + 1, col=1)
    for row, panel in enumerate(panels, start=1):
        _measure_axis(figure, chart, panel, row)
    _places_axis(figure, chart, len(panels))
    each = 340 if len(panels) == 1 else 200 if len(panels) < 4 else 130
    height = each if len(panels) == 1 else 160 + each * len(panels)
    entries = sum(trace.showlegend is not False for trace in figure.data)
    height += 20 * max(0, entries - FEW_IN_LEGEND)  # a long legend takes its place from the panels
    figure.update_layout(barmode="stack" if chart.stacked else "group", height=height)
    return figure


def _trace(series: Series, colour: str, *, showlegend: bool) -> go.Bar | go.Scatter:
    """A series; a click on a point leads to its records."""
    shown = {"x": series.x, "y": series.y, "name": named(series), "customdata": series.records}
    if not showlegend:
        shown["showlegend"] = False
    if series.kind == "bar":
        return go.Bar(**shown, marker_color=colour)
    line = {
        "color": colour,
        "shape": "hv" if series.kind == "step" else "linear",
        "width": 2,
        "dash": "dot" if series.role == "target" else "solid",
    }
    return go.Scatter(**shown, mode="lines" if len(series.x) > 60 else "lines+markers", line=line, marker={"size": 5})


def _colour(series: Series, place: int, zones: Sequence[str]) -> str:
    """That of its zone, of its role, or the next one."""
    if series.zone is not None:
        return ZONES.get(series.zone, COLOURS[zones.index(series.zone) % len(COLOURS)])
    if series.role in ROLES:
        return ROLES[series.role]
    return COLOURS[place % len(COLOURS)]


def _places(chart: Chart) -> list[str]:
    """All x, in their order."""
    found = dict.fromkeys(x for series in chart.series for x in series.x)
    return sorted(found) if chart.axis == "date" else list(found)


def _level(chart: Chart, threshold: Threshold) -> go.Scatter:
    """A dashed level; each value holds until the next one, the last to the chart's end, a single one all along."""
    places, x, y = _places(chart), list(threshold.x), list(threshold.y)
    if len(x) < 2:
        x, y = [places[0], places[-1]], [y[-1]] * 2
    elif chart.axis == "date":
        x, y = [*x, places[-1]], [*y, y[-1]]
    line = {"dash": "dash", "width": 1.5, "color": MUTED, "shape": "hv"}
    return go.Scatter(x=x, y=y, name=named(threshold), mode="lines", line=line)


def _measure_axis(figure: go.Figure, chart: Chart, panel: Panel, row: int) -> None:
    """The axis of a panel: its title, its labels, and how far it goes."""
    drawn = [series for series in chart.series if _panel(series) == panel]
    if not drawn:
        return
    unit = unit_of(drawn[0].unit)
    values = [y for series in drawn for y in series.y if y is not None]
    limits = [line.y[-1] for line in chart.thresholds if line.y and _panel(line) == panel]
    if chart.near_limits and limits and values:
        top = min(1.05 * max(*values, *limits), 4 * max(limits))
        figure.update_yaxes(range=[min(0, *values), top], row=row, col=1)
    name, _ = panel
    says = unit == "money" or (name is None and unit != "share")  # per cent says what it is
    title = label(drawn[0].unit) if says else ""
    figure.update_yaxes(title_text=title, hoverformat=_hover(unit), **_ticks(unit, values), row=row, col=1)


def _hover(unit: Unit) -> str:
    """How a value is written that is pointed at, in Plotly's words."""
    way = WRITTEN[unit]
    return f",.{way.decimals}{'%' if way.percent else 'f'}"


def _ticks(unit: Unit, values: Sequence[float]) -> dict[str, Any]:
    """How an axis is labelled: per cent, a few decimals, whole numbers, or amounts with k, M and B."""
    largest = max(map(abs, values), default=1.0)
    if unit == "count":
        few = {"dtick": 1, "range": [0, 6]} if max(values, default=0) < 6 else {}
        return {"tickformat": ",d", "rangemode": "tozero", **few}
    if unit == "share" and (largest < 0.02 or (values and max(values) - min(values) < 0.005)):
        return {"tickformat": ".2%"}
    if unit in ("ratio", "index") and largest < 0.1:
        return {"tickformat": ".2~g"}
    return {"tickformat": TICKS[unit]} if unit in TICKS else {"exponentformat": "B"}


def _places_axis(figure: go.Figure, chart: Chart, rows: int) -> None:
    """The axis below the last panel; bars have an even width, whatever the days between them."""
    places = _places(chart)
    if chart.axis == "category":
        figure.update_xaxes(**_names_axis(chart, places), row=rows, col=1)
    elif any(series.kind == "bar" for series in chart.series):
        few = places[:: -(-len(places) // FEW_TICKS) or 1]
        figure.update_xaxes(type="category", categoryorder="array", categoryarray=places, tickvals=few)


def _names_axis(chart: Chart, places: Sequence[str]) -> dict[str, Any]:
    """An axis of names, with what people call them."""
    named_so = {"tickvals": places, "ticktext": [label(x, chart.x_names) for x in places]} if chart.x_names else {}
    return {"title_text": label(chart.x_label), "type": "category", **named_so}


def _waterfall(chart: Chart) -> go.Figure:
    (series,) = chart.series
    values = [0.0 if y is None else y for y in series.y]
    steps = values[:-1]  # the first is where it starts; the last value is their sum
    up, down = (BAD, GOOD) if chart.more_is_worse else (GOOD, BAD)
    bars = go.Waterfall(
        x=series.x,
        y=[*steps, 0],
        measure=["absolute", *["relative"] * (len(steps) - 1), "total"],
        increasing={"marker": {"color": up}},
        decreasing={"marker": {"color": down}},
        totals={"marker": {"color": COLOURS[0]}},
        connector={"line": {"color": GRID}},
        text=[short(value) for value in values],
        textposition="outside",
        cliponaxis=False,
        name=named(series),
    )
    figure = go.Figure(bars)
    levels = list(accumulate(steps))
    low, high = min(levels), max(levels)
    room = (high - low or abs(high) or 1) * 0.6
    figure.update_yaxes(title_text=head(series), exponentformat="B", range=[low - room, high + room])
    figure.update_xaxes(**{**_names_axis(chart, series.x), "title_text": ""})
    figure.update_layout(height=380, showlegend=False)
    return figure


def _fan(chart: Chart) -> go.Figure:
    """The median, and a band for each pair of quantiles that are as far from it."""
    figure = go.Figure()
    series = sorted(chart.series, key=lambda one: one.quantile or 0.0)
    middle = len(series) // 2
    for width in range(middle, 0, -1):
        low, high = series[middle - width], series[middle + width]
        band = {"mode": "lines", "line": {"width": 0}, "x": low.x}
        figure.add_trace(go.Scatter(**band, y=low.y, showlegend=False, name=named(low)))
        name = f"{number(low.quantile, 'share', 0)} to {number(high.quantile, 'share', 0)}"
        colour = f"rgba(0,114,178,{0.15 + 0.15 * (middle - width)})"
        figure.add_trace(go.Scatter(**band, y=high.y, fill="tonexty", fillcolor=colour, name=name))
    line = {"color": COLOURS[0], "width": 2}
    figure.add_trace(go.Scatter(x=series[middle].x, y=series[middle].y, name="median", line=line))
    unit, values = unit_of(series[0].unit), [y for one in series for y in one.y if y is not None]
    figure.update_yaxes(hoverformat=_hover(unit), **_ticks(unit, values))
    figure.update_layout(height=360)
    return figure


def _sankey(table: DataTable) -> go.Figure:
    """Sources on the left, uses on the right, and what flowed between them."""
    sources, uses, amounts = table.columns
    left = list(dict.fromkeys(row[0] for row in table.rows))
    right = sorted({row[1] for row in table.rows})
    links = {
        "source": [left.index(row[0]) for row in table.rows],
        "target": [len(left) + right.index(row[1]) for row in table.rows],
        "value": [float(row[2]) for row in table.rows],
        "color": "rgba(86,180,233,0.35)",
    }
    names = [*(written(name, sources) for name in left), *(f"→ {written(name, uses)}" for name in right)]
    nodes = {"label": names, "pad": 14, "thickness": 14, "color": COLOURS[0]}
    figure = go.Figure(
        go.Sankey(
            node=nodes,
            link=links,
            textfont={"shadow": "none"},
            valueformat=_hover(unit_of(amounts.unit)),
            valuesuffix=f" {amounts.unit}",
        )
    )
    figure.update_layout(height=420)
    return figure


def _table(table: DataTable) -> go.Figure:
    cells = [[written(row[at], column) for row in table.rows] for at, column in enumerate(table.columns)]
    figure = go.Figure(
        go.Table(
            header={"values": [head(column) for column in table.columns], "fill_color": GRID, "align": "left"},
            cells={"values": cells, "fill_color": "rgba(0,0,0,0)", "align": "left", "line": {"color": GRID}},
        )
    )
    figure.update_layout(height=min(600, 120 + 26 * len(table.rows)))
    return figure


def numbers(data: Mapping[str, Any]) -> tuple[list[str], list[list[Any]]]:
    """Heads and rows of a chart's or table's numbers: one row an x, one column a series."""
    found = read(data)
    if isinstance(found, DataTable):
        return [head(column) for column in found.columns], [list(row) for row in found.rows]
    rows: dict[str, list[Any]] = {x: [None] * len(found.series) for x in _places(found)}
    for place, series in enumerate(found.series):
        for x, y in zip(series.x, series.y, strict=True):
            rows[x][place] = y
    return [label(found.x_label), *map(head, found.series)], [[x, *row] for x, row in rows.items()]


def written_numbers(data: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """The same for people: every number by its unit, every name by its label."""
    found, (heads, rows) = read(data), numbers(data)
    columns = found.columns if isinstance(found, DataTable) else _columns(found)
    return heads, [[written(value, column) for value, column in zip(row, columns, strict=True)] for row in rows]


def _columns(chart: Chart) -> list[Column]:
    """The columns of a chart's numbers."""
    return [Column(chart.x_label, "date", names=chart.x_names), *(Column(one.name, one.unit) for one in chart.series)]
