"""How a run's reinvestment, and the numbers of a chart, look on a terminal."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table

KPIS = {
    "total_reinvested": "Reinvested",
    "num_reinvestment_events": "Reinvestments",
    "num_reinvestment_loans": "Loans made",
    "avg_reinvestment_amount": "Mean amount",
    "reinvestment_ratio": "Reinvested of what came in",
    "reinvestment_portfolio_impact": "Reinvested of all that was lent",
    "avg_time_to_reinvest": "Mean days to reinvest",
    "reinvestment_roi": "Return of reinvested loans on cost",
}
SHARES = ("reinvestment_ratio", "reinvestment_portfolio_impact", "reinvestment_roi")
MEASURES = {
    "average_ltv": "Average LTV",
    "hhi_zone": "HHI by zone",
    "hhi_loan": "HHI by loan",
    "top5": "Five largest",
    "top10": "Ten largest",
    "score": "Score",
    "expected_return": "Expected return",
}


COLUMNS = 4
"""Series side by side in one table of a chart's numbers."""

HEADS = {
    "event_id": "Event",
    "timestamp": "Date",
    "strategy_used": "Strategy",
    "num_loans_generated": "Loans",
    "cash_reserve_before": "Reserve before",
    "cash_reserve_after": "after",
}


def reinvestment_view(report: Mapping[str, Any]) -> RenderableType:
    """Key figures, activity by year, the reserve, risk and what was declined, then each reinvestment."""
    summary, risk, events = report["summary"], report["risk"], report["events"]
    visualization = report["visualization"]
    parts: list[RenderableType] = [_figures(visualization["kpis"])]
    if not events:
        parts.append("Nothing was reinvested.")
    else:
        parts.append(data_table(visualization["tables"]["reinvestment_summary_table"]))
        parts.append(_risk(risk))
    if summary["cash_reserve_history"]:
        parts.append(_reserve(summary["cash_reserve_metrics"]))
    if summary["declined"]:
        parts.append(_declined(summary["declined"]))
    if summary["declined_by_hand"]:
        parts.append(_declined_by_hand(summary["declined_by_hand"]))
    if events:
        parts += [_events(events, risk["events"]), _shares(events)]
    if any(event["performance_adjustments"] for event in events):
        parts.append(_adjustments(events))
    return Group(*parts)


def chart_view(data: Mapping[str, Any]) -> RenderableType:
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
            unit = "" if series["unit"] in ("share", "index", "number") else f", {series['unit']}"
            table.add_column(f"{series['name']}{unit}", justify="right", no_wrap=True)
        for place, x in enumerate(shared[0]["x"]):
            table.add_row(x, *(_value(series["y"][place], series["unit"]) for series in shared))
        parts.append(table)
    for level in data["thresholds"]:
        steps = ", ".join(f"{_value(y, level['unit'])} from {x}" for x, y in zip(level["x"], level["y"], strict=True))
        parts.append(f"{level['name']}: {steps}")
    return Group(*parts)


def data_table(data: Mapping[str, Any]) -> Table:
    """A table's data as a table."""
    table = Table(title=data["title"], title_justify="left")
    for column in data["columns"]:
        number = column["unit"] not in ("name", "date", "year")
        head = HEADS.get(column["name"], column["name"].replace("_", " ").capitalize())
        table.add_column(head, justify="right" if number else "left", no_wrap=True)
    for row in data["rows"]:
        cells = zip(row, data["columns"], strict=True)
        table.add_row(*(_value(value, column["unit"]) for value, column in cells))
    return table


def _value(value: Any, unit: str) -> str:
    if value is None:
        return "–"
    if unit in ("name", "date", "year"):
        return str(value)
    if unit == "share":
        text = f"{value:.2%}"
        return "0.00%" if text == "-0.00%" else text
    if unit == "index":
        return f"{value:.4f}"
    if unit == "number":
        return f"{value:,.0f}"
    return f"{Decimal(str(value)):,.2f}"


def _figures(kpis: Mapping[str, Any]) -> Table:
    table = Table(title="Reinvestment", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, label in KPIS.items():
        value = kpis[name]
        if isinstance(value, str):
            text = f"{Decimal(value):,.2f}"
        elif value is None:
            text = "–"
        elif name in SHARES:
            text = f"{value:.1%}"
        else:
            text = f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"
        table.add_row(label, text)
    return table


def _events(events: list[dict[str, Any]], risks: list[dict[str, Any]]) -> Table:
    """One row a reinvestment: what it lent, and what it did to the risk score."""
    strategies = {event["strategy_used"] for event in events}
    title = "Reinvestments" + (f" ({strategies.pop()})" if len(strategies) == 1 else "")
    table = _plain(title)
    for head in ("Date", "Trigger", *(["Strategy"] if strategies else [])):
        table.add_column(head, no_wrap=True)
    for head in ("Amount", "Carried", "Loans", "Score", "Change"):
        table.add_column(head, justify="right", no_wrap=True)
    for event, risk in zip(events, risks, strict=True):
        change = risk["change"]
        table.add_row(
            event["timestamp"],
            event["trigger"].replace("_", " "),
            *([event["strategy_used"].replace("_", " ")] if strategies else []),
            f"{Decimal(event['amount']):,.0f}",
            f"{Decimal(event['carried']):,.0f}",
            str(event["num_loans_generated"]),
            f"{risk['after']['score']:.4f}",
            "–" if change is None else _signed(change["score"]),
        )
    return table


def _shares(events: list[dict[str, Any]]) -> Table:
    """What each zone got of each reinvestment, and was to get."""

    def cell(event: dict[str, Any], zone: str) -> str:
        return f"{event['actual_allocations'][zone]:.0%} ({event['target_allocations'][zone]:.0%})"

    return _by_zone("Shares that zones got (were to get, by the strategy, of this amount)", events, cell)


def _adjustments(events: list[dict[str, Any]]) -> Table:
    """What dynamic allocation added to each zone's share."""
    moved = [event for event in events if event["performance_adjustments"]]
    return _by_zone(
        "Moved by performance, percentage points",
        moved,
        lambda event, zone: f"{event['performance_adjustments'][zone] * 100:+.1f}",
    )


def _by_zone(title: str, events: list[dict[str, Any]], cell: Callable[[dict[str, Any], str], str]) -> Table:
    table = _plain(title)
    table.add_column("Date", no_wrap=True)
    zones = list(events[0]["target_allocations"])
    for zone in zones:
        table.add_column(zone, justify="right", no_wrap=True)
    for event in events:
        table.add_row(event["timestamp"], *(cell(event, zone) for zone in zones))
    return table


def _risk(risk: Mapping[str, Any]) -> Table:
    """The book before the first reinvestment and after the last, and what of the change reinvestments brought."""
    table = _plain("Risk of the book (a lower score is better)")
    table.add_column("")
    for head in ("Before the first", "After the last", "Change", "By reinvestments"):
        table.add_column(head, justify="right")
    latest, trend, part = risk["latest"], risk["trend"], risk["by_reinvestment"]
    for name, label in MEASURES.items():
        before = latest[name] - trend[name]
        table.add_row(label, f"{before:.4f}", f"{latest[name]:.4f}", _signed(trend[name]), _signed(part[name]))
    return table


def _signed(value: float) -> str:
    text = f"{value:+.4f}"
    return "0.0000" if float(text) == 0 else text


def _plain(title: str) -> Table:
    """A table that fits a narrow terminal."""
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)


def _declined_by_hand(rows: list[dict[str, Any]]) -> Table:
    table = _plain("Manual reinvestments that were declined")
    for head in ("Date", "Reason"):
        table.add_column(head, no_wrap=True)
    for head in ("Amount", "Available", "Shortfall"):
        table.add_column(head, justify="right", no_wrap=True)
    for row in rows:
        amounts = (row[name] for name in ("amount", "available", "shortfall"))
        cells = ("–" if amount is None else f"{Decimal(amount):,.2f}" for amount in amounts)
        table.add_row(row["date"], row["reason"].replace("_", " "), *cells)
    return table


def _declined(declined: Mapping[str, Any]) -> Table:
    table = Table(title="Declined", title_justify="left")
    table.add_column("Reason")
    table.add_column("Times", justify="right")
    table.add_column("Amounts, summed", justify="right")
    for reason, row in declined.items():
        table.add_row(reason.replace("_", " "), f"{row['times']:,}", f"{Decimal(row['amount']):,.2f}")
    return table


def _reserve(metrics: Mapping[str, Any]) -> Table:
    table = Table(title="Cash reserve", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name in ("min", "target", "max", "average", "peak"):
        table.add_row(name.capitalize(), f"{Decimal(metrics[name]):,.2f}")
    for what, amount in metrics["movements"].items():
        table.add_row(what.replace("_", " ").capitalize(), f"{Decimal(amount):,.2f}")
    return table
