"""Equal risk contribution, with budgets and limits.

The risk contribution of a bucket is w_i (Σw)_i. Without limits that bind, the weights in which contributions stand as
the budgets b do are the scaled minimum of ½ yᵀΣy − Σ b ln y, found by Newton steps (Spinu, 2013). With limits they are
the minimum of ½ wᵀΣw − λ Σ b ln w over the limits, with λ such that all is invested (Richard and Roncalli, 2019):
buckets inside their limits keep their budgets among each other.
"""

import numpy as np
from numpy.typing import NDArray

from fundclock.handlers.allocation.limits import Group, Limits, fill
from fundclock.handlers.allocation.qp import Answer, Floats, minimise
from fundclock.handlers.allocation.types import AllocationError

STEPS = 100
CLOSE = 1e-10
NOTHING = 1e-9
SLACK = 1e-6


def risk_budgets(covariance: Floats, budgets: Floats, limits: Limits) -> Answer:
    """Weights whose risk contributions stand as the budgets do; the gap is the largest miss of a share of risk.

    Raises AllocationError where there are none (a covariance without risk).
    """
    open_ = limits.upper > NOTHING
    if not open_.any():
        return Answer(np.zeros(len(budgets)), 0.0)
    if not open_.all():
        return _without_closed(covariance, budgets, limits, open_)
    scale = float(covariance.diagonal().mean())
    if not scale > 0:
        raise AllocationError("covariance has no risk to budget")
    if not covariance.diagonal().all():
        raise AllocationError("covariance: a bucket without any risk can't take its budget of it")
    sigma, budgets = covariance / scale, budgets / budgets.sum()
    free = _unlimited(sigma, budgets)
    weights = free * (limits.total / free.sum())
    if limits.hold(weights):
        return Answer(weights, _miss(sigma, budgets, weights, weights > 0))
    if limits.total >= limits.upper.sum() - SLACK:  # all at their caps, or as good as
        return Answer(fill(budgets, limits), 0.0)
    weights, budgets_hold = _limited(sigma, budgets, limits)
    if not budgets_hold:
        return Answer(weights, 0.0)
    full = [row for group in limits.groups if weights[group.members].sum() > group.cap - 1e-9 for row in group.members]
    inside = (weights < limits.upper - 1e-9) & (weights > limits.lower + 1e-9)
    inside[full] = False
    miss = _miss(sigma, budgets, weights, inside) if inside.any() else 0.0
    if miss > 1e-6:
        raise AllocationError(f"risk contributions miss their budgets by {miss:.1e}")
    return Answer(weights, miss)


def _without_closed(covariance: Floats, budgets: Floats, limits: Limits, open_: NDArray[np.bool_]) -> Answer:
    """The same among the buckets that may hold anything."""
    rows = np.flatnonzero(open_)
    place = {int(row): number for number, row in enumerate(rows)}
    groups = [Group([place[row] for row in group.members if row in place], group.cap) for group in limits.groups]
    inner = limits._replace(lower=limits.lower[rows], upper=limits.upper[rows], groups=groups)
    found = risk_budgets(covariance[np.ix_(rows, rows)], budgets[rows], inner)
    weights = np.zeros(len(budgets))
    weights[rows] = found.x
    return Answer(weights, found.gap)


def _miss(sigma: Floats, budgets: Floats, weights: Floats, inside: NDArray[np.bool_]) -> float:
    contributions, wanted = (weights * (sigma @ weights))[inside], budgets[inside]
    return float(np.abs(contributions / contributions.sum() - wanted / wanted.sum()).max())


def _unlimited(sigma: Floats, budgets: Floats) -> Floats:
    y: Floats = np.sqrt(budgets / sigma.diagonal()) if sigma.diagonal().all() else np.sqrt(budgets)
    for _ in range(STEPS):
        ratio = budgets / y
        slope = sigma @ y - ratio
        curvature = sigma.copy()
        curvature[np.diag_indices_from(curvature)] += ratio / y
        try:
            step = np.linalg.solve(curvature, slope)
        except np.linalg.LinAlgError:
            raise AllocationError("covariance: a perfect hedge has no risk to budget") from None
        longest = float(np.abs(step / y).max())
        y = y - step / (1 + longest) if longest > 0.5 else y - step
        if longest < CLOSE:
            return y
    raise AllocationError("risk budgeting did not converge")


def _limited(sigma: Floats, budgets: Floats, limits: Limits) -> tuple[Floats, bool]:
    """Regula falsi on ln λ: the sum of the weights grows with λ. And whether budgets hold inside the limits.

    They can't where even the least variance inside the limits sums to more than the total: then it is the least
    variance of that sum.
    """
    weights = fill(budgets, limits)
    low, high = -5.0, 5.0
    below, above = _sum_at(low, sigma, budgets, limits, weights), _sum_at(high, sigma, budgets, limits, weights)
    while below[0] > 0:
        if low < -40:
            rows, least, most = limits.rows()
            none = np.zeros(len(budgets))
            return minimise(sigma, none, limits.lower, limits.upper, rows, least, most).x, False
        low -= 5.0
        below = _sum_at(low, sigma, budgets, limits, weights)
    while above[0] < 0:
        if high > 60:  # only at the limit: nothing inside moves any more
            return above[1], True
        high += 5.0
        above = _sum_at(high, sigma, budgets, limits, weights)
    side = 0
    f_low, f_high = below[0], above[0]
    found = above[1]
    for _ in range(STEPS):
        middle = high - f_high * (high - low) / (f_high - f_low) if f_high != f_low else (low + high) / 2
        off, found = _sum_at(middle, sigma, budgets, limits, found)
        if abs(off) < CLOSE:
            return found, True
        if off > 0:
            high, f_high = middle, off
            f_low = f_low / 2 if side == 1 else f_low
            side = 1
        else:
            low, f_low = middle, off
            f_high = f_high / 2 if side == -1 else f_high
            side = -1
    raise AllocationError("risk budgeting with limits did not converge")


def _sum_at(log_scale: float, sigma: Floats, budgets: Floats, limits: Limits, start: Floats) -> tuple[float, Floats]:
    """By how much the weights for λ = e^log_scale sum to more than the total, and these weights."""
    parts = np.exp(log_scale) * budgets
    rows, _, most = limits.rows(all_invested=False)
    least = np.full(len(most), -np.inf)
    most[0] = np.inf
    w = np.maximum(start, 1e-12)
    for _ in range(STEPS):
        ratio = parts / w
        curvature = sigma.copy()
        curvature[np.diag_indices_from(curvature)] += ratio / w
        slope = sigma @ w - ratio
        found = minimise(curvature, slope, limits.lower - w, limits.upper - w, rows, least, most - rows @ w).x
        longest = float(np.abs(found / w).max())
        w = w + (found / (1 + longest) if longest > 0.5 else found)
        if longest < CLOSE:
            break
    return float(w.sum()) - limits.total, w
