"""The timing audit: dollar-days, promises, latencies, the ladder, other orders of a day; and headroom."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from rich.bar import Bar
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fundclock.app.cli.tables.style import titled
from fundclock.app.labels import label, number, signed
from fundclock.scenarios.timing.audit import Audit
from fundclock.scenarios.timing.headroom import FirstBreach, Limit


def audit_tables(found: Audit, width: int) -> RenderableType:
    """An audit's tables, for so many columns."""
    data = found.as_json()
    total = found.dollar_days.total
    name = found.run.name or found.run.manifest.name
    days = titled(f"{name}: where the dollar-days went", "Reason", "Dollar-days", "Share", "Indicative carry")
    days.add_column("", width=24)
    for reason, cents in found.dollar_days.by_reason().items():
        share = cents / total if total else 0.0
        days.add_row(
            label(reason, "reason"),
            number(data["dollar_days"][reason], "money"),
            number(share, "share", 1),
            number(data["indicative_carry"][reason], "money"),
            Bar(1.0, 0.0, share, width=24),
        )
    days.add_section()
    days.add_row("All cash and reserve", number(data["cash_integral"], "money"), number(1.0, "share", 1), "", "")
    uses = titled("Dollar-days by source and final use", "Source", "Use", "Dollar-days", left=2)
    sums: dict[tuple[str, str], Decimal] = {}
    for row in data["dollar_days_by"]:
        key = (row["source"], row["use"])
        sums[key] = sums.get(key, Decimal(0)) + Decimal(row["dollar_days"])
    for (source, use), amount in sorted(sums.items(), key=lambda item: -item[1]):
        uses.add_row(label(source, "flow"), label(use, "flow"), number(amount, "money"))
    waits = titled("Waits that are not cash", "", "Items", "Mean days", "Dollar-days")
    for name, row in data["waits"].items():
        if row["items"]:
            mean = number(row["mean_days"], "days")
            waits.add_row(label(name, "wait"), number(row["items"], "count"), mean, number(row["dollar_days"], "money"))
    parts: list[RenderableType] = [days, uses, waits, _promises(data["promises"]), _latencies(data["latencies"])]
    if found.ladder is not None:
        parts.append(_ladder(data, width))
    if found.tie_order is not None:
        parts.append(_ties(data["tie_order"]))
    return Group(*parts)


def _promises(data: Mapping[str, Any]) -> Table:
    table = titled("Promised and kept", "Command", "Promised", "Kept", "Cut", "No", "Cancelled", "Days ahead", "Lag")
    for kind, row in data.items():
        refused = row["declined"] + row["rejected"]
        counts = (row["promises"], row["kept"], row["cut"], refused, row["cancelled"])
        days = (number(row[name], "days") for name in ("mean_days_ahead", "mean_lag_days"))
        table.add_row(kind, *(number(count or None, "count") for count in counts), *days)
    return table


def _latencies(data: Mapping[str, Any]) -> RenderableType:
    table = titled("When did we know?", "Condition", "Times", "Unseen", "Mean days to see", "Longest", "Days to cure")
    for what, row in data["conditions"].items():
        figures = (row["mean_days_to_see"], row["max_days_to_see"], row["mean_days_to_cure"])
        counts = (number(count, "count") for count in (row["times"], row["unseen"] or None))
        table.add_row(label(what, "condition"), *counts, *(number(figure, "days") for figure in figures))
    if data["shadow_tests"]:
        return table
    return Group(table, Text("since when a test would have failed: --shadow", style="dim"))


def _ladder(data: Mapping[str, Any], width: int) -> RenderableType:
    """On a narrow terminal in thousands, and on a very narrow one without the future value."""
    rate = number(data["future_value_rate"], "share")
    title = f"What timing cost (future value at {rate} on {data['future_value_date']})"
    wide, future = width >= WIDE, width >= NARROW
    heads = ["LP net cash", "Step", *(["Future value", "Step"] if future else []), "Net IRR", "Step"]
    table = titled(title if wide else f"{title}, thousands", "Rung", *heads)

    def money(value: str | None, step: bool) -> str:
        if value is None:
            return ""
        if wide:
            return signed(value, "money") if step else number(value, "money")
        thousands = Decimal(value) / 1000
        return signed(thousands, "money", 1) if step else number(thousands, "money", 1)

    for row in data["steps"]:
        if not row["applies"]:
            reason = f"{label(row['name'], 'rung')}: {row['reason']}".splitlines()[0]
            table.add_row(Text(reason, style="dim"), *[""] * len(heads))
            continue
        cells = [money(row["net_cash"], False), money(row["delta_net_cash"], True)]
        if future:
            cells += [money(row["future_value"], False), money(row["delta_future_value"], True)]
        cells += [
            number(row["net_irr"], "share", 4),
            "" if row["delta_net_cash"] is None else signed(row["delta_irr"], "share"),
        ]
        table.add_row(label(row["name"], "rung"), *cells)
    foot = f"each rung on those before it; residual {data['residual']}; conditions of scripts {data['conditions']}"
    parts: list[RenderableType] = [table, Text(foot, style="dim")]
    if "shapley" in data:
        shares = titled("The same in every order (Shapley)", "Rung", "LP net cash", "Future value", "Net IRR")
        for name, row in data["shapley"].items():
            shares.add_row(
                label(name, "rung"),
                signed(row["net_cash"], "money"),
                signed(row["future_value"], "money"),
                signed(row["net_irr"], "share"),
            )
        parts.append(shares)
    return Group(*parts)


WIDE, NARROW = 130, 95
"""Columns that the ladder needs with all its cents, and in thousands."""


def _ties(data: Mapping[str, Any]) -> RenderableType:
    low, high = data["net_cash"]
    table = titled("Other orders of a day", "Order", "LP net cash", "Net IRR")
    for name, row in data["variants"].items():
        rate = signed(row["delta_irr"], "share")
        table.add_row(label(name), signed(row["delta_net_cash"], "money"), rate)
    for name, why in data["failed"].items():
        table.add_row(label(name), why, "")
    return Group(table, Text(f"LP net cash from {number(low, 'money')} to {number(high, 'money')}", style="dim"))


def headroom_table(limits: Iterable[Limit]) -> Table:
    """The limits of a headroom search."""
    table = titled("Headroom by forks", "", "Holds", "Fails", "Unit", "Breach", left=1)
    for limit in limits:
        breach = "none up to there" if limit.breach is None else _breach(limit.breach)
        shown = [number(None if value is None else f"{value:g}", "text") for value in (limit.holds, limit.fails)]
        table.add_row(label(limit.name, "limit"), *shown, limit.unit, breach)
    return table


def _breach(breach: FirstBreach) -> str:
    return f"{label(breach.facility)}, {label(breach.test or breach.kind)}, on {breach.date}"
