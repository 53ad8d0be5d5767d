"""Facts about the market, which the fund cannot change."""

from typing import Literal

from events.record import Fact


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
