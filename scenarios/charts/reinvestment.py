"""The figures of reinvestment as data: seven of its activity, three of its risk."""

from collections.abc import Callable
from typing import Any

from fundclock.events.units import from_cents, to_cents
from fundclock.scenarios.charts.chart import Chart, Column, DataTable, Kind, Role, Series, Threshold, running_total
from fundclock.scenarios.views.reinvestment import (
    PERIODS,
    amount_of,
    buckets,
    by_zone,
    event_rows,
    reserve_by_day,
    risk_of_events,
)
from fundclock.scenarios.views.reinvestment_history import Event, History

MEASURES = ("average_ltv", "hhi_zone", "hhi_loan", "top5", "top10", "score")
"""Measures of risk that figures show, all of them shares or indices between 0 and 1."""


def units(cents: int) -> float:
    """Currency units, for an axis."""
    return cents / 100


def timeline(history: History) -> Chart:
    """What was reinvested in each period of the tracking granularity, and in all until then."""
    granularity = history.engine.reinvestment_tracking_granularity
    found = buckets(history, PERIODS[granularity])
    amounts = [units(amount_of(events)) for events in found.values()]
    records = [_seqs(events) for events in found.values()]
    currency = history.fund.currency
    return Chart(
        "reinvestment_timeline",
        f"Reinvestment, {granularity}",
        PERIODS[granularity],
        [
            Series("reinvested", currency, list(found), [*amounts], records, "bar"),
            Series("cumulative", currency, list(found), running_total(amounts), records, "line"),
        ],
    )


def by_zone_chart(history: History) -> Chart:
    """What each zone got, and its share of all."""
    sums = dict.fromkeys(history.zones, 0)
    records: dict[str, list[int]] = {zone: [] for zone in history.zones}
    for event in history.events:
        for zone, cents in by_zone(event.fact).items():
            sums[zone] += cents
            if cents:
                records[zone].append(event.record.seq)
    total = sum(sums.values())
    zones, seqs = list(sums), list(records.values())
    shares = [cents / total if total else None for cents in sums.values()]
    return Chart(
        "reinvestment_by_zone",
        "Reinvestment by zone",
        "zone",
        [
            Series("reinvested", history.fund.currency, zones, [units(cents) for cents in sums.values()], seqs, "bar"),
            Series("share", "share", zones, [*shares], seqs, "bar"),
        ],
        axis="category",
        x_names="zone",
    )


def by_year_chart(history: History) -> Chart:
    """What was reinvested in each calendar year, and in how many reinvestments."""
    years = buckets(history, "year")
    seqs = [_seqs(events) for events in years.values()]
    amounts = [units(amount_of(events)) for events in years.values()]
    counts = [float(len(events)) for events in years.values()]
    return Chart(
        "reinvestment_by_year",
        "Reinvestment by year",
        "year",
        [
            Series("reinvested", history.fund.currency, list(years), [*amounts], seqs, "bar"),
            Series("reinvestments", "number", list(years), [*counts], seqs, "line"),
        ],
    )


def cash_reserve(history: History) -> Chart:
    """The reserve at the end of each day on which it moved, with its band."""
    days = reserve_by_day(history)
    currency = history.fund.currency
    balance = Series(
        "reserve",
        currency,
        [history.date(day).isoformat() for day in days],
        [units(cents) for cents, _ in days.values()],
        [seqs for _, seqs in days.values()],
        "step",
    )
    thresholds = []
    roles: dict[str, Role] = {"target": "target", "min": "minimum", "max": "maximum"}
    band = [(day, engine) for day, engine in history.settings if engine.enable_cash_reserve]
    for name, role in roles.items() if band else ():
        levels = [units(to_cents(history.fund.size * getattr(engine, f"cash_reserve_{name}"))) for _, engine in band]
        dates = [history.date(day).isoformat() for day, _ in band]
        thresholds.append(Threshold(name, currency, dates, levels, measure="reserve", role=role))
    return Chart("cash_reserve", "Cash reserve", "date", [balance], thresholds)


def allocation_comparison(history: History) -> Chart:
    """For each zone what it was to get of each reinvestment, what it got, the gap, and its share of the book then.

    The target of a reinvestment is its strategy's, for that amount; the thresholds are the fund's own targets, which
    are not drawn.
    """
    dates, seqs = _dates(history), [[event.record.seq] for event in history.events]
    series = []
    for zone in history.zones:
        target, actual, gap = (
            [getattr(event.fact, name)[zone] for event in history.events] for name in ("target", "actual", "gap")
        )
        series += [
            Series(f"{zone} target", "share", dates, target, seqs, "line", zone=zone, role="target"),
            Series(f"{zone} actual", "share", dates, actual, seqs, "bar", zone=zone, role="actual"),
            Series(f"{zone} gap", "share", dates, gap, seqs, "bar", panel="gap", measure="gap", zone=zone),
        ]
        after = [event.risk.payload.zones_after[zone] if event.risk else None for event in history.events]
        risks = [[event.risk.seq] if event.risk else [] for event in history.events]
        series.append(Series(f"{zone} in the book", "share", dates, after, risks, measure="in the book", zone=zone))
    start = [history.calendar.start.isoformat()]
    targets = [
        Threshold(f"{zone} target", "share", start, [share], zone=zone, role="target", drawn=False)
        for zone, share in history.targets.items()
    ]
    return Chart("allocation_comparison", "Target and actual allocation of each reinvestment", "date", series, targets)


def summary_table(history: History) -> DataTable:
    """Activity by calendar year: reinvestments, loans, amount, and the amount of each zone."""
    currency = history.fund.currency
    rows, records = [], []
    for year, events in buckets(history, "year").items():
        zones = dict.fromkeys(history.zones, 0)
        for event in events:
            for zone, cents in by_zone(event.fact).items():
                zones[zone] += cents
        loans = sum(event.fact.loans for event in events)
        amounts = [from_cents(cents) for cents in (amount_of(events), *zones.values())]
        rows.append([year, len(events), loans, *amounts])
        records.append(_seqs(events))
    columns = [Column("year", "year"), Column("reinvestments", "number"), Column("loans", "number")]
    columns += [Column("amount", currency), *(Column(zone, currency, zone=zone) for zone in history.zones)]
    return DataTable("reinvestment_summary_table", "Years of reinvestment", columns, rows, records)


def events_table(history: History) -> DataTable:
    """All reinvestments."""
    currency = history.fund.currency
    names = {
        "event_id": "name",
        "timestamp": "date",
        "trigger": "name",
        "strategy_used": "name",
        "source": "name",
        "amount": currency,
        "carried": currency,
        "num_loans_generated": "number",
        "cash_reserve_before": currency,
        "cash_reserve_after": currency,
    }
    found = event_rows(history)
    return DataTable(
        "reinvestment_events_table",
        "Reinvestments",
        [Column(name, unit) for name, unit in names.items()],
        [[row[name] for name in names] for row in found],
        [[row["seq"]] for row in found],
    )


def risk_before_after(history: History) -> Chart:
    """Each measure of risk before and after each reinvestment."""
    rows = risk_of_events(history)["events"]
    both: tuple[Role, ...] = ("before", "after")
    series = [
        _measured(rows, measure, role, "bar", name=f"{measure} {role}", role=role)
        for measure in MEASURES
        for role in both
    ]
    return Chart("risk_before_after", "Risk before and after reinvestment", "date", series)


def risk_impact(history: History) -> Chart:
    """What each reinvestment changed."""
    rows = risk_of_events(history)["events"]
    series = [_measured(rows, measure, "change", "bar") for measure in MEASURES]
    for name in ("diversification_impact", "risk_adjusted_return_impact"):
        series.append(_of_rows(rows, name, "index", [row[name] for row in rows], "bar", panel=name, measure=name))
    for zone in history.zones:
        values = [row["zones_after"][zone] - row["zones_before"][zone] for row in rows]
        series.append(_of_rows(rows, f"{zone} share", "share", values, "bar", measure="share", zone=zone))
    return Chart("risk_impact", "Change of risk", "date", series)


def risk_trend(history: History) -> Chart:
    """The measures of risk after each reinvestment, and the shares of the zones."""
    rows = risk_of_events(history)["events"]
    series = [_measured(rows, measure, "after", "line") for measure in (*MEASURES, "expected_return")]
    for zone in history.zones:
        values = [row["zones_after"][zone] for row in rows]
        series.append(_of_rows(rows, f"{zone} share", "share", values, "line", measure="share", zone=zone))
    return Chart("risk_trend", "Risk over the run", "date", series)


def _measured(
    rows: list[dict[str, Any]], measure: str, part: str, kind: Kind, *, name: str = "", role: Role | None = None
) -> Series:
    """A measure of risk in a panel of its own; ``part`` of a row is what was before, what was after, or the change."""
    values = [None if row[part] is None else row[part][measure] for row in rows]
    unit = "index" if measure in ("hhi_zone", "hhi_loan", "score") else "share"
    return _of_rows(rows, name or measure, unit, values, kind, panel=measure, measure=measure, role=role)


def _of_rows(
    rows: list[dict[str, Any]], name: str, unit: str, values: list[float | None], kind: Kind, **about: Any
) -> Series:
    return Series(name, unit, [row["timestamp"] for row in rows], values, [[row["seq"]] for row in rows], kind, **about)


def _dates(history: History) -> list[str]:
    return [history.date(event.record.day).isoformat() for event in history.events]


def _seqs(events: list[Event]) -> list[int]:
    return [event.record.seq for event in events]


ACTIVITY: dict[str, Callable[[History], Chart]] = {
    "reinvestment_timeline": timeline,
    "reinvestment_by_zone": by_zone_chart,
    "reinvestment_by_year": by_year_chart,
    "cash_reserve": cash_reserve,
    "allocation_comparison": allocation_comparison,
}
"""Charts of what was reinvested, by name."""

RISK: dict[str, Callable[[History], Chart]] = {
    "risk_before_after": risk_before_after,
    "risk_impact": risk_impact,
    "risk_trend": risk_trend,
}
"""Charts of what that did to the risk of the book, by name."""

CHARTS = {**ACTIVITY, **RISK}
"""All charts by name."""

TABLES: dict[str, Callable[[History], DataTable]] = {
    "reinvestment_summary_table": summary_table,
    "reinvestment_events_table": events_table,
}
"""Tables by name."""
