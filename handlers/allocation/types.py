"""What goes into an allocation and comes out of it: strategies, weights, orders, metrics."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class VolatilityState(StrEnum):
    """How much the market moves."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    EXTREME = "extreme"


class RiskMetrics(BaseModel):
    """The state of the market that scales what is deployed. ``gas_price_gwei`` is the level of transaction costs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    volatility_state: VolatilityState = VolatilityState.LOW
    gas_price_gwei: Decimal = Field(default=Decimal(0), ge=0)
    circuit_breaker_triggered: bool = False


class Weights(dict[str, Decimal]):
    """Target weights by bucket: ≥ 0, ≤ caps, sum ≤ 1.

    ``idle`` is the share that is not allocated, ``idle_reason`` why (None where nothing is idle), ``residual`` how far
    from optimal the answer may be, by the strategy's own measure.
    """

    def __init__(
        self,
        weights: dict[str, Decimal],
        idle_reason: str | None = None,
        residual: float = 0.0,
        growth_loss: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(weights)
        self.idle = 1 - sum(weights.values(), Decimal(0))
        self.idle_reason = idle_reason
        self.residual = residual
        self._growth_loss = growth_loss

    @cached_property
    def growth_loss(self) -> float | None:
        """Of the Gaussian approximation to Kelly, what it gives up against the exact answer: growth a period.

        Reckoned, when it is asked for, on 2n equally likely scenarios with the same means and covariance.
        """
        return None if self._growth_loss is None else self._growth_loss()


@dataclass(frozen=True)
class AllocationTarget:
    """A bucket's target beside what it has now, as shares of the whole; risk and return where they are known."""

    protocol: str
    target_percentage: Decimal
    current_percentage: Decimal
    risk_score: Decimal | None = None
    expected_return: Decimal | None = None

    @property
    def deviation(self) -> Decimal:
        """Target less current."""
        return self.target_percentage - self.current_percentage


@dataclass(frozen=True)
class RebalanceOrder:
    """Move ``amount`` of value into a bucket or out of it; priority 1 is the most urgent.

    An order above the transaction limit comes in ``parts``, of which this is ``part`` (from 1).
    """

    protocol: str
    action: Literal["increase", "decrease"]
    amount: Decimal
    priority: int
    part: int = 1
    parts: int = 1


class RebalanceOrders(list[RebalanceOrder]):
    """Orders by priority. ``net`` is what increases need beyond what decreases bring; ``dropped`` were not worth it."""

    def __init__(self, orders: list[RebalanceOrder], dropped: list[RebalanceOrder]) -> None:
        super().__init__(orders)
        signed = (order.amount if order.action == "increase" else -order.amount for order in orders)
        self.net = sum(signed, Decimal(0))
        self.dropped = dropped


@dataclass(frozen=True)
class PortfolioMetrics:
    """How a portfolio has performed. Rates are decimals per period of the returns, unless annualised on request."""

    total_return: Decimal
    sharpe_ratio: Decimal
    max_drawdown: Decimal
    volatility: Decimal
    value_at_risk: Decimal
    conditional_value_at_risk: Decimal
    roi: Decimal
    capital_utilization: Decimal | None = None


class AllocationError(ValueError):
    """No weights can be given: limits that can't be met, or an answer of the solver that does not hold up."""
