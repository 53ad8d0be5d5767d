"""How well capital has worked: return, Sharpe ratio, drawdown, value at risk, correlations."""

import math
from statistics import NormalDist

import numpy as np

from fundclock.handlers.allocation.qp import Floats


def drawdown(returns: Floats) -> float:
    """The largest fall of wealth below an earlier level, the starting value among them, as a share of that level."""
    wealth = np.concatenate(([1.0], np.cumprod(1 + returns)))
    peaks = np.maximum.accumulate(wealth)
    return float((1 - wealth / peaks).max())


def sharpe_ratio(returns: Floats, risk_free: float, periods_per_year: float | None = None) -> float:
    """(mean − rf) / sample standard deviation per period; 0 where returns do not vary.

    With ``periods_per_year`` rf is per year, spread evenly, and the ratio is × √periods (Sharpe, 1994).
    """
    spread = float(returns.std(ddof=1))
    if spread <= 1e-15 * max(1.0, float(np.abs(returns).max())):
        return 0.0
    if periods_per_year is None:
        return (float(returns.mean()) - risk_free) / spread
    return (float(returns.mean()) - risk_free / periods_per_year) / spread * math.sqrt(periods_per_year)


def historical_tail(returns: Floats, confidence: float) -> tuple[float, float]:
    """Value at risk and conditional value at risk of a period as losses, by historical simulation.

    Of n returns the ⌈(1 − confidence) n⌉-th worst, and the mean of the mass 1 − confidence at the bad end (Rockafellar
    and Uryasev, 2002, proposition 8: the return at the edge counts with the part of it that belongs to the tail).
    """
    losses = np.sort(-returns)[::-1]
    mass = (1 - confidence) * len(losses)
    whole = max(1, min(len(losses), math.ceil(mass - 1e-9)))
    edge = float(losses[whole - 1])
    part = mass - (whole - 1)
    return edge, (float(losses[: whole - 1].sum()) + part * edge) / mass


def normal_tail(mean: float, deviation: float, confidence: float) -> tuple[float, float]:
    """Value at risk and conditional value at risk of a normal return (Rockafellar and Uryasev, 2000, section 4)."""
    normal = NormalDist()
    z = normal.inv_cdf(confidence)
    return deviation * z - mean, deviation * normal.pdf(z) / (1 - confidence) - mean


def rolling_covariance(returns: Floats, window: int) -> Floats:
    """Sample covariance of the last ``window`` rows of ``returns``, shape (periods, buckets).

    Raises ValueError with fewer than two rows in the window.
    """
    if window < 2 or len(returns) < 2:
        raise ValueError(f"a covariance needs two returns or more, got {min(window, len(returns))}")
    found: Floats = np.cov(returns[-window:], rowvar=False, ddof=1)
    return np.atleast_2d(found)


def correlations(covariance: Floats) -> Floats:
    """Correlations of a covariance; 0 for what does not vary."""
    spread = np.sqrt(covariance.diagonal())
    scale = np.where(spread > 0, 1 / np.where(spread > 0, spread, 1), 0)
    found: Floats = covariance * scale[:, None] * scale
    np.fill_diagonal(found, 1.0)
    return found


def toward_one(covariance: Floats, share: float) -> Floats:
    """The covariance with all correlations moved toward 1 by a share: what diversification is worth in a crisis."""
    spread = np.sqrt(covariance.diagonal())
    moved: Floats = (1 - share) * covariance + share * np.outer(spread, spread)
    return moved
