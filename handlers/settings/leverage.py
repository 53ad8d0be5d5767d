"""Config of facilities and covenants: ``leverage`` in a scenario."""

from typing import Annotated, Literal, Self

from pydantic import Field, StrictBool, model_validator

from fundclock.events.config import Config
from fundclock.events.units import Count, Number, Rate

Share = Annotated[Rate, Field(ge=0, le=1)]
Multiple = Annotated[Number, Field(ge=0, le=100)]
Bps = Annotated[Number, Field(ge=0, le=10_000)]
Months = Annotated[Count, Field(gt=0, le=720)]
BusinessDays = Annotated[Count, Field(ge=0, le=250)]
Notice = Annotated[Count, Field(ge=1, le=250)]


class ConcentrationConfig(Config):
    """The largest share of the borrowing base in one zone and in one loan."""

    zone: Share = 0.6
    loan: Share = 0.05


class LineConfig(Config):
    """How any facility reckons its interest, and when it may be paid back early.

    The rate of a day is the fixing ``lookback_business_days`` before it, at least ``rate_floor``; ``compounded``
    compounds it daily in arrears, the spread apart. Before ``prepayment_lockout_months`` only what must be repaid is.
    """

    enabled: StrictBool = True
    day_count: Literal["ACT/360", "ACT/365F", "30/360"] = "ACT/360"
    interest: Literal["simple", "compounded"] = "simple"
    lookback_business_days: BusinessDays = 0
    rate_floor: Rate = 0
    prepayment_lockout_months: Annotated[Count, Field(ge=0, le=720)] = 0


class GreenSleeveConfig(LineConfig):
    """The NAV line. An extension moves its maturity by ``extension_months``."""

    max_mult: Multiple = 1.5
    spread_bps: Bps = 275
    commitment_fee_bps: Bps = 50
    advance_rate: Share = 0.75
    min_dscr: Multiple = 1.2
    max_ltv: Share = 0.65
    initial_commitment_mult: Multiple = 0.6
    term_months: Months = 60
    draw_end_months: Months = 48
    extensions: Annotated[Count, Field(ge=0, le=10)] = 2
    extension_months: Months = 12
    upfront_fee_bps: Bps = 50
    eligible_loan_ltv: Share = 0.75
    concentration: ConcentrationConfig = ConcentrationConfig()
    min_loans: Annotated[Count, Field(ge=0)] = 20
    draw_notice_business_days: Notice = 3
    cure_business_days: Notice = 30
    dscr_test_from_months: Annotated[Count, Field(ge=0, le=720)] = 24
    valuation_lag_days: Annotated[Count, Field(ge=0, le=366)] = 0

    @model_validator(mode="after")
    def _can_lend(self) -> Self:
        _drawn_before_maturity("draw_end_months", self.draw_end_months, self.term_months)
        if self.initial_commitment_mult > self.max_mult:
            raise ValueError(
                f"initial_commitment_mult {self.initial_commitment_mult:g} is above max_mult {self.max_mult:g}"
            )
        _has_base(self.enabled, advance_rate=self.advance_rate, max_mult=self.max_mult)
        return self


class RampLineConfig(LineConfig):
    """The subscription line."""

    limit_pct_commit: Share = 0.15
    spread_bps: Bps = 300
    commitment_fee_bps: Bps = 50
    draw_period_months: Months = 24
    term_months: Months = 36
    advance_rate: Share = 0.9
    clean_down_days: Annotated[Count, Field(gt=0, le=3660)] = 180
    draw_notice_business_days: Notice = 1
    cure_business_days: Notice = 15

    @model_validator(mode="after")
    def _can_lend(self) -> Self:
        _drawn_before_maturity("draw_period_months", self.draw_period_months, self.term_months)
        _has_base(self.enabled, advance_rate=self.advance_rate, limit_pct_commit=self.limit_pct_commit)
        return self


def _drawn_before_maturity(name: str, months: int, term_months: int) -> None:
    if months > term_months:
        raise ValueError(f"{name} {months} is after the maturity, term_months {term_months}")


def _has_base(enabled: bool, **parts: float) -> None:
    """A facility needs something to lend against."""
    for name, value in parts.items():
        if enabled and value == 0:
            raise ValueError(f"{name} is 0: the facility would have no base; set enabled: false for none")


class InterestRateModelConfig(Config):
    """The base rate under the name that leverage configs give it; the same thing as ``market.base_rate``."""

    base_rate_initial: Rate = 0.0425
    volatility: Annotated[Rate, Field(ge=0)] = 0.01
    mean_reversion: Annotated[Number, Field(ge=0)] = 0.1
    long_term_mean: Rate = 0.04


class OptimizationConfig(Config):
    """How much debt is wanted."""

    enabled: StrictBool = True
    target_leverage: Multiple = 0.5
    max_leverage: Multiple = 0.65
    deleveraging_threshold: Multiple = 0.7
    min_cash_buffer: Multiple = 1.5

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.target_leverage <= self.max_leverage <= self.deleveraging_threshold:
            raise ValueError(
                "target_leverage ≤ max_leverage ≤ deleveraging_threshold is broken by"
                f" {self.target_leverage:g}, {self.max_leverage:g}, {self.deleveraging_threshold:g}"
            )
        return self


class StressTestingConfig(Config):
    """Sizes of the shocks."""

    enabled: StrictBool = True
    interest_rate_shock: Annotated[Rate, Field(ge=0, le=1)] = 0.02
    nav_shock: Share = 0.2
    liquidity_shock: Share = 0.5


class LeverageConfig(Config):
    """All of ``leverage``."""

    enabled: StrictBool = False
    green_sleeve: GreenSleeveConfig = GreenSleeveConfig()
    ramp_line: RampLineConfig = RampLineConfig()
    interest_rate_model: InterestRateModelConfig | None = None
    optimization: OptimizationConfig = OptimizationConfig()
    stress_testing: StressTestingConfig = StressTestingConfig()

    def lines(self) -> dict[str, GreenSleeveConfig | RampLineConfig]:
        """The facilities that are enabled, by name."""
        lines: dict[str, GreenSleeveConfig | RampLineConfig] = {
            "green_sleeve": self.green_sleeve,
            "ramp_line": self.ramp_line,
        }
        return {name: line for name, line in lines.items() if self.enabled and line.enabled}
