"""Paths of the zones' property price indices."""

from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray

from fundclock.events.day_counts import YEAR


def lognormal_path(
    days: list[int],
    appreciation: NDArray[np.float64],
    volatility: NDArray[np.float64],
    cholesky: NDArray[np.float64],
    normals: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Log levels at ``days``, 0 at the first; shape (len(days), zones).

    Exact steps of correlated geometric Brownian motions. ``appreciation`` is the arithmetic
    drift μ (E[level] grows as e^{μt}), so the log drift is μ − σ²/2. ``normals`` has
    shape (len(days) − 1, zones); years are ACT/365F.
    """
    years = (np.diff(days) / YEAR)[:, None]
    # a sum over few zones, not a matrix product: BLAS would wake its threads, and round as the machine likes
    correlated = (normals[:, None, :] * cholesky).sum(axis=2)
    steps = (appreciation - volatility**2 / 2) * years + volatility * np.sqrt(years) * correlated
    return np.vstack([np.zeros(len(volatility)), np.cumsum(steps, axis=0)])


class IndexPaths:
    """Log price levels of all zones at knots, log-linear between them; shocks are steps on top.

    Levels may be read between knots (a valuation), but what a decision may know is only the
    last knot on or before the day: ``known``.
    """

    def __init__(self, days: list[int], levels: NDArray[np.float64], prior_drift: list[float]) -> None:
        """``levels`` has shape (len(days), zones); ``prior_drift`` is the annual log drift before the first knot."""
        self.days = days
        self._levels: list[list[float]] = levels.tolist()
        self._prior = prior_drift
        self._shocks: list[tuple[int, list[float]]] = []
        self._cached: tuple[int, list[float]] = (0, [])
        base = self.known(0)
        self._levels = [[x - b for x, b in zip(row, base, strict=True)] for row in self._levels]
        self._cached = (0, [])

    @property
    def shocks(self) -> int:
        """How many shocks there have been."""
        return len(self._shocks)

    def shock(self, day: int, logs: list[float]) -> None:
        """Each zone's log level is higher by its entry of ``logs`` from ``day`` on."""
        self._shocks.append((day, logs))
        self._cached = (0, [])

    def _shocked(self, day: int, levels: list[float]) -> list[float]:
        for since, logs in self._shocks:
            if since <= day:
                levels = [x + s for x, s in zip(levels, logs, strict=True)]
        return levels

    def level(self, day: int) -> list[float]:
        """Log levels on a day, by zone, interpolated; 0 is what was known on day 0."""
        if self._cached[0] == day and self._cached[1]:
            return self._cached[1]
        after = bisect_right(self.days, day)
        if after == 0:
            levels = self._before(day)
        elif after == len(self.days):
            levels = self._levels[-1]
        else:
            first, last = self.days[after - 1], self.days[after]
            part = (day - first) / (last - first)
            levels = [x + part * (y - x) for x, y in zip(self._levels[after - 1], self._levels[after], strict=True)]
        levels = self._shocked(day, levels)
        self._cached = (day, levels)
        return levels

    def level_of(self, zone: int, day: int) -> float:
        """One zone's entry of ``level``."""
        if self._cached[0] == day and self._cached[1]:
            return self._cached[1][zone]
        after = bisect_right(self.days, day)
        if self._shocks or not 0 < after < len(self.days):
            return self.level(day)[zone]
        first, last = self.days[after - 1], self.days[after]
        before = self._levels[after - 1][zone]
        return before + (day - first) / (last - first) * (self._levels[after][zone] - before)

    def known(self, day: int) -> list[float]:
        """Log levels at the last knot on or before a day, and shocks up to the day: all that a decision may use."""
        at = bisect_right(self.days, day) - 1
        return self._shocked(day, self._levels[at] if at >= 0 else self._before(day))

    def _before(self, day: int) -> list[float]:
        years = (day - self.days[0]) / YEAR
        return [x + drift * years for x, drift in zip(self._levels[0], self._prior, strict=True)]
