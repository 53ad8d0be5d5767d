"""What a loan is owed and what it pays. The same expressions serve one loan and a whole book.

Amounts are floats in cents until a fact rounds them; arrays and plain numbers both work.
"""

from typing import Any, TypeVar

from numpy.typing import NDArray

from fundclock.events.day_counts import YEAR

Value = TypeVar("Value", float, NDArray[Any])

Tiers = tuple[tuple[float, ...], tuple[float, ...]]
"""Thresholds of the relative gain, and the marginal share below, between and above them."""


def simple_interest(principal: Value, coupon: Value, days: Value) -> Value:
    """Interest of ``days`` by ACT/365F: principal × coupon × days / 365. Interest does not bear interest."""
    interest: Value = principal * coupon * days / YEAR
    return interest


def flat_share_of_gain(opening: Value, value: Value, share: Value) -> Value:
    """share × max(0, value − opening): a share of the gain, never of the value."""
    owed: Value = share * (value - opening) * (value > opening)
    return owed


def tiered_share_of_gain(opening: Value, value: Value, tiers: Tiers) -> Value:
    """Marginal shares of the gain: each tier's share of the part of the relative gain inside it."""
    thresholds, shares = tiers
    gain = value / opening - 1
    owed = shares[0] * gain * (gain > 0)
    for threshold, below, above in zip(thresholds, shares, shares[1:], strict=False):
        owed = owed + (above - below) * (gain - threshold) * (gain > threshold)
    total: Value = owed * opening
    return total


def net_sale(value: Value, selling_cost: float, senior_debt: Value) -> Value:
    """What a sale of the property leaves for this loan: value × (1 − selling cost) − senior debt, not below 0."""
    left = value * (1 - selling_cost) - senior_debt
    paid: Value = left * (left > 0)
    return paid


def sale_weights(appreciation: float, ltv: float) -> tuple[float, float]:
    """Weights of sale and refinance: .6(1 + 2A)⁺ and .3(1 + 3(.8 − LTV))⁺, A the trailing appreciation."""
    return 0.6 * max(0.0, 1 + 2 * appreciation), 0.3 * max(0.0, 1 + 3 * (0.8 - ltv))
