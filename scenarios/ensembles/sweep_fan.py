"""The figure of a sweep as data."""

from collections.abc import Mapping, Sequence
from typing import Any

from fundclock.scenarios.charts.chart import Chart, Series
from fundclock.scenarios.ensembles.sweep_summary import QUANTILES, settings_line


def sweep_fan(scenario: str, summary: Sequence[Mapping[str, Any]], figure: str = "net_irr") -> Chart:
    """Quantiles of a metric over draws, by combination of settings: one series per quantile."""
    names = [settings_line(entry["settings"]) for entry in summary]
    shown = [(name, entry["figures"].get(figure)) for name, entry in zip(names, summary, strict=True)]
    series = [
        Series(
            f"{quantile:.0%} quantile",
            "decimal",
            [name for name, _ in shown],
            [None if found is None else found["quantiles"][str(quantile)] for _, found in shown],
            [[] for _ in shown],
            measure=figure,
            quantile=quantile,
        )
        for quantile in QUANTILES
    ]
    title = f"{scenario}: {figure} over draws"
    return Chart("sweep_fan", title, "settings", series, form="fan", axis="category")
