"""Capital allocation: weights by strategy, capital scaled by risk, orders, efficiency."""

from fundclock.handlers.allocation.allocator import CapitalAllocator, risk_multiplier
from fundclock.handlers.allocation.types import (
    AllocationError,
    AllocationTarget,
    PortfolioMetrics,
    RebalanceOrder,
    RebalanceOrders,
    RiskMetrics,
    VolatilityState,
    Weights,
)
from fundclock.handlers.settings.allocation import AllocationStrategy

__all__ = [
    "AllocationError",
    "AllocationStrategy",
    "AllocationTarget",
    "CapitalAllocator",
    "PortfolioMetrics",
    "RebalanceOrder",
    "RebalanceOrders",
    "RiskMetrics",
    "VolatilityState",
    "Weights",
    "risk_multiplier",
]
