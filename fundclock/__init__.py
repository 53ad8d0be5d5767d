"""Fundclock plays a private loan fund day by day and shows what timing does to it.

    from fundclock import Scenario, audit

    run = Scenario.load("base").with_(seed=7).run()   # play it; the log stays in memory
    run.metrics["net_irr"]                            # what `fundclock run base --seed 7 --json` prints
    late = run.fork(at="2028-03-31", set={"reinvestment_engine.reinvestment_delay": 3})
    audit(run).as_json()["dollar_days"]               # where its cash lay, and why

Names are loaded when they are first asked for, so that importing this package is quick and needs no extra. Below it
stand the floors: ``fundclock.events``, ``.sim``, ``.handlers``, ``.scenarios`` and ``.app``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str

    from fundclock.app.drawing import draw
    from fundclock.events.stores.sqlite import SqliteStore
    from fundclock.events.stores.store import DamagedLog, StoreError
    from fundclock.scenarios.charts.figures import chart_data
    from fundclock.scenarios.comparisons.compare import compare
    from fundclock.scenarios.comparisons.diff import diff
    from fundclock.scenarios.ensembles.sweeps import Sweep, sweep
    from fundclock.scenarios.files.problems import InvalidInput
    from fundclock.scenarios.reports import (
        allocation_report,
        generate_reinvestment_visualization,
        leverage_report,
        reinvestment_report,
    )
    from fundclock.scenarios.runs.returns import Irr, irr
    from fundclock.scenarios.scenario import Run, Scenario, shipped
    from fundclock.scenarios.timing.audit import Audit, audit
    from fundclock.scenarios.timing.headroom import headroom
    from fundclock.scenarios.views.reinvestment import calculate_reinvestment_statistics, reinvestment_risk
    from fundclock.scenarios.views.stress import StressReport, stress
    from fundclock.sim.script import ScriptEnvironment

__all__ = [
    "Audit",
    "DamagedLog",
    "InvalidInput",
    "Irr",
    "Run",
    "Scenario",
    "ScriptEnvironment",
    "SqliteStore",
    "StoreError",
    "StressReport",
    "Sweep",
    "allocation_report",
    "audit",
    "calculate_reinvestment_statistics",
    "chart_data",
    "compare",
    "diff",
    "draw",
    "generate_reinvestment_visualization",
    "headroom",
    "irr",
    "leverage_report",
    "reinvestment_report",
    "reinvestment_risk",
    "shipped",
    "stress",
    "sweep",
]

_HOMES = {
    "app.drawing": ("draw",),
    "events.stores.sqlite": ("SqliteStore",),
    "events.stores.store": ("DamagedLog", "StoreError"),
    "scenarios.charts.figures": ("chart_data",),
    "scenarios.comparisons.compare": ("compare",),
    "scenarios.comparisons.diff": ("diff",),
    "scenarios.ensembles.sweeps": ("Sweep", "sweep"),
    "scenarios.files.problems": ("InvalidInput",),
    "scenarios.reports": (
        "allocation_report",
        "generate_reinvestment_visualization",
        "leverage_report",
        "reinvestment_report",
    ),
    "scenarios.runs.returns": ("Irr", "irr"),
    "scenarios.scenario": ("Run", "Scenario", "shipped"),
    "scenarios.timing.audit": ("Audit", "audit"),
    "scenarios.timing.headroom": ("headroom",),
    "scenarios.views.reinvestment": ("calculate_reinvestment_statistics", "reinvestment_risk"),
    "scenarios.views.stress": ("StressReport", "stress"),
    "sim.script": ("ScriptEnvironment",),
}
"""Where each public name is defined; type checkers read the imports above instead."""

_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """A public name, loaded when it is first asked for. Raises AttributeError for any other, MissingExtra."""
    if name == "__version__":
        return _version()
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"fundclock has no '{name}'; public names are {', '.join(__all__)}")
    from fundclock.app.extras import needs

    with needs("figures", f"fundclock.{name}"):
        value = getattr(import_module(f"fundclock.{home}"), name)
    globals()[name] = value
    return value


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("fundclock")
    except PackageNotFoundError:  # the files alone, not installed
        return "unknown"


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
