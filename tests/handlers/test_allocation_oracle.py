"""Weights against a general modelling library on random problems: agreement to 1e-5 in weights, 1e-8 in the objective."""

import warnings

import numpy as np
import pytest

from fundclock.handlers.allocation import CapitalAllocator

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    cvxpy = pytest.importorskip("cvxpy")

SEEDS = range(12)


def problem(seed):
    """Names, returns, covariance, a cap for each and one for a pair of them."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 9))
    factors = rng.normal(size=(n, n + 2))
    covariance = factors @ factors.T / (n + 2) * 0.04
    if seed % 4 == 3:
        covariance = np.outer(factors[:, 0], factors[:, 0]) * 0.04  # of rank one
    returns = rng.uniform(-0.02, 0.12, n)
    cap = float(rng.uniform(1.2, 2.5)) / n
    names = [f"b{row}" for row in range(n)]
    return names, returns, covariance, min(cap, 1.0), rng


def ours(strategy, names, cap, config=None, pair=None, **given):
    limits = {"max_protocol_exposure_pct": 100 * cap}
    if pair is not None:
        limits = {"max_asset_concentration_pct": 100 * cap, "assets": {names[0]: "one", names[1]: "one"}}
    allocator = CapitalAllocator({"strategy": strategy, **(config or {})})
    found = allocator.optimize_portfolio(names, limits, **given)
    return np.array([float(found[name]) for name in names])


def theirs(objective, variable, cap, *more, tolerance=1e-12):
    asked = cvxpy.Problem(cvxpy.Maximize(objective), [variable >= 0, variable <= cap, *more])
    tight = {"tol_gap_abs": tolerance, "tol_gap_rel": tolerance, "tol_feas": tolerance}
    asked.solve(solver=cvxpy.CLARABEL, **tight)
    return variable.value


@pytest.mark.parametrize("seed", SEEDS)
def test_mean_variance(seed):
    names, returns, covariance, cap, _ = problem(seed)
    found = ours("mean_variance", names, cap, expected_returns=dict(zip(names, returns, strict=True)),
                 covariance=covariance)  # fmt: skip
    w = cvxpy.Variable(len(names))
    value = returns @ w - 1.25 * cvxpy.quad_form(w, cvxpy.psd_wrap(covariance))
    best = theirs(value, w, cap, cvxpy.sum(w) == 1)

    def worth(x):
        return returns @ x - 1.25 * x @ covariance @ x

    assert worth(found) >= worth(best) - 1e-8
    if seed % 4 != 3:
        assert found == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_mean_variance_with_a_cap_on_two_buckets_together(seed):
    names, returns, covariance, cap, _ = problem(seed)
    cap = max(cap, 1.3 / (len(names) - 1)) if len(names) > 2 else 1.0
    cap = min(cap, 1.0)
    found = ours("mean_variance", names, cap, pair=True, expected_returns=dict(zip(names, returns, strict=True)),
                 covariance=covariance)  # fmt: skip
    w = cvxpy.Variable(len(names))
    value = returns @ w - 1.25 * cvxpy.quad_form(w, cvxpy.psd_wrap(covariance))
    best = theirs(value, w, cap, cvxpy.sum(w) == 1, w[0] + w[1] <= cap)
    assert found[:2].sum() <= cap + 1e-12
    if seed % 4 != 3:
        assert found == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_multi_objective_with_turnover(seed):
    names, returns, covariance, cap, rng = problem(seed)
    held, costs, scores = rng.dirichlet(np.ones(len(names))), rng.uniform(0, 0.02, len(names)), rng.uniform(0, 0.1)
    scores = np.full(len(names), scores) * rng.uniform(size=len(names))
    maps = {
        name: dict(zip(names, values, strict=True))
        for name, values in (
            ("expected_returns", returns),
            ("current", held),
            ("costs", costs),
            ("risk_scores", scores),
        )
    }
    found = ours("multi_objective", names, cap, covariance=covariance, **maps)
    w = cvxpy.Variable(len(names))
    value = (returns - scores) @ w - 1.25 * cvxpy.quad_form(w, cvxpy.psd_wrap(covariance))
    best = theirs(value - costs @ cvxpy.abs(w - held), w, cap, cvxpy.sum(w) == 1)

    def worth(x):
        return (returns - scores) @ x - 1.25 * x @ covariance @ x - costs @ np.abs(x - held)

    assert worth(found) >= worth(best) - 1e-8


@pytest.mark.parametrize("seed", SEEDS)
def test_exact_kelly(seed):
    names, returns, _, cap, rng = problem(seed)
    outcomes = np.maximum(returns + 0.2 * rng.standard_t(4, size=(60, len(names))), -0.99)
    found = ours("kelly_criterion", names, cap, {"risk_free_rate": 0.01}, scenarios=outcomes)
    w = cvxpy.Variable(len(names))
    wealth = 1.01 + (outcomes - 0.01) @ w
    best = theirs(cvxpy.sum(cvxpy.log(wealth)) / 60, w, cap, cvxpy.sum(w) <= 1, tolerance=1e-9)

    def growth(x):
        return np.log(1.01 + (outcomes - 0.01) @ x).mean()

    assert growth(found) >= growth(best) - 1e-8
    assert found == pytest.approx(best, abs=2e-4)


@pytest.mark.parametrize("seed", SEEDS)
def test_risk_budgets_inside_caps(seed):
    """The minimum of ½ wᵀΣw − λ Σ b ln w over the caps, for the λ that our weights imply."""
    names, _, covariance, cap, rng = problem(seed)
    if seed % 4 == 3:
        covariance = covariance + 0.01 * np.eye(len(names))
    budgets = rng.uniform(0.5, 2, len(names))
    budgets /= budgets.sum()
    found = ours("risk_parity", names, cap, covariance=covariance, risk_budgets=dict(zip(names, budgets, strict=True)))
    assert found.sum() == pytest.approx(1, abs=1e-9)
    inside = found < cap - 1e-9
    if not inside.any():
        return
    scale = ((found * (covariance @ found))[inside] / budgets[inside]).mean()
    w = cvxpy.Variable(len(names))
    value = scale * budgets @ cvxpy.log(w) - 0.5 * cvxpy.quad_form(w, cvxpy.psd_wrap(covariance))
    best = theirs(value, w, cap, tolerance=1e-9)

    def worth(x):
        return scale * budgets @ np.log(x) - 0.5 * x @ covariance @ x

    assert worth(found) >= worth(best) - 1e-10
    assert found == pytest.approx(best, abs=1e-4)
