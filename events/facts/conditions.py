"""Facts about the state that the market is in, and about what waits because of it."""

from typing import Literal

from fundclock.events.record import Fact

VolatilityState = Literal["low", "medium", "high", "extreme"]


class BreakerTripped(Fact):
    """Nothing is deployed from today on until the breaker resets, on ``reset_due_day`` at the latest.

    ``nav_fall`` is the fall of net asset value over the quarter, flows taken out; None where a script tripped it.
    """

    kind: Literal["breaker.tripped/1"] = "breaker.tripped/1"
    reason: Literal["nav_fall", "script"]
    nav_fall: float | None
    reset_due_day: int


class BreakerReset(Fact):
    """Capital may be deployed again."""

    kind: Literal["breaker.reset/1"] = "breaker.reset/1"
    reason: Literal["time", "script"]
    held_days: int


class VolatilityStateChanged(Fact):
    """The market moves more or less than before. ``deviation`` is the standard deviation of monthly returns; None where
    a script says so."""

    kind: Literal["volatility_state.changed/1"] = "volatility_state.changed/1"
    state: VolatilityState
    previous: VolatilityState
    deviation: float | None


class TransactionCostChanged(Fact):
    """Transactions cost more or less than before."""

    kind: Literal["transaction_cost.changed/1"] = "transaction_cost.changed/1"
    level: float
    previous: float


class DeploymentDeferred(Fact):
    """Called capital that could be lent today is not, and why; it waits."""

    kind: Literal["deployment.deferred/1"] = "deployment.deferred/1"
    call: int
    amount_cents: int
    reason: Literal["circuit_breaker", "risk_multiplier"]
