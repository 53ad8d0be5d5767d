"""What capital allocation did in a run."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from fundclock.app.labels import label, number, short


def allocation_tables(report: Mapping[str, Any]) -> Group:
    """Checks with the zones' shares and targets, orders, and what the market's state did."""
    checks = report["checks"]
    zones = list(checks[0]["weights"]) if checks else []
    table = Table(title="Allocation: share of the book (target)", title_justify="left")
    names = [label(zone, "zone") for zone in zones]
    for head in ("Date", *names, "Drift", "Idle", "Market", "Deployable", "Orders"):
        table.add_column(head, justify="left" if head in ("Date", "Market", "Orders") else "right", no_wrap=True)
    for row in checks:
        lent = any(row["current"].values())
        shares = [number(row["current"][zone] if lent else None, "share", 0) for zone in zones]
        aims = [number(row["weights"][zone], "share", 0) for zone in zones]
        market = row["volatility_state"] + (f", cost {row['cost_level']:g}" if row["cost_level"] else "")
        table.add_row(
            row["date"],
            *(f"{share} ({aim})" for share, aim in zip(shares, aims, strict=True)),
            number(row["max_drift"] if lent else None, "share", 1),
            number(row["idle"], "share", 0),
            market,
            Text(number(row["multiplier"], "share", 0), style="" if row["multiplier"] == 1 else "bold red"),
            _orders(row["rebalance"]),
        )
    states = Table(title="Market conditions", title_justify="left")
    for head in ("Date", "Record", "Event", "What"):
        states.add_column(head, justify="right" if head == "Record" else "left")
    for row in report["conditions"]:
        what = {key: value for key, value in row.items() if key not in ("seq", "date", "kind") and value is not None}
        text = " ".join(
            f"{key}={value:.3g}" if isinstance(value, float) else f"{key}={value}" for key, value in what.items()
        )
        states.add_row(row["date"], str(row["seq"]), row["kind"].removesuffix("/1"), text)
    return Group(table, states) if report["conditions"] else Group(table)


def _orders(rebalance: Mapping[str, Any] | None) -> str:
    if rebalance is None:
        return ""
    signs = {"increase": "+", "decrease": "−"}
    totals: dict[str, Decimal] = {}
    for order in rebalance["orders"]:
        key = signs[order["action"]] + label(order["zone"], "zone")
        totals[key] = totals.get(key, Decimal(0)) + Decimal(order["amount"])
    return ", ".join(f"{key} {short(float(amount))}" for key, amount in totals.items())
