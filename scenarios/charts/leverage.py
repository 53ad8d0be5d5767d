"""The figures of leverage as data, by their names."""

from collections.abc import Callable
from typing import Any

from fundclock.events.record import Record
from fundclock.scenarios.charts.chart import Chart, Role, Series, Threshold
from fundclock.scenarios.runs.recorded import RecordedRun
from fundclock.scenarios.views.debt_impact import without_debt
from fundclock.scenarios.views.leverage import RATIOS, DebtHistory
from fundclock.scenarios.views.stress import stress


def utilization(history: DebtHistory) -> Chart:
    """What is drawn of each facility, what could be drawn beside it, and its commitment, by quarter."""
    dates, seqs = _axis(history, history.measured)
    series = []
    for name in history.names:
        for label, column in (("drawn", "balance_cents"), ("available", "available_cents")):
            values = [record.payload[column][name] / 100 for record in history.measured]
            bars = Series(
                f"{name} {label}", history.currency, dates, [*values], seqs, "bar", measure=label, facility=name
            )
            series.append(bars)
        base = [record.payload.base_cents[name] / 100 for record in history.measured]
        line = Series(f"{name} borrowing base", history.currency, dates, [*base], seqs, measure="base", facility=name)
        series.append(line)
    thresholds = [
        Threshold(
            f"{name} commitment",
            history.currency,
            dates,
            [record.payload.commitment_cents[name] / 100 for record in history.measured],
            measure="commitment",
            facility=name,
        )
        for name in history.names
    ]
    return Chart("leverage_utilization", "Use of the facilities", "date", series, thresholds)


def interest_expenses(history: DebtHistory) -> Chart:
    """Interest and fees of each facility by the quarter in which they accrued, and the rate they came to."""
    series = []
    for name in history.names:
        records = [record for record in history.of("facility_interest.accrued/1") if record.payload.facility == name]
        dates, seqs = _axis(history, records)
        for label, column in (("interest", "interest_cents"), ("fees", "fee_cents")):
            values = [record.payload[column] / 100 for record in records]
            bars = Series(
                f"{name} {label}", history.currency, dates, [*values], seqs, "bar", measure=label, facility=name
            )
            series.append(bars)
        drawn = [[row for row in record.payload.segments if row[2]] for record in records]
        rates = [sum(row[4] * row[2] * (row[1] - row[0]) for row in rows) for rows in drawn]
        weights = [sum(row[2] * (row[1] - row[0]) for row in rows) for rows in drawn]
        found = [rate / weight if weight else None for rate, weight in zip(rates, weights, strict=True)]
        series.append(Series(f"{name} rate", "share", dates, found, seqs, measure="rate", facility=name))
    return Chart("interest_expenses", "Interest and fees", "date", series)


def covenant_compliance(history: DebtHistory) -> Chart:
    """Each test's value at each quarter's end and at each failure, against its limit."""
    series, thresholds = [], []
    for name in history.names:
        kept = [
            record
            for record in history.tests
            if record.payload.facility == name
            and (record.payload.trigger == "quarter_end" or not all(record.payload.passed.values()))
        ]
        for test in dict.fromkeys(test for record in kept for test in record.payload.passed):
            shown = [record for record in kept if test in record.payload.passed]
            dates, seqs = _axis(history, shown)
            values = [record.payload.value[test] for record in shown]
            about: dict[str, Any] = {"panel": test, "measure": test, "facility": name}
            series.append(Series(f"{name} {test}", "ratio", dates, values, seqs, **about))
            limits = [record.payload.limit[test] for record in shown]
            thresholds.append(Threshold(f"{name} {test} limit", "ratio", dates, limits, role="limit", **about))
    title = "Covenants: values against limits"
    return Chart("covenant_compliance", title, "date", series, thresholds, near_limits=True)


def debt_structure(history: DebtHistory) -> Chart:
    """Debt by facility at each quarter's end, and the average rate."""
    dates, seqs = _axis(history, history.measured)
    series = [
        Series(
            name,
            history.currency,
            dates,
            [record.payload.balance_cents[name] / 100 for record in history.measured],
            seqs,
            "bar",
            facility=name,
        )
        for name in history.names
    ]
    rates = [record.payload.average_rate for record in history.measured]
    series.append(Series("average rate", "share", dates, rates, seqs, "line"))
    return Chart("debt_structure", "Debt by facility", "date", series, stacked=True)


def leverage_impact(history: DebtHistory, twin: RecordedRun | None = None) -> Chart:
    """Net asset value, TVPI and net IRR by quarter with debt, and of the same fund without it."""
    twin = twin or without_debt(history.run)
    series = []
    both: tuple[tuple[str, Role, RecordedRun], ...] = (
        ("with debt", "with_debt", history.run),
        ("without debt", "without_debt", twin),
    )
    for label, role, run in both:
        reports = list(run.log.read(kinds=["nav.reported/1"]))
        seqs = [[record.seq] for record in reports] if run is history.run else [[] for _ in reports]
        dates = [history.date(row.day) for row in run.quarters]
        measures = (
            ("net_asset_value", "NAV", history.currency, [row.nav_cents / 100 for row in run.quarters]),
            ("tvpi", "TVPI", "ratio", [row.tvpi for row in run.quarters]),
            ("net_irr", "net IRR", "share", [row.net_irr for row in run.quarters]),
        )
        series += [
            Series(f"{title} {label}", unit, dates, [*values], seqs, panel=measure, measure=measure, role=role)
            for measure, title, unit, values in measures
        ]
    return Chart("leverage_impact", "What debt did to the limited partners' returns", "date", series)


def stress_results(history: DebtHistory) -> Chart:
    """The ratios under each shock, on the quarter's end with the most debt, against the limits of the tests."""
    report = stress(history.run)
    names = list(report.rows)
    seqs = [[report.record.seq] for _ in names]
    series = [
        Series(name, "ratio", names, [getattr(report.rows[shock].ratios, name) for shock in names], seqs, "bar")
        for name in RATIOS
    ]
    failed = [float(len(report.rows[shock].failed)) for shock in names]
    series.append(Series("tests that fail", "number", names, [*failed], seqs, "bar"))
    limits = {result.test: result.limit for result in report.rows["none"].results}
    levels = [
        Threshold(f"{test} limit", "ratio", names[:1], [limit], measure=test, role="limit")
        for test, limit in limits.items()
    ]
    title = f"Shocks on {report.date}"
    return Chart("stress_results", title, "shock", series, levels, axis="category", x_names="shock", near_limits=True)


def optimization_activity(history: DebtHistory) -> Chart:
    """What the optimiser did at each quarter's end: leverage as it found it, and what it drew and repaid."""
    records = history.of("leverage.optimized/1")
    dates, seqs = _axis(history, records)
    series = [Series("leverage", "share", dates, [record.payload.leverage_ratio for record in records], seqs, "line")]
    for action in ("draw", "repay"):
        values = [record.payload.amount_cents / 100 if record.payload.action == action else 0.0 for record in records]
        series.append(Series(action, history.currency, dates, [*values], seqs, "bar"))
    config = history.config.optimization
    start = [history.date(0)]
    levels = [
        Threshold(name.replace("_", " "), "share", start, [getattr(config, name)])
        for name in ("target_leverage", "max_leverage", "deleveraging_threshold")
    ]
    return Chart("optimization_activity", "The optimiser's decisions", "date", series, levels)


def _axis(history: DebtHistory, records: list[Record]) -> tuple[list[str], list[list[int]]]:
    return [history.date(record.day) for record in records], [[record.seq] for record in records]


CHARTS: dict[str, Callable[[DebtHistory], Chart]] = {
    "leverage_utilization": utilization,
    "interest_expenses": interest_expenses,
    "covenant_compliance": covenant_compliance,
    "debt_structure": debt_structure,
    "leverage_impact": leverage_impact,
    "stress_results": stress_results,
    "optimization_activity": optimization_activity,
}
"""Charts by name."""
