"""How a run's reinvestment, and the numbers of a chart, look on a terminal."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

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


def reinvestment_view(report: Mapping[str, Any]) -> RenderableType:
    """Key figures, activity by year, each reinvestment, what was declined, the reserve and the risk."""
    summary, risk = report["summary"], report["risk"]
    visualization = report["visualization"]
    parts: list[RenderableType] = [_figures(visualization["kpis"])]
    if not report["events"]:
        parts.append("Nothing was reinvested.")
    else:
        parts.append(data_table(visualization["tables"]["reinvestment_summary_table"]))
        parts.append(_events(report["events"], risk["events"]))
        parts.append(_risk(risk))
    if summary["declined"]:
        parts.append(_declined(summary["declined"]))
    if summary["cash_reserve_history"]:
        parts.append(_reserve(summary["cash_reserve_metrics"]))
    return Group(*parts)


def chart_view(data: Mapping[str, Any]) -> RenderableType:
    """A chart's numbers: one table for all series that share their x, then the thresholds."""
    if "rows" in data:
        return data_table(data)
    parts: list[RenderableType] = []
    left = list(data["series"])
    while left:
        shared = [series for series in left if series["x"] == left[0]["x"]]
        left = [series for series in left if series["x"] != shared[0]["x"]]
        table = Table(title=data["title"], title_justify="left")
        table.add_column(data["x_label"].capitalize())
        for series in shared:
            table.add_column(f"{series['name']}, {series['unit']}", justify="right")
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
        table.add_column(column["name"].replace("_", " ").capitalize(), justify="right" if number else "left")
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
        return f"{value:.2%}"
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
    """One row a reinvestment: shares got by zone (wanted in brackets), and what it did to the risk score."""
    table = Table(title="Reinvestments: shares that zones got (were to get)", title_justify="left")
    zones = list(events[0]["target_allocations"])
    for head in ("Date", "Trigger", "Strategy"):
        table.add_column(head, no_wrap=True)
    for head in ("Amount", "Loans", *zones, "Score", "Change"):
        table.add_column(head, justify="right", no_wrap=True)
    for event, risk in zip(events, risks, strict=True):
        change = risk["change"]
        table.add_row(
            event["timestamp"],
            event["trigger"],
            event["strategy_used"],
            f"{Decimal(event['amount']):,.0f}",
            str(event["num_loans_generated"]),
            *(f"{event['actual_allocations'][zone]:.0%} ({event['target_allocations'][zone]:.0%})" for zone in zones),
            f"{risk['after']['score']:.4f}",
            "–" if change is None else f"{change['score']:+.4f}",
        )
    return table


def _risk(risk: Mapping[str, Any]) -> Table:
    table = Table(title="Risk of the book", title_justify="left")
    table.add_column("")
    for head in ("before the first", "after the last", "change"):
        table.add_column(head, justify="right")
    latest, trend = risk["latest"], risk["trend"]
    for name, label in MEASURES.items():
        table.add_row(label, f"{latest[name] - trend[name]:.4f}", f"{latest[name]:.4f}", f"{trend[name]:+.4f}")
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
