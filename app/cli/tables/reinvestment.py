"""What reinvestment did in a run."""

from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from fundclock.app.cli.tables.charts import data_table
from fundclock.app.cli.tables.style import narrow, pairs, titled
from fundclock.app.labels import REINVESTMENT, RISK, difference, label, metric, number, signed, words


def reinvestment_tables(report: Mapping[str, Any]) -> RenderableType:
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


def _figures(kpis: Mapping[str, Any]) -> Table:
    table = pairs("Reinvestment")
    for name, found in REINVESTMENT.items():
        table.add_row(found.text, metric(name, kpis[name]))
    return table


def _events(events: list[dict[str, Any]], risks: list[dict[str, Any]]) -> Table:
    """One row a reinvestment: what it lent, and what it did to the risk score."""
    strategies = {event["strategy_used"] for event in events}
    title = "Reinvestments" + (f" ({words(strategies.pop())})" if len(strategies) == 1 else "")
    table = narrow(title)
    for head in ("Date", "Trigger", *(["Strategy"] if strategies else [])):
        table.add_column(head, no_wrap=True)
    for head in ("Amount", "Carried", "Loans", "Score", "Change"):
        table.add_column(head, justify="right", no_wrap=True)
    for event, risk in zip(events, risks, strict=True):
        change = risk["change"]
        table.add_row(
            event["timestamp"],
            label(event["trigger"]),
            *([label(event["strategy_used"])] if strategies else []),
            number(event["amount"], "money", 0),
            number(event["carried"], "money", 0),
            number(event["num_loans_generated"], "count"),
            number(risk["after"]["score"], "index"),
            signed(None if change is None else change["score"], "index"),
        )
    return table


def _shares(events: list[dict[str, Any]]) -> Table:
    """What each zone got of each reinvestment, and was to get."""

    def cell(event: dict[str, Any], zone: str) -> str:
        got, aim = (number(event[f"{what}_allocations"][zone], "share", 0) for what in ("actual", "target"))
        return f"{got} ({aim})"

    return _by_zone("Shares that zones got (were to get, by the strategy, of this amount)", events, cell)


def _adjustments(events: list[dict[str, Any]]) -> Table:
    """What dynamic allocation added to each zone's share."""
    moved = [event for event in events if event["performance_adjustments"]]
    return _by_zone(
        "Moved by performance", moved, lambda event, zone: difference(event["performance_adjustments"][zone], "share")
    )


def _by_zone(title: str, events: list[dict[str, Any]], cell: Callable[[dict[str, Any], str], str]) -> Table:
    table = narrow(title)
    table.add_column("Date", no_wrap=True)
    zones = list(events[0]["target_allocations"])
    for zone in zones:
        table.add_column(label(zone, "zone"), justify="right", no_wrap=True)
    for event in events:
        table.add_row(event["timestamp"], *(cell(event, zone) for zone in zones))
    return table


def _risk(risk: Mapping[str, Any]) -> Table:
    """The book before the first reinvestment and after the last, and what of the change reinvestments brought."""
    table = narrow("Risk of the book (a lower score is better)")
    table.add_column("")
    for head in ("Before the first", "After the last", "Change", "By reinvestments"):
        table.add_column(head, justify="right")
    latest, trend, part = risk["latest"], risk["trend"], risk["by_reinvestment"]
    for name, found in RISK.items():
        if name not in latest:
            continue
        before = latest[name] - trend[name]
        values = [number(value, found.unit) for value in (before, latest[name])]
        table.add_row(found.text, *values, *(difference(change[name], found.unit) for change in (trend, part)))
    return table


def _declined_by_hand(rows: list[dict[str, Any]]) -> Table:
    table = narrow("Manual reinvestments that were declined")
    for head in ("Date", "Reason"):
        table.add_column(head, no_wrap=True)
    for head in ("Amount", "Available", "Shortfall"):
        table.add_column(head, justify="right", no_wrap=True)
    for row in rows:
        amounts = (row[name] for name in ("amount", "available", "shortfall"))
        cells = (number(amount, "money") for amount in amounts)
        table.add_row(row["date"], label(row["reason"]), *cells)
    return table


def _declined(declined: Mapping[str, Any]) -> Table:
    table = titled("Declined", "Reason", "Times", "Sum of amounts")
    for reason, row in declined.items():
        table.add_row(label(reason), number(row["times"], "count"), number(row["amount"], "money"))
    return table


def _reserve(metrics: Mapping[str, Any]) -> Table:
    table = pairs("Cash reserve")
    for name in ("min", "target", "max", "average", "peak"):
        table.add_row(label(name), number(metrics[name], "money"))
    for what, amount in metrics["movements"].items():
        table.add_row(label(what), number(amount, "money"))
    return table
