"""Two runs beside each other: figures, differences, where a fork comes from."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fundclock.app.cli.tables.records import one_line
from fundclock.app.cli.tables.style import titled
from fundclock.app.labels import METRICS, difference, label, metric, number, signed
from fundclock.scenarios.comparisons.compare import compare
from fundclock.scenarios.comparisons.diff import CHANGES, Diff
from fundclock.scenarios.runs.manifest import calendar_of
from fundclock.scenarios.runs.recorded import RecordedRun


def comparison_table(first: RecordedRun, second: RecordedRun, rows: Iterable[Mapping[str, Any]]) -> Table:
    """Two runs side by side; the last column is second less first."""
    table = Table(
        title=f"{first.manifest.name} and {second.manifest.name}, seed {first.manifest.seed}", title_justify="left"
    )
    table.add_column("")
    for head in (first.manifest.name, second.manifest.name, "difference"):
        table.add_column(head, justify="right")
    for row in rows:
        name, known = row["metric"], METRICS.get(row["metric"])
        if known is None:
            continue
        change = difference(row["delta"], known.unit)
        table.add_row(known.text, metric(name, row["first"]), metric(name, row["second"]), change)
    return table


def fork_line(run: RecordedRun) -> str:
    """Where a fork comes from."""
    if run.divergence_seq is None:
        return f"fork of {run.parent}: nothing is changed, the records are the same"
    return f"fork of {run.parent}: other records from seq {run.divergence_seq} on"


def diff_tables(found: Diff, limit: int) -> RenderableType:
    """Everything in which two runs differ."""
    data = found.as_json(limit)
    parts: list[RenderableType] = []
    names = [data["first"] or "first", data["second"] or "second"]
    if found.same:
        return Text(f"{names[0]} and {names[1]} are the same, byte for byte")
    if found.settings:
        table = titled("Not the same scenario: these differ from the start", "Key", "First", "Second")
        for row in found.settings[:limit]:
            table.add_row(row["key"], str(row["first"]), str(row["second"]))
        parts.append(table)
    if found.first_difference is not None:
        parts.append(Text("First record that differs", style="bold"))
        for run, record in zip((found.first, found.second), found.first_difference, strict=True):
            parts.append(Text("  the log is over") if record is None else one_line(record, calendar_of(run.manifest)))
    metrics = titled("Figures", "", "First", "Second", "Difference")
    for row in compare(found.first, found.second):
        name, known = row["metric"], METRICS.get(row["metric"])
        if known is not None and (shown := signed(row["delta"], known.unit)) != "–":
            metrics.add_row(known.text, metric(name, row["first"]), metric(name, row["second"]), shown)
    money = titled("Money by account of the ledger", "Account", "First", "Second", "Difference")
    for row in data["money"]:
        if Decimal(row["delta"]):
            money.add_row(
                label(row["account"], "account"),
                number(row["first"], "money"),
                number(row["second"], "money"),
                signed(row["delta"], "money"),
            )
    timing = titled("Dollar-days by reason", "Reason", "First", "Second", "Difference")
    for row in data["timing"]:
        if Decimal(row["delta"]):
            timing.add_row(
                label(row["reason"], "reason"),
                number(row["first"], "money"),
                number(row["second"], "money"),
                signed(row["delta"], "money"),
            )
    kinds = titled("Records by what they are about", "Kind", "Same", "Moved", "Changed", "Only first", "Only second")
    for kind, counts in data["kinds"].items():
        kinds.add_row(kind, *(number(counts[change] or None, "count") for change in CHANGES))
    only = titled(
        f"In one run only ({min(limit, data['only_in_one_total'])} of {number(data['only_in_one_total'], 'count')})",
        "In", "Kind", "What", "Date", left=4,
    )  # fmt: skip
    for row in data["only_in_one"]:
        record = row["first"] or row["second"]
        only.add_row(row["in"], row["kind"], row["key"], record["date"])
    parts += [table for table in (metrics, money, timing, kinds, only) if table.row_count]
    return Group(*parts)
