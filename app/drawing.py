"""Charts and tables drawn with Plotly, from the data that ``fundclock.scenarios.charts.figures`` makes of a run.

One drawing for the report, the service, the dashboard and notebooks: ``draw(run.figure("cash"))``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800", "#8c564b", "#7f7f7f", "#17becf")
"""After Okabe and Ito: told apart by people who see colours differently."""

ZONES = {"green": "#2e9e6b", "orange": "#e08a1e", "red": "#cf4b4b"}
BRIDGES = ("timing_waterfall", "net_cash_bridge", "dollar_days_bridge")
STACKED = ("dollar_days", "debt_structure")
DATES = ("date", "quarter's end", "month", "year")
MUTED, GRID = "#808890", "rgba(128,136,144,0.25)"
FORMATS = {"share": ".1%", "ratio": ".2f", "index": ".2f", "number": ",d", "decimal": ".2%"}


def draw(data: Mapping[str, Any]) -> go.Figure:
    """The figure of a chart's or table's data. Colours are those that read on light and dark ground."""
    if data["schema"] == "fundclock.table/1":
        figure = _sankey(data) if data["name"] == "cash_sankey" else _table(data)
    elif data["name"] in BRIDGES:
        figure = _waterfall(data)
    elif data["name"] == "sweep_fan":
        figure = _fan(data)
    else:
        figure = _series(data)
    figure.update_layout(
        title={"text": data["title"], "x": 0, "xanchor": "left"},
        font={"color": MUTED, "family": "system-ui, sans-serif", "size": 12},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        colorway=COLOURS,
        margin={"l": 64, "r": 16, "t": 48, "b": 92 if data["schema"] == "fundclock.chart/1" else 16},
        legend={"orientation": "h", "yref": "container", "y": 0.01, "yanchor": "bottom"},
        hovermode="x unified" if data["schema"] == "fundclock.chart/1" and data["name"] not in BRIDGES else None,
    )
    figure.update_xaxes(gridcolor=GRID, zerolinecolor=GRID, linecolor=GRID)
    figure.update_yaxes(gridcolor=GRID, zerolinecolor=GRID, linecolor=GRID)
    return figure


def _panel(data: Mapping[str, Any], drawn: Mapping[str, Any]) -> str:
    """What a series or threshold shares a panel with: its unit; the same test of all facilities; the same measure."""
    name = str(drawn["name"])
    if data["name"] == "covenant_compliance":
        return name.removesuffix(" limit").rsplit(" ", 1)[-1]
    if data["name"] == "risk_before_after":
        return name.removesuffix(" before").removesuffix(" after")
    if data["name"] in ("risk_impact", "risk_trend") and not name.endswith(" share"):
        return name
    if data["name"] == "allocation_comparison" and name.endswith(" gap"):
        return "gap"
    return str(drawn["unit"])


def _series(data: Mapping[str, Any]) -> go.Figure:
    units = list(dict.fromkeys(_panel(data, series) for series in data["series"])) or [""]
    unit_of = {_panel(data, series): series["unit"] for series in data["series"]}
    gap = min(0.06, 0.3 / len(units))
    figure = make_subplots(rows=len(units), cols=1, shared_xaxes=True, vertical_spacing=gap)
    for number, series in enumerate(data["series"]):
        row = units.index(_panel(data, series)) + 1
        colour = _colour(data["name"], series["name"], number)
        shown = {"x": series["x"], "y": series["y"], "name": _words(series["name"]), "customdata": series["records"]}
        if series["kind"] == "bar":
            figure.add_trace(go.Bar(**shown, marker_color=colour), row=row, col=1)
        else:
            shape = "hv" if series["kind"] == "step" else "linear"
            dash = "dot" if series["name"].endswith(" target") else "solid"
            line = {"color": colour, "shape": shape, "width": 2, "dash": dash}
            mode = "lines" if len(series["x"]) > 60 else "lines+markers"
            figure.add_trace(go.Scatter(**shown, mode=mode, line=line, marker={"size": 5}), row=row, col=1)
    lines = {series["name"] for series in data["series"]}
    for threshold in data["thresholds"]:
        if _panel(data, threshold) in units and threshold["y"] and threshold["name"] not in lines:
            _threshold(figure, data, threshold, units.index(_panel(data, threshold)) + 1)
    for row, panel in enumerate(units, start=1):
        unit = unit_of.get(panel, panel)
        limit = [line["y"][-1] for line in data["thresholds"] if line["y"] and _panel(data, line) == panel]
        values = [y for one in data["series"] if _panel(data, one) == panel for y in one["y"] if y is not None]
        if data["name"] in ("covenant_compliance", "stress_results") and limit and values:
            top = min(1.05 * max([*values, *limit]), 4 * max(limit))  # far from its limit is not what matters
            figure.update_yaxes(range=[min(0, *values), top], row=row, col=1)
        title = "" if panel == unit and unit in ("share", "decimal") else _words(panel)  # its ticks say per cent
        figure.update_yaxes(title_text=title, hoverformat=_hover(unit), **_ticks(unit, values), row=row, col=1)
    dates = data["x_label"] in DATES
    if not dates:
        figure.update_xaxes(title_text=data["x_label"], type="category", row=len(units), col=1)
    elif any(series["kind"] == "bar" for series in data["series"]):  # bars of even width, whatever the days between
        places = sorted({x for series in data["series"] for x in series["x"]})
        figure.update_xaxes(
            type="category", categoryorder="array", categoryarray=places, tickvals=places[:: -(-len(places) // 10) or 1]
        )
    each = 340 if len(units) == 1 else 200 if len(units) < 4 else 130
    height = each if len(units) == 1 else 160 + each * len(units)
    if data["name"] == "allocation_comparison":
        height += 120  # for its legend
    figure.update_layout(barmode="stack" if data["name"] in STACKED else "group", height=height)
    return figure


def _ticks(unit: str, values: Sequence[float]) -> dict[str, Any]:
    """How an axis is labelled: per cent, a few decimals, whole numbers, or amounts with k, M and B."""
    if unit == "number":
        few = max(values, default=0) < 6
        return {"tickformat": ",d", "rangemode": "tozero", **({"dtick": 1, "range": [0, 6]} if few else {})}
    largest = max(map(abs, values), default=1.0)
    if unit == "share" and largest < 0.02:
        return {"tickformat": ".2%"}
    if unit in ("ratio", "index") and largest < 0.1:
        return {"tickformat": ".2~g"}
    return {"tickformat": FORMATS[unit]} if unit in FORMATS else {"exponentformat": "B"}


def _threshold(figure: go.Figure, data: Mapping[str, Any], threshold: Mapping[str, Any], row: int) -> None:
    """A dashed level; each value holds until the next one, the last to the chart's end, a single one all along."""
    places = (
        sorted({x for series in data["series"] for x in series["x"]})
        if data["x_label"] in DATES
        else list(dict.fromkeys(x for series in data["series"] for x in series["x"]))
    )
    x, y = list(threshold["x"]), list(threshold["y"])
    if not places:
        return
    if len(x) < 2:
        x, y = [places[0], places[-1]], [y[-1]] * 2
    elif data["x_label"] in DATES:
        x, y = [*x, places[-1]], [*y, y[-1]]
    line = {"dash": "dash", "width": 1.5, "color": MUTED, "shape": "hv"}
    name = _words(threshold["name"])
    figure.add_trace(go.Scatter(x=x, y=y, name=name, mode="lines", line=line), row=row, col=1)


def _waterfall(data: Mapping[str, Any]) -> go.Figure:
    (series,) = data["series"]
    waiting = data["name"] == "dollar_days_bridge"  # more of it is nothing good
    measures = ["absolute", *["relative"] * (len(series["x"]) - 2), "total"]
    values = [*series["y"][:-1], 0]  # the total is the sum
    bars = go.Waterfall(
        x=[_words(name) for name in series["x"]],
        y=values,
        measure=measures,
        increasing={"marker": {"color": COLOURS[5] if waiting else COLOURS[2]}},
        decreasing={"marker": {"color": COLOURS[2] if waiting else COLOURS[5]}},
        totals={"marker": {"color": COLOURS[0]}},
        connector={"line": {"color": GRID}},
        text=[short(value) for value in series["y"]],
        textposition="outside",
        cliponaxis=False,
        name=series["name"],
    )
    figure = go.Figure(bars)
    low = min(*_levels(series["y"][:-1]))
    high = max(*_levels(series["y"][:-1]))
    room = (high - low or abs(high) or 1) * 0.6
    figure.update_yaxes(
        title_text=f"{series['name']}, {series['unit']}", exponentformat="B", range=[low - room, high + room]
    )
    figure.update_layout(height=380, showlegend=False)
    return figure


def short(value: float) -> str:
    """An amount in four characters or so: 60.8m, 1.39bn."""
    for size, name in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{name}"
    return f"{value:.3g}"


def _levels(values: Sequence[float]) -> list[float]:
    """Where a waterfall stands after each step, twice where there is one alone."""
    levels, level = [], 0.0
    for value in values:
        level += value
        levels.append(level)
    return levels if len(levels) > 1 else [*levels, *levels]


def _sankey(data: Mapping[str, Any]) -> go.Figure:
    uses = {row[1] for row in data["rows"]}
    names = [*dict.fromkeys(row[0] for row in data["rows"]), *(f"→ {use}" for use in sorted(uses))]
    links = {
        "source": [names.index(row[0]) for row in data["rows"]],
        "target": [names.index(f"→ {row[1]}") for row in data["rows"]],
        "value": [float(row[2]) for row in data["rows"]],
        "color": "rgba(86,180,233,0.35)",
    }
    nodes = {"label": [_words(name) for name in names], "pad": 14, "thickness": 14, "color": COLOURS[0]}
    figure = go.Figure(
        go.Sankey(
            node=nodes,
            link=links,
            textfont={"shadow": "none"},
            valueformat=",.2f",
            valuesuffix=f" {data['columns'][2]['unit']}",
        )
    )
    figure.update_layout(height=420)
    return figure


def _fan(data: Mapping[str, Any]) -> go.Figure:
    figure = go.Figure()
    series = data["series"]
    middle = len(series) // 2
    for width in range(middle, 0, -1):
        low, high = series[middle - width], series[middle + width]
        band = {"mode": "lines", "line": {"width": 0}, "x": low["x"]}
        figure.add_trace(go.Scatter(**band, y=low["y"], showlegend=False, name=low["name"]))
        name = f"{low['name'].split()[0]} to {high['name'].split()[0]}"
        colour = f"rgba(0,114,178,{0.15 + 0.15 * (middle - width)})"
        figure.add_trace(go.Scatter(**band, y=high["y"], fill="tonexty", fillcolor=colour, name=name))
    line = {"color": COLOURS[0], "width": 2}
    figure.add_trace(go.Scatter(x=series[middle]["x"], y=series[middle]["y"], name="median", line=line))
    figure.update_yaxes(**_ticks(series[0]["unit"], []))
    figure.update_layout(height=360)
    return figure


def _table(data: Mapping[str, Any]) -> go.Figure:
    heads = [_words(column["name"]) for column in data["columns"]]
    cells = (
        [[_shown(value) for value in column] for column in zip(*data["rows"], strict=True)]
        if data["rows"]
        else [[] for _ in heads]
    )
    figure = go.Figure(
        go.Table(
            header={"values": heads, "fill_color": GRID, "align": "left"},
            cells={"values": cells, "fill_color": "rgba(0,0,0,0)", "align": "left", "line": {"color": GRID}},
        )
    )
    figure.update_layout(height=min(600, 120 + 26 * len(data["rows"])))
    return figure


def _shown(value: Any) -> Any:
    return f"{value:,}" if isinstance(value, int) else value


def numbers(data: Mapping[str, Any]) -> tuple[list[str], list[list[Any]]]:
    """Heads and rows of a chart's or table's numbers: one row an x, one column a series."""
    if data["schema"] == "fundclock.table/1":
        return [_head(column["name"], column["unit"]) for column in data["columns"]], [
            list(row) for row in data["rows"]
        ]
    places: dict[str, list[Any]] = {}
    for number, series in enumerate(data["series"]):
        for x, y in zip(series["x"], series["y"], strict=True):
            places.setdefault(x, [None] * len(data["series"]))[number] = y
    heads = [data["x_label"], *(_head(series["name"], series["unit"]) for series in data["series"])]
    order = sorted(places) if data["x_label"] in DATES else list(places)
    return heads, [[x, *places[x]] for x in order]


def _head(name: str, unit: str) -> str:
    return _words(name) if unit in ("name", "date", "number", "year", "text", name) else f"{_words(name)}, {unit}"


def _colour(chart: str, name: str, number: int) -> str:
    if chart == "risk_before_after":
        return COLOURS[0] if name.endswith(" before") else COLOURS[1]
    return (
        next((colour for zone, colour in ZONES.items() if name.startswith(f"{zone} ") or name == zone), None)
        or (COLOURS[number % len(COLOURS)])
    )


def _hover(unit: str) -> str:
    return {"share": ".2%", "decimal": ".2%", "ratio": ".3f", "index": ".3f", "number": ",d"}.get(unit, ",.2f")


def _words(name: str) -> str:
    return name.replace("_", " ")
