"""Every figure of a run by its name."""

from typing import Any

from fundclock.scenarios.charts import (
    allocation as allocation_charts,
)
from fundclock.scenarios.charts import (
    leverage as leverage_charts,
)
from fundclock.scenarios.charts import (
    reinvestment as reinvestment_charts,
)
from fundclock.scenarios.charts import timing as timing_charts
from fundclock.scenarios.files.problems import InvalidInput, Problem, closest
from fundclock.scenarios.runs.recorded import RecordedRun
from fundclock.scenarios.views.leverage import DebtHistory
from fundclock.scenarios.views.reinvestment_history import read_history
from fundclock.scenarios.views.stress import stress_tests

NAMES = (
    *reinvestment_charts.CHARTS,
    *reinvestment_charts.TABLES,
    *leverage_charts.CHARTS,
    *allocation_charts.CHARTS,
    *timing_charts.CHARTS,
)
"""All figures that there are."""


def figures_of(run: RecordedRun) -> list[str]:
    """The figures that this run can have: those of its engines, and of what happened."""
    names = [*reinvestment_charts.CHARTS, *reinvestment_charts.TABLES, *timing_charts.CHARTS]
    if not run.state.results.finished:
        names.remove("timing_waterfall")
    try:
        tested = bool(stress_tests(DebtHistory(run)))
        names += [name for name in leverage_charts.CHARTS if tested or name != "stress_results"]
    except InvalidInput:  # no facilities
        pass
    if run.manifest.scenario.get("capital_allocation"):  # kept in manifests of funds that allocate
        names += allocation_charts.CHARTS
    return [name for name in NAMES if name in names]


def chart_data(run: RecordedRun, name: str) -> dict[str, Any]:
    """One chart or table by name, as JSON values. Raises InvalidInput for a name that there is not."""
    if name in leverage_charts.CHARTS:
        return leverage_charts.CHARTS[name](DebtHistory(run)).as_json()
    if name in allocation_charts.CHARTS:
        return allocation_charts.CHARTS[name](run).as_json()
    if name in timing_charts.CHARTS:
        return timing_charts.CHARTS[name](run).as_json()
    found = reinvestment_charts.CHARTS.get(name) or reinvestment_charts.TABLES.get(name)
    if found is None:
        hint = closest(name, NAMES)
        allowed = "" if hint else f"; there are {', '.join(NAMES)}"
        raise InvalidInput([Problem("chart", f"there is no '{name}'{allowed}", suggestion=hint)])
    return found(read_history(run)).as_json()
