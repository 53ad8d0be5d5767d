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
    """How target weights are found."""

    EQUAL_WEIGHT = "equal_weight"
    RISK_PARITY = "risk_parity"
    MEAN_VARIANCE = "mean_variance"
    KELLY_CRITERION = "kelly_criterion"
    BLACK_LITTERMAN = "black_litterman"
    MULTI_OBJECTIVE = "multi_objective"


class AllocatorFields(BaseModel):
    """What says how capital is allocated, alone or in a fund. Shares and rates are decimals.

    ``risk_aversion`` is γ in return − γ/2 · variance; ``tau`` scales the uncertainty of Black–Litterman's prior.
    ``infeasible`` says what is done where caps leave no way to invest everything: refuse, leave the rest idle, or raise
    all caps in proportion.
    """

    strategy: AllocationStrategy = AllocationStrategy.EQUAL_WEIGHT
    risk_free_rate: Annotated[Rate, Field(gt=-1, lt=10)] = 0.02
    rebalance_threshold: Share = 0.10
    max_protocols: Annotated[Count, Field(ge=1)] = 10
    optimization_frequency: Frequency = "quarterly"
    min_protocol_allocation: Share = 0.0
    max_protocol_allocation: Share = 1.0
    risk_aversion: Annotated[Number, Field(gt=0, le=1e6)] = 2.5
    tau: Annotated[Number, Field(gt=0, le=1)] = 0.05
    infeasible: Infeasible = "leave_cash"
    return_weight: Weight = 1.0
    risk_score_weight: Weight = 1.0
    turnover_weight: Weight = 1.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_protocol_allocation > self.max_protocol_allocation:
            raise ValueError(
                f"min_protocol_allocation {self.min_protocol_allocation:g} is above"
                f" max_protocol_allocation {self.max_protocol_allocation:g}"
            )
        return self


class ConstraintsConfig(Config):
    """Limits in per cent: of a zone, and of one order."""

    max_protocol_exposure_pct: PerCent | None = None
    max_transaction_size_pct: Annotated[Number, Field(ge=0.1, le=100)] | None = None
    max_asset_concentration_pct: PerCent | None = None


class SalesConfig(Config):
    """Loans that are sold where a zone has too much: at a haircut on what they would pay, and settled later."""

    enabled: StrictBool = False
    haircut: Share = 0.02
    settlement_business_days: Annotated[Count, Field(ge=1, le=250)] = 10


class AllocationConfig(AllocatorFields, Config):
    """All of ``capital_allocation``. Naming a strategy switches it on, unless ``enabled`` says otherwise.

    ``views`` are yearly expected returns by zone for ``black_litterman``; ``costs`` the share of what is traded that
    trading costs; ``lookback_months`` the monthly returns that make the covariance, once there are half as many.
    """

    enabled: StrictBool = False
    risk_constraints: ConstraintsConfig = ConstraintsConfig()
    risk_budgets: dict[str, Annotated[Number, Field(gt=0, le=1e6)]] = Field(default_factory=dict)
    views: dict[str, Annotated[Rate, Field(ge=-1, le=10)]] = Field(default_factory=dict)
    costs: dict[str, Share] = Field(default_factory=dict)
    lookback_months: Annotated[Count, Field(ge=4, le=360)] = 24
    sell_loans: SalesConfig = SalesConfig()

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
