"""Config of zones, loans and exits: ``zones``, ``loans`` and ``exits`` in a scenario."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, StrictStr, model_validator

from fundclock.events.config import Config
from fundclock.events.units import Amount, Number, Rate

Share = Annotated[Rate, Field(ge=0, le=1)]


class ZoneConfig(Config):
    """A market that the fund lends in: its share of new loans, its property prices, and how its loans default."""

    # the standard zones may leave keys out, and an editor knows nothing of that
    model_config = ConfigDict(json_schema_extra=lambda schema: schema.pop("required"))

    target_allocation: Annotated[
        Share,
        Field(
            description="Share of new lending that this zone is meant to get; the targets of all zones sum to 1."
            " Reinvestment strategies and capital allocation may depart from it.",
        ),
    ]
    appreciation: Annotated[
        Rate,
        Field(
            ge=-1,
            le=1,
            description="Expected annual growth of the zone's property prices, continuously compounded. With an index"
            " file it counts only where the file has no prices.",
        ),
    ]
    volatility: Annotated[
        Rate,
        Field(
            ge=0,
            le=2,
            description="Annual volatility of the zone's property prices. Capital allocation measures risk by it"
            " until there are enough returns to go by.",
        ),
    ]
    default_rate: Annotated[
        Rate,
        Field(
            ge=0,
            le=5,
            description="Annual default rate (hazard) of the zone's loans while their LTV is at most 80%; above that"
            " `exits.ltv_sensitivity` raises it.",
        ),
    ]
    recovery_rate: Annotated[
        Share,
        Field(
            description="Share of a defaulted loan's claim that is recovered, at most what a sale of the property"
            " leaves. `exits.recovery_basis` can make it a share of that sale instead.",
        ),
    ]
    series: Annotated[
        StrictStr | None,
        Field(
            description="Name of the zone's series in `market.index_file`, such as a state's code. It is given for"
            " every zone where there is an index file, else for none.",
        ),
    ] = None


class SizeConfig(Config):
    """Principal of new loans: a normal distribution, truncated to ``min`` and ``max``."""

    mean: Annotated[
        Amount,
        Field(gt=0, description="Mean principal of new loans in currency units, before truncation."),
    ] = 400_000
    sd: Annotated[
        Amount,
        Field(
            ge=0,
            description="Standard deviation of the principal in currency units, before truncation; at 0 every loan"
            " has the mean size.",
        ),
    ] = 100_000
    min: Annotated[
        Amount,
        Field(
            ge=1,
            description="Smallest principal of a new loan in currency units. Less cash than that is not lent but"
            " waits.",
        ),
    ] = 50_000
    max: Annotated[
        Amount,
        Field(ge=1, description="Largest principal of a new loan in currency units."),
    ] = 1_000_000

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        return self


class RateDraw(Config):
    """A rate of new loans: a normal distribution, truncated to ``min`` and ``max``."""

    mean: Annotated[Rate, Field(ge=0)]
    sd: Annotated[Rate, Field(ge=0)]
    min: Annotated[Rate, Field(ge=0)]
    max: Annotated[Rate, Field(ge=0)]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        return self


class LtvDraw(RateDraw):
    """Loan-to-value ratio at origination: a normal distribution, truncated to ``min`` and ``max``."""

    mean: Annotated[
        Rate,
        Field(
            gt=0,
            le=1,
            description="Mean loan-to-value ratio at origination, before truncation. Principal divided by it is the"
            " property's opening value.",
        ),
    ] = 0.40
    sd: Annotated[
        Rate,
        Field(ge=0, description="Standard deviation of the loan-to-value ratio, before truncation."),
    ] = 0.10
    min: Annotated[
        Rate,
        Field(gt=0, le=1, description="Lowest loan-to-value ratio at origination."),
    ] = 0.15
    max: Annotated[
        Rate,
        Field(gt=0, le=1, description="Highest loan-to-value ratio at origination."),
    ] = 0.65


class CouponDraw(RateDraw):
    """Annual coupon of new loans: a normal distribution, truncated to ``min`` and ``max``."""

    mean: Annotated[
        Rate,
        Field(ge=0, le=1, description="Mean annual coupon of new loans, before truncation; interest is simple."),
    ] = 0.05
    sd: Annotated[
        Rate,
        Field(ge=0, description="Standard deviation of the annual coupon, before truncation."),
    ] = 0.005
    min: Annotated[
        Rate,
        Field(ge=0, le=1, description="Lowest annual coupon of a new loan."),
    ] = 0.01
    max: Annotated[
        Rate,
        Field(ge=0, le=1, description="Highest annual coupon of a new loan."),
    ] = 0.15


class Tiers(Config):
    """Marginal shares of appreciation: ``shares[i]`` of the gain between ``thresholds[i-1]`` and ``thresholds[i]``."""

    thresholds: Annotated[
        tuple[Annotated[Rate, Field(gt=0)], ...],
        Field(
            description="Gains of the property's value at which the next tier begins, in rising order and relative"
            " to its opening value; 0.2 is a gain of a fifth.",
        ),
    ] = (0.2, 0.5, 1.0)
    shares: Annotated[
        tuple[Share, ...],
        Field(
            description="Share of the gain in each tier that the fund gets: below the first threshold, between"
            " thresholds, and above the last.",
        ),
    ] = (0.1, 0.2, 0.3, 0.4)

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if len(self.shares) != len(self.thresholds) + 1:
            raise ValueError(
                f"{len(self.thresholds)} thresholds need {len(self.thresholds) + 1} shares, got {len(self.shares)}"
            )
        if any(low >= high for low, high in pairwise(self.thresholds)):
            raise ValueError(f"thresholds must rise, got {list(self.thresholds)}")
        return self


class LoansConfig(Config):
    """The terms of new loans, and the tape of loans that the fund opens with."""

    tape: Annotated[
        StrictStr | None,
        Field(
            description="Path, relative to the scenario's file, of a CSV file of loans that the fund buys at principal"
            " on its first day. Null means that it opens without loans.",
        ),
    ] = None
    size: Annotated[
        SizeConfig,
        Field(description="Distribution that the principal of new loans is drawn from."),
    ] = SizeConfig()
    ltv: Annotated[
        LtvDraw,
        Field(description="Distribution that the loan-to-value ratio of new loans is drawn from."),
    ] = LtvDraw()
    coupon: Annotated[
        CouponDraw,
        Field(description="Distribution that the annual coupon of new loans is drawn from."),
    ] = CouponDraw()
    term_years: Annotated[
        Number,
        Field(
            ge=0.25,
            le=60,
            description="Years from the origination of a new loan to its maturity, when it is paid off if nothing"
            " else has ended it.",
        ),
    ] = 10
    appreciation_share: Annotated[
        Share | Tiers,
        Field(
            description="Share of the property's gain over its opening value that a loan owes on top of principal and"
            " interest: one number, or `thresholds` and `shares` for tiers that rise with the gain.",
        ),
    ] = 0.40
    interest_payment: Annotated[
        Literal["capitalise", "cash"],
        Field(
            description="How new loans pay interest: `capitalise` adds it to the claim, where it bears no interest"
            " itself, `cash` pays it at every month's end.",
        ),
    ] = "capitalise"
    senior_ltv: Annotated[
        Rate,
        Field(
            ge=0,
            lt=1,
            description="Senior debt ahead of a new loan, as a share of the property's opening value; it is repaid"
            " first out of any sale.",
        ),
    ] = 0
    selling_cost: Annotated[
        Rate,
        Field(
            ge=0,
            lt=1,
            description="Cost of selling a property as a share of its value; a loan pays at most what is left after"
            " it.",
        ),
    ] = 0.02
    idiosyncratic_volatility: Annotated[
        Rate,
        Field(
            ge=0,
            le=2,
            description="Annual volatility of a single property's value around the prices of its zone.",
        ),
    ] = 0.10

    def tiers(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Thresholds and shares of the marginal tiers; a flat share is one tier without threshold."""
        share = self.appreciation_share
        if isinstance(share, Tiers):
            return share.thresholds, share.shares
        return (), (share,)


class AgeConfig(Config):
    """Age at exit in years: a normal distribution, truncated below at ``exits.min_hold_years``."""

    mean: Annotated[
        Number,
        Field(ge=0, le=60, description="Mean age in years at which a loan exits, before truncation."),
    ] = 4
    sd: Annotated[
        Number,
        Field(
            gt=0,
            le=60,
            description="Standard deviation of the exit age in years, before truncation; the smaller it is, the more"
            " exits bunch around the mean.",
        ),
    ] = 1.5


class SensitivityConfig(Config):
    """How the exit rate follows prices: it is multiplied by 1 + ``k`` × trailing appreciation, within bounds."""

    k: Annotated[
        Number,
        Field(
            description="Sensitivity of the exit rate to the zone's appreciation over the last twelve months: at 1, a"
            " rise of 10% makes exits a tenth more frequent.",
        ),
    ] = 1
    lo: Annotated[
        Number,
        Field(ge=0, description="Lowest factor on the exit rate, however far prices fall."),
    ] = 0.5
    hi: Annotated[
        Number,
        Field(ge=0, description="Highest factor on the exit rate, however far prices rise."),
    ] = 2

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.lo > self.hi:
            raise ValueError(f"lo {self.lo:g} is above hi {self.hi:g}")
        return self


class ExitsConfig(Config):
    """Exits and defaults: when they end a loan, and what a default recovers."""

    age_years: Annotated[
        AgeConfig,
        Field(description="Distribution of the age at which loans exit, by a sale or a refinancing."),
    ] = AgeConfig()
    min_hold_years: Annotated[
        Number,
        Field(ge=0, le=60, description="Age in years before which no loan exits; it may still default."),
    ] = 0.25
    appreciation_sensitivity: Annotated[
        SensitivityConfig,
        Field(description="Sensitivity of the exit rate to the zone's recent price moves, with its bounds."),
    ] = SensitivityConfig()
    ltv_sensitivity: Annotated[
        Number,
        Field(
            ge=0,
            le=100,
            description="Sensitivity of the default rate to an LTV above 80%: the rate is multiplied by exp(this × the"
            " excess), so that 8 makes it 2.2 times as high at 90%.",
        ),
    ] = 8
    foreclosure_months: Annotated[
        Number,
        Field(
            ge=0,
            le=120,
            description="Months from a default to its recovery, during which the loan earns nothing.",
        ),
    ] = 9
    recovery_basis: Annotated[
        Literal["claim", "value"],
        Field(
            description="Amount that a zone's recovery rate applies to: `claim` is what was owed at default, `value`"
            " what a sale of the property leaves after costs and senior debt.",
        ),
    ] = "claim"
