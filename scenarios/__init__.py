"""Scenarios and what is done with them: the Python interface of Fundclock."""

from scenarios.allocation_charts import allocation_report
from scenarios.compare import compare
from scenarios.figures import chart_data
from scenarios.leverage import stress
from scenarios.leverage_charts import leverage_report
from scenarios.problems import InvalidInput
from scenarios.reinvestment import calculate_reinvestment_statistics, reinvestment_risk
from scenarios.reinvestment_charts import generate_reinvestment_visualization
from scenarios.run import Run
from scenarios.scenario import Scenario, shipped
from scenarios.sweeps import sweep
from scenarios.timing.audit import audit

__all__ = [
    "InvalidInput",
    "Run",
    "Scenario",
    "allocation_report",
    "audit",
    "calculate_reinvestment_statistics",
    "chart_data",
    "compare",
    "generate_reinvestment_visualization",
    "leverage_report",
    "reinvestment_risk",
    "shipped",
    "stress",
    "sweep",
]
