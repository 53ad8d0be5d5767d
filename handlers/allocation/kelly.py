"""Kelly weights: the ones under which wealth grows fastest.

Growth is E ln(1 + rf + Σ w_i (r_i − rf)), what is not invested earns rf. On scenarios it is maximised as it is, by
Newton steps inside the limits; the Gaussian approximation maximises rf + Σ w_i (μ_i − rf) − ½ wᵀΣw (Thorp, 2006).
"""

import numpy as np

from fundclock.handlers.allocation.limits import Limits
from fundclock.handlers.allocation.qp import Answer, Floats, minimise
from fundclock.handlers.allocation.types import AllocationError

STEPS = 200


def gaussian_kelly(returns: Floats, covariance: Floats, risk_free: float, limits: Limits) -> Answer:
    """The Gaussian approximation: a quadratic program in which some may stay in cash."""
    rows, least, most = limits.rows(all_invested=False)
    return minimise(covariance, risk_free - returns, limits.lower, limits.upper, rows, least, most)


def exact_kelly(scenarios: Floats, odds: Floats, risk_free: float, limits: Limits) -> Answer:
    """The exact maximum over scenarios: returns of shape (scenarios, buckets), ``odds`` their probabilities.

    The gap is the growth that another step still promised. Raises AllocationError where it does not converge.
    """
    excess, base = scenarios - risk_free, 1 + risk_free
    rows, least, most = limits.rows(all_invested=False)
    w = limits.lower * 1.0
    if not (base + excess @ w > 0).all():
        raise AllocationError("the least weights alone lose everything in some scenario")
    for _ in range(STEPS):
        wealth = base + excess @ w
        part = excess / wealth[:, None]
        weighted = part * odds[:, None]
        slope, curvature = weighted.sum(axis=0), weighted.T @ part
        reach = most - rows @ w
        found = minimise(curvature, -slope, limits.lower - w, limits.upper - w, rows, least - rows @ w, reach).x
        gap = float(slope @ found)
        if gap < 1e-12:
            return Answer(w, max(gap, 0.0))
        w = w + _step(wealth, excess @ found, odds, gap) * found
    raise AllocationError("Kelly did not converge on these scenarios")


def _step(wealth: Floats, change: Floats, odds: Floats, gain: float) -> float:
    """The longest of 1, ½, ¼ … that leaves wealth above 0 everywhere and gains in proportion."""
    now, size = float(odds @ np.log(wealth)), 1.0
    while size > 1e-12:
        after = wealth + size * change
        if (after > 0).all() and float(odds @ np.log(after)) >= now + 1e-4 * size * gain:
            return size
        size /= 2
    return size


def growth(weights: Floats, scenarios: Floats, odds: Floats, risk_free: float) -> float:
    """E ln of what one unit becomes in a period."""
    wealth = 1 + risk_free + (scenarios - risk_free) @ weights
    return float(odds @ np.log(wealth)) if (wealth > 0).all() else -np.inf


def sigma_points(returns: Floats, covariance: Floats) -> Floats:
    """2n equally likely scenarios with these means and this covariance: mean ± √n · each column of its root."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0) * len(returns))
    return np.concatenate((returns + root.T, returns - root.T))
