"""Config of the market: ``market`` in a scenario."""

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictStr

from fundclock.events.config import Config
from fundclock.events.units import Number, Rate

Correlation = Annotated[Rate, Field(ge=-1, le=1)]


class BaseRateConfig(Config):
    """The short rate that cash yields and debt costs are built on.

    With ``file`` it is read from ``market.rate_file``; the settings of the model then serve to continue a file that
    ends before the fund does.
    """

    model: Annotated[
        Literal["vasicek", "constant", "file"],
        Field(
            description="Source of the base rate: `vasicek` draws a mean-reverting path, `constant` keeps the"
            " initial rate, `file` reads `market.rate_file`.",
        ),
    ] = "vasicek"
    initial: Annotated[
        Rate,
        Field(ge=-1, le=1, description="Annual base rate on the first day; not used where a rate file is given."),
    ] = 0.0425
    long_term_mean: Annotated[
        Rate,
        Field(ge=-1, le=1, description="Annual rate toward which the `vasicek` path is pulled."),
    ] = 0.04
    mean_reversion: Annotated[
        Number,
        Field(
            ge=0,
            le=100,
            description="Annual speed at which the `vasicek` path returns to its long-term mean: at 0.1 about a tenth"
            " of the distance is closed in a year, at 0 none.",
        ),
    ] = 0.1
    volatility: Annotated[
        Rate,
        Field(
            ge=0,
            le=1,
            description="Annual volatility of the `vasicek` path in absolute terms; 0.01 is 100 basis points a year.",
        ),
    ] = 0.01
    floor: Annotated[
        Annotated[Rate, Field(ge=-1, le=1)] | None,
        Field(
            description="Lowest annual base rate, whatever the model, a file or a shock says. Null means no floor.",
        ),
    ] = 0


class BreakerConfig(Config):
    """When the circuit breaker trips, and how long it stops all new lending."""

    nav_fall: Annotated[
        Rate,
        Field(
            gt=0,
            le=1,
            description="Fall of net asset value in a quarter, as a share and with contributions and distributions"
            " taken out, above which the breaker trips.",
        ),
    ] = 0.15
    reset_months: Annotated[
        Number,
        Field(
            ge=0,
            le=120,
            description="Months that the breaker stays tripped unless it trips again. Capital called or drawn in the"
            " meantime is lent when it resets.",
        ),
    ] = 6


class MarketConfig(Config):
    """The base rate, property prices, and the files that either may be read from."""

    base_rate: Annotated[
        BaseRateConfig,
        Field(description="The short rate: what idle cash yields and facilities cost, before spreads."),
    ] = BaseRateConfig()
    correlation: Annotated[
        dict[str, Correlation],
        Field(
            description="Correlation of property prices, keyed by pair of zones like `green-red`. Pairs that are not"
            " listed are uncorrelated.",
        ),
    ] = Field(default_factory=dict)
    rate_file: Annotated[
        StrictStr | None,
        Field(
            description="Path, relative to the scenario's file, of a CSV file of base rates in per cent in FRED's"
            " layout; it takes the place of the modelled rate. Null means none.",
        ),
    ] = None
    index_file: Annotated[
        StrictStr | None,
        Field(
            description="Path, relative to the scenario's file, of a CSV file of quarterly house price indices in the"
            " FHFA's layout; every zone names its `series` in it. Null means that prices are modelled.",
        ),
    ] = None
    index_adjusted: Annotated[
        StrictBool,
        Field(
            description="Whether the seasonally adjusted column of the index file is read rather than the unadjusted"
            " one."
        ),
    ] = False
    after_end: Annotated[
        Literal["error", "hold", "model"],
        Field(
            description="What follows when a file ends before the fund does: `error` refuses the run, `hold` keeps"
            " the last value, `model` goes on from it with the modelled path.",
        ),
    ] = "error"
    breaker: Annotated[
        BreakerConfig,
        Field(description="Circuit breaker that stops all new lending after a sharp fall of net asset value."),
    ] = BreakerConfig()
