"""What each loan's property is worth: zone index × own noise since the loan was bought."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from events.facts.loans import SOURCES
from events.state.loan_book import LoanBook, grown
from handlers.ports import BLOCK, Draws, MarketView
from handlers.settings import Settings

Floats = NDArray[np.float64]


class PropertyValues:
    """Property values by row of the loan book.

    A property's log value is its opening value plus what the zone's log index and its own
    random walk have moved since. The walk has a knot at each month's end and drift −σ²/2, so that
    noise alone leaves the expected value where it was. Kept as columns: ``_anchor`` by row,
    the walk by drawing slot (a slot is a loan's number inside the blocks drawn so far).
    This is a cache of facts and draws, never state of its own.
    """

    def __init__(self, book: LoanBook, settings: Settings, market: MarketView, draws: Draws, knots: list[int]) -> None:
        """``knots`` are day 0, the month ends and the last day of the fund."""
        self._book = book
        self._settings = settings
        self._market = market
        self._draws = draws
        self._knots = knots
        self._month = 0
        self._begins = 0
        self._span = 1
        self._rows = 0
        self._anchor = np.empty(256)
        self._known_anchor = np.empty(256)
        self._slot = np.empty(256, np.int64)
        self._blocks: dict[tuple[str, int], int] = {}
        self._walk = np.zeros(0)
        self._step = np.zeros(0)
        self._uniforms = np.full((12, 0), 0.5)

    def enter_month(self, index: int) -> None:
        """The knot with this index has been reached: move every walk by the month that ends there."""
        self._take_new_rows()
        self._walk += self._step
        self._month = index
        self._begins = self._knots[index]
        self._span = self._knots[index + 1] - self._begins if index + 1 < len(self._knots) else 1
        if index % 12 == 0:
            for (series, block), place in self._blocks.items():
                self._uniforms[:, place : place + BLOCK] = self._draws.noise(series, block, index // 12)
        self._set_steps(slice(0, BLOCK * len(self._blocks)))

    def of_rows(self, rows: NDArray[np.intp], day: int) -> Floats:
        """Property values in cents on a day of the current month; same shape as ``rows``."""
        self._take_new_rows()
        slots = self._slot[rows]
        levels = np.array(self._market.levels(day))[self._book.column("zone")[rows]]
        logs = self._anchor[rows]
        logs += levels
        logs += self._walk[slots]
        part = self._part(day)
        if part:
            logs += part * self._step[slots]
        return np.exp(logs, out=logs)

    def of_row(self, row: int, zone: int, day: int) -> float:
        """The property value of one loan in cents, as ``of_rows``."""
        if row >= self._rows:
            self._take_new_rows()
        slot = self._slot.item(row)
        noise = self._walk.item(slot)
        part = self._part(day)
        if part:
            noise += part * self._step.item(slot)
        return math.exp(self._anchor.item(row) + self._market.level_of(zone, day) + noise)

    def known_rows(self, rows: NDArray[np.intp], zones: NDArray[np.int16], day: int) -> Floats:
        """Property values in cents as known: the value at purchase, moved by what knots have shown since."""
        self._take_new_rows()
        logs = self._known_anchor[rows]
        logs += np.array(self._market.known_levels(day))[zones]
        logs += self._walk[self._slot[rows]]
        return np.exp(logs, out=logs)

    def _part(self, day: int) -> float:
        return (day - self._begins) / self._span

    def _set_steps(self, slots: slice) -> None:
        """How far the walk of these slots moves in the current month; not at all after the last knot."""
        if self._month + 1 >= len(self._knots):
            self._step[slots] = 0
            return
        sigma = self._settings.loans.idiosyncratic_volatility
        years = self._span / 365
        steps = ndtri(self._uniforms[self._month % 12, slots], out=self._step[slots])
        steps *= sigma * math.sqrt(years)
        steps -= sigma * sigma * years / 2

    def _take_new_rows(self) -> None:
        count = len(self._book)
        if count == self._rows:
            return
        new = slice(self._rows, count)
        columns = (self._book.column(name)[new].tolist() for name in ("zone", "source", "entity"))
        places = [
            self._place(zone, source, entity // BLOCK) + entity % BLOCK
            for zone, source, entity in zip(*columns, strict=True)
        ]
        self._anchor = grown(self._anchor, count)
        self._known_anchor = grown(self._known_anchor, count)
        self._slot = grown(self._slot, count)
        self._slot[new] = places
        bought = self._book.column("bought_day")[new]
        logs = np.log(self._book.column("property_value_cents")[new])
        known = logs.copy()
        zone_column = self._book.column("zone")[new]
        for day in np.unique(bought).tolist():
            here = bought == day
            slots, zones = self._slot[new][here], zone_column[here]
            logs[here] -= np.array(self._market.levels(day))[zones] + self._part(day) * self._step[slots]
            known[here] -= np.array(self._market.known_levels(day))[zones]
        walks = self._walk[self._slot[new]]
        self._anchor[new] = logs - walks
        self._known_anchor[new] = known - walks
        self._rows = count

    def _place(self, zone: int, source: int, block: int) -> int:
        series = f"{self._book.zones[zone]}/{SOURCES[source]}"
        place = self._blocks.get((series, block))
        if place is None:
            place = self._blocks[series, block] = BLOCK * len(self._blocks)
            if place + BLOCK > len(self._walk):
                self._walk = grown(self._walk, place + BLOCK)
                self._step = grown(self._step, place + BLOCK)
                wider = np.empty((12, len(self._walk)))
                wider[:, :place] = self._uniforms[:, :place]
                self._uniforms = wider
            self._uniforms[:, place : place + BLOCK] = self._draws.noise(series, block, self._month // 12)
            self._set_steps(slice(place, place + BLOCK))
        return place
