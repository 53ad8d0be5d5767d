"""Where proceeds go: each strategy's shares by zone. Shares are decimals that sum to 1."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from fundclock.handlers.risk.measures import shares_of
from fundclock.handlers.settings.reinvestment import ReinvestmentConfig

Shares = dict[str, float]

NOTHING = 1e-12
"""A share below this is rounding, not a wish."""


class Wish(NamedTuple):
    """Shares by zone, empty where no zone is wanted; ``closes_gaps`` where they come from the book itself.

    ``by_targets`` is False where targets (and so their adjustment) had no part in it.
    """

    shares: Shares
    closes_gaps: bool = False
    by_targets: bool = True


def scaled(weights: Mapping[str, float]) -> Shares:
    """Weights as shares that sum to 1; those below 0 count as 0. Empty where none is above 0."""
    clean = {zone: weight if weight > NOTHING else 0.0 for zone, weight in weights.items()}
    total = sum(clean.values())
    return {zone: weight / total for zone, weight in clean.items()} if total else {}


def maintain_allocation(claims: Mapping[str, float], targets: Shares) -> Shares:
    """The living book's own shares by claim; the targets if there are no living loans."""
    return scaled(claims) or targets


def rebalance(claims: Mapping[str, float], targets: Shares, amount: float, threshold: float) -> Wish:
    """The targets; but where a zone is short of its target by the threshold or more, what is short comes first.

    A gap is target − share of the living book, in money × all claims. Gaps are closed pro rata as far as ``amount``
    goes; what is more than them goes by the targets.
    """
    total = sum(claims.values())
    if total <= 0 or amount <= 0:
        return Wish(targets)
    now = shares_of(claims)
    gaps = {zone: max(0.0, share - now[zone]) for zone, share in targets.items()}
    if max(gaps.values()) < threshold - NOTHING:
        return Wish(targets)
    missing = sum(gaps.values()) * total
    if missing <= 0:  # a threshold of 0, and every zone at its target
        return Wish(targets)
    part = min(1.0, missing / amount)
    rest = 1 - part
    by_gap = scaled(gaps)
    return Wish(scaled({zone: part * by_gap[zone] + rest * share for zone, share in targets.items()}), True)


def opportunistic(appreciation: Mapping[str, float], targets: Shares, threshold: float) -> Wish:
    """Zones whose trailing appreciation is above the threshold, pro rata to it; the targets where none is."""
    risen = scaled({zone: change if change > threshold else 0.0 for zone, change in appreciation.items()})
    return Wish(risen, by_targets=False) if risen else Wish(targets)


def custom(targets: Shares, multipliers: Mapping[str, float]) -> Shares:
    """Targets × multipliers (1 for a zone that has none), scaled to 1; empty where all products are 0."""
    return scaled({zone: share * multipliers.get(zone, 1.0) for zone, share in targets.items()})


def wish(
    strategy: str,
    config: ReinvestmentConfig,
    base: Shares,
    claims: Mapping[str, float],
    appreciation: Sequence[float],
    amount: float,
) -> Wish:
    """What a strategy wants of ``amount``; ``base`` are the targets (of ``maintain_allocation``: the book's shares)."""
    match strategy:
        case "rebalance":
            return rebalance(claims, base, amount, config.rebalance_threshold)
        case "opportunistic":
            trailing = dict(zip(base, appreciation, strict=True))
            return opportunistic(trailing, base, config.opportunistic_threshold)
        case "custom":
            return Wish(custom(base, config.zone_preference_multipliers))
        case "maintain_allocation":
            return Wish(base)
        case _:
            raise ValueError(f"there is no strategy {strategy!r}")
