"""The timetable: which part of a fund has something to do on which days, and in which phase."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from fundclock.events.bus import Caused, Output
from fundclock.events.dates import Calendar
from fundclock.events.phases import Phase
from fundclock.scenarios.runs.assembly import Fund
from fundclock.scenarios.runs.plan import Plan
from fundclock.sim.kernel import Kernel, Process
from fundclock.sim.processes import loan_exits, on_days

Processes = dict[str, Callable[[str], Process]]
"""The fund's processes by name. Of one day and phase, the earlier one comes first."""


class Root(NamedTuple):
    """What the simulation itself does on its days."""

    enter_month: Callable[[int], Iterable[Output]]
    finish: Callable[[int], Iterable[Output]]


def timetable(plan: Plan, fund: Fund, kernel: Kernel, knots: list[int], root: Root) -> Processes:
    """All processes of a fund but the scripts'."""
    calendar, last, period_end = fund.context.calendar, fund.context.last_day, fund.context.period_end
    days = _days(plan, calendar)
    deployment, fees, reinvestment = fund.deployment, fund.fees, fund.reinvestment

    def on(when: Iterable[int], phase: Phase, act: Callable[[int], Iterable[Output]]) -> Callable[[str], Process]:
        return on_days(kernel, when, phase, act)

    made: Processes = {
        "market": on(knots, Phase.market, root.enter_month),
        "reinvestment_period": on([period_end], Phase.market, reinvestment.end_period),
        "valuation": on([*days.quarter_ends, last], Phase.accrual, lambda day: _value(fund, day)),
        "loan_exits": loan_exits(kernel, fund.lifecycle),
        "wind_down": on([last], Phase.exits, fund.lifecycle.wind_down),
        "coupons": on(days.coupons, Phase.receipts, fund.lifecycle.collect_interest),
        "fees": on(sorted(fees.payment_days), Phase.fees, fees.charge),
        "last_fees": on([last], Phase.fees, fees.close),
        "opening_call": on([0], Phase.receipts, deployment.call_opening_book),
        "opening_book": on([0], Phase.originations, fund.opening.buy),
        "capital_calls": on(days.tranches, Phase.notices, lambda day: deployment.call_tranche(day, days.tranches[day])),
        "reinvestment_checks": on(
            [day for day in days.checks if day < period_end], Phase.reinvestment, reinvestment.check_on_month_end
        ),
        "reserve_calls": on(
            [day for day in days.quarter_ends if days.keeps_reserve and day < period_end],
            Phase.notices,
            fund.reserve.top_up,
        ),
        "distributions": on(days.distributions, Phase.distributions, fund.distributions.distribute),
        "nav_report": on([*days.quarter_ends, last], Phase.report, fund.treasury.report_nav),
        "run_end": on([last], Phase.report, root.finish),
    }
    leverage, allocation = fund.leverage, fund.allocation
    if leverage is not None:
        service, ends = leverage.service, days.quarter_ends
        payment_days = [day for day in map(service.due_day, ends) if day < last]
        made |= {
            "facility_opening": on([0], Phase.market, leverage.lines.open),
            "facility_accruals": on([*ends, last], Phase.accrual, service.accrue_all),
            "debt_service": on(payment_days, Phase.debt_service, service.pay_all),
            "debt_at_the_end": on([last], Phase.debt_service, service.close),
            "covenant_tests": on(ends, Phase.tests, leverage.breaches.test_quarter),
            "optimiser": on(ends, Phase.rebalance, leverage.optimiser.optimise),
            "debt_service_calls": on([0, *ends], Phase.notices, service.call_ahead),
            "leverage_report": on(ends, Phase.report, leverage.report.measure),
        }
    if allocation is not None:  # before the reinvestment of the day
        made["allocation"] = on([0, *knots[1:-1]], Phase.rebalance, allocation.check_on_month_end)
    return made


def _value(fund: Fund, day: int) -> Iterable[Output]:
    """Interest on cash, then the book's valuation, which follows from where the market stands on its day."""
    valued = _value_book(fund, day) if day < fund.context.last_day else ()
    return chain(fund.treasury.credit_interest(day), valued)


def _value_book(fund: Fund, day: int) -> Iterator[Output]:
    moved = fund.context.state.results.moved_seq
    for valued in fund.lifecycle.value_book(day):
        yield Caused(valued, moved, moved)


class _Days(NamedTuple):
    """Days on which the fund's processes may have something to do."""

    tranches: dict[int, int]
    quarter_ends: list[int]
    coupons: list[int]
    checks: list[int]
    distributions: list[int]
    keeps_reserve: bool


def _days(plan: Plan, calendar: Calendar) -> _Days:
    config, last, may_change = plan.config, plan.config.last_day(), plan.may_change
    pays_cash = config.loans.interest_payment == "cash" or (plan.opening and any(plan.opening.pays_cash))
    pays_cash = pays_cash or may_change("loans.interest_payment")
    engine = config.reinvestment_engine
    frequency = engine.reinvestment_frequency
    if may_change("reinvestment_engine.reinvestment_frequency"):
        frequency = "monthly"
    return _Days(
        tranches={calendar.add_months(0, month): month for month in range(config.fund.deployment_months)},
        quarter_ends=calendar.period_ends("quarterly", 1, last - 1),
        coupons=calendar.period_ends("monthly", 1, last - 1) if pays_cash else [],
        checks=[] if frequency == "on_exit" else calendar.period_ends(frequency, 1, last - 1),
        distributions=_payment_days(calendar, config.fund.distribution_frequency, last),
        keeps_reserve=engine.enable_cash_reserve or may_change("reinvestment_engine.enable_cash_reserve"),
    )


def _payment_days(calendar: Calendar, frequency: str, last: int) -> list[int]:
    """Period ends moved to business days (modified following), and the last day of the fund."""
    days = {calendar.modified_following(day) for day in calendar.period_ends(frequency, 1, last - 1)}
    return [*sorted(day for day in days if 0 < day < last), last]
