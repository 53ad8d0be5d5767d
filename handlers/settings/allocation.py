"""Config of capital allocation: ``capital_allocation`` in a scenario."""

from typing import Annotated, Any, Self

from pydantic import Field, StrictBool, model_validator

from fundclock.events.config import Config
from fundclock.events.units import Count, Number, Rate
from fundclock.handlers.allocation.settings import AllocatorFields, Share
from fundclock.handlers.allocation.types import AllocationStrategy

PerCent = Annotated[Number, Field(ge=0, le=100)]


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
