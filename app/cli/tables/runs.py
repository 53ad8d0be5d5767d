"""The figures of a run: totals, by quarter, as cash flows."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fundclock.app.cli.tables.style import pairs, titled
from fundclock.app.labels import DEBT_METRICS, FLOWS, METRICS, ZONES, label, metric, number, words
from fundclock.events.dates import Calendar
from fundclock.scenarios.runs.recorded import RecordedRun


def run_table(run: RecordedRun) -> RenderableType:
    """A run's figures and its zones."""
    shown = pairs(f"{run.manifest.name}, seed {run.manifest.seed}")
    labels = {**METRICS, **(DEBT_METRICS if run.state.facilities.by_name else {})}
    for name, found in labels.items():
        if run.metrics[name] is not None:
            shown.add_row(found.text, metric(name, run.metrics[name]))
    zones = titled("Zones", "Zone", *(found.text for found in ZONES.values()))
    for name, zone in run.metrics["zones"].items():
        zones.add_row(label(name, "zone"), *(metric(key, zone[key]) for key in ZONES))
    name = f"run {run.name}, " if run.name else ""
    records, days = number(len(run.log), "count"), number(run.state.day, "count")
    foot = Text(f"{name}{records} records, {days} days, head {run.head_hash[:16]}…", style="dim")
    missing = sorted(label(key) for key, value in run.metrics.items() if value is None)
    note = Text(f"Not computed: {', '.join(missing)} (reasons: --json)", style="dim") if missing else Text()
    return Group(shown, zones, foot, note)


def quarters_table(run: RecordedRun, calendar: Calendar) -> Table:
    """Net figures at each quarter's end."""
    table = Table(
        title=f"{run.manifest.name}, seed {run.manifest.seed}: the limited partners by quarter", title_justify="left"
    )
    for head in ("Quarter-end", "NAV", "Paid in", "Paid out", "TVPI", "DPI", "RVPI", "PIC", "Net IRR", "Return"):
        table.add_column(head, justify="left" if head == "Quarter-end" else "right", no_wrap=True)
    for row in run.quarters:
        multiples = (number(value, "multiple") for value in (row.tvpi, row.dpi, row.rvpi, row.pic))
        rate = words(row.irr_status) if row.net_irr is None else number(row.net_irr, "share")
        amounts = (row.nav_cents, row.contributed_cents, row.distributed_cents)
        money = (number(cents / 100, "money", 0) for cents in amounts)
        earned = number(row.return_, "share")
        table.add_row(calendar.date(row.day).isoformat(), *money, *multiples, rate, earned)
    return table


def flows_table(rows: Iterable[Mapping[str, Any]]) -> Table:
    """Cash flows by period, in thousands; columns without any movement are left out."""
    rows = list(rows)
    names = [name for name in rows[0] if name == "period" or any(Decimal(row[name]) for row in rows)] if rows else []
    cells = [
        [row[name] if name == "period" else number(Decimal(row[name]) / 1000, "money", 0) for name in names]
        for row in rows
    ]
    table = Table(title="Cash flows, thousands", title_justify="left")
    for name, column in zip(names, zip(*cells, strict=True), strict=True):
        longest = max(map(len, (*column, *FLOWS[name].text.split())))
        justify: Literal["left", "right"] = "left" if name == "period" else "right"
        table.add_column(FLOWS[name].text, justify=justify, min_width=longest)  # heads may wrap, numbers not
    for row_cells in cells:
        table.add_row(*row_cells)
    return table
