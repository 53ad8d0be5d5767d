"""The nineteen parameters of the reinvestment engine: each one moves a result, by hand, in the direction named.

The fund is ``funds.two_zones``: 400,000 green and 600,000 red live, targets are .6 and .4; on 15 May 1,100,000 come in
from green and 105,000 from red. Loans are of 100,000. Amounts are in thousands.
"""

import math
from typing import NamedTuple

import pytest

from fundclock import calculate_reinvestment_statistics
from fundclock.handlers.settings.reinvestment import ReinvestmentConfig
from funds import BOOK, day, of, two_zones

SHOCK = [
    {"at": "2026-03-01", "do": {"shock_price": {"zone": "green", "change": 0.10}}},
    {"at": "2026-03-01", "do": {"shock_price": {"zone": "red", "change": 0.05}}},
]
RESERVE = {"enable_cash_reserve": True}
DYNAMIC = {"enable_dynamic_allocation": True, "rebalance_threshold": 1}
GREEN, RED = 1.1 ** (365 / 134) - 1, 1.05 ** (365 / 134) - 1
MOVED = 0.5 * (GREEN / (GREEN + RED) - 0.6)
"""What dynamic allocation adds to green: half of the way from its target to its share of the returns."""


def first(run):
    return of(run, "capital.reinvested/1")[0]


def green_wanted(run):
    return first(run).payload.target["green"]


def bought_on(run):
    return first(run).day


def thousands_on(date):
    def lent(run):
        return sum(r.payload.amount_cents for r in of(run, "capital.reinvested/1") if r.day <= day(date)) / 1e5

    return lent


def loans_bought(run):
    return first(run).payload.loans


def ltv_of_new_loans(run):
    [*new] = [r.payload for r in of(run, "loan.originated/1") if r.payload.source == "reinvestment"]
    return new[0].principal_cents / new[0].property_value_cents


def buckets(run):
    return len(calculate_reinvestment_statistics(run)["reinvestment_by_period"])


def reserve_after_first_call(run):
    return of(run, "reserve.filled/1")[0].payload.reserve_cents / 1e5


def largest_reserve(run):
    return max((r.payload.reserve_cents for r in of(run, "reserve.filled/1")), default=0) / 1e5


class Row(NamedTuple):
    """With a parameter at ``low`` the result is ``at_low``, at ``high`` it is ``at_high``, all else being equal."""

    parameter: str
    low: object
    at_low: object
    high: object
    at_high: object
    measure: object
    others: dict = {}  # noqa: RUF012
    script: list = []  # noqa: RUF012


# of 1,205 the gap of green takes 200 first, the rest goes by target
CLOSING = 200 / 1205 + 1005 / 1205 * 0.6

ROWS = [
    Row("reinvestment_strategy", "maintain_allocation", 0.4, "rebalance", CLOSING, green_wanted),
    # 1,205 are eligible at the check of June: enough, or never enough
    Row("min_reinvestment_amount", 1_205_000, 1200, 1_205_001, 0, thousands_on("2030-12-31")),
    Row("reinvestment_frequency", "quarterly", day("2026-06-30"), "annual", day("2026-12-31"), bought_on),
    Row("reinvestment_delay", 1, day("2026-06-30"), 2, day("2026-09-30"), bought_on),
    Row("reinvestment_batch_size", 5, 500, 10, 1000, thousands_on("2026-06-30")),
    Row("zone_preference_multipliers", {"green": 1, "red": 3}, 0.6 / 1.8, {"green": 3, "red": 1}, 1.8 / 2.2,
        green_wanted, {"reinvestment_strategy": "custom"}),
    # prices of green have risen by 10 %, of red by 5 %
    Row("opportunistic_threshold", 0.04, 2 / 3, 0.06, 1.0, green_wanted,
        {"reinvestment_strategy": "opportunistic"}, SHOCK),
    Row("rebalance_threshold", 0.19, CLOSING, 0.21, 0.6, green_wanted),
    Row("reinvestment_ltv_adjustment", 0, 0.4, 0.25, 0.5, ltv_of_new_loans),
    Row("reinvestment_size_adjustment", 0, 12, 1.0, 6, loans_bought),
    Row("enable_dynamic_allocation", False, 0.6, True, 0.6 + MOVED, green_wanted, {"rebalance_threshold": 1}),
    # both exits were on 15 May; a month before the check of 30 June is too short to see them
    Row("performance_lookback_period", 1, 0.6, 2, 0.6 + MOVED, green_wanted, DYNAMIC),
    Row("performance_weight", 0.1, 0.6 + MOVED / 5, 0.5, 0.6 + MOVED, green_wanted, DYNAMIC),
    Row("max_allocation_adjustment", 0.01, 0.61, 0.2, 0.6 + MOVED, green_wanted, DYNAMIC),
    # lent in June and at the end of 2027: one month after the other, or one year after the other
    Row("reinvestment_tracking_granularity", "annual", 2, "monthly", 19, buckets, {"reinvestment_batch_size": 11},
        [{"at": "2026-07-01", "do": {"set": {"reinvestment_engine.min_reinvestment_amount": 105_001}}},
         {"at": "2027-12-01", "do": {"set": {"reinvestment_engine.min_reinvestment_amount": 0}}}]),
    # commitments of 4,000: bands of 2, 5 and 10 % are 80, 200 and 400
    # 80 from the call and 1,100 are above the maximum before the other 105 come
    Row("enable_cash_reserve", False, 0, True, 1180, largest_reserve),
    # 80 + 1,205 less the target
    Row("cash_reserve_target", 0.03, 1165, 0.05, 1085, thousands_on("2026-06-30"), {**RESERVE, "cash_reserve_max": 1}),
    Row("cash_reserve_min", 0.01, 40, 0.02, 80, reserve_after_first_call, RESERVE),
    # 1,285 on 15 June are above 1,200, which makes a check of the day; they are not above 2,000
    Row("cash_reserve_max", 0.3, day("2026-06-15"), 0.5, day("2026-06-30"), bought_on, RESERVE),
]  # fmt: skip


def play(tmp_path, row, value):
    settings = {row.parameter: value, **row.others}
    reserve = any("reserve" in name for name in settings)
    changes = {"fund__size": 4e6, "fund__fee_reserve": 1 - 2.18 / 4} if reserve else {}
    return two_zones(
        tmp_path,
        script=row.script,
        **{f"reinvestment_engine__{name}": setting for name, setting in settings.items()},
        **changes,
    )


@pytest.mark.parametrize("row", ROWS, ids=[row.parameter for row in ROWS])
def test_a_parameter_moves_its_result(tmp_path, row):
    for value, expected in ((row.low, row.at_low), (row.high, row.at_high)):
        assert row.measure(play(tmp_path, row, value)) == pytest.approx(expected), value
    assert row.at_low != row.at_high


def test_every_parameter_has_its_row():
    assert {row.parameter for row in ROWS} == set(ReinvestmentConfig.model_fields)
    assert len(ROWS) == 19
    assert math.fsum(float(line.split(",")[2]) for line in BOOK) == 2_100_000


def test_the_defaults_are_those_that_users_know():
    defaults = ReinvestmentConfig().model_dump()
    assert defaults == {
        "reinvestment_strategy": "rebalance",
        "min_reinvestment_amount": 100_000,
        "reinvestment_frequency": "quarterly",
        "reinvestment_delay": 1,
        "reinvestment_batch_size": 50,
        "zone_preference_multipliers": {},
        "opportunistic_threshold": 0.05,
        "rebalance_threshold": 0.05,
        "reinvestment_ltv_adjustment": 0,
        "reinvestment_size_adjustment": 0,
        "enable_dynamic_allocation": False,
        "performance_lookback_period": 12,
        "performance_weight": 0.5,
        "max_allocation_adjustment": 0.2,
        "reinvestment_tracking_granularity": "monthly",
        "enable_cash_reserve": False,
        "cash_reserve_target": 0.05,
        "cash_reserve_min": 0.02,
        "cash_reserve_max": 0.1,
    }
