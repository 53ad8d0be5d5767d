"""Allocation: the targets that hold, and the day on which the book was found to be off them."""

from typing import Any

from fundclock.events.facts import AllocationOptimized, RebalanceTriggered
from fundclock.events.record import Fact, Record
from fundclock.events.state.folding import Mutator


class Allocation:
    """Target weights by zone; empty where nothing allocates."""

    def __init__(self) -> None:
        self.weights: dict[str, float] = {}
        self.checks = 0
        self.triggers = 0
        self.triggered_day = -1

    def on(self) -> dict[type[Fact], Mutator]:
        """Which facts change it, and how."""
        return {AllocationOptimized: self._optimized, RebalanceTriggered: self._triggered}

    def _optimized(self, _record: Record, fact: AllocationOptimized) -> None:
        self.weights = fact.weights
        self.checks += 1

    def _triggered(self, record: Record, _fact: RebalanceTriggered) -> None:
        self.triggers += 1
        self.triggered_day = record.day

    def summary(self) -> dict[str, Any]:
        """All of it."""
        return dict(vars(self))
