"""Quadratic programs with bounds and linear limits: solved by a library, and checked before the answer is returned."""

from typing import NamedTuple

import daqp
import numpy as np
from numpy.typing import NDArray

from fundclock.handlers.allocation.types import AllocationError

Floats = NDArray[np.float64]

TOLERANCE = 1e-8
"""How far an answer may be outside its limits, or from optimal, in units of the largest curvature."""

RIDGES = (0.0, 1e-11, 1e-9)
"""What is added to the curvature where the solver fails on it as it is: a singular one may have no single answer."""


class Answer(NamedTuple):
    """A point inside its limits, and the most by which a better one could beat it."""

    x: Floats
    gap: float


def minimise(
    curvature: Floats, slope: Floats, lower: Floats, upper: Floats, rows: Floats, row_lower: Floats, row_upper: Floats
) -> Answer:
    """min ½ xᵀ·curvature·x + slopeᵀ·x over lower ≤ x ≤ upper, row_lower ≤ rows·x ≤ row_upper.

    Shapes: curvature (n, n), symmetric and positive semidefinite; rows (m, n). Raises AllocationError where there is no
    such x, or where the solver's answer fails the check of the optimality conditions (Karush–Kuhn–Tucker).
    """
    n = len(slope)
    scale = max(curvature.diagonal().max(initial=0.0), np.abs(slope).max(initial=0.0), 1e-300)
    h, f = curvature / scale, slope / scale
    low, high = np.concatenate((lower, row_lower)), np.concatenate((upper, row_upper))
    sense = np.where(low == high, 5, 0).astype(np.int32)
    failure = AllocationError("no weights meet all limits")
    for ridge in RIDGES:
        bent = h + ridge * np.eye(n) if ridge else h
        x, _, flag, info = daqp.solve(bent, f, rows, high, low, sense, primal_tol=1e-12, dual_tol=1e-13)
        if flag < 1:
            if flag != -1:
                failure = AllocationError(f"the solver gave up (exit flag {flag})")
            continue
        try:
            checked, gap = _checked(x, info["lam"], h, f, rows, low, high, n)
        except AllocationError as error:
            failure = error
            continue
        return Answer(checked, gap * scale)
    raise failure


def _checked(
    x: Floats, duals: Floats, h: Floats, f: Floats, rows: Floats, low: Floats, high: Floats, n: int
) -> tuple[Floats, float]:
    """The answer inside its bounds, and its gap. Raises AllocationError for one that does not hold up."""
    values = np.concatenate((x, rows @ x))
    if not np.isfinite(values).all():
        raise AllocationError("the solver's answer is not finite")
    outside = max((low - values).max(), (values - high).max())
    pull = h @ x + f + duals[:n] + duals[n:] @ rows
    # where nothing pulls, the distance to the optimum is what the duals leave on the table
    slack = np.where(duals > 0, high - values, np.where(duals < 0, low - values, 0.0))
    gap = float(np.abs(pull).sum() + np.abs(duals * slack).sum())
    if outside > TOLERANCE or gap > TOLERANCE * n:
        raise AllocationError(f"the solver's answer fails its check: {outside:.1e} outside, {gap:.1e} from optimal")
    return np.minimum(np.maximum(x, low[:n]), high[:n]), gap
