"""Config of the fund's own money: ``fund``, ``calls``, ``fees`` and ``waterfall`` in a scenario."""

import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StrictBool, StrictStr, model_validator

from fundclock.events.config import Config
from fundclock.events.dates import holiday_source
from fundclock.events.units import Amount, Count, Number, Rate

Share = Annotated[Rate, Field(ge=0, le=1)]


def _whole_months(years: float) -> float:
    if abs(years * 12 - round(years * 12)) > 1e-9:
        raise ValueError(f"expected a whole number of months, got {years:g} years")
    return years


def _known_calendar(name: str) -> str:
    holiday_source(name)
    return name


Years = Annotated[Number, Field(gt=0, le=60), AfterValidator(_whole_months)]


class FundConfig(Config):
    """Size, dates and cash of the fund."""

    size: Annotated[Amount, Field(gt=0)] = 100_000_000
    start_date: Annotated[datetime.date, Field(ge=datetime.date(1900, 1, 1), le=datetime.date(2200, 1, 1))] = (
        datetime.date(2026, 1, 1)
    )
    term_years: Years = 10
    reinvestment_period_years: Annotated[Number, Field(ge=0, le=60), AfterValidator(_whole_months)] = 5
    deployment_months: Annotated[Count, Field(ge=1, le=120)] = 12
    gp_commitment: Annotated[Rate, Field(ge=0, lt=1)] = 0.02
    limited_partners: dict[
        Annotated[StrictStr, Field(pattern=r"^[A-Za-z]\w{0,31}$")], Annotated[Rate, Field(gt=0, le=1)]
    ] = Field(default_factory=dict)
    currency: Annotated[StrictStr, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    calendar: Annotated[StrictStr, AfterValidator(_known_calendar)] = "weekends"
    cash_yield_spread_bps: Annotated[Number, Field(ge=-10_000, le=10_000)] = -25
    fee_reserve: Annotated[Rate, Field(ge=0, lt=1)] = 0.08
    recycle: Literal["all", "principal"] = "all"
    recycling_cap: Annotated[Rate, Field(ge=0)] | None = None
    recallable: StrictBool = False
    distribution_frequency: Literal["monthly", "quarterly", "semi_annual", "annual"] = "quarterly"
    wind_down_discount: Share = 0

    @model_validator(mode="after")
    def _partners(self) -> Self:
        total = sum(self.limited_partners.values())
        if self.limited_partners and abs(total - 1) > 1e-9:
            raise ValueError(f"limited_partners must sum to 1, got {total:g}")
        return self

    @model_validator(mode="after")
    def _periods(self) -> Self:
        if self.reinvestment_period_years > self.term_years:
            raise ValueError(
                f"reinvestment_period_years {self.reinvestment_period_years:g} is longer than"
                f" term_years {self.term_years:g}"
            )
        if self.deployment_months > self.term_years * 12:
            raise ValueError(
                f"deployment_months {self.deployment_months} is longer than term_years {self.term_years:g}"
            )
        return self


class CallsConfig(Config):
    """Capital calls, and what a partner's default leads to.

    The others pay up to ``overcall_limit`` more than their own part; the defaulter forfeits ``default_forfeit`` of
    its share of all later distributions to them and is not called again.
    """

    notice_business_days: Annotated[Count, Field(ge=0, le=250)] = 10
    overcall_limit: Annotated[Rate, Field(ge=0, le=1)] = 0.25
    default_forfeit: Annotated[Rate, Field(ge=0, le=1)] = 0.5


class FeesConfig(Config):
    """Fees and expenses of the fund."""

    management: Annotated[Rate, Field(ge=0, le=1)] = 0.02
    origination: Annotated[Rate, Field(ge=0, le=1)] = 0.03
    origination_payer: Literal["fund", "borrower"] = "borrower"
    expenses: Annotated[Rate, Field(ge=0, le=1)] = 0.005
    expense_growth: Annotated[Rate, Field(ge=-1, le=1)] = 0.02
    setup: Annotated[Amount, Field(ge=0)] = 250_000


class WaterfallConfig(Config):
    """How distributions are shared between the limited partners and the general partner."""

    style: Literal["european", "american"] = "european"
    hurdle: Annotated[Rate, Field(ge=0, le=1)] = 0.08
    catch_up: Share = 1
    carry: Share = 0.2
    pref_clock: Literal["contribution", "facility_draw"] = "contribution"
    clawback: StrictBool = True

    @model_validator(mode="after")
    def _catch_up_ends(self) -> Self:
        if self.carry > 0 and 0 < self.catch_up <= self.carry:
            raise ValueError(f"catch_up {self.catch_up:g} must be above carry {self.carry:g} (or 0, for none)")
        return self
