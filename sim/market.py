"""The market of one run: the base rate and the zones' prices, with the shocks that scripts bring."""

import math
from collections.abc import Iterator

from fundclock.events.bus import Output
from fundclock.events.dates import Calendar
from fundclock.events.facts import MarketMoved, PriceShocked, RateShocked
from fundclock.events.parts import Part, Reactions
from fundclock.events.record import Record
from fundclock.sim.indices import IndexPaths
from fundclock.sim.rates import RatePath


class Market(Part):
    """Exogenous paths. Decisions read ``known_levels``, ``appreciation`` and ``rate``; valuations read ``levels``."""

    def __init__(self, zones: list[str], calendar: Calendar, rates: RatePath, indices: IndexPaths) -> None:
        self.zones = zones
        self._calendar = calendar
        self._rates = rates
        self._indices = indices
        self._appreciation: tuple[tuple[int, int, int], list[float]] = ((-1, 0, 0), [])

    def reactions(self) -> Reactions:
        """What it does when facts are recorded."""
        return {
            PriceShocked: [self.apply_price_shock],
            RateShocked: [self.apply_rate_shock],
        }

    def rate(self, day: int) -> float:
        """The base rate that holds on a day, as an annual decimal."""
        return self._rates.rate(day)

    def rate_changes(self, first: int, last: int) -> list[tuple[int, float]]:
        """The base rate on ``first`` and each change of it before ``last``: (day, rate)."""
        return self._rates.changes(first, last)

    def rate_days(self, first: int, last: int, spread: float) -> float:
        """Sum over days in [first, last) of max(0, base rate + spread)."""
        return self._rates.rate_days(first, last, spread)

    def levels(self, day: int) -> list[float]:
        """Log price level by zone, interpolated between knots: for valuations, never for decisions."""
        return self._indices.level(day)

    def level_of(self, zone: int, day: int) -> float:
        """One zone's entry of ``levels``."""
        return self._indices.level_of(zone, day)

    def known_levels(self, day: int) -> list[float]:
        """Log price level by zone at the last knot on or before the day."""
        return self._indices.known(day)

    def appreciation(self, day: int, months: int = 12) -> list[float]:
        """Trailing change of each zone's price level over ``months``, as known on the day."""
        key = (day, months, self._indices.shocks)
        if self._appreciation[0] != key:
            now = self._indices.known(day)
            then = self._indices.known(self._calendar.months_before(day, months))
            self._appreciation = (key, [math.expm1(x - y) for x, y in zip(now, then, strict=True)])
        return self._appreciation[1]

    def move(self, day: int) -> Iterator[Output]:
        """The fact of what is known of the market on a day."""
        levels = self._indices.known(day)
        yield [
            MarketMoved(
                base_rate=self.rate(day),
                indices={zone: math.exp(level) for zone, level in zip(self.zones, levels, strict=True)},
                appreciation_12m=dict(zip(self.zones, self.appreciation(day), strict=True)),
            )
        ]

    def apply_price_shock(self, record: Record, fact: PriceShocked) -> None:
        """Shift the prices of the fact's zones from its day on."""
        log = math.log1p(fact.change)
        self._indices.shock(record.day, [log if zone in fact.zones else 0.0 for zone in self.zones])

    def apply_rate_shock(self, record: Record, fact: RateShocked) -> None:
        """Shift the base rate from the fact's day on."""
        self._rates.shock(record.day, fact.change)
