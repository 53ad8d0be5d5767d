"""Dynamic allocation: shares moved toward the zones whose loans have earned most, by what is known on the day."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from fundclock.events.day_counts import YEAR
from fundclock.events.state.realised import Window
from fundclock.handlers.reinvestment.strategies import Shares, scaled

MOST_EXPONENT = 700.0
"""A loan held for a day can have a return a year beyond what a float holds."""


class Adjustment(NamedTuple):
    """What was added to the shares, and what they are then, floored at 0 and scaled to 1."""

    by_zone: dict[str, float]
    shares: Shares


def annualised_return(realised: Window) -> float | None:
    """(proceeds / cost)^(1 / years) − 1, years the mean holding time weighted by cost; None without loans.

    For one loan it is the loan's annual compound return (ACT/365F).
    """
    if not realised.loans:
        return None
    if realised.proceeds_cents <= 0:
        return -1.0
    years = max(realised.cent_days, realised.cost_cents) / realised.cost_cents / YEAR  # a day at least
    return math.expm1(min(math.log(realised.proceeds_cents / realised.cost_cents) / years, MOST_EXPONENT))


def adjusted(shares: Shares, returns: Mapping[str, float | None], weight: float, most: float) -> Adjustment | None:
    """Shares + clip(weight × (performance share − share), ±most), floored at 0 and scaled to 1.

    A zone's performance share is its return, if above 0, over the sum of those; a zone without data is not adjusted.
    None where there is nothing to go by: no loan has paid off, or none has earned anything.
    """
    earned = sum(max(0.0, value) for value in returns.values() if value is not None)
    if earned <= 0:
        return None
    by_zone = {}
    for zone, share in shares.items():
        value = returns[zone]
        moved = 0.0 if value is None else weight * (max(0.0, value) / earned - share)
        by_zone[zone] = min(max(moved, -most), most)
    after = scaled({zone: share + by_zone[zone] for zone, share in shares.items()})
    return Adjustment(by_zone, after) if after else None
