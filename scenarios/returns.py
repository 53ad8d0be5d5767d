"""Internal rates of return of dated cash flows, with what kind of answer each is."""

import math
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np

Status = Literal["one", "none", "several", "unreachable"]

LOWEST, HIGHEST = -0.9999, 1e4
"""Rates outside are called unreachable: all but a ten-thousandth lost in a year, or multiplied by ten thousand."""

_GRID = np.linspace(math.log1p(LOWEST), math.log1p(HIGHEST), 4001)
_EPOCH = date(2000, 1, 1)


class Irr(NamedTuple):
    """An internal rate of return: ``rate`` is None unless there is exactly one."""

    rate: float | None
    status: Status
    roots: int

    def reason(self) -> str | None:
        """Why there is no rate; None where there is one."""
        return {
            "one": None,
            "none": "cash flows have one sign only",
            "several": f"{self.roots} rates solve these cash flows",
            "unreachable": f"no rate between {LOWEST:.2%} and {HIGHEST:,.0%} solves these cash flows",
        }[self.status]

    def as_json(self) -> dict[str, Any]:
        """Rate, status and number of roots."""
        return self._asdict()


def irr(flows: Mapping[int, int]) -> Irr:
    """The annual rate at which cents by day are worth nothing, ACT/365F.

    Cash flows that change sign once (also in their running sum, Norstrom 1972) have at most one
    rate; others are searched for sign changes of their value on a fine grid of rates.
    """
    days = sorted(day for day, cents in flows.items() if cents)
    values = [flows[day] for day in days]
    if not values or min(values) > 0 or max(values) < 0:
        return Irr(None, "none", 0)
    roots = 1 if _changes(values) == 1 or _changes(np.cumsum(values).tolist()) == 1 else None
    years = np.array(days) / 365 - days[0] / 365
    scaled = np.array(values) / max(map(abs, values))
    if roots is None:
        worth = np.sign((np.exp(-np.outer(_GRID, years)) * scaled).sum(axis=1))
        roots = int(np.count_nonzero(worth[1:] * worth[:-1] < 0) + np.count_nonzero(worth[1:-1] == 0))
    if roots == 0:
        return Irr(None, "unreachable", 0)
    if roots > 1:
        return Irr(None, "several", roots)
    ends = [float(np.sum(scaled * np.exp(-log * years))) for log in (_GRID[0], _GRID[-1])]
    if ends[0] * ends[1] > 0:
        return Irr(None, "unreachable", 0)
    return Irr(_solve(days, scaled.tolist(), ends[0]), "one", 1)


def _solve(days: list[int], values: list[float], at_lowest: float) -> float:
    """The one root: the library's answer if it solves the flows, else bisection inside the bounds."""
    import pyxirr

    dates = [_EPOCH + timedelta(days=day - days[0]) for day in days]
    found = pyxirr.xirr(dates, values, silent=True)

    def worth(rate: float) -> float:
        return math.fsum(value * (1 + rate) ** ((days[0] - day) / 365) for day, value in zip(days, values, strict=True))

    if found is not None and LOWEST < found < HIGHEST and abs(worth(found)) < 1e-7:
        return float(found)
    low, high = math.log1p(LOWEST), math.log1p(HIGHEST)
    for _ in range(200):
        middle = (low + high) / 2
        if worth(math.expm1(middle)) * at_lowest > 0:
            low = middle
        else:
            high = middle
    return math.expm1((low + high) / 2)


def _changes(values: list[int]) -> int:
    signs = [value > 0 for value in values if value]
    return sum(a != b for a, b in pairwise(signs))
