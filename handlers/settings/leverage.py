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
    """Concentration limits of the borrowing base; what exceeds them does not count as collateral."""

    zone: Annotated[
        Share,
        Field(description="Largest share of all eligible loans, by value, that counts from any one zone."),
    ] = 0.6
    loan: Annotated[
        Share,
        Field(description="Largest share of all eligible loans, by value, that counts from any one loan."),
    ] = 0.05


class LineConfig(Config):
    """How a facility computes interest, and when it may be repaid early."""

    enabled: Annotated[
        StrictBool,
        Field(description="Whether the fund opens this facility at all; `leverage.enabled` must be true as well."),
    ] = True
    day_count: Annotated[
        Literal["ACT/360", "ACT/365F", "30/360"],
        Field(description="Day count convention of the facility's interest and fees."),
    ] = "ACT/360"
    interest: Annotated[
        Literal["simple", "compounded"],
        Field(
            description="How interest builds up over a quarter: `simple`, or `compounded` daily in arrears at the base"
            " rate, with the spread left simple.",
        ),
    ] = "simple"
    lookback_business_days: Annotated[
        BusinessDays,
        Field(description="Business days that the facility looks back for the base rate that it charges on a day."),
    ] = 0
    rate_floor: Annotated[
        Rate,
        Field(description="Lowest annual base rate that the facility charges, before the spread is added."),
    ] = 0
    prepayment_lockout_months: Annotated[
        Count,
        Field(
            ge=0,
            le=720,
            description="Months from the start during which nothing is prepaid: neither scripts nor the optimiser"
            " repay then, only what is due is paid.",
        ),
    ] = 0


class GreenSleeveConfig(LineConfig):
    """The NAV line, which lends against the fund's loans."""

    max_mult: Annotated[
        Multiple,
        Field(
            description="Multiple of `fund.size` up to which the line's commitment may be raised when the optimiser"
            " wants to draw more.",
        ),
    ] = 1.5
    spread_bps: Annotated[
        Bps,
        Field(description="Basis points a year above the base rate that the drawn balance of the NAV line costs."),
    ] = 275
    commitment_fee_bps: Annotated[
        Bps,
        Field(
            description="Basis points a year on the undrawn commitment of the NAV line, until its draw period ends.",
        ),
    ] = 50
    advance_rate: Annotated[
        Share,
        Field(
            description="Share of the eligible loans' value, after concentration limits, that makes the borrowing base"
            " of the NAV line."
        ),
    ] = 0.75
    min_dscr: Annotated[
        Multiple,
        Field(
            description="Lowest debt service coverage that passes: collections less expenses over interest and fees"
            " paid, for the last four quarters. Below it the line is in breach.",
        ),
    ] = 1.2
    max_ltv: Annotated[
        Share,
        Field(
            description="Highest ratio of all debt to the claims of performing loans that passes. Above it the line is"
            " in breach.",
        ),
    ] = 0.65
    initial_commitment_mult: Annotated[
        Multiple,
        Field(
            description="Commitment of the line at its opening as a multiple of `fund.size`; the commitment fee is due"
            " on what is undrawn.",
        ),
    ] = 0.6
    term_months: Annotated[
        Months,
        Field(description="Months from the start to the maturity of the NAV line, before any extension."),
    ] = 60
    draw_end_months: Annotated[
        Months,
        Field(
            description="Months from the start in which the line may be drawn. After that the undrawn commitment"
            " lapses, and all that comes in repays the line.",
        ),
    ] = 48
    extensions: Annotated[
        Count,
        Field(
            ge=0,
            le=10,
            description="Number of extension options; one is used at each maturity where a balance is owed and no"
            " test fails.",
        ),
    ] = 2
    extension_months: Annotated[
        Months,
        Field(description="Months by which each extension moves the maturity of the NAV line."),
    ] = 12
    upfront_fee_bps: Annotated[
        Bps,
        Field(description="Basis points charged once on the initial commitment, and on each increase of it."),
    ] = 50
    eligible_loan_ltv: Annotated[
        Share,
        Field(description="Highest loan-to-value ratio of a loan that still counts in the borrowing base."),
    ] = 0.75
    concentration: Annotated[
        ConcentrationConfig,
        Field(description="Limits on how much of the borrowing base may come from one zone or one loan."),
    ] = ConcentrationConfig()
    min_loans: Annotated[
        Count,
        Field(ge=0, description="Smallest number of eligible loans; with fewer, the borrowing base is zero."),
    ] = 20
    draw_notice_business_days: Annotated[
        Notice,
        Field(description="Business days of notice for draws on the NAV line and for its voluntary repayments."),
    ] = 3
    cure_business_days: Annotated[
        Notice,
        Field(
            description="Business days to cure a breach of the NAV line, after which it is an event of default and"
            " the whole balance is due.",
        ),
    ] = 30
    dscr_test_from_months: Annotated[
        Count,
        Field(
            ge=0,
            le=720,
            description="Months from the start after which debt service coverage is tested; before that it is only"
            " reported.",
        ),
    ] = 24
    valuation_lag_days: Annotated[
        Count,
        Field(
            ge=0,
            le=366,
            description="Calendar days by which a quarter's valuation reaches the lender late; until then base and"
            " tests go by the one before.",
        ),
    ] = 0

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
    """The subscription line, which lends against uncalled commitments and so bridges capital calls."""

    limit_pct_commit: Annotated[
        Share,
        Field(description="Commitment of the subscription line, as a share of `fund.size`; a decimal, not per cent."),
    ] = 0.15
    spread_bps: Annotated[
        Bps,
        Field(description="Basis points a year above the base rate that a drawn subscription line costs."),
    ] = 300
    commitment_fee_bps: Annotated[
        Bps,
        Field(
            description="Basis points a year on what is undrawn of the subscription line, until its draw period ends.",
        ),
    ] = 50
    draw_period_months: Annotated[
        Months,
        Field(description="Months from the start in which the subscription line may be drawn in place of a call."),
    ] = 24
    term_months: Annotated[
        Months,
        Field(description="Months from the start to the maturity of the subscription line, when its balance is due."),
    ] = 36
    advance_rate: Annotated[
        Share,
        Field(
            description="Share of the uncalled commitments of limited partners not in default that makes the borrowing"
            " base of the subscription line.",
        ),
    ] = 0.9
    clean_down_days: Annotated[
        Count,
        Field(
            gt=0,
            le=3660,
            description="Calendar days within which a draw must be paid back; capital is called for it in time, and"
            " a draw that is older puts the line in breach.",
        ),
    ] = 180
    draw_notice_business_days: Annotated[
        Notice,
        Field(
            description="Business days of notice for draws on the subscription line and for its voluntary repayments.",
        ),
    ] = 1
    cure_business_days: Annotated[
        Notice,
        Field(
            description="Business days to cure a breach of the subscription line before it is an event of default.",
        ),
    ] = 15

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
    """The base rate as leverage configs write it; the same thing as ``market.base_rate``."""

    base_rate_initial: Annotated[
        Rate,
        Field(description="Annual base rate on the first day: `market.base_rate.initial` by another name."),
    ] = 0.0425
    volatility: Annotated[
        Rate,
        Field(ge=0, description="Annual volatility of the base rate: `market.base_rate.volatility` by another name."),
    ] = 0.01
    mean_reversion: Annotated[
        Number,
        Field(
            ge=0,
            description="Speed of mean reversion a year: `market.base_rate.mean_reversion` by another name.",
        ),
    ] = 0.1
    long_term_mean: Annotated[
        Rate,
        Field(description="Annual long-term mean rate: `market.base_rate.long_term_mean` by another name."),
    ] = 0.04


class OptimizationConfig(Config):
    """The optimiser: how much debt it aims for at each quarter's end, and the cash kept for debt service."""

    enabled: Annotated[
        StrictBool,
        Field(
            description="Whether the optimiser draws and repays on its own at each quarter's end. Without it, only"
            " scripts draw on the NAV line.",
        ),
    ] = True
    target_leverage: Annotated[
        Multiple,
        Field(description="Debt as a multiple of net asset value that the optimiser draws up to on the NAV line."),
    ] = 0.5
    max_leverage: Annotated[
        Multiple,
        Field(description="Debt as a multiple of net asset value that deleveraging repays down to."),
    ] = 0.65
    deleveraging_threshold: Annotated[
        Multiple,
        Field(
            description="Debt as a multiple of net asset value above which deleveraging begins; where the cash at hand"
            " does not suffice for it, what comes in is swept.",
        ),
    ] = 0.7
    min_cash_buffer: Annotated[
        Multiple,
        Field(
            description="Multiple of the next quarter's interest and fees that is kept in cash and neither lent nor"
            " distributed, even where the optimiser is off.",
        ),
    ] = 1.5

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.target_leverage <= self.max_leverage <= self.deleveraging_threshold:
            raise ValueError(
                "target_leverage ≤ max_leverage ≤ deleveraging_threshold is broken by"
                f" {self.target_leverage:g}, {self.max_leverage:g}, {self.deleveraging_threshold:g}"
            )
        return self


class StressTestingConfig(Config):
    """Shocks that each quarter's tests are recalculated under; they are recorded and change nothing."""

    enabled: Annotated[
        StrictBool,
        Field(
            description="Whether the effect of the shocks is recorded with each quarter's tests, while the NAV line is"
            " drawn.",
        ),
    ] = True
    interest_rate_shock: Annotated[
        Rate,
        Field(ge=0, le=1, description="Rise of the base rate in the interest rate shock; 0.02 is 200 basis points."),
    ] = 0.02
    nav_shock: Annotated[
        Share,
        Field(description="Share that loan values, claims and the borrowing base lose in the NAV shock."),
    ] = 0.2
    liquidity_shock: Annotated[
        Share,
        Field(description="Share that cash, the cash reserve and collections lose in the liquidity shock."),
    ] = 0.5


class LeverageConfig(Config):
    """The facilities that the fund may borrow on, and how it uses them."""

    enabled: Annotated[
        StrictBool,
        Field(description="Whether the fund borrows; without it, only `leverage.interest_rate_model` has an effect."),
    ] = False
    green_sleeve: Annotated[
        GreenSleeveConfig,
        Field(description="NAV line, which borrows against the fund's loans to make more of them."),
    ] = GreenSleeveConfig()
    ramp_line: Annotated[
        RampLineConfig,
        Field(
            description="Subscription line, which borrows against uncalled commitments until a later call repays it."
        ),
    ] = RampLineConfig()
    interest_rate_model: Annotated[
        InterestRateModelConfig | None,
        Field(
            description="Another place to write `market.base_rate`, which takes it over; where both give a value, the"
            " two must agree. Null means that nothing is given here.",
        ),
    ] = None
    optimization: Annotated[
        OptimizationConfig,
        Field(description="Target, ceiling and cash buffer that the optimiser steers debt by."),
    ] = OptimizationConfig()
    stress_testing: Annotated[
        StressTestingConfig,
        Field(description="Sizes of the shocks that `fundclock stress` and every quarter's record show."),
    ] = StressTestingConfig()

    def lines(self) -> dict[str, GreenSleeveConfig | RampLineConfig]:
        """The facilities that are enabled, by name."""
        lines: dict[str, GreenSleeveConfig | RampLineConfig] = {
            "green_sleeve": self.green_sleeve,
            "ramp_line": self.ramp_line,
        }
        return {name: line for name, line in lines.items() if self.enabled and line.enabled}
