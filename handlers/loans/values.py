"""What each loan's property is worth: zone index × own noise since the loan was bought."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from fundclock.events.day_counts import YEAR
from fundclock.events.facts.loans import SOURCES
from fundclock.events.state.loan_book import grown
from fundclock.handlers.context import Context
from fundclock.handlers.ports import BLOCK, Draws

Floats = NDArray[np.float64]


class PropertyValues:
    """Property values by row of the loan book.

    A property's log value is its opening value plus what the zone's log index and its own
    random walk have moved since. The walk has a knot at each month's end and drift −σ²/2, so that
    noise alone leaves the expected value where it was. A loan's place in the noise drawn so far is its slot.
    Kept by row: ``_log`` and ``_known`` are log values less the zone's log level (as it is, as known at knots), the
    walk up to this month's beginning in them; ``_step`` is how far it moves in this month.
    This is a cache of facts and draws, never state of its own.
    """

    def __init__(self, context: Context, draws: Draws, knots: list[int]) -> None:
        """``knots`` are day 0, the month ends and the last day of the fund."""
        self._book = context.state.book
        self._settings = context.settings
        self._market = context.market
        self._draws = draws
        self._knots = knots
        self._month = 0
        self._begins = 0
        self._span = 1
        self._rows = 0
        self._log = np.zeros(256)
        self._known = np.zeros(256)
        self._step = np.zeros(256)
        self._slot = np.zeros(256, np.int64)
        self._blocks: dict[tuple[int, int, int], int] = {}
        self._uniforms = np.full((12, 0), 0.5)

    def enter_month(self, index: int) -> None:
        """The knot with this index has been reached: move every walk by the month that ends there."""
        self._take_new_rows()
        self._month = index
        self._begins = self._knots[index]
        self._span = self._knots[index + 1] - self._begins if index + 1 < len(self._knots) else 1
        if index % 12 == 0:
            for key, place in self._blocks.items():
                self._draw(key, place)
        rows = self._book.living_rows()
        steps = self._step[rows]
        self._log[rows] += steps
        self._known[rows] += steps
        self._step[rows] = self._steps(self._slot[rows])

    def of_rows(self, rows: NDArray[np.intp], day: int) -> Floats:
        """Property values in cents on a day of the current month; same shape as ``rows``."""
        self._take_new_rows()
        logs = np.array(self._market.levels(day))[self._book.column("zone")[rows]]
        logs += self._log[rows]
        part = self._part(day)
        if part:
            logs += part * self._step[rows]
        values: Floats = np.exp(logs, out=logs)
        return values

    def of_row(self, row: int, zone: int, day: int) -> float:
        """The property value of one loan in cents, as ``of_rows``."""
        if row >= self._rows:
            self._take_new_rows()
        log = self._log.item(row) + self._market.level_of(zone, day)
        return math.exp(log + self._part(day) * self._step.item(row))

    def known_rows(self, rows: NDArray[np.intp], zones: NDArray[np.int16], day: int) -> Floats:
        """Property values in cents as known: the value at purchase, moved by what knots have shown since."""
        self._take_new_rows()
        logs: Floats = np.array(self._market.known_levels(day))[zones]
        logs += self._known[rows]
        return np.exp(logs, out=logs)

    def _part(self, day: int) -> float:
        return (day - self._begins) / self._span

    def _steps(self, slots: NDArray[np.int64]) -> Floats:
        """How far the walks of these slots move in the current month; not at all after the last knot."""
        if self._month + 1 >= len(self._knots):
            return np.zeros(len(slots))
        sigma = self._settings.loans.idiosyncratic_volatility
        years = self._span / YEAR
        steps: Floats = ndtri(self._uniforms[self._month % 12, slots])
        steps *= sigma * math.sqrt(years)
        steps -= sigma * sigma * years / 2
        return steps

    def _take_new_rows(self) -> None:
        count = len(self._book)
        if count == self._rows:
            return
        new = slice(self._rows, count)
        zones, sources, entities = (self._book.column(name)[new].tolist() for name in ("zone", "source", "entity"))
        keys = zip(zones, sources, [entity // BLOCK for entity in entities], strict=True)
        find, place = self._blocks.get, self._place
        first = [found if (found := find(key)) is not None else place(key) for key in keys]
        if count > len(self._log):
            self._log, self._known = grown(self._log, count), grown(self._known, count)
            self._step, self._slot = grown(self._step, count), grown(self._slot, count)
        self._slot[new] = first
        self._slot[new] += self._book.column("entity")[new] % BLOCK
        self._step[new] = self._steps(self._slot[new])
        logs = np.log(self._book.column("property_value_cents")[new])
        known = logs.copy()
        bought, zones = self._book.column("bought_day")[new], self._book.column("zone")[new]
        days = bought[:1] if bought[0] == bought[-1] else np.unique(bought)  # rows stand in the order of purchase
        for day in days.tolist():
            here = slice(None) if len(days) == 1 else bought == day
            logs[here] -= np.array(self._market.levels(day))[zones[here]] + self._part(day) * self._step[new][here]
            known[here] -= np.array(self._market.known_levels(day))[zones[here]]
        self._log[new] = logs
        self._known[new] = known
        self._rows = count

    def _place(self, key: tuple[int, int, int]) -> int:
        """The first slot of a block that is met for the first time; its noise is drawn."""
        place = self._blocks[key] = BLOCK * len(self._blocks)
        if place + BLOCK > self._uniforms.shape[1]:
            wider = np.empty((12, max(place + BLOCK, 2 * self._uniforms.shape[1])))
            wider[:, :place] = self._uniforms[:, :place]
            self._uniforms = wider
        self._draw(key, place)
        return place

    def _draw(self, key: tuple[int, int, int], place: int) -> None:
        """The noise of a block (zone, source, number) in the twelve months of this fund year."""
        zone, source, block = key
        series = f"{self._book.zones[zone]}/{SOURCES[source]}"
        self._uniforms[:, place : place + BLOCK] = self._draws.noise(series, block, self._month // 12)
