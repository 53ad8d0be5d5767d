"""How forks, differences, audits and sweeps look on a terminal."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from rich.bar import Bar
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from app.tables import LABELS, RATES, number, one_line
from scenarios.axes import DRAWS
from scenarios.compare import compare
from scenarios.diff import CHANGES, Diff
from scenarios.manifest import calendar_of
from scenarios.run import Run
from scenarios.sweep_tables import settings_line
from scenarios.sweeps import Sweep
from scenarios.timing.audit import Audit
from scenarios.timing.headroom import Limit


def fork_line(run: Run) -> str:
    """Where a fork comes from."""
    if run.divergence_seq is None:
        return f"fork of {run.parent}: nothing is changed, the records are the same"
    return f"fork of {run.parent}: other records from seq {run.divergence_seq} on"


def signed(text: str) -> str:
    """Money or a count with a sign, or a dash for nothing that would be seen."""
    value = Decimal(text)
    if abs(value) < Decimal("0.005"):
        return "–"
    return f"{value:+,}" if value == value.to_integral_value() and "." not in text else f"{value:+,.2f}"


def basis_points(value: float | None) -> str:
    """A difference of rates, or a dash for none that would be seen."""
    return "–" if value is None or abs(value) < 5e-7 else f"{value * 1e4:+.2f} bp"


def _table(title: str, *heads: str, left: int = 1) -> Table:
    table = Table(title=title, title_justify="left")
    for place, head in enumerate(heads):
        table.add_column(head, justify="left" if place < left else "right", no_wrap=place >= left)  # names may fold
    return table


def diff_view(found: Diff, limit: int) -> RenderableType:
    """Everything in which two runs differ."""
    data = found.as_json(limit)
    parts: list[RenderableType] = []
    names = [data["first"] or "first", data["second"] or "second"]
    if found.same:
        return Text(f"{names[0]} and {names[1]} are the same, byte for byte")
    if found.settings:
        table = _table("Not the same scenario: these differ from the start", "Key", "First", "Second")
        for row in found.settings[:limit]:
            table.add_row(row["key"], str(row["first"]), str(row["second"]))
        parts.append(table)
    if found.first_difference is not None:
        parts.append(Text("First record that differs", style="bold"))
        for run, record in zip((found.first, found.second), found.first_difference, strict=True):
            parts.append(Text("  the log is over") if record is None else one_line(record, calendar_of(run.manifest)))
    metrics = _table("Figures", "", "First", "Second", "Difference")
    for row in compare(found.first, found.second):
        name, delta = row["metric"], row["delta"]
        if name in LABELS and delta and Decimal(str(delta)):
            shown = (
                basis_points(delta)
                if name in RATES
                else signed(f"{delta:f}" if isinstance(delta, float) else str(delta))
            )
            if shown != "–":
                metrics.add_row(LABELS[name], number(name, row["first"]), number(name, row["second"]), shown)
    money = _table("Money by account of the ledger", "Account", "First", "Second", "Difference")
    for row in data["money"]:
        if Decimal(row["delta"]):
            money.add_row(row["account"], number("", row["first"]), number("", row["second"]), signed(row["delta"]))
    timing = _table("Dollar-days by reason", "Reason", "First", "Second", "Difference")
    for row in data["timing"]:
        if Decimal(row["delta"]):
            timing.add_row(row["reason"], number("", row["first"]), number("", row["second"]), signed(row["delta"]))
    kinds = _table("Records by what they are about", "Kind", "Same", "Moved", "Changed", "Only first", "Only second")
    for kind, counts in data["kinds"].items():
        kinds.add_row(kind, *(f"{counts[change]:,}" if counts[change] else "–" for change in CHANGES))
    only = _table(
        f"In one run only ({min(limit, data['only_in_one_total'])} of {data['only_in_one_total']:,})",
        "In", "Kind", "What", "Date", left=4,
    )  # fmt: skip
    for row in data["only_in_one"]:
        record = row["first"] or row["second"]
        only.add_row(row["in"], row["kind"], row["key"], record["date"])
    parts += [table for table in (metrics, money, timing, kinds, only) if table.row_count]
    return Group(*parts)


def audit_view(found: Audit, width: int) -> RenderableType:
    """An audit's tables, for so many columns."""
    data = found.as_json()
    total = found.dollar_days.total
    name = found.run.name or found.run.manifest.name
    days = _table(f"{name}: where the dollar-days went", "Reason", "Dollar-days", "Share", "Indicative carry")
    days.add_column("", width=24)
    for reason, cents in found.dollar_days.by_reason().items():
        share = cents / total if total else 0.0
        days.add_row(
            reason,
            number("", data["dollar_days"][reason]),
            f"{share:.1%}",
            number("", data["indicative_carry"][reason]),
            Bar(1.0, 0.0, share, width=24),
        )
    days.add_section()
    days.add_row("all cash and reserve", number("", data["cash_integral"]), "100.0%", "", "")
    uses = _table("Dollar-days by source and final use", "Source", "Use", "Dollar-days", left=2)
    sums: dict[tuple[str, str], Decimal] = {}
    for row in data["dollar_days_by"]:
        key = (row["source"], row["use"])
        sums[key] = sums.get(key, Decimal(0)) + Decimal(row["dollar_days"])
    for (source, use), amount in sorted(sums.items(), key=lambda item: -item[1]):
        uses.add_row(source, use, f"{amount:,.2f}")
    waits = _table("Waits that are not cash", "", "Items", "Mean days", "Dollar-days")
    for name, row in data["waits"].items():
        if row["items"]:
            waits.add_row(name, f"{row['items']:,}", f"{row['mean_days']:,.1f}", number("", row["dollar_days"]))
    parts: list[RenderableType] = [days, uses, waits, _promises(data["promises"]), _latencies(data["latencies"])]
    if found.ladder is not None:
        parts.append(_ladder(data, width))
    if found.tie_order is not None:
        parts.append(_ties(data["tie_order"]))
    return Group(*parts)


def _promises(data: Mapping[str, Any]) -> Table:
    table = _table(
        "Promised and happened", "Command", "Promised", "Kept", "Cut", "No", "Taken back", "Days ahead", "Lag"
    )
    for kind, row in data.items():
        refused = row["declined"] + row["rejected"]
        lag = "–" if row["mean_lag_days"] is None else f"{row['mean_lag_days']:.1f}"
        counts = (row["promises"], row["kept"], row["cut"], refused, row["cancelled"])
        table.add_row(kind, *(f"{count:,}" if count else "–" for count in counts), f"{row['mean_days_ahead']:.1f}", lag)
    return table


def _latencies(data: Mapping[str, Any]) -> RenderableType:
    table = _table("When did we know?", "Condition", "Times", "Unseen", "Mean days to see", "Longest", "Days to cure")
    for what, row in data["conditions"].items():
        figures = (row["mean_days_to_see"], row["max_days_to_see"], row["mean_days_to_cure"])
        shown = ("–" if figure is None else f"{figure:,.1f}" for figure in figures)
        table.add_row(what, f"{row['times']:,}", f"{row['unseen']:,}" if row["unseen"] else "–", *shown)
    if data["shadow_tests"]:
        return table
    return Group(table, Text("since when a test would have failed: --shadow", style="dim"))


def _ladder(data: Mapping[str, Any], width: int) -> RenderableType:
    """On a narrow terminal in thousands, and on a very narrow one without the future value."""
    title = f"What timing cost (future value at {data['future_value_rate']:.2%} on {data['future_value_date']})"
    wide, future = width >= WIDE, width >= NARROW
    heads = ["LP net cash", "Step", *(["Future value", "Step"] if future else []), "Net IRR", "Step"]
    table = _table(title if wide else f"{title}, thousands", "Rung", *heads)

    def money(value: str | None, step: bool) -> str:
        if value is None:
            return ""
        if wide:
            return signed(value) if step else number("", value)
        thousands = Decimal(value) / 1000
        return f"{thousands:+,.1f}" if step else f"{thousands:,.1f}"

    for row in data["steps"]:
        if not row["applies"]:
            reason = f"{row['name']}: {row['reason']}".splitlines()[0]
            table.add_row(Text(reason, style="dim"), *[""] * len(heads))
            continue
        rate, step = row["net_irr"], row["delta_irr"]
        cells = [money(row["net_cash"], False), money(row["delta_net_cash"], True)]
        if future:
            cells += [money(row["future_value"], False), money(row["delta_future_value"], True)]
        cells += ["–" if rate is None else f"{rate:.4%}", "" if row["delta_net_cash"] is None else basis_points(step)]
        table.add_row(row["name"], *cells)
    foot = f"each rung on those before it; residual {data['residual']}; conditions of scripts {data['conditions']}"
    parts: list[RenderableType] = [table, Text(foot, style="dim")]
    if "shapley" in data:
        shares = _table("The same in every order (Shapley)", "Rung", "LP net cash", "Future value", "Net IRR")
        for name, row in data["shapley"].items():
            shares.add_row(name, signed(row["net_cash"]), signed(row["future_value"]), basis_points(row["net_irr"]))
        parts.append(shares)
    return Group(*parts)


WIDE, NARROW = 130, 95
"""Columns that the ladder needs with all its cents, and in thousands."""


def _ties(data: Mapping[str, Any]) -> RenderableType:
    low, high = data["net_cash"]
    table = _table("Other orders of a day", "Order", "LP net cash", "Net IRR")
    for name, row in data["variants"].items():
        rate = basis_points(row["delta_irr"])
        table.add_row(name, signed(row["delta_net_cash"]), rate)
    for name, why in data["failed"].items():
        table.add_row(name, why, "")
    return Group(table, Text(f"LP net cash from {number('', low)} to {number('', high)}", style="dim"))


def headroom_view(limits: Iterable[Limit]) -> Table:
    """The limits of a headroom search."""
    table = _table("Headroom by forks", "", "Holds", "Fails", "Unit", "Breach", left=1)
    for limit in limits:
        breach = "none up to there" if limit.breach is None else "{facility} {test} on {date}".format(**limit.breach)
        shown = ["–" if value is None else f"{value:g}" for value in (limit.holds, limit.fails)]
        table.add_row(limit.name, *shown, limit.unit, breach)
    return table


SWEPT = {"net_irr": "Net IRR", "tvpi": "TVPI", "distributed": "Distributed", "idle_dollar_days": "Idle dollar-days"}
"""What a sweep's table shows; all figures are in --json and in the files."""


def sweep_view(found: Sweep) -> RenderableType:
    """A sweep by combination of settings: figures, or their medians and spreads where there are several draws."""
    draws = found.summary[0]["draws"]
    if draws == 1:
        table = _table(f"{found.scenario}, seed {found.rows[0]['seed']}", "", *SWEPT.values())
        for row in found.rows:
            settings = {key: row[key] for key in found.axes if key not in DRAWS}
            table.add_row(settings_line(settings), *(number(name, row[name]) for name in SWEPT))
        return table
    heads = ("Mean", "5 %", "Median", "95 %", "Paired", "±")
    table = _table(f"{found.scenario}: net IRR over {draws:,} draws, paired with the first", "", *heads)
    for entry in found.summary:
        figures = entry["figures"].get("net_irr")
        if figures is None:
            table.add_row(settings_line(entry["settings"]), *["–"] * 6)
            continue
        quantiles, paired = figures["quantiles"], figures["paired"]
        shown = [f"{value:.3%}" for value in (figures["mean"], quantiles["0.05"], quantiles["0.5"], quantiles["0.95"])]
        error = None if paired is None else paired["error"]
        table.add_row(
            settings_line(entry["settings"]),
            *shown,
            "" if paired is None else basis_points(paired["mean"]),
            "" if error is None else f"{error * 1e4:.2f} bp",
        )
    return table
