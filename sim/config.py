"""Config of the market: ``market`` in a scenario."""

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictStr

from fundclock.events.config import Config
from fundclock.events.units import Number, Rate

Correlation = Annotated[Rate, Field(ge=-1, le=1)]


class BaseRateConfig(Config):
    """The short rate. ``file`` needs ``market.rate_file``; the Vasicek numbers also continue a file that ends early."""

    model: Literal["vasicek", "constant", "file"] = "vasicek"
    initial: Annotated[Rate, Field(ge=-1, le=1)] = 0.0425
    long_term_mean: Annotated[Rate, Field(ge=-1, le=1)] = 0.04
    mean_reversion: Annotated[Number, Field(ge=0, le=100)] = 0.1
    volatility: Annotated[Rate, Field(ge=0, le=1)] = 0.01
    floor: Annotated[Rate, Field(ge=-1, le=1)] | None = 0


class BreakerConfig(Config):
    """When the circuit breaker trips and how long it holds."""

    nav_fall: Annotated[Rate, Field(gt=0, le=1)] = 0.15
    reset_months: Annotated[Number, Field(ge=0, le=120)] = 6


class MarketConfig(Config):
    """Base rate, zone indices and the files they may come from."""

    base_rate: BaseRateConfig = BaseRateConfig()
    correlation: dict[str, Correlation] = Field(default_factory=dict)
    rate_file: StrictStr | None = None
    index_file: StrictStr | None = None
    index_adjusted: StrictBool = False
    after_end: Literal["error", "hold", "model"] = "error"
    breaker: BreakerConfig = BreakerConfig()
