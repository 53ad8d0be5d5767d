"""Scenarios and what is done with them: the Python interface of Fundclock."""

from scenarios.compare import compare
from scenarios.problems import InvalidInput
from scenarios.run import Run
from scenarios.scenario import Scenario, shipped

__all__ = ["InvalidInput", "Run", "Scenario", "compare", "shipped"]
