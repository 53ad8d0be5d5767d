"""Records: in a table, on one line, as a tree of causes; and the state that they fold to."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from fundclock.app.cli.tables.style import pairs, titled
from fundclock.app.labels import label, number
from fundclock.events.dates import Calendar
from fundclock.events.record import Record
from fundclock.scenarios.views.why import Effect, Why


def brief(record: Record, width: int = 70) -> str:
    """A record's payload in one short line."""
    parts = []
    for name, value in record.payload.model_dump(mode="json", exclude={"kind"}, exclude_none=True).items():
        if isinstance(value, dict) and "kind" in value:
            value = value["kind"]
        elif isinstance(value, dict | list) and len(value) > 3:
            value = f"{len(value)} entries"
        elif name.endswith("_cents") and isinstance(value, int):
            name, value = name.removesuffix("_cents"), number(value / 100, "money")
        elif isinstance(value, float):
            value = f"{value:.6g}"
        parts.append(f"{name}={value}")
    text = " ".join(parts)
    return text if len(text) <= width else text[: width - 1] + "…"


def records_table(records: Iterable[Record], calendar: Calendar, width: int) -> Table:
    """Records in a table."""
    table = Table(box=None, pad_edge=False)
    for head in ("Seq", "Date", "Phase", "Kind", "Cause", ""):
        table.add_column(head, justify="right" if head in ("Seq", "Cause") else "left", no_wrap=True)
    for record in records:
        cause = "" if record.cause is None else str(record.cause)
        table.add_row(
            str(record.seq),
            calendar.date(record.day).isoformat(),
            record.phase,
            record.kind,
            cause,
            Text(brief(record, max(width - 78, 20))),
        )
    return table


def one_line(record: Record, calendar: Calendar) -> Text:
    """A record on one line of a tree."""
    return Text.assemble(
        (f"{record.seq} ", "bold"), f"{calendar.date(record.day)} ", (f"{record.kind} ", "cyan"), brief(record)
    )


def why_tree(found: Why, calendar: Calendar) -> RenderableType:
    """The causes of a record from its root down, what it led to, and the lots that paid for it."""
    chain = [*found.causes, found.tree.record]
    root = tree = Tree(one_line(chain[0], calendar))
    for record in chain[1:]:
        tree = tree.add(one_line(record, calendar))
    _add_effects(tree, found.tree, calendar)
    if not found.lots:
        return root
    lots = Tree(Text("paid for by", style="bold"))
    for record in found.lots:
        lots.add(one_line(record, calendar))
    return Group(root, lots)


def _add_effects(tree: Tree, effect: Effect, calendar: Calendar) -> None:
    for inner in effect.effects:
        _add_effects(tree.add(one_line(inner.record, calendar)), inner, calendar)


def state_table(summary: Mapping[str, Any]) -> RenderableType:
    """A replayed state: what there is, and the ledger's balances."""
    table = pairs(f"{summary['run']} on {summary['date']}")
    for name, title in (("cash", "Cash"), ("reserve", "Reserve"), ("nav", "NAV")):
        table.add_row(title, number(summary[name], "money"))
    for name, count in summary["loans"].items():
        table.add_row(f"Loans {number(name, 'name')}", number(count, "count"))
    table.add_row("Pending commands", number(summary["pending_commands"], "count"))
    ledger = titled("Ledger (debits above zero)", "Account", "", "Balance", left=2)
    for account, balance in summary["ledger"].items():
        ledger.add_row(account, label(account, "account"), number(balance, "money"))
    return Group(table, ledger, Text(f"state digest {summary['state_digest']}", style="dim"))
