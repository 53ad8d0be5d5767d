import math
from datetime import date

import numpy as np
import pytest

from fundclock import Scenario
from fundclock.events.dates import Calendar
from fundclock.scenarios.runs.market_paths import cholesky, make_market
from fundclock.sim.indices import IndexPaths, lognormal_path
from fundclock.sim.rates import RatePath, vasicek_step
from fundclock.sim.streams import Streams


def test_a_vasicek_step_has_the_moments_of_the_closed_form():
    # Glasserman, Monte Carlo Methods in Financial Engineering (2003), section 3.3.1; a = .1, b = 4 %, sigma = 1 %, one year
    mean = vasicek_step(0.0425, 1, 0.1, 0.04, 0.01, 0.0)
    assert mean == pytest.approx(0.04 + 0.0025 * math.exp(-0.1), abs=1e-15)
    sd = vasicek_step(0.0425, 1, 0.1, 0.04, 0.01, 1.0) - mean
    assert sd == pytest.approx(0.01 * math.sqrt((1 - math.exp(-0.2)) / 0.2), abs=1e-15)


def test_vasicek_steps_compose_so_the_step_is_exact_and_not_eulers():
    def moments(years):
        mean = vasicek_step(0.06, years, 0.5, 0.03, 0.02, 0.0)
        return mean, vasicek_step(0.06, years, 0.5, 0.03, 0.02, 1.0) - mean

    _, half_sd = moments(0.5)
    half_mean, _ = moments(0.5)
    whole_mean, whole_sd = moments(1.0)
    assert vasicek_step(half_mean, 0.5, 0.5, 0.03, 0.02, 0.0) == pytest.approx(whole_mean, abs=1e-15)
    decay = math.exp(-0.25)
    assert math.sqrt(half_sd**2 * decay**2 + half_sd**2) == pytest.approx(whole_sd, abs=1e-15)


def test_without_mean_reversion_the_rate_is_a_brownian_motion():
    assert vasicek_step(0.03, 4, 0, 0.9, 0.01, 1.0) == pytest.approx(0.05)
    assert vasicek_step(0.03, 4, 1e-9, 0.03, 0.01, 1.0) == pytest.approx(0.05, abs=1e-8)


def test_a_fixing_holds_until_the_next_and_the_floor_and_shocks_lie_on_top():
    path = RatePath([-10, 0, 31], [0.05, 0.02, 0.01], floor=0.0)
    assert [path.rate(day) for day in (-1, 0, 30, 31, 500)] == [0.05, 0.02, 0.02, 0.01, 0.01]
    path.shock(40, -0.03)
    assert [path.rate(day) for day in (39, 40)] == [0.01, 0.0]


def test_rate_days_is_the_sum_of_daily_rates_with_a_floor_of_zero():
    path = RatePath([0, 10], [0.02, 0.001], floor=None)
    assert path.rate_days(5, 15, -0.0025) == pytest.approx(5 * 0.0175)
    assert path.rate_days(5, 15, 0.01) == pytest.approx(5 * 0.03 + 5 * 0.011)
    assert path.rate_days(15, 15, 0.01) == 0
    before = path.rate_days(0, 20, 0.0)
    path.shock(18, 0.01)
    assert path.rate_days(0, 20, 0.0) == pytest.approx(before + 2 * 0.01)


def test_index_levels_grow_as_the_arithmetic_drift_says_whatever_the_steps():
    rng = np.random.default_rng(5)
    drift, sigma = np.array([0.06, 0.04]), np.array([0.12, 0.18])
    factor = cholesky(np.array([[1, 0.5], [0.5, 1]]))
    days = [0, 31, 59, 400, 3650]
    normals = rng.standard_normal((20_000, len(days) - 1, 2))
    ends = np.array([lognormal_path(days, drift, sigma, factor, draw)[-1] for draw in normals])
    assert np.exp(ends).mean(axis=0) == pytest.approx(np.exp(drift * 10), rel=0.02)
    assert ends.std(axis=0) == pytest.approx(sigma * math.sqrt(10), rel=0.02)
    assert np.corrcoef(ends.T)[0, 1] == pytest.approx(0.5, abs=0.02)


def test_the_cholesky_factor_serves_perfectly_correlated_zones_too():
    for matrix in ([[1, 0.7, 0.5], [0.7, 1, 0.8], [0.5, 0.8, 1]], [[1, 1, 0], [1, 1, 0], [0, 0, 1]]):
        factor = cholesky(np.array(matrix, float))
        assert factor @ factor.T == pytest.approx(np.array(matrix))


def make_paths():
    return IndexPaths([0, 100, 200], np.log([[2.0], [4.0], [2.0]]), [0.365 * math.log(2)])


def test_valuations_interpolate_log_linearly_and_decisions_read_only_past_knots():
    paths = make_paths()
    assert paths.level(0) == [0.0]
    assert paths.level(50)[0] == pytest.approx(math.log(2) / 2)
    assert paths.known(99) == [0.0]
    assert paths.known(100)[0] == pytest.approx(math.log(2))
    assert paths.level(300)[0] == paths.known(300)[0] == pytest.approx(0.0)
    assert paths.level(-1000)[0] == pytest.approx(-math.log(2))


def test_a_price_shock_holds_from_its_day_on_and_leaves_the_past_alone():
    paths = make_paths()
    before = [paths.level(day)[0] for day in (0, 49, 50, 150)]
    paths.shock(50, [-0.1])
    after = [paths.level(day)[0] for day in (0, 49, 50, 150)]
    assert np.subtract(after, before) == pytest.approx([0, 0, -0.1, -0.1])
    assert paths.known(60) == [-0.1]


def test_before_the_fund_the_trailing_appreciation_is_the_long_run_drift():
    config = Scenario.load("base").resolve()
    calendar = config.calendar()
    market = make_market(config, calendar, [0, 30, 58], Streams(7), {})
    drift = [math.expm1(zone.appreciation - zone.volatility**2 / 2) for zone in config.zones.values()]
    assert market.appreciation(0) == pytest.approx(drift, abs=1e-12)


def test_zone_paths_do_not_depend_on_which_other_zones_there_are():
    config = Scenario.load("base").with_(set={"market.correlation": {}}).resolve()
    alone = Scenario.from_dict({"zones": {"green": {"target_allocation": 1.0}}}).resolve()
    knots = [0, *config.calendar().period_ends("monthly", 1, 2000)]
    calendar = Calendar(date(2026, 1, 1))
    together = make_market(config, calendar, knots, Streams(7), {})
    single = make_market(alone, calendar, knots, Streams(7), {})
    assert together.levels(1500)[0] == single.levels(1500)[0]
