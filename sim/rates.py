"""Paths of the base rate: a fixing holds until the next."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fundclock.events.day_counts import YEAR


def vasicek_step(
    rate: float, years: float, mean_reversion: float, long_term_mean: float, volatility: float, normal: float
) -> float:
    """The exact transition of a Vasicek short rate over ``years`` (Glasserman 2003, eq. 3.46).

    ``mean_reversion`` 0 is the limit: a Brownian rate without drift.
    """
    if mean_reversion == 0:
        return rate + volatility * math.sqrt(years) * normal
    decay = math.exp(-mean_reversion * years)
    variance = (1 - decay * decay) / (2 * mean_reversion)
    return long_term_mean + (rate - long_term_mean) * decay + volatility * math.sqrt(variance) * normal


class RatePath:
    """Fixing days, sorted, and the annual decimal rate that holds from each; shocks lie on top."""

    def __init__(self, days: list[int], rates: list[float], floor: float | None) -> None:
        self.days = days
        self.rates = rates
        self._floor = floor
        self._shocks: list[tuple[int, float]] = []
        self._sums: dict[float, NDArray[np.float64]] = {}

    def shock(self, day: int, change: float) -> None:
        """The rate is higher by ``change`` from ``day`` on."""
        self._shocks.append((day, change))
        self._sums.clear()

    def rate(self, day: int) -> float:
        """The rate that holds on a day: the last fixing on or before it, shocked and floored."""
        rate = self.rates[max(bisect_right(self.days, day) - 1, 0)]
        rate += sum(change for since, change in self._shocks if since <= day)
        return rate if self._floor is None else max(rate, self._floor)

    def changes(self, first: int, last: int) -> list[tuple[int, float]]:
        """The rate on ``first`` and each change of it before ``last``: (day, rate)."""
        days = {first}
        days.update(self.days[bisect_right(self.days, first) : bisect_left(self.days, last)])
        days.update(day for day, _ in self._shocks if first < day < last)
        return [(day, self.rate(day)) for day in sorted(days)]

    def rate_days(self, first: int, last: int, spread: float) -> float:
        """Sum over days in [first, last) of max(0, rate + spread): what a unit earns, in years × 365."""
        if first >= last:
            return 0.0
        sums = self._sums.get(spread)
        if sums is None or last >= len(sums):
            horizon = max(last, self.days[-1], 0) + 1
            daily = np.array(self.rates)[np.searchsorted(self.days, np.arange(horizon), side="right").clip(1) - 1]
            for since, change in self._shocks:
                daily[max(since, 0) :] += change
            if self._floor is not None:
                daily = np.maximum(daily, self._floor)
            sums = np.concatenate(([0.0], np.cumsum(np.maximum(daily + spread, 0.0))))
            self._sums[spread] = sums
        return sums.item(last) - sums.item(first)


def vasicek_path(
    days: list[int],
    initial: float,
    mean_reversion: float,
    long_term_mean: float,
    volatility: float,
    normals: Callable[[int], NDArray[np.float64]],
) -> list[float]:
    """A rate for each day of ``days``, the first being ``initial``; steps in ACT/365F years."""
    rates = [initial]
    steps = np.diff(days).tolist()
    for step, normal in zip(steps, normals(len(steps)).tolist(), strict=True):
        rates.append(vasicek_step(rates[-1], step / YEAR, mean_reversion, long_term_mean, volatility, normal))
    return rates
