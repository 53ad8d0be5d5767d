"""Config of capital allocation: ``capital_allocation`` in a scenario."""

from typing import Annotated, Literal, Self

from pydantic import Field, StrictBool, model_validator

from events.config import Config
from events.units import Count, Rate

Share = Annotated[Rate, Field(ge=0, le=1)]


class AllocationConfig(Config):
    """All of ``capital_allocation``. The engine is not built yet: ``enabled`` must stay false."""

    enabled: StrictBool = False
    strategy: Literal["equal_weight", "risk_parity", "mean_variance", "kelly_criterion"] = "equal_weight"
    risk_free_rate: Rate = 0.02
    rebalance_threshold: Share = 0.10
    max_protocols: Annotated[Count, Field(ge=1)] = 10
    optimization_frequency: Literal["monthly", "quarterly", "semi_annual", "annual"] = "quarterly"

    @model_validator(mode="after")
    def _not_yet(self) -> Self:
        if self.enabled:
            raise ValueError("enabled: true is not available yet; the allocation engine comes with a later version")
        return self
