"""Config of capital allocation: ``capital_allocation`` in a scenario."""

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, StrictBool, model_validator

from fundclock.events.config import Config
from fundclock.events.units import Count, Number, Rate

Share = Annotated[Rate, Field(ge=0, le=1)]
Weight = Annotated[Number, Field(ge=0, le=1e6)]
Frequency = Literal["monthly", "quarterly", "semi_annual", "annual"]
Infeasible = Literal["raise", "leave_cash", "scale_caps"]
PerCent = Annotated[Number, Field(ge=0, le=100)]


class AllocationStrategy(StrEnum):
    """How the target weights of the zones are found."""

    EQUAL_WEIGHT = "equal_weight"
    RISK_PARITY = "risk_parity"
    MEAN_VARIANCE = "mean_variance"
    KELLY_CRITERION = "kelly_criterion"
    BLACK_LITTERMAN = "black_litterman"
    MULTI_OBJECTIVE = "multi_objective"


class AllocatorFields(BaseModel):
    """How capital is allocated, by an allocator alone or in a fund, whose zones are the buckets then."""

    strategy: Annotated[
        AllocationStrategy,
        Field(
            description="How weights are found: `equal_weight` for all, `risk_parity` by equal risk, `mean_variance`,"
            " `kelly_criterion` for the fastest growth, `black_litterman` by views on returns, `multi_objective` by"
            " return, risk and costs together. Naming one switches allocation on.",
        ),
    ] = AllocationStrategy.EQUAL_WEIGHT
    risk_free_rate: Annotated[
        Rate,
        Field(gt=-1, lt=10, description="Annual rate that cash left idle is taken to earn in `kelly_criterion`."),
    ] = 0.02
    rebalance_threshold: Annotated[
        Share,
        Field(
            description="Distance of a zone's share of the book from its target, either way, at which a check triggers"
            " rebalancing.",
        ),
    ] = 0.10
    max_protocols: Annotated[
        Count,
        Field(
            ge=1,
            description="Largest number of zones that get a weight; where there are more, those with the best return"
            " per unit of risk do.",
        ),
    ] = 10
    optimization_frequency: Annotated[
        Frequency,
        Field(description="How often weights are found anew: on the first day and at the end of each such period."),
    ] = "quarterly"
    min_protocol_allocation: Annotated[
        Share,
        Field(description="Lowest weight of any zone that gets one."),
    ] = 0.0
    max_protocol_allocation: Annotated[
        Share,
        Field(description="Highest weight that any zone may get."),
    ] = 1.0
    risk_aversion: Annotated[
        Number,
        Field(
            gt=0,
            le=1e6,
            description="Aversion to risk γ in return − γ/2 · variance; the higher it is, the more weights shun"
            " variance, and the sooner an order is worth its cost.",
        ),
    ] = 2.5
    tau: Annotated[
        Number,
        Field(
            gt=0,
            le=1,
            description="Uncertainty of the market's implied returns in `black_litterman`, as a part of the"
            " covariance; the views are taken to be as uncertain.",
        ),
    ] = 0.05
    infeasible: Annotated[
        Infeasible,
        Field(
            description="What happens where caps keep weights below 1: `leave_cash` leaves the rest uninvested,"
            " `scale_caps` raises all caps in proportion, `raise` refuses to allocate.",
        ),
    ] = "leave_cash"
    return_weight: Annotated[
        Weight,
        Field(description="Weight of expected return in `multi_objective`."),
    ] = 1.0
    risk_score_weight: Annotated[
        Weight,
        Field(description="Weight of each zone's risk score, its standard deviation, in `multi_objective`."),
    ] = 1.0
    turnover_weight: Annotated[
        Weight,
        Field(description="Weight of the costs of moving from present to new weights in `multi_objective`."),
    ] = 1.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_protocol_allocation > self.max_protocol_allocation:
            raise ValueError(
                f"min_protocol_allocation {self.min_protocol_allocation:g} is above"
                f" max_protocol_allocation {self.max_protocol_allocation:g}"
            )
        return self


class ConstraintsConfig(Config):
    """Limits in per cent, on the weight of a zone and on the size of an order."""

    max_protocol_exposure_pct: Annotated[
        PerCent | None,
        Field(description="Largest weight of any zone in per cent (45, not 0.45). Null means no such cap."),
    ] = None
    max_transaction_size_pct: Annotated[
        Annotated[Number, Field(ge=0.1, le=100)] | None,
        Field(
            description="Largest order of a rebalancing in per cent of the book; larger ones are split. Null means no"
            " limit.",
        ),
    ] = None
    max_asset_concentration_pct: Annotated[
        PerCent | None,
        Field(
            description="Largest weight of any one asset in per cent; in a fund every zone is an asset of its own."
            " Null means no such cap.",
        ),
    ] = None


class SalesConfig(Config):
    """Sales of loans out of zones that have too much, at a haircut and with later settlement."""

    enabled: Annotated[
        StrictBool,
        Field(
            description="Whether a rebalancing sells whole loans, the oldest first, out of zones above their target;"
            " without it only new lending closes gaps.",
        ),
    ] = False
    haircut: Annotated[
        Share,
        Field(description="Share taken off what a sold loan would pay on its settlement day."),
    ] = 0.02
    settlement_business_days: Annotated[
        Count,
        Field(
            ge=1,
            le=250,
            description="Business days from the agreement of a sale to its settlement, when the cash comes in.",
        ),
    ] = 10


class AllocationConfig(AllocatorFields, Config):
    """Checks that find the zones' target weights anew. Naming a strategy switches it on, unless ``enabled`` says no."""

    enabled: Annotated[
        StrictBool,
        Field(
            description="Whether the fund allocates by strategy: weights replace the zones' own targets, and the"
            " market's state limits how much is lent. True where a strategy is named.",
        ),
    ] = False
    risk_constraints: Annotated[
        ConstraintsConfig,
        Field(description="Caps on the weights of zones and on the size of orders."),
    ] = ConstraintsConfig()
    risk_budgets: Annotated[
        dict[str, Annotated[Number, Field(gt=0, le=1e6)]],
        Field(
            description="Risk budgets for `risk_parity`, keyed by zone; only their proportions count, and a zone that"
            " is left out has 1.",
        ),
    ] = Field(default_factory=dict)
    views: Annotated[
        dict[str, Annotated[Rate, Field(ge=-1, le=10)]],
        Field(
            description="Views for `black_litterman`, keyed by zone: its expected annual return. That strategy needs"
            " at least one.",
        ),
    ] = Field(default_factory=dict)
    costs: Annotated[
        dict[str, Share],
        Field(
            description="Costs of trading, keyed by zone, as a share of what is traded; they count in"
            " `multi_objective`, and orders that are not worth theirs are dropped.",
        ),
    ] = Field(default_factory=dict)
    lookback_months: Annotated[
        Count,
        Field(
            ge=4,
            le=360,
            description="Months of price returns that the covariance is estimated from, once there are half as many;"
            " until then it comes from the zones' volatility and `market.correlation`.",
        ),
    ] = 24
    sell_loans: Annotated[
        SalesConfig,
        Field(description="Sale of loans, where new lending alone would close gaps too slowly."),
    ] = SalesConfig()

    @model_validator(mode="before")
    @classmethod
    def _named_is_on(cls, values: Any) -> Any:
        if isinstance(values, dict) and "strategy" in values and "enabled" not in values:
            return {**values, "enabled": True}
        return values

    @model_validator(mode="after")
    def _has_views(self) -> Self:
        if self.enabled and self.strategy is AllocationStrategy.BLACK_LITTERMAN and not self.views:
            raise ValueError("strategy black_litterman needs views, like {green: 8%}")
        return self
