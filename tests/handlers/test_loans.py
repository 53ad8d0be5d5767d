"""Claims, attributes, values and exits of loans against closed forms."""

import math
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fundclock.events.dates import Calendar
from fundclock.handlers.loans.claims import (
    flat_share_of_gain,
    net_sale,
    sale_weights,
    simple_interest,
    tiered_share_of_gain,
)
from fundclock.handlers.loans.exits import cumulative_exit_hazard
from fundclock.handlers.loans.generator import truncated_normal
from fundclock.handlers.settings.loans import ExitsConfig
from funds import quiet

TIERS = ((0.2, 0.5, 1.0), (0.1, 0.2, 0.3, 0.4))


def test_simple_interest_by_hand():
    # 100,000 at 5 % for 73 days of a 365-day year is a fifth of a year: 1,000
    assert simple_interest(100_000.0, 0.05, 73.0) == pytest.approx(1000.0)


def test_the_flat_share_is_a_share_of_the_gain_and_never_negative():
    assert flat_share_of_gain(250_000.0, 300_000.0, 0.4) == pytest.approx(20_000)
    assert flat_share_of_gain(250_000.0, 200_000.0, 0.4) == 0
    both = flat_share_of_gain(np.array([250e3, 250e3]), np.array([300e3, 200e3]), np.array([0.4, 0.4]))
    assert both.tolist() == [pytest.approx(20_000), 0]


@pytest.mark.parametrize(
    ("gain", "owed"),
    # by hand, shares of the opening value: .1 of the first 20 %, .2 of the next 30 %, .3 of the next 50 %, .4 beyond
    [(-0.3, 0), (0, 0), (0.1, 0.01), (0.2, 0.02), (0.5, 0.08), (1.0, 0.23), (1.5, 0.43)],
)
def test_the_tiers_are_marginal(gain, owed):
    assert tiered_share_of_gain(100.0, 100 * (1 + gain), TIERS) == pytest.approx(owed * 100, abs=1e-9)
    assert tiered_share_of_gain(np.array([100.0]), np.array([100 * (1 + gain)]), TIERS)[0] == pytest.approx(
        owed * 100, abs=1e-9
    )


def test_a_sale_leaves_what_cost_and_senior_debt_leave():
    assert net_sale(100.0, 0.02, 30.0) == pytest.approx(68)
    assert net_sale(100.0, 0.02, 99.0) == 0


def test_sale_and_refinance_weights_by_hand():
    assert sale_weights(0.05, 0.4) == pytest.approx((0.66, 0.66))
    assert sale_weights(-0.6, 1.2) == (0, 0)


@given(st.floats(0.001, 0.999), st.floats(-5, 5), st.floats(0.01, 3), st.floats(-8, 8), st.floats(0, 8))
def test_the_truncated_normal_agrees_with_scipy(uniform, mean, sd, low, width):
    high = low + width + 0.01
    if stats.norm.sf(low, mean, sd) < 1e-6 or stats.norm.cdf(high, mean, sd) < 1e-6:
        return
    drawn = truncated_normal(np.array([uniform]), mean, sd, low, high)[0]
    expected = stats.truncnorm.ppf(uniform, (low - mean) / sd, (high - mean) / sd, mean, sd)
    assert drawn == pytest.approx(expected, abs=1e-6)
    assert low <= drawn <= high


@pytest.mark.parametrize(
    ("mean", "sd", "low", "high", "near"),
    [(0.4, 0.01, 0.5, 0.65, 0.5), (500, 1, 50, 450, 450), (5e6, 1e5, 5e4, 1e6, 1e6), (0.005, 1e-4, 0.01, 0.15, 0.01)],
)
def test_bounds_far_out_in_a_tail_pull_all_draws_to_the_nearer_one(mean, sd, low, high, near):
    drawn = truncated_normal((np.arange(1000) + 0.5) / 1000, mean, sd, low, high)
    assert np.abs(drawn - near).max() < sd
    assert len(np.unique(drawn)) > 900


def test_without_spread_the_draw_is_the_mean_inside_the_bounds():
    assert truncated_normal(np.array([0.2, 0.9]), 5, 0, 1, 4).tolist() == [4, 4]


def test_the_exit_hazard_is_that_of_a_truncated_normal_age():
    config = ExitsConfig()
    hazard = cumulative_exit_hazard(config, 3650)
    days = np.arange(3651)
    low = (0.25 - 4) / 1.5
    expected = -stats.truncnorm.logsf(days / 365, low, np.inf, 4, 1.5)
    assert hazard == pytest.approx(expected, abs=1e-9)
    assert hazard[91] == 0 < hazard[92]


def tape(path, rows, columns="loan_id,zone,principal,property_value,coupon,term_years"):
    path.write_text("\n".join([columns, *rows]) + "\n")
    return str(path)


def many(tmp_path, count, ltv=0.4):
    value = round(100_000 / ltv)
    return tape(tmp_path / "tape.csv", [f"L{i:05d},green,100000,{value},0,30" for i in range(count)])


def exits(run, kind="loan.exited/1"):
    return np.array([r.day for r in run.log.read(kinds=[kind]) if r.payload["exit_kind"] != "fund_end"])


def fund_of(tmp_path, count, **changes):
    return quiet(
        loans__tape=many(tmp_path, count),
        fund__size=100_000 * count,
        fund__fee_reserve=0,
        fund__reinvestment_period_years=0,
        **changes,
    )


def test_exit_days_follow_the_exit_age_distribution_to_the_day(tmp_path):
    run = fund_of(tmp_path, 4000, exits__appreciation_sensitivity={"k": 0}).with_(seed=3).run()
    days = exits(run) - 0.5  # a crossing inside a day is that day's exit
    found = np.sort(days) / 365
    cdf = stats.truncnorm.cdf(found, (0.25 - 4) / 1.5, np.inf, 4, 1.5)
    empirical = (np.arange(len(found)) + 0.5) / 4000
    assert np.abs(cdf - empirical).max() < 1.95 / math.sqrt(4000)
    assert len(found) > 3990


def test_defaults_are_exponential_and_wait_for_their_recovery(tmp_path):
    run = fund_of(
        tmp_path,
        4000,
        zones={"green": {"default_rate": 0.2}},
        exits={"age_years": {"mean": 60, "sd": 0.1}, "foreclosure_months": 9},
    ).run()
    defaulted = {r.payload.loan_id: r for r in run.log.read(kinds=["loan.defaulted/1"])}
    days = np.sort([r.day for r in defaulted.values()]) - 0.5
    cdf = -np.expm1(-0.2 * days / 365)
    assert np.abs(cdf - (np.arange(len(days)) + 0.5) / 4000).max() < 1.95 / math.sqrt(4000)
    calendar = Calendar(date(2026, 1, 1))
    for record in run.log.read(kinds=["loan.recovered/1"]):
        default = defaulted[record.payload.loan_id]
        if record.payload.exit_kind == "foreclosure":
            assert record.day == calendar.add_months(default.day, 9) == default.payload.recovery_due_day
            assert record.payload.waited_days == record.day - default.day


def test_the_default_hazard_grows_with_ltv_above_the_critical(tmp_path):
    # LTV .9 and sensitivity 8: hazard 10 % × exp(.8) = 22.26 % a year
    path = many(tmp_path, 4000, ltv=0.9)
    value = round(100_000 / 0.9)
    run = quiet(
        loans__tape=path,
        fund={"size": 4e8, "fee_reserve": 0, "reinvestment_period_years": 0, "term_years": 1, "deployment_months": 1},
        zones={"green": {"default_rate": 0.1}},
        exits={"age_years": {"mean": 60, "sd": 0.1}},
    ).run()
    share = run.metrics["loans_defaulted"] / 4000
    rate = 0.1 * math.exp(8 * (100_000 / value - 0.8))
    assert share == pytest.approx(-math.expm1(-rate), abs=4 * math.sqrt(0.2 * 0.8 / 4000))


def test_appreciation_speeds_exits_up_within_its_clip(tmp_path):
    def median(lo, hi):
        run = fund_of(
            tmp_path,
            1500,
            zones={"green": {"appreciation": 0.2}},
            exits={"appreciation_sensitivity": {"k": 5, "lo": lo, "hi": hi}},
        ).run()
        return float(np.median(exits(run)))

    hazard = cumulative_exit_hazard(ExitsConfig(), 7000)
    for speed in (1.0, 1.5, 2.0):  # with hazard × m the median solves m·H(t) = ln 2
        expected = int(np.searchsorted(hazard * speed, math.log(2)))
        assert median(speed, speed) == pytest.approx(expected, abs=60)
    assert median(0, 1.5) == median(1.5, 1.5)


def test_property_noise_leaves_the_expected_value_and_spreads_with_time(tmp_path):
    run = fund_of(
        tmp_path,
        3000,
        loans__idiosyncratic_volatility=0.2,
        exits={"age_years": {"mean": 4, "sd": 0.3}, "appreciation_sensitivity": {"k": 0}},
        loans__appreciation_share=1.0,
    ).run()
    found = [r.payload for r in run.log.read(kinds=["loan.exited/1"])]
    logs = np.log([p.property_value_cents / 25_000_000 for p in found])
    years = np.array([p.held_days for p in found]) / 365
    scaled = (logs + 0.02 * years) / (0.2 * np.sqrt(years))
    assert scaled.mean() == pytest.approx(0, abs=4 / math.sqrt(3000))
    assert scaled.std() == pytest.approx(1, abs=4 / math.sqrt(6000))


def test_loans_that_outlive_their_term_mature_on_the_day(tmp_path):
    path = tape(tmp_path / "t.csv", ["A,green,100000,250000,0.05,2", "B,green,100000,250000,0.05,3"])
    run = quiet(
        loans__tape=path, fund__size=200_000, fund__fee_reserve=0, fund__reinvestment_period_years=0,
        exits={"age_years": {"mean": 60, "sd": 0.1}},
    ).run()  # fmt: skip
    ended = [(r.payload.loan_id, r.payload.exit_kind, r.day) for r in run.log.read(kinds=["loan.exited/1"])]
    calendar = Calendar(date(2026, 1, 1))
    assert ended == [("A", "maturity", calendar.add_months(0, 24)), ("B", "maturity", calendar.add_months(0, 36))]


def test_an_old_loan_starts_at_its_age(tmp_path):
    columns = "loan_id,zone,principal,property_value,coupon,term_years,age_years"
    rows = [f"L{i:05d},green,100000,250000,0,30,3.9" for i in range(2000)]
    run = quiet(
        loans__tape=tape(tmp_path / "t.csv", rows, columns), fund__size=2e8, fund__fee_reserve=0,
        fund__reinvestment_period_years=0, exits__appreciation_sensitivity={"k": 0},
    ).run()  # fmt: skip
    days = np.sort(exits(run)) - 0.5
    age = round(3.9 * 365) / 365
    survival = stats.norm(4, 1.5).sf
    cdf = 1 - survival(age + days / 365) / survival(age)
    assert np.abs(cdf - (np.arange(len(days)) + 0.5) / 2000).max() < 1.95 / math.sqrt(2000)
