"""Facts about the market, which the fund cannot change."""

from typing import Literal

from fundclock.events.record import Fact


class MarketMoved(Fact):
    """What is known of the market on a month's last day (and on the first day of the fund).

    ``base_rate`` is an annual decimal, ``indices`` the zones' price levels (1 on the first
    day), ``appreciation_12m`` their trailing twelve-month change, all from knots on or before the day.
    """

    kind: Literal["market.moved/1"] = "market.moved/1"
    base_rate: float
    indices: dict[str, float]
    appreciation_12m: dict[str, float]


class PriceShocked(Fact):
    """Property prices of these zones moved at once by ``change``; it holds from this day on."""

    kind: Literal["price.shocked/1"] = "price.shocked/1"
    change: float
    zones: list[str]


class RateShocked(Fact):
    """The base rate moved at once by ``change``; it holds from this day on."""

    kind: Literal["rate.shocked/1"] = "rate.shocked/1"
    change: float


class NavShocked(Fact):
    """Valuations of loans are at another level from today on; what loans pay does not change."""

    kind: Literal["nav.shocked/1"] = "nav.shocked/1"
    change: float


class LiquidityShocked(Fact):
    """The market for loans and homes moves at another speed from the next month on: exits come at another rate."""

    kind: Literal["liquidity.shocked/1"] = "liquidity.shocked/1"
    change: float
