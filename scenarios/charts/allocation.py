"""The figure of capital allocation as data."""

from typing import Any

from fundclock.scenarios.charts.chart import Chart, Series, Threshold
from fundclock.scenarios.runs.manifest import calendar_of
from fundclock.scenarios.runs.recorded import RecordedRun
from fundclock.scenarios.views.allocation import allocation_checks


def allocation_drift(run: RecordedRun) -> Chart:
    """Each zone's share and its target at each check, and the largest drift beside the threshold."""
    checks, calendar = allocation_checks(run), calendar_of(run.manifest)
    dates, seqs = [calendar.date(record.day).isoformat() for record in checks], [[record.seq] for record in checks]
    series = []
    for zone in run.state.book.zones:
        lent = [record.payload.capital_cents > 0 and any(record.payload.current.values()) for record in checks]
        shares = [record.payload.current[zone] if there else None for record, there in zip(checks, lent, strict=True)]
        series.append(Series(f"{zone} share", "share", dates, shares, seqs, "line", measure="share", zone=zone))
        aims = [record.payload.weights[zone] for record in checks]
        series.append(Series(f"{zone} target", "share", dates, [*aims], seqs, "step", zone=zone, role="target"))
    worst = [record.payload.max_drift for record in checks]
    series.append(Series("largest drift", "share", dates, [*worst], seqs, "bar"))
    config: Any = run.manifest.scenario["capital_allocation"]
    limit = Threshold("threshold", "share", dates[:1], [config["rebalance_threshold"]] if dates else [])
    return Chart("allocation_drift", "Allocation and drift", "date", series, [limit])


CHARTS = {"allocation_drift": allocation_drift}
"""Charts by name."""
