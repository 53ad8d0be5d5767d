"""Target weights as quadratic programs and closed forms. Arrays are by bucket; returns and covariances per period."""

from typing import NamedTuple

import numpy as np

from fundclock.handlers.allocation.limits import Limits, fill
from fundclock.handlers.allocation.qp import Answer, Floats, minimise


def equal_weight(limits: Limits) -> Answer:
    """The same for every bucket, as far as limits allow."""
    return Answer(fill(np.ones(len(limits.upper)), limits), 0.0)


def inverse_risk(risk: Floats, budgets: Floats, limits: Limits) -> Answer:
    """Budget / risk: equal risk contributions where all correlations are equal (Maillard, Roncalli and Teïletche,
    2010, equation 4)."""
    return Answer(fill(budgets / risk, limits), 0.0)


def mean_variance(
    returns: Floats, covariance: Floats, risk_aversion: float, limits: Limits, least_return: float | None = None
) -> Answer:
    """max returnsᵀw − γ/2 wᵀ·covariance·w, all invested, long only (Markowitz); with ``least_return`` as a further
    limit, the least variance that reaches it."""
    rows, least, most = limits.rows()
    if least_return is not None:
        rows = np.vstack((rows, returns))
        least, most = np.append(least, least_return), np.append(most, np.inf)
        return minimise(covariance, np.zeros(len(returns)), limits.lower, limits.upper, rows, least, most)
    return minimise(risk_aversion * covariance, -returns, limits.lower, limits.upper, rows, least, most)


class Trades(NamedTuple):
    """What a bucket holds now, and what a change costs, as a share of what is traded."""

    current: Floats
    costs: Floats


def multi_objective(
    returns: Floats, covariance: Floats, scores: Floats, trades: Trades, risk_aversion: float, limits: Limits
) -> Answer:
    """max returnsᵀw − γ/2 wᵀ·covariance·w − scoresᵀw − Σ costs·|w − current|, all invested, long only.

    Scores and costs come weighted. The absolute value is the least t ≥ ±(w − current).
    """
    slope = scores - returns
    rows, least, most = limits.rows()
    if not trades.costs.any():
        return minimise(risk_aversion * covariance, slope, limits.lower, limits.upper, rows, least, most)
    n = len(returns)
    curvature = np.zeros((2 * n, 2 * n))
    curvature[:n, :n] = risk_aversion * covariance
    one, none = np.eye(n), np.zeros((len(rows), n))
    rows = np.block([[rows, none], [one, -one], [one, one]])
    least = np.concatenate((least, np.full(n, -np.inf), trades.current))
    most = np.concatenate((most, trades.current, np.full(n, np.inf)))
    lower, upper = np.concatenate((limits.lower, np.zeros(n))), np.concatenate((limits.upper, np.ones(n)))
    found = minimise(curvature, np.concatenate((slope, trades.costs)), lower, upper, rows, least, most)
    return Answer(found.x[:n], found.gap)
