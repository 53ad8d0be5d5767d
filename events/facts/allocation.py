"""Facts about capital allocation. Columns are by zone; weights, shares and rates are decimals."""

from typing import Literal

from fundclock.events.record import Fact


class AllocationOptimized(Fact):
    """A check: target weights, what they were made from, and how far the book is from them.

    ``weights`` sum to 1 less ``idle``. ``current`` are the zones' shares of the claims of living loans, ``drift`` is
    current less target share (of what is invested). ``correlations`` are by pair of zones, like green-red.
    ``multiplier`` is the share of capital that the market's state lets be deployed; ``capital_cents`` are claims and
    cash, of which Σ weights × multiplier may be lent.
    """

    kind: Literal["allocation.optimized/1"] = "allocation.optimized/1"
    strategy: str
    weights: dict[str, float]
    idle: float
    idle_reason: str | None
    expected_returns: dict[str, float]
    deviations: dict[str, float]
    correlations: dict[str, float]
    current: dict[str, float]
    drift: dict[str, float]
    max_drift: float
    volatility_state: str
    cost_level: float
    multiplier: float
    capital_cents: int


class AllocationFailed(Fact):
    """A check found no weights inside the limits, and why; the targets stay as they were."""

    kind: Literal["allocation.failed/1"] = "allocation.failed/1"
    strategy: str
    reason: str


class RebalanceTriggered(Fact):
    """The book has drifted from its targets by the threshold or more: today's reinvestment closes the gaps first.

    ``orders`` are (zone, increase or decrease, cents, priority), the most urgent first; ``dropped`` are zones whose
    order would have cost more than it brings. ``net_cents`` is what increases need beyond what decreases bring.
    """

    kind: Literal["rebalance.triggered/1"] = "rebalance.triggered/1"
    max_drift: float
    threshold: float
    orders: list[tuple[str, Literal["increase", "decrease"], int, int]]
    dropped: list[str]
    net_cents: int


class LoanSaleAgreed(Fact):
    """A loan is sold to someone else; it pays its price on ``settlement_day``, unless it ends before."""

    kind: Literal["loan_sale.agreed/1"] = "loan_sale.agreed/1"
    loan_id: str
    zone: str
    principal_cents: int
    haircut: float
    settlement_day: int
