"""Config of reinvestment: ``reinvestment_engine`` in a scenario; shares are decimals."""

from typing import Annotated, Literal, Self

from pydantic import Field, StrictBool, model_validator

from fundclock.events.config import Config
from fundclock.events.units import Amount, Count, Number, Rate

Share = Annotated[Rate, Field(ge=0, le=1)]
Strategy = Literal["maintain_allocation", "rebalance", "opportunistic", "custom"]
Months = Annotated[Number, Field(ge=0, le=120)]


class ReinvestmentConfig(Config):
    """The reinvestment engine: when proceeds are lent again, how much of them, and in which zones."""

    reinvestment_strategy: Annotated[
        Strategy,
        Field(
            description="How a check divides cash among zones: `rebalance` by target, large gaps first,"
            " `maintain_allocation` by present shares, `opportunistic` by recent appreciation, `custom` by target"
            " times multiplier.",
        ),
    ] = "rebalance"
    min_reinvestment_amount: Annotated[
        Amount,
        Field(
            ge=0,
            description="Smallest amount in currency units that a check lends; less than that waits for the next"
            " check.",
        ),
    ] = 100_000
    reinvestment_frequency: Annotated[
        Literal["on_exit", "monthly", "quarterly", "semi_annual", "annual"],
        Field(
            description="When a check lends the cash that has become eligible: at the end of each such period, or with"
            " `on_exit` on the day that its delay ends.",
        ),
    ] = "quarterly"
    reinvestment_delay: Annotated[
        Months,
        Field(
            description="Calendar months from the day that proceeds come in until they may be lent again. A fraction"
            " of a month counts in days.",
        ),
    ] = 1
    reinvestment_batch_size: Annotated[
        Count,
        Field(ge=1, description="Largest number of loans that one check makes; what is left waits for the next."),
    ] = 50
    zone_preference_multipliers: Annotated[
        dict[str, Annotated[Number, Field(ge=0)]],
        Field(
            description="Multipliers of the target shares for the `custom` strategy, keyed by zone; the products are"
            " scaled to sum to 1. A zone that is left out has 1.",
        ),
    ] = Field(default_factory=dict)
    opportunistic_threshold: Annotated[
        Rate,
        Field(
            ge=-1,
            le=10,
            description="Appreciation over the last twelve months that a zone must exceed to be lent to by the"
            " `opportunistic` strategy. Where no zone does, the targets apply.",
        ),
    ] = 0.05
    rebalance_threshold: Annotated[
        Share,
        Field(
            description="Shortfall of a zone's share of the book against its target at which the `rebalance` strategy"
            " fills gaps first; below it, cash simply follows the targets.",
        ),
    ] = 0.05
    reinvestment_ltv_adjustment: Annotated[
        Rate,
        Field(
            gt=-1,
            le=10,
            description="Relative shift of the mean loan-to-value ratio of loans bought with proceeds, within the"
            " same bounds; 0.1 turns a mean of 40% into 44%.",
        ),
    ] = 0
    reinvestment_size_adjustment: Annotated[
        Rate,
        Field(
            gt=-1,
            le=10,
            description="Relative shift of the mean principal of loans bought with proceeds, within the same bounds;"
            " -0.1 makes them a tenth smaller on average.",
        ),
    ] = 0
    enable_dynamic_allocation: Annotated[
        StrictBool,
        Field(
            description="Whether target shares move toward the zones whose paid-off loans have earned most. It has no"
            " part in `opportunistic` while some zone has risen enough.",
        ),
    ] = False
    performance_lookback_period: Annotated[
        Number,
        Field(
            gt=0,
            le=240,
            description="Months before a check within which loans must have paid off to count as performance in"
            " dynamic allocation.",
        ),
    ] = 12
    performance_weight: Annotated[
        Share,
        Field(
            description="Share of the distance from a zone's target to its share of all returns that dynamic"
            " allocation covers; at 0 the targets stay as they are.",
        ),
    ] = 0.5
    max_allocation_adjustment: Annotated[
        Share,
        Field(
            description="Largest change that dynamic allocation makes to a zone's share, before the shares are scaled"
            " to sum to 1.",
        ),
    ] = 0.2
    reinvestment_tracking_granularity: Annotated[
        Literal["monthly", "quarterly", "annual"],
        Field(description="Period by which statistics and charts group reinvestments; it moves no cash."),
    ] = "monthly"
    enable_cash_reserve: Annotated[
        StrictBool,
        Field(
            description="Whether proceeds pass through a cash reserve: checks lend only what is above its target, and"
            " fees may draw on the rest.",
        ),
    ] = False
    cash_reserve_target: Annotated[
        Share,
        Field(
            description="Level of the cash reserve, as a share of `fund.size`, down to which checks lend it.",
        ),
    ] = 0.05
    cash_reserve_min: Annotated[
        Share,
        Field(
            description="Level of the cash reserve, as a share of `fund.size`, that the first calls fill it to before"
            " any loan is bought, and that a call restores when it has been drawn on.",
        ),
    ] = 0.02
    cash_reserve_max: Annotated[
        Share,
        Field(
            description="Level of the cash reserve, as a share of `fund.size`, above which a check is made at once;"
            " what is still above it then goes to the partners.",
        ),
    ] = 0.1

    @model_validator(mode="after")
    def _reserve_band(self) -> Self:
        if not self.cash_reserve_min <= self.cash_reserve_target <= self.cash_reserve_max:
            raise ValueError(
                "cash_reserve_min ≤ cash_reserve_target ≤ cash_reserve_max is broken by"
                f" {self.cash_reserve_min:g}, {self.cash_reserve_target:g}, {self.cash_reserve_max:g}"
            )
        return self
