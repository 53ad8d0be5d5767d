"""Every figure of a run by its name."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from fundclock.scenarios.charts import allocation, leverage, reinvestment, timing
from fundclock.scenarios.charts.chart import Chart, DataTable
from fundclock.scenarios.files.problems import InvalidInput, Problem, closest
from fundclock.scenarios.runs.recorded import RecordedRun
from fundclock.scenarios.views.leverage import DebtHistory
from fundclock.scenarios.views.reinvestment_history import read_history
from fundclock.scenarios.views.stress import stress_tests

Figure = Callable[[RecordedRun], Chart | DataTable]
Read = TypeVar("Read")


def _after(
    read: Callable[[RecordedRun], Read], made: Mapping[str, Callable[[Read], Chart | DataTable]]
) -> dict[str, Figure]:
    """Figures of a run, from figures of what is read of one."""
    return {name: lambda run, make=make: make(read(run)) for name, make in made.items()}  # type: ignore[misc]


FIGURES: dict[str, Figure] = {
    **_after(read_history, {**reinvestment.CHARTS, **reinvestment.TABLES}),
    **_after(DebtHistory, leverage.CHARTS),
    **allocation.CHARTS,
    **timing.CHARTS,
}
"""All figures that there are, by name."""

NAMES = tuple(FIGURES)

GROUPS: dict[str, tuple[str, ...]] = {
    "timing": tuple(timing.CHARTS),
    "reinvestment": (*reinvestment.ACTIVITY, *reinvestment.TABLES),
    "risk": tuple(reinvestment.RISK),
    "leverage": tuple(leverage.CHARTS),
    "allocation": tuple(allocation.CHARTS),
}
"""Figures that are shown together, in their order."""


def figures_of(run: RecordedRun) -> list[str]:
    """The figures that this run can have: those of its engines, and of what happened."""
    names = [*reinvestment.CHARTS, *reinvestment.TABLES, *timing.CHARTS]
    if not run.state.results.finished:
        names.remove("timing_waterfall")
    try:
        tested = bool(stress_tests(DebtHistory(run)))
        names += [name for name in leverage.CHARTS if tested or name != "stress_results"]
    except InvalidInput:  # no facilities
        pass
    if run.manifest.scenario.get("capital_allocation"):  # kept in manifests of funds that allocate
        names += allocation.CHARTS
    return [name for name in NAMES if name in names]


def chart_data(run: RecordedRun, name: str) -> dict[str, Any]:
    """One chart or table by name, as JSON values. Raises InvalidInput for a name that there is not."""
    if name not in FIGURES:
        hint = closest(name, NAMES)
        allowed = "" if hint else f"; there are {', '.join(NAMES)}"
        raise InvalidInput([Problem("chart", f"there is no '{name}'{allowed}", suggestion=hint)])
    return FIGURES[name](run).as_json()
