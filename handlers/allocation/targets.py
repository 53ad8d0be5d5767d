"""What purchases are based on: the zones' target shares, and the total that may be lent."""

from decimal import Decimal

from fundclock.handlers.allocation.allocator import risk_multiplier
from fundclock.handlers.allocation.types import RiskMetrics, VolatilityState
from fundclock.handlers.context import Context
from fundclock.handlers.risk.exposure import Exposure


class Targets:
    """Targets of the settings, or those of the last allocation check where one is made."""

    def __init__(self, context: Context, exposure: Exposure) -> None:
        self._state = context.state
        self._settings = context.settings
        self._exposure = exposure

    def shares(self) -> dict[str, float]:
        """Shares by zone of what is lent; they sum to 1, or none is above 0."""
        weights = self._state.allocation.weights
        total = sum(weights.values())
        if not weights:
            return {name: zone.target_allocation for name, zone in self._settings.zones.items()}
        return {name: weight / total if total else 0.0 for name, weight in weights.items()}

    def multiplier(self) -> float:
        """The share of capital that the market's state lets be deployed."""
        conditions = self._state.conditions
        metrics = RiskMetrics(
            volatility_state=VolatilityState(conditions.volatility_state),
            gas_price_gwei=Decimal(repr(conditions.cost_level)),
            circuit_breaker_triggered=conditions.tripped,
        )
        return float(risk_multiplier(metrics))

    def capital_cents(self) -> int:
        """Claims of living loans and all cash."""
        ledger = self._state.ledger
        return round(sum(self._exposure.claims().values())) + ledger.cash_cents + ledger.reserve_cents

    def room_cents(self, wanted: int) -> int:
        """How much of what could be lent today may be: capital × Σ weights × multiplier, less what is lent already."""
        allocation = self._state.allocation
        if not allocation.checks:
            return wanted
        most = self.capital_cents() * sum(allocation.weights.values()) * self.multiplier()
        room = int(most - sum(self._exposure.claims().values()))
        return wanted if room >= wanted else max(0, room)

    @property
    def closes_gaps_today(self) -> bool:
        """Whether today's check has found the book too far from its targets."""
        return self._state.allocation.triggered_day == self._state.day
