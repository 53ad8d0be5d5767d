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
    """The fund itself: its size, its life, its partners and the terms of its cash."""

    size: Annotated[
        Amount,
        Field(
            gt=0,
            description="Total commitments in currency units, the general partner's included. Calls, expenses, the"
            " cash reserve and the commitments of facilities scale with it.",
        ),
    ] = 100_000_000
    start_date: Annotated[
        datetime.date,
        Field(
            ge=datetime.date(1900, 1, 1),
            le=datetime.date(2200, 1, 1),
            description="ISO date of the first closing, day 0 of the simulation. The term, the reinvestment period"
            " and the monthly calls run from it.",
        ),
    ] = datetime.date(2026, 1, 1)
    term_years: Annotated[
        Years,
        Field(
            description="Life of the fund in years, in whole months. On its last day the remaining loans are sold"
            " and all cash is distributed.",
        ),
    ] = 10
    reinvestment_period_years: Annotated[
        Number,
        Field(
            ge=0,
            le=60,
            description="Years from the start, in whole months, during which proceeds may be lent again. After that"
            " they are distributed, and the management fee is charged on invested capital.",
        ),
        AfterValidator(_whole_months),
    ] = 5
    deployment_months: Annotated[
        Count,
        Field(
            ge=1,
            le=120,
            description="Number of equal monthly tranches in which the commitments, less the fee reserve, are called"
            " and lent; the first is called on day 0.",
        ),
    ] = 12
    gp_commitment: Annotated[
        Rate,
        Field(
            ge=0,
            lt=1,
            description="Share of `fund.size` that the general partner commits. It pays calls and shares in"
            " distributions pari passu, but bears no management fee and stays outside the waterfall.",
        ),
    ] = 0.02
    limited_partners: Annotated[
        dict[Annotated[StrictStr, Field(pattern=r"^[A-Za-z]\w{0,31}$")], Annotated[Rate, Field(gt=0, le=1)]],
        Field(
            description="Limited partners, keyed by name, each with its share of their commitments; the shares sum to"
            " 1. Left empty, a single limited partner stands for all of them.",
        ),
    ] = Field(default_factory=dict)
    currency: Annotated[
        StrictStr,
        Field(
            pattern=r"^[A-Z]{3}$",
            description="Three-letter code of the currency that amounts are labelled with; nothing is converted.",
        ),
    ] = "USD"
    calendar: Annotated[
        StrictStr,
        Field(
            description="Holidays that are not business days: `weekends` for Saturdays and Sundays alone, or the"
            " code of a market or country whose holidays count too, such as `NYSE`, `ECB` or `GB`.",
        ),
        AfterValidator(_known_calendar),
    ] = "weekends"
    cash_yield_spread_bps: Annotated[
        Number,
        Field(
            ge=-10_000,
            le=10_000,
            description="Basis points added to the base rate to give the annual yield on idle cash, which is never"
            " negative. Interest on cash is credited every quarter.",
        ),
    ] = -25
    fee_reserve: Annotated[
        Rate,
        Field(
            ge=0,
            lt=1,
            description="Share of the commitments that the monthly tranches leave uncalled, for fees, for topping up"
            " the cash reserve and for debt service.",
        ),
    ] = 0.08
    recycle: Annotated[
        Literal["all", "principal"],
        Field(
            description="Proceeds that may be lent again during the reinvestment period: `all` of them, or only the"
            " `principal`, with interest and gains distributed.",
        ),
    ] = "all"
    recycling_cap: Annotated[
        Annotated[Rate, Field(ge=0)] | None,
        Field(
            description="Cap on all proceeds that are lent again over the life of the fund, as a share of `fund.size`;"
            " what exceeds it is distributed. Null means no cap.",
        ),
    ] = None
    recallable: Annotated[
        StrictBool,
        Field(
            description="Whether capital returned during the reinvestment period is recallable: it then adds to what"
            " may be called for fees, for debt service and to cure a breach.",
        ),
    ] = False
    distribution_frequency: Annotated[
        Literal["monthly", "quarterly", "semi_annual", "annual"],
        Field(
            description="How often cash is distributed: at the end of each such period, moved to a business day, and"
            " on the fund's last day.",
        ),
    ] = "quarterly"
    wind_down_discount: Annotated[
        Share,
        Field(
            description="Share taken off what each remaining loan and pending recovery would pay when the fund sells"
            " them on its last day.",
        ),
    ] = 0

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
    """Capital calls, and what follows when a limited partner defaults on one.

    The other partners cover the defaulter's part as far as ``overcall_limit`` allows. The defaulter is not called
    again, and forfeits ``default_forfeit`` of its share of all later distributions to them.
    """

    notice_business_days: Annotated[
        Count,
        Field(
            ge=0,
            le=250,
            description="Business days from the notice of a capital call to its due date, which is the next business"
            " day at the earliest. Longer notice delays each drawdown and the loans that it pays for.",
        ),
    ] = 10
    overcall_limit: Annotated[
        Rate,
        Field(
            ge=0,
            le=1,
            description="Limit on what each other limited partner pays toward a defaulter's part of a call, as a share"
            " of its own part. What nobody covers is not paid.",
        ),
    ] = 0.25
    default_forfeit: Annotated[
        Rate,
        Field(
            ge=0,
            le=1,
            description="Share of a defaulting limited partner's later distributions that it forfeits to the others.",
        ),
    ] = 0.5


class FeesConfig(Config):
    """Fees and expenses of the fund, and who pays them."""

    management: Annotated[
        Rate,
        Field(
            ge=0,
            le=1,
            description="Annual rate of the management fee: on the limited partners' commitments during the"
            " reinvestment period, then on their share of the cost of performing loans. Due quarterly in advance.",
        ),
    ] = 0.02
    origination: Annotated[
        Rate,
        Field(
            ge=0,
            le=1,
            description="Origination fee as a share of principal, due on the day the fund makes a loan. Loans of an"
            " opening tape bear none.",
        ),
    ] = 0.03
    origination_payer: Annotated[
        Literal["fund", "borrower"],
        Field(
            description="Who pays the origination fee: `borrower` makes it income of the fund, `fund` an expense"
            " that comes out of the cash about to be lent.",
        ),
    ] = "borrower"
    expenses: Annotated[
        Rate,
        Field(
            ge=0,
            le=1,
            description="Annual operating expenses as a share of `fund.size`, charged quarterly in arrears.",
        ),
    ] = 0.005
    expense_growth: Annotated[
        Rate,
        Field(
            ge=-1,
            le=1,
            description="Annual rate at which expenses grow, in a step on each anniversary of the start date.",
        ),
    ] = 0.02
    setup: Annotated[
        Amount,
        Field(ge=0, description="One-time cost of setting up the fund in currency units, charged on the first day."),
    ] = 250_000


class WaterfallConfig(Config):
    """How distributions are shared between the limited partners and the general partner's carry."""

    style: Annotated[
        Literal["european", "american"],
        Field(
            description="Capital that is returned before any profit is shared: with `european` all contributions,"
            " with `american` only those that realised loans have used.",
        ),
    ] = "european"
    hurdle: Annotated[
        Rate,
        Field(
            ge=0,
            le=1,
            description="Annual compound rate of the preferred return, which the limited partners receive before any"
            " carry is paid.",
        ),
    ] = 0.08
    catch_up: Annotated[
        Share,
        Field(
            description="Share of distributions after the preferred return that goes to the carry until it has"
            " caught up with its share of all profit. It must be above `waterfall.carry`, or 0 for a hard hurdle.",
        ),
    ] = 1
    carry: Annotated[
        Share,
        Field(
            description="Share of profit that goes to the general partner as carry once capital and preferred return"
            " have been paid.",
        ),
    ] = 0.2
    pref_clock: Annotated[
        Literal["contribution", "facility_draw"],
        Field(
            description="Day from which the preferred return runs: `contribution` is when the partners pay in,"
            " `facility_draw` when the subscription line drew what their contribution repays.",
        ),
    ] = "contribution"
    clawback: Annotated[
        StrictBool,
        Field(
            description="Whether carry above what the fund has earned over its whole life is returned to the limited"
            " partners on the last day.",
        ),
    ] = True

    @model_validator(mode="after")
    def _catch_up_ends(self) -> Self:
        if self.carry > 0 and 0 < self.catch_up <= self.carry:
            raise ValueError(f"catch_up {self.catch_up:g} must be above carry {self.carry:g} (or 0, for none)")
        return self
