"""What handlers are given from outside: the market and the random draws."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

BLOCK = 128
"""Loans of a zone are drawn in blocks of this many."""


class MarketView(Protocol):
    """The exogenous paths. Only valuations may read ``levels``; decisions read what is known."""

    def rate(self, day: int) -> float:
        """The base rate that holds on a day."""
        ...

    def rate_changes(self, first: int, last: int) -> list[tuple[int, float]]:
        """The base rate on ``first`` and each change of it before ``last``: (day, rate)."""
        ...

    def rate_days(self, first: int, last: int, spread: float) -> float:
        """Sum over days in [first, last) of max(0, base rate + spread)."""
        ...

    def levels(self, day: int) -> list[float]:
        """Log price level by zone on a day."""
        ...

    def level_of(self, zone: int, day: int) -> float:
        """One zone's entry of ``levels``."""
        ...

    def known_levels(self, day: int) -> list[float]:
        """Log price level by zone at the last knot on or before the day."""
        ...

    def appreciation(self, day: int, months: int = 12) -> list[float]:
        """Trailing change of each zone's price level, as known on the day."""
        ...


class Draws(Protocol):
    """Random draws, a function of (series, block, year) alone; a series is a zone's loans from one source."""

    def attributes(self, series: str, block: int) -> NDArray[np.float64]:
        """Uniforms for size, LTV and coupon; shape (BLOCK, 3)."""
        ...

    def fates(self, series: str, block: int) -> NDArray[np.float64]:
        """Uniforms for exit time, default time and kind of exit; shape (BLOCK, 3)."""
        ...

    def noise(self, series: str, block: int, year: int) -> NDArray[np.float64]:
        """Uniforms for the steps of the property walks, by month of a fund year; shape (12, BLOCK)."""
        ...
