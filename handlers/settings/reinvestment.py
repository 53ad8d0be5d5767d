"""Config of reinvestment: ``reinvestment_engine`` in a scenario; shares are decimals."""

from typing import Annotated, Literal, Self

from pydantic import Field, StrictBool, model_validator

from fundclock.events.config import Config
from fundclock.events.units import Amount, Count, Number, Rate

Share = Annotated[Rate, Field(ge=0, le=1)]
Strategy = Literal["maintain_allocation", "rebalance", "opportunistic", "custom"]
Months = Annotated[Number, Field(ge=0, le=120)]


class ReinvestmentConfig(Config):
    """When, how much and where proceeds are reinvested."""

    reinvestment_strategy: Strategy = "rebalance"
    min_reinvestment_amount: Annotated[Amount, Field(ge=0)] = 100_000
    reinvestment_frequency: Literal["on_exit", "monthly", "quarterly", "semi_annual", "annual"] = "quarterly"
    reinvestment_delay: Months = 1
    reinvestment_batch_size: Annotated[Count, Field(ge=1)] = 50
    zone_preference_multipliers: dict[str, Annotated[Number, Field(ge=0)]] = Field(default_factory=dict)
    opportunistic_threshold: Annotated[Rate, Field(ge=-1, le=10)] = 0.05
    rebalance_threshold: Share = 0.05
    reinvestment_ltv_adjustment: Annotated[Rate, Field(gt=-1, le=10)] = 0
    reinvestment_size_adjustment: Annotated[Rate, Field(gt=-1, le=10)] = 0
    enable_dynamic_allocation: StrictBool = False
    performance_lookback_period: Annotated[Number, Field(gt=0, le=240)] = 12
    performance_weight: Share = 0.5
    max_allocation_adjustment: Share = 0.2
    reinvestment_tracking_granularity: Literal["monthly", "quarterly", "annual"] = "monthly"
    enable_cash_reserve: StrictBool = False
    cash_reserve_target: Share = 0.05
    cash_reserve_min: Share = 0.02
    cash_reserve_max: Share = 0.1

    @model_validator(mode="after")
    def _reserve_band(self) -> Self:
        if not self.cash_reserve_min <= self.cash_reserve_target <= self.cash_reserve_max:
            raise ValueError(
                "cash_reserve_min ≤ cash_reserve_target ≤ cash_reserve_max is broken by"
                f" {self.cash_reserve_min:g}, {self.cash_reserve_target:g}, {self.cash_reserve_max:g}"
            )
        return self
