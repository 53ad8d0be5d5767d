"""How runs, records and comparisons look on a terminal."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from events.dates import Calendar
from events.record import Record
from scenarios.causes import Effect, Why
from scenarios.run import Run

LABELS = {
    "net_irr": "Net IRR",
    "gross_irr": "Gross IRR",
    "pic": "PIC",
    "tvpi": "TVPI",
    "dpi": "DPI",
    "rvpi": "RVPI",
    "moic": "MOIC",
    "committed": "Committed",
    "contributed": "Contributed by LPs",
    "distributed": "Distributed to LPs",
    "nav": "NAV at the end",
    "management_fees": "Management fees",
    "carry": "Carry",
    "loans_originated": "Loans originated",
    "loans_exited": "Loans exited",
    "loans_defaulted": "Loans defaulted",
    "reinvested": "Reinvested",
    "reinvestment_count": "Reinvestments",
    "mean_days_to_reinvest": "Mean days to reinvest",
    "idle_dollar_days": "Idle dollar-days",
}
DEBT_LABELS = {
    "gross_levered_irr": "Gross IRR, levered",
    "net_irr_without_line": "Net IRR without the subscription line",
    "peak_debt": "Peak debt",
    "interest_paid": "Interest paid",
    "commitment_fees_paid": "Facility fees paid",
    "max_leverage_ratio": "Highest debt to NAV",
    "min_dscr": "Lowest DSCR tested",
    "covenant_breaches": "Covenant breaches",
}
"""Shown where the run has facilities."""
FLOW_HEADS = {
    "period": "Period",
    "opening": "Opening",
    "contributions": "Paid in",
    "principal": "Principal",
    "loan_interest": "Interest",
    "loan_gains": "Gains",
    "origination_fees": "Orig. fees",
    "cash_interest": "Yield",
    "fees_and_expenses": "Fees",
    "distributions": "Paid out",
    "carry": "Carry",
    "debt": "Debt",
    "debt_service": "Debt service",
    "closing": "Closing",
}
RATES = ("net_irr", "gross_irr", "gross_levered_irr", "net_irr_without_line", "max_leverage_ratio", "return")


def number(name: str, value: Any) -> str:
    """A figure for people: rates in per cent, money with separators."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return f"{Decimal(value):,.2f}"
    if name in RATES:
        return f"{value:.2%}"
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"


def run_view(run: Run) -> RenderableType:
    """A run's figures and its zones."""
    shown = Table(title=f"{run.manifest.name}, seed {run.manifest.seed}", title_justify="left", show_header=False)
    shown.add_column()
    shown.add_column(justify="right")
    labels = {**LABELS, **(DEBT_LABELS if run.state.facilities.by_name else {})}
    for name, label in labels.items():
        if run.metrics[name] is not None:
            shown.add_row(label, number(name, run.metrics[name]))
    zones = Table(title="Zones", title_justify="left")
    zones.add_column("Zone")
    for column in ("Originated", "Exited", "Defaulted", "Proceeds", "Gain", "Return"):
        zones.add_column(column, justify="right")
    for name, zone in run.metrics["zones"].items():
        zones.add_row(
            name,
            *(number(key, zone[key]) for key in ("originated", "exited", "defaulted", "proceeds", "gain", "return")),
        )
    name = f"run {run.name}, " if run.name else ""
    foot = Text(f"{name}{len(run.log):,} records, {run.state.day:,} days, head {run.head_hash[:16]}…", style="dim")
    missing = sorted(key for key, value in run.metrics.items() if value is None)
    note = Text(f"Not computed: {', '.join(missing)} (reasons: --json)", style="dim") if missing else Text()
    return Group(shown, zones, foot, note)


def comparison_view(first: Run, second: Run, rows: Iterable[Mapping[str, Any]]) -> Table:
    """Two runs side by side; the last column is second less first."""
    table = Table(
        title=f"{first.manifest.name} and {second.manifest.name}, seed {first.manifest.seed}", title_justify="left"
    )
    table.add_column("")
    for head in (first.manifest.name, second.manifest.name, "difference"):
        table.add_column(head, justify="right")
    for row in rows:
        name = row["metric"]
        if name not in LABELS:
            continue
        delta = row["delta"]
        text = f"{delta * 100:+.2f} pp" if name in RATES else number(name, delta)
        if name not in RATES and not text.startswith("-") and Decimal(str(delta)):
            text = f"+{text}"
        table.add_row(LABELS[name], number(name, row["first"]), number(name, row["second"]), text)
    return table


def quarters_view(run: Run, calendar: Calendar) -> Table:
    """Net figures at each quarter's end."""
    table = Table(
        title=f"{run.manifest.name}, seed {run.manifest.seed}: the limited partners by quarter", title_justify="left"
    )
    for head in ("Quarter's end", "NAV", "Paid in", "Paid out", "TVPI", "DPI", "RVPI", "PIC", "Net IRR", "Return"):
        table.add_column(head, justify="left" if head == "Quarter's end" else "right", no_wrap=True)
    for row in run.quarters:
        multiples = (f"{row[name]:.2f}" if row[name] is not None else "–" for name in ("tvpi", "dpi", "rvpi", "pic"))
        rate = f"{row['net_irr']:.2%}" if row["net_irr"] is not None else row["irr_status"]
        earned = f"{row['return']:.2%}" if row["return"] is not None else "–"
        money = (f"{Decimal(row[name]):,.0f}" for name in ("nav", "contributed", "distributed"))
        table.add_row(calendar.date(row["day"]).isoformat(), *money, *multiples, rate, earned)
    return table


def flows_view(rows: Iterable[Mapping[str, Any]]) -> Table:
    """Cash flows by period, in thousands; columns without any movement are left out."""
    rows = list(rows)
    names = [name for name in rows[0] if name == "period" or any(Decimal(row[name]) for row in rows)] if rows else []
    cells = [[row[name] if name == "period" else f"{Decimal(row[name]) / 1000:,.0f}" for name in names] for row in rows]
    table = Table(title="Cash flows, thousands", title_justify="left")
    for name, column in zip(names, zip(*cells, strict=True), strict=True):
        longest = max(map(len, (*column, *FLOW_HEADS[name].split())))
        justify: Literal["left", "right"] = "left" if name == "period" else "right"
        table.add_column(FLOW_HEADS[name], justify=justify, min_width=longest)  # heads may wrap, numbers not
    for row_cells in cells:
        table.add_row(*row_cells)
    return table


def runs_view(runs: Iterable[Any], width: int) -> Table:
    """The runs of a store; on a narrow terminal without their heads."""
    table = Table()
    heads = ["Run", "Scenario", "Seed", "Status", "Records", *(["Head"] if width >= 100 else []), "Fork of"]
    for head in heads:
        justify: Literal["left", "right"] = "right" if head in ("Seed", "Records") else "left"
        table.add_column(head, justify=justify, no_wrap=head not in ("Fork of", "Scenario"))
    for info in runs:
        seq = "" if info.divergence_seq is None else f" from seq {info.divergence_seq:,}"
        origin = "" if info.parent is None else f"{info.parent}{seq}"
        cells = [info.run, info.scenario, str(info.seed), info.status, f"{info.records:,}"]
        table.add_row(*cells, *([info.head_hash[:12]] if width >= 100 else []), origin)
    return table


def brief(record: Record, width: int = 70) -> str:
    """A record's payload in one short line."""
    parts = []
    for name, value in record.payload.model_dump(mode="json", exclude={"kind"}, exclude_none=True).items():
        if isinstance(value, dict) and "kind" in value:
            value = value["kind"]
        elif isinstance(value, dict | list) and len(value) > 3:
            value = f"{len(value)} entries"
        elif name.endswith("_cents") and isinstance(value, int):
            name, value = name.removesuffix("_cents"), f"{value / 100:,.2f}"
        elif isinstance(value, float):
            value = f"{value:.6g}"
        parts.append(f"{name}={value}")
    text = " ".join(parts)
    return text if len(text) <= width else text[: width - 1] + "…"


def events_view(records: Iterable[Record], calendar: Calendar, width: int) -> Table:
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


def why_view(found: Why, calendar: Calendar) -> RenderableType:
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


def state_view(summary: Mapping[str, Any]) -> RenderableType:
    """A replayed state: what there is, and the ledger's balances."""
    table = Table(title=f"{summary['run']} on {summary['date']}", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name in ("cash", "reserve", "nav"):
        table.add_row(name.upper() if name == "nav" else name.capitalize(), number(name, summary[name]))
    for name, count in summary["loans"].items():
        table.add_row(f"Loans {name.replace('_', ' ')}", f"{count:,}")
    table.add_row("Pending commands", f"{summary['pending_commands']:,}")
    ledger = Table(title="Ledger (debits above zero)", title_justify="left")
    ledger.add_column("Account")
    ledger.add_column("Balance", justify="right")
    for account, balance in summary["ledger"].items():
        ledger.add_row(account, number("", balance))
    return Group(table, ledger, Text(f"state digest {summary['state_digest']}", style="dim"))


def console(*, wide: bool = False) -> Console:
    """Where data for people goes: stdout, as wide as the terminal; elsewhere 130 columns, or as many as are needed."""
    made = Console()
    return made if made.is_terminal else Console(width=400 if wide else 130)
