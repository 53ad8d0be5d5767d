"""Config of zones, loans and exits: ``zones``, ``loans`` and ``exits`` in a scenario."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, StrictStr, model_validator

from fundclock.events.config import Config
from fundclock.events.units import Amount, Number, Rate

Share = Annotated[Rate, Field(ge=0, le=1)]


class ZoneConfig(Config):
    """A zone: its share of new loans, its market, and how its loans default."""

    target_allocation: Share
    appreciation: Annotated[Rate, Field(ge=-1, le=1)]
    volatility: Annotated[Rate, Field(ge=0, le=2)]
    default_rate: Annotated[Rate, Field(ge=0, le=5)]
    recovery_rate: Share
    series: StrictStr | None = None


class SizeConfig(Config):
    """Principal of new loans: a normal, truncated to [min, max]."""

    mean: Annotated[Amount, Field(gt=0)] = 400_000
    sd: Annotated[Amount, Field(ge=0)] = 100_000
    min: Annotated[Amount, Field(ge=1)] = 50_000
    max: Annotated[Amount, Field(ge=1)] = 1_000_000

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        return self


class RateDraw(Config):
    """A rate of new loans: a normal, truncated to [min, max]."""

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
    """Loan-to-value at origination; always above zero, at most 1."""

    mean: Annotated[Rate, Field(gt=0, le=1)] = 0.40
    sd: Annotated[Rate, Field(ge=0)] = 0.10
    min: Annotated[Rate, Field(gt=0, le=1)] = 0.15
    max: Annotated[Rate, Field(gt=0, le=1)] = 0.65


class CouponDraw(RateDraw):
    """Annual coupon."""

    mean: Annotated[Rate, Field(ge=0, le=1)] = 0.05
    sd: Annotated[Rate, Field(ge=0)] = 0.005
    min: Annotated[Rate, Field(ge=0, le=1)] = 0.01
    max: Annotated[Rate, Field(ge=0, le=1)] = 0.15


class Tiers(Config):
    """Marginal shares of appreciation: ``shares[i]`` of the gain between ``thresholds[i-1]`` and ``thresholds[i]``."""

    thresholds: tuple[Annotated[Rate, Field(gt=0)], ...] = (0.2, 0.5, 1.0)
    shares: tuple[Share, ...] = (0.1, 0.2, 0.3, 0.4)

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
    """New loans, and the tape with which the fund opens."""

    tape: StrictStr | None = None
    size: SizeConfig = SizeConfig()
    ltv: LtvDraw = LtvDraw()
    coupon: CouponDraw = CouponDraw()
    term_years: Annotated[Number, Field(ge=0.25, le=60)] = 10
    appreciation_share: Share | Tiers = 0.40
    interest_payment: Literal["capitalise", "cash"] = "capitalise"
    senior_ltv: Annotated[Rate, Field(ge=0, lt=1)] = 0
    selling_cost: Annotated[Rate, Field(ge=0, lt=1)] = 0.02
    idiosyncratic_volatility: Annotated[Rate, Field(ge=0, le=2)] = 0.10

    def tiers(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Thresholds and shares of the marginal tiers; a flat share is one tier without threshold."""
        share = self.appreciation_share
        if isinstance(share, Tiers):
            return share.thresholds, share.shares
        return (), (share,)


class AgeConfig(Config):
    """Age at exit in years: a normal, truncated below at ``min_hold_years``."""

    mean: Annotated[Number, Field(ge=0, le=60)] = 4
    sd: Annotated[Number, Field(gt=0, le=60)] = 1.5


class SensitivityConfig(Config):
    """Exit hazard × clip(1 + k × trailing appreciation, lo, hi)."""

    k: Number = 1
    lo: Annotated[Number, Field(ge=0)] = 0.5
    hi: Annotated[Number, Field(ge=0)] = 2

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.lo > self.hi:
            raise ValueError(f"lo {self.lo:g} is above hi {self.hi:g}")
        return self


class ExitsConfig(Config):
    """When and how loans end."""

    age_years: AgeConfig = AgeConfig()
    min_hold_years: Annotated[Number, Field(ge=0, le=60)] = 0.25
    appreciation_sensitivity: SensitivityConfig = SensitivityConfig()
    ltv_sensitivity: Annotated[Number, Field(ge=0, le=100)] = 8
    foreclosure_months: Annotated[Number, Field(ge=0, le=120)] = 9
    recovery_basis: Literal["claim", "value"] = "claim"
