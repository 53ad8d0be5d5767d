"""Limits of weights: what a bucket and an asset may hold, what can be invested at all, and proportional filling."""

from typing import NamedTuple

import numpy as np

from fundclock.handlers.allocation.qp import Floats
from fundclock.handlers.allocation.types import AllocationError

NEGLIGIBLE = 1e-12


class Group(NamedTuple):
    """Buckets that hold the same asset, by position, and the most that they may hold together."""

    members: list[int]
    cap: float


class Limits(NamedTuple):
    """Least and most of each bucket, caps of groups, and what is invested in all; shares of the whole.

    ``idle_reason`` says why not all of it can be invested; None where it can.
    """

    lower: Floats
    upper: Floats
    groups: list[Group]
    total: float
    idle_reason: str | None

    def rows(self, *, all_invested: bool = True) -> tuple[Floats, Floats, Floats]:
        """Linear limits as (rows, least, most): the sum, then the groups."""
        n = len(self.upper)
        rows = np.zeros((1 + len(self.groups), n))
        rows[0] = 1.0
        most = np.full(len(rows), self.total)
        least = np.full(len(rows), -np.inf)
        least[0] = self.total if all_invested else self.lower.sum()
        for row, group in enumerate(self.groups, 1):
            rows[row, group.members] = 1.0
            most[row] = group.cap
        return rows, least, most

    def hold(self, weights: Floats) -> bool:
        """Whether weights are inside."""
        inside = (weights <= self.upper + NEGLIGIBLE).all() and (weights >= self.lower - NEGLIGIBLE).all()
        return bool(inside) and all(weights[g.members].sum() <= g.cap + NEGLIGIBLE for g in self.groups)


def limits(lower: Floats, upper: Floats, groups: list[Group], infeasible: str) -> Limits:
    """Limits that can be met; ``infeasible`` as in the settings.

    Raises AllocationError if the floors sum to more than 1, or if not everything can be invested and ``infeasible`` is
    ``raise``.
    """
    groups = [group for group in groups if upper[group.members].sum() > group.cap]
    for group in groups:
        if lower[group.members].sum() > group.cap + NEGLIGIBLE:
            raise AllocationError(f"the least weights of an asset's buckets are above its cap of {group.cap:g}")
    if lower.sum() > 1 + NEGLIGIBLE:
        raise AllocationError(f"the least weights sum to {lower.sum():g}: min_protocol_allocation is too high")
    if (lower > upper + NEGLIGIBLE).any():
        raise AllocationError(f"min_protocol_allocation {lower.max():g} is above a cap of {upper.min():g}")
    reachable = upper.sum() - sum(upper[group.members].sum() - group.cap for group in groups)
    if reachable >= 1 - NEGLIGIBLE:
        return Limits(lower, upper, groups, 1.0, None)
    if infeasible == "raise":
        raise AllocationError(f"the caps sum to {reachable:g}: not all can be invested")
    if infeasible == "leave_cash" or reachable <= NEGLIGIBLE:
        return Limits(lower, upper, groups, float(reachable), f"the caps sum to {reachable:g}")
    factor = 1 / reachable
    raised = [Group(group.members, group.cap * factor) for group in groups]
    return Limits(lower, np.minimum(upper * factor, 1.0), raised, 1.0, None)


def fill(parts: Floats, limits: Limits) -> Floats:
    """Weights in proportion to ``parts`` as far as limits allow: clip(λ·part, lower, upper), with λ such that they sum
    to the total. In a group that is full, λ is the one at which it is full."""
    upper = limits.upper
    if limits.groups:
        upper = upper.copy()
        for group in limits.groups:
            members = group.members
            upper[members] = _poured(parts[members], limits.lower[members], upper[members], group.cap)
    return _poured(parts, limits.lower, upper, limits.total)


def _poured(parts: Floats, lower: Floats, upper: Floats, total: float) -> Floats:
    even: Floats = parts * (total / parts.sum())
    if (even <= upper).all() and (even >= lower).all():
        return even
    # the sum is piecewise linear in λ, with a bend where a bucket leaves its lower or meets its upper limit
    bends = np.unique(np.concatenate((lower / parts, upper / parts)))
    sums = np.minimum(np.maximum(np.outer(bends, parts), lower), upper).sum(axis=1)
    level = float(np.interp(total, sums, bends))
    filled: Floats = np.minimum(np.maximum(level * parts, lower), upper)
    return filled
