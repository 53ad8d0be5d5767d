"""Internal rates of return of dated cash flows, with what kind of answer each is."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate, pairwise
from typing import Literal

import numpy as np

from fundclock.events.day_counts import YEAR

Status = Literal["one", "none", "several", "unreachable"]

LOWEST, HIGHEST = -0.9999, 1e4
"""Rates outside are called unreachable: all but a ten-thousandth lost in a year, or multiplied by ten thousand."""


_GRID = np.linspace(math.log1p(LOWEST), math.log1p(HIGHEST), 4001)
_EPOCH = date(2000, 1, 1)


@dataclass(frozen=True)
class Irr:
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


def irr(flows: Mapping[int, int]) -> Irr:
    """The annual rate at which cash flows (cents by day) have a present value of 0, ACT/365F.

    Cash flows that change sign once (also in their running sum, Norstrom 1972) have at most one
    rate; others are searched for sign changes of their value on a fine grid of rates.
    """
    days = sorted(day for day, cents in flows.items() if cents)
    values = [flows[day] for day in days]
    if not values or min(values) > 0 or max(values) < 0:
        return Irr(None, "none", 0)
    largest = max(map(abs, values))
    scaled = [value / largest for value in values]
    if _changes(values) != 1 and _changes(list(accumulate(values))) != 1:
        roots = _roots(days, scaled)
        if roots != 1:
            return Irr(None, "several" if roots else "unreachable", roots)
    rate = _solve(days, scaled)
    return Irr(None, "unreachable", 0) if rate is None else Irr(rate, "one", 1)


def _roots(days: list[int], values: list[float]) -> int:
    """Sign changes of the flows' value over a fine grid of rates."""
    years = np.array(days) / YEAR - days[0] / YEAR
    worth = np.sign((np.exp(-np.outer(_GRID, years)) * np.array(values)).sum(axis=1))
    return int(np.count_nonzero(worth[1:] * worth[:-1] < 0) + np.count_nonzero(worth[1:-1] == 0))


def _solve(days: list[int], values: list[float]) -> float | None:
    """The one root: the library's answer if it solves the flows, else bisection; None where it is out of bounds."""
    import pyxirr

    dates = [_EPOCH + timedelta(days=day - days[0]) for day in days]
    years = [(day - days[0]) / YEAR for day in days]

    def worth(rate: float) -> float:
        growth = 1 / (1 + rate)
        return math.fsum(value * growth**year for value, year in zip(values, years, strict=True))

    found = pyxirr.xirr(dates, values, silent=True)
    if found is not None and LOWEST < found < HIGHEST and abs(worth(found)) < 1e-7:
        return float(found)
    low, high = math.log1p(LOWEST), math.log1p(HIGHEST)
    at_lowest = worth(LOWEST)
    if at_lowest * worth(HIGHEST) > 0:
        return None
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
