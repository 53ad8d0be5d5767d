"""A sweep by combination of settings."""

from rich.console import RenderableType

from fundclock.app.cli.tables.style import titled
from fundclock.app.labels import label, metric, number, signed
from fundclock.scenarios.ensembles.sweep_summary import settings_line
from fundclock.scenarios.ensembles.sweeps import Sweep
from fundclock.scenarios.files.axes import DRAWS

SWEPT = ("net_irr", "tvpi", "distributed", "idle_dollar_days")
"""What a sweep's table shows; all figures are in --json and in the files."""


def sweep_table(found: Sweep) -> RenderableType:
    """A sweep by combination of settings: figures, or their medians and spreads where there are several draws."""
    draws = found.summary[0]["draws"]
    if draws == 1:
        table = titled(f"{found.scenario}, seed {found.rows[0]['seed']}", "", *map(label, SWEPT))
        for row in found.rows:
            settings = {key: row[key] for key in found.axes if key not in DRAWS}
            table.add_row(settings_line(settings), *(metric(name, row[name]) for name in SWEPT))
        return table
    heads = ("Mean", "5 %", "Median", "95 %", "Paired", "±")
    table = titled(f"{found.scenario}: net IRR over {number(draws, 'count')} draws, paired with the first", "", *heads)
    for entry in found.summary:
        figures = entry["figures"].get("net_irr")
        if figures is None:
            table.add_row(settings_line(entry["settings"]), *["–"] * 6)
            continue
        quantiles, paired = figures["quantiles"], figures["paired"]
        values = (figures["mean"], quantiles["0.05"], quantiles["0.5"], quantiles["0.95"])
        shown = [number(value, "share", 3) for value in values]
        error = None if paired is None else paired["error"]
        table.add_row(
            settings_line(entry["settings"]),
            *shown,
            "" if paired is None else signed(paired["mean"], "share"),
            "" if error is None else signed(error, "share").removeprefix("+"),
        )
    return table
