"""Settings of the allocator: what a config says, else ``CAPITAL_*`` variables, else defaults."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from fundclock.events.units import Count, Number, Rate
from fundclock.handlers.allocation.types import AllocationStrategy

Share = Annotated[Rate, Field(ge=0, le=1)]
Weight = Annotated[Number, Field(ge=0, le=1e6)]
Frequency = Literal["monthly", "quarterly", "semi_annual", "annual"]
Infeasible = Literal["raise", "leave_cash", "scale_caps"]


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


class CapitalSettings(AllocatorFields, BaseSettings):
    """Settings of an allocator; what is not given comes from ``CAPITAL_*`` variables."""

    model_config = SettingsConfigDict(env_prefix="CAPITAL_", extra="forbid", frozen=True)


OF_A_FUND = (
    "enabled",
    "risk_constraints",
    "risk_budgets",
    "views",
    "costs",
    "lookback_months",
    "sell_loans",
)
"""Keys of a scenario's section that say what a fund does with the allocator, not how it allocates."""


def resolved(config: Mapping[str, Any] | None) -> CapitalSettings:
    """Settings of a flat config or of its section ``capital_allocation``. Raises ValueError that names the key."""
    given: Any = {} if config is None else config
    if isinstance(given, Mapping) and "capital_allocation" in given:
        given = given["capital_allocation"]
        if isinstance(given, Mapping):
            given = {key: value for key, value in given.items() if key not in OF_A_FUND}
    if not isinstance(given, Mapping):
        raise TypeError(f"config must be a mapping, got {type(given).__name__}")
    for key in given:
        if key not in CapitalSettings.model_fields:
            close = get_close_matches(str(key), CapitalSettings.model_fields, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else f"; allowed: {', '.join(CapitalSettings.model_fields)}"
            raise ValueError(f"config: unknown key {key!r}{hint}")
    try:
        return CapitalSettings(**given)
    except ValidationError as error:
        found = error.errors()[0]
        place = ".".join(map(str, found["loc"])) or "config"
        what = found["msg"].removeprefix("Value error, ")
        raise ValueError(f"config: {place}: {what}, got {found['input']!r}" if found["loc"] else what) from None
