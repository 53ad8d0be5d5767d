"""Conditions: the state that the market is in, as the fund goes by it."""

from typing import Any

from fundclock.events.facts import BreakerReset, BreakerTripped, TransactionCostChanged, VolatilityStateChanged
from fundclock.events.facts.conditions import VolatilityState
from fundclock.events.record import Fact, Record
from fundclock.events.state.folding import Mutator


class Conditions:
    """Volatility state, level of transaction costs, and the circuit breaker."""

    def __init__(self) -> None:
        self.volatility_state: VolatilityState = "low"
        self.scripted_volatility = False
        self.cost_level = 0.0
        self.tripped = False
        self.tripped_day = -1

    def on(self) -> dict[type[Fact], Mutator]:
        """Which facts change it, and how."""
        return {
            BreakerTripped: self._tripped,
            BreakerReset: self._reset,
            VolatilityStateChanged: self._volatility,
            TransactionCostChanged: self._cost,
        }

    def _tripped(self, record: Record, _fact: BreakerTripped) -> None:
        if not self.tripped:
            self.tripped_day = record.day
        self.tripped = True

    def _reset(self, _record: Record, _fact: BreakerReset) -> None:
        self.tripped = False

    def _volatility(self, _record: Record, fact: VolatilityStateChanged) -> None:
        self.volatility_state = fact.state
        self.scripted_volatility = fact.deviation is None

    def _cost(self, _record: Record, fact: TransactionCostChanged) -> None:
        self.cost_level = fact.level

    def summary(self) -> dict[str, Any]:
        """All of it."""
        return dict(vars(self))
