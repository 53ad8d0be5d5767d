"""Weights and risk figures that others have published, and closed forms."""

from decimal import Decimal

import numpy as np
import pytest

from fundclock.handlers.allocation import CapitalAllocator
from fundclock.handlers.allocation.black_litterman import implied_returns, posterior
from fundclock.handlers.allocation.efficiency import historical_tail, normal_tail
from fundclock.handlers.allocation.kelly import exact_kelly
from fundclock.handlers.allocation.limits import limits


def correlated(*lower):
    """A correlation matrix from the rows below its diagonal."""
    found = np.eye(len(lower) + 1)
    for row, values in enumerate(lower, 1):
        found[row, :row] = found[:row, row] = values
    return found


def solve(strategy, names, constraints=None, config=None, **given):
    allocator = CapitalAllocator({"strategy": strategy, **(config or {})})
    found = allocator.optimize_portfolio(names, constraints, **given)
    return found, np.array([float(found[name]) for name in names])


def open_limits(n):
    return limits(np.zeros(n), np.ones(n), [], "raise")


def test_equal_risk_contribution_of_four_assets():
    """Maillard, Roncalli and Teïletche (2010), section 4: 38.4 %, 19.2 %, 24.3 %, 18.2 %."""
    risk = np.array([0.1, 0.2, 0.3, 0.4])
    covariance = correlated([0.8], [0, 0], [0, 0, -0.5]) * np.outer(risk, risk)
    _, weights = solve("risk_parity", list("abcd"), covariance=covariance)
    assert weights == pytest.approx([0.384, 0.192, 0.243, 0.182], abs=6e-4)
    contributions = weights * (covariance @ weights)
    assert contributions == pytest.approx(np.full(4, contributions.mean()))


def test_equal_risk_contribution_under_one_correlation_is_inverse_volatility():
    """The same paper, equation 4."""
    risk = np.array([0.1, 0.2, 0.25])
    covariance = correlated([0.3], [0.3, 0.3]) * np.outer(risk, risk)
    _, weights = solve("risk_parity", list("abc"), covariance=covariance)
    _, by_scores = solve("risk_parity", list("abc"), risk_scores=dict(zip("abc", risk, strict=True)))
    assert weights == pytest.approx(1 / risk / (1 / risk).sum())
    assert weights == pytest.approx(by_scores, abs=1e-10)


def test_risk_budgets_of_two_assets_have_a_closed_form():
    """Roncalli (2013), Introduction to Risk Parity and Budgeting, section 2.2.1.2: with no correlation, w ∝ √b/σ."""
    risk, budgets = np.array([0.1, 0.3]), np.array([0.2, 0.8])
    _, weights = solve("risk_parity", ["a", "b"], covariance=np.diag(risk**2), risk_budgets={"a": 1, "b": 4})
    assert weights == pytest.approx(np.sqrt(budgets) / risk / (np.sqrt(budgets) / risk).sum())


HE_LITTERMAN = {
    "risk": np.array([0.160, 0.203, 0.248, 0.271, 0.210, 0.200, 0.187]),
    "market": np.array([0.016, 0.022, 0.052, 0.055, 0.116, 0.124, 0.615]),
    "correlation": correlated(
        [0.488],
        [0.478, 0.664],
        [0.515, 0.655, 0.861],
        [0.439, 0.310, 0.355, 0.354],
        [0.512, 0.608, 0.783, 0.777, 0.405],
        [0.491, 0.779, 0.668, 0.653, 0.306, 0.652],
    ),
}
"""He and Litterman (1999), tables 1 and 2: Australia, Canada, France, Germany, Japan, United Kingdom, United States."""
COUNTRIES = ["AUS", "CAN", "FRA", "GER", "JPN", "UK", "USA"]
EUROPE = {"FRA": -0.052 / 0.176, "GER": 1, "UK": -0.124 / 0.176}
"""The view of table 4: Germany does better than the rest of Europe, by market weights."""


def test_black_litterman_on_seven_countries():
    """He and Litterman (1999), tables 2 and 4."""
    risk, market = HE_LITTERMAN["risk"], HE_LITTERMAN["market"]
    covariance = HE_LITTERMAN["correlation"] * np.outer(risk, risk)
    prior = implied_returns(covariance, market, 2.5)
    assert (prior * 100).round(1).tolist() == [3.9, 6.9, 8.4, 9.0, 4.3, 6.8, 7.6]
    view = np.array([[EUROPE.get(name, 0.0) for name in COUNTRIES]])
    found = posterior(prior, covariance, 0.05, view, np.array([0.05]))
    assert (found.returns * 100).round(1).tolist() == [4.3, 7.6, 9.3, 11.0, 4.5, 7.0, 8.1]
    unlimited = np.linalg.solve(2.5 * found.covariance, found.returns)
    assert (unlimited * 100).round(1).tolist() == [1.5, 2.1, -4.0, 35.4, 11.0, -9.5, 58.6]


def test_black_litterman_long_only_leaves_out_what_would_be_sold_short():
    risk, market = HE_LITTERMAN["risk"], HE_LITTERMAN["market"]
    covariance = HE_LITTERMAN["correlation"] * np.outer(risk, risk)
    current = dict(zip(COUNTRIES, market, strict=True))
    weights, _ = solve("black_litterman", COUNTRIES, covariance=covariance, current=current, views=[(EUROPE, 0.05)])
    assert weights["FRA"] == weights["UK"] == 0
    assert weights["GER"] > Decimal("0.2")
    # without a view that says anything, the market stays
    neutral = float(implied_returns(covariance, market, 2.5) @ [EUROPE.get(name, 0.0) for name in COUNTRIES])
    _, same = solve("black_litterman", COUNTRIES, covariance=covariance, current=current, views=[(EUROPE, neutral)])
    assert same == pytest.approx(market, abs=0.03)  # M adds risk to Σ, the more the less is known


THREE = ["sp500", "bonds", "small"]
RU_RETURNS = np.array([0.0101110, 0.0043532, 0.0137058])
RU_COVARIANCE = np.array(
    [
        [0.00324625, 0.00022983, 0.00420395],
        [0.00022983, 0.00049937, 0.00019247],
        [0.00420395, 0.00019247, 0.00764097],
    ]
)


def test_least_variance_and_its_tail_for_three_instruments():
    """Rockafellar and Uryasev (2000), tables 1 to 4: monthly, expected return .011."""
    returns = dict(zip(THREE, RU_RETURNS, strict=True))
    _, weights = solve(
        "mean_variance", THREE, {"min_expected_return": 0.011}, expected_returns=returns, covariance=RU_COVARIANCE
    )
    assert weights == pytest.approx([0.452013, 0.115573, 0.432414], abs=3e-6)
    mean, deviation = float(weights @ RU_RETURNS), float(weights @ RU_COVARIANCE @ weights) ** 0.5
    for confidence, at_risk, beyond in (
        (0.90, 0.067847, 0.096975),
        (0.95, 0.090200, 0.115908),
        (0.99, 0.132128, 0.152977),
    ):
        assert normal_tail(mean, deviation, confidence) == pytest.approx((at_risk, beyond), abs=2e-6)


def test_a_long_only_frontier():
    """Cornuejols and Tütüncü (2007), Optimization Methods in Finance, section 8.1.1: stocks, bonds, money market."""
    returns = {"stocks": 0.1073, "bonds": 0.0737, "money": 0.0627}
    covariance = [[0.02778, 0.00387, 0.00021], [0.00387, 0.01112, -0.00020], [0.00021, -0.00020, 0.00115]]
    for wanted, variance, expected in (
        (0.065, 0.0010, (0.03, 0.10, 0.87)),
        (0.075, 0.0026, (0.24, 0.14, 0.62)),
        (0.085, 0.0070, (0.46, 0.18, 0.37)),
        (0.095, 0.0142, (0.67, 0.22, 0.11)),
        (0.105, 0.0246, (0.93, 0.07, 0.00)),
    ):
        limit = {"min_expected_return": wanted}
        _, weights = solve("mean_variance", list(returns), limit, expected_returns=returns, covariance=covariance)
        assert weights == pytest.approx(expected, abs=0.011)
        assert weights @ np.array(covariance) @ weights == pytest.approx(variance, abs=1.1e-4)


def test_mean_variance_of_two_assets_has_a_closed_form():
    """First-order condition: w = ((μ1 − μ2)/γ + σ2² − σ12) / (σ1² + σ2² − 2σ12)."""
    returns, covariance, aversion = {"a": 0.08, "b": 0.05}, np.array([[0.04, 0.006], [0.006, 0.0225]]), 4.0
    _, weights = solve("mean_variance", ["a", "b"], None, {"risk_aversion": aversion}, expected_returns=returns,
                       covariance=covariance)  # fmt: skip
    by_hand = (0.03 / aversion + 0.0225 - 0.006) / (0.04 + 0.0225 - 0.012)
    assert weights == pytest.approx([by_hand, 1 - by_hand])


@pytest.mark.parametrize(("win", "odds"), [(0.53, 1.0), (0.6, 1.0), (0.4, 2.0)])
def test_kelly_on_a_bet(win, odds):
    """Kelly (1956): f = p − (1 − p)/b, on two outcomes."""
    found = exact_kelly(np.array([[odds], [-1.0]]), np.array([win, 1 - win]), 0.0, open_limits(1))
    assert found.x[0] == pytest.approx(win - (1 - win) / odds, abs=1e-7)


def test_kelly_on_two_bets_at_once():
    """Thorp (2006), section 3: two independent even bets with p each take m/(1 + m²) each, m = 2p − 1."""
    win = 0.6
    outcomes = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]], dtype=float)
    odds = np.array([win * win, win * (1 - win), win * (1 - win), (1 - win) ** 2])
    edge = 2 * win - 1
    found = exact_kelly(outcomes, odds, 0.0, open_limits(2))
    assert found.x == pytest.approx(np.full(2, edge / (1 + edge**2)), abs=1e-7)


def test_gaussian_kelly_on_one_asset():
    """Thorp (2006), section 7: f = (m − r)/s²."""
    config = {"risk_free_rate": 0.02}
    weights, _ = solve("kelly_criterion", ["a"], None, config, expected_returns={"a": 0.05}, covariance=[[0.09]])
    assert float(weights["a"]) == pytest.approx(0.03 / 0.09)
    assert weights.idle_reason
    # on two equally likely outcomes, .05 ± .3, the exact answer is (1+r)(m−r)/(s² − (m−r)²)
    exact = 1.02 * 0.03 / (0.09 - 0.03**2)
    gain = [np.log(1.02 + f * 0.33) / 2 + np.log(1.02 - f * 0.27) / 2 for f in (exact, 0.03 / 0.09)]
    assert weights.growth_loss == pytest.approx(gain[0] - gain[1])
    outcomes = [[0.35], [-0.25]]
    best, _ = solve("kelly_criterion", ["a"], None, config, scenarios=outcomes)
    assert float(best["a"]) == pytest.approx(exact, abs=1e-7)


def test_turnover_costs_leave_small_gains_alone():
    """Inside ± cost/(γ(σ1² + σ2²)) of the best weight, two assets without correlation are not traded."""
    variance, aversion, cost = np.array([0.04, 0.04]), 2.5, 0.002
    given = {
        "expected_returns": {"a": 0.06, "b": 0.06},
        "covariance": np.diag(variance),
        "costs": {"a": cost, "b": cost},
    }
    edge = 2 * cost / (aversion * variance.sum())
    config = {"risk_aversion": aversion, "risk_score_weight": 0}
    for held, expected in (
        (0.5 + edge / 2, 0.5 + edge / 2),
        (0.5 + 3 * edge, 0.5 + edge),
        (0.5 - 3 * edge, 0.5 - edge),
    ):
        _, weights = solve("multi_objective", ["a", "b"], None, config, current={"a": held, "b": 1 - held}, **given)
        assert weights[0] == pytest.approx(expected, abs=1e-8)


def test_historical_tail_by_hand():
    """Rockafellar and Uryasev (2002), proposition 8: 1.5 of 10 returns are the tail at 85 %."""
    returns = np.array([-0.10, -0.04, *[0.01] * 8])
    at_risk, beyond = historical_tail(returns, 0.85)
    assert at_risk == pytest.approx(0.04)
    assert beyond == pytest.approx((0.10 + 0.5 * 0.04) / 1.5)
