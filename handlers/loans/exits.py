"""When loans end: competing risks of exit and default, integrated month by month, to the day.

Each loan owns two unit exponentials; a risk strikes when its integrated hazard reaches
the loan's threshold. The baseline hazard of exit is that of a normal age truncated below at the
minimum hold; a default's hazard grows with the loan-to-value. Within a
month, the market and the settings count as they stood when it began.
"""

import math
from array import array
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from fundclock.events.day_counts import YEAR
from fundclock.events.facts import LiquidityShocked, LoanOriginated
from fundclock.events.facts.loans import ExitKind, KnownKind
from fundclock.events.parts import Part, Reactions
from fundclock.events.record import Record
from fundclock.events.state.loan_book import LoanBook, grown
from fundclock.handlers.context import Context
from fundclock.handlers.loans.claims import sale_weights, simple_interest
from fundclock.handlers.loans.values import PropertyValues
from fundclock.handlers.settings.loans import ExitsConfig

CHUNK = 8192
"""Loans whose hazards are integrated together: their columns stay in the processor's cache."""

MOST_EXPONENT = 500.0
"""A hazard of e^500 a year strikes at once; more would overflow."""

CRITICAL_LTV = 0.8
"""Above it, a loan's default hazard grows with its LTV."""


class Ending(NamedTuple):
    """How a loan is about to end; ``ltv`` is its LTV when that was found."""

    loan_id: str
    row: int
    kind: KnownKind | Literal["exit"]
    ltv: float


def cumulative_exit_hazard(config: ExitsConfig, days: int) -> NDArray[np.float64]:
    """−log of the survival function of the exit age at 0, 1, …, ``days`` days; years of 365 days."""
    mean, sd = config.age_years.mean, config.age_years.sd
    ages = np.maximum(np.arange(days + 1) / YEAR, config.min_hold_years)
    hazard: NDArray[np.float64] = log_ndtr((mean - config.min_hold_years) / sd) - log_ndtr((mean - ages) / sd)
    return hazard


class ExitClock(Part):
    """Finds, as each month begins, which loans end in it and on which day."""

    def __init__(self, context: Context, values: PropertyValues, knots: list[int], wake: Callable[[], None]) -> None:
        """``wake`` is called when an ending is found that comes before the day that ``next_day`` named."""
        self._book = context.state.book
        self._settings = context.settings
        self._market = context.market
        self._values = values
        self._knots = knots
        self._wake = wake
        self._next_knot = knots[1]
        self._hazard = np.zeros(0)
        self._hazard_for: ExitsConfig | None = None
        self._oldest = 0
        self._multipliers: list[float] = []
        self._speeds_and_rates = np.zeros((2, 0))
        self._rates: list[float] = []
        self._terms = context.settings.exits  # those that the month began with
        self._appreciation: list[float] = []
        self._exit_left = np.zeros(256)
        self._default_left = np.zeros(256)
        self._new_exit = array("d")
        self._new_default = array("d")
        self._maturities: list[tuple[int, int]] = []
        self._rows = 0
        self._endings: dict[int, list[Ending]] = {}
        self._days: list[int] = []
        self._awaited = 0
        self._liquidity = 1.0

    def reactions(self) -> Reactions:
        """What it does when facts are recorded."""
        return {
            LiquidityShocked: [self.note_liquidity_shock],
            LoanOriginated: [self.watch_on_loan_originated],
        }

    def note_liquidity_shock(self, _record: Record, fact: LiquidityShocked) -> None:
        """Change the rate of exits from the next month on."""
        self._liquidity *= 1 + fact.change

    def next_day(self) -> int:
        """The first day on which a loan is known to end, or the next knot, where others become known."""
        self._awaited = min(self._days[0], self._next_knot) if self._days else self._next_knot
        return self._awaited

    def take(self, day: int) -> list[Ending]:
        """The endings of a day, in the order of the loans' names."""
        if day not in self._endings:
            return []
        heappop(self._days)
        return sorted(self._endings.pop(day))

    def begin_month(self, index: int, day: int) -> None:
        """Integrate all hazards from this knot to the next and note who ends in between."""
        if self._new_exit:
            self._take_new_rows()
        self._set_market(day)
        if index + 1 >= len(self._knots):
            self._next_knot = day + 1
            return
        self._next_knot = self._knots[index + 1]
        rows = self._book.performing_rows()
        for first in range(0, len(rows), CHUNK):
            self._integrate(rows[first : first + CHUNK], day)
        self._find_maturities()

    def _integrate(self, rows: NDArray[np.intp], day: int) -> None:
        """Add the month's hazards to these loans' integrals."""
        span = self._next_knot - day
        book = self._book
        zones = book.column("zone")[rows]
        ltv = self._ltv(rows, zones, day)
        ages = day - book.column("born_day")[rows]
        speeds, rates = self._speeds_and_rates.take(zones, axis=1)
        exits = self._hazard[ages + span]
        exits -= self._hazard[ages]
        exits *= speeds
        defaults = rates * (span / YEAR)
        if np.maximum.reduce(ltv) > CRITICAL_LTV:
            over = np.maximum(ltv - CRITICAL_LTV, 0)
            over *= self._terms.ltv_sensitivity
            defaults *= np.exp(np.minimum(over, MOST_EXPONENT))
        exit_left, default_left = self._exit_left[rows], self._default_left[rows]
        exit_after, default_after = exit_left - exits, default_left - defaults
        self._exit_left[rows] = exit_after
        self._default_left[rows] = default_after
        ends = np.minimum(exit_after, default_after) <= 0
        for i in ends.nonzero()[0].tolist():
            self._find(
                rows.item(i),
                day,
                ltv.item(i),
                self._exit_day(ages.item(i), span, exit_left.item(i), speeds.item(i)),
                _default_day(span, default_left.item(i), defaults.item(i)),
            )

    def watch_on_loan_originated(self, record: Record, fact: LoanOriginated) -> None:
        """A new loan runs its risks for what is left of the month."""
        span = self._next_knot - record.day
        zone = self._book.zones.index(fact.zone)
        ltv = fact.principal_cents / fact.property_value_cents
        over = min(max(0.0, ltv - CRITICAL_LTV) * self._terms.ltv_sensitivity, MOST_EXPONENT)
        default = self._rates[zone] * (span / YEAR) * math.exp(over)
        age = fact.first_age_days
        self._cover_age(age)
        hazard = self._hazard
        exits = (hazard.item(age + span) - hazard.item(age)) * self._multipliers[zone]
        row = self._rows + len(self._new_exit)
        self._new_exit.append(fact.exit_threshold - exits)
        self._new_default.append(fact.default_threshold - default)
        known = self._book.known_endings.get(row)
        if known is not None:
            self._new_exit[-1] = self._new_default[-1] = math.inf
            day = known.day if known.default_day is None else known.default_day
            self._note(day, Ending(fact.loan_id, row, known.kind, ltv))
            return
        if exits >= fact.exit_threshold or default >= fact.default_threshold:
            self._find(
                row,
                record.day,
                ltv,
                self._exit_day(age, span, fact.exit_threshold, self._multipliers[zone]),
                _default_day(span, fact.default_threshold, default),
            )
        if fact.maturity_day <= self._knots[-1]:
            heappush(self._maturities, (fact.maturity_day, row))
            if fact.maturity_day <= self._next_knot:
                self._find_maturities()

    def kind_of_exit(self, ending: Ending) -> ExitKind:
        """Sale or refinance, by weights that depend on appreciation and LTV and by the loan's own draw."""
        sale, refinance = sale_weights(self._appreciation[self._book.value("zone", ending.row)], ending.ltv)
        draw = self._book.value("kind_draw", ending.row)
        return "sale" if sale + refinance == 0 or draw * (sale + refinance) < sale else "refinance"

    def _exit_day(self, age: int, span: int, left: float, speed: float) -> int:
        """In how many days the exit hazard takes what is left of a threshold; more than ``span`` for never."""
        if speed <= 0:
            return span + 1
        target = self._hazard.item(age) + left / speed
        return max(1, int(self._hazard[age : age + span + 1].searchsorted(target)))

    def _find(self, row: int, day: int, ltv: float, exit_in: int, default_in: int) -> None:
        """Note the first of a loan's endings, if it comes before the loan matures."""
        kind: Literal["default", "exit"] = "default" if default_in <= exit_in else "exit"
        days = min(default_in, exit_in)
        when = day + days
        if when <= min(self._next_knot, self._book.value("maturity_day", row)):
            self._note(when, Ending(self._book.ids[row], row, kind, ltv))

    def _find_maturities(self) -> None:
        """Note the loans that mature before the next knot and end no other way before."""
        while self._maturities and self._maturities[0][0] <= self._next_knot:
            day, row = heappop(self._maturities)
            if not self._is_noted(row):
                self._note(day, Ending(self._book.ids[row], row, "maturity", 0.0))

    def _is_noted(self, row: int) -> bool:
        """Whether an ending of this loan has been found; nothing is left to be integrated then."""
        left = self._exit_left.item(row) if row < self._rows else self._new_exit[row - self._rows]
        return left == math.inf

    def _note(self, day: int, ending: Ending) -> None:
        if ending.row < self._rows:
            self._exit_left[ending.row] = self._default_left[ending.row] = math.inf
        else:
            self._new_exit[ending.row - self._rows] = self._new_default[ending.row - self._rows] = math.inf
        endings = self._endings.get(day)
        if endings is not None:
            endings.append(ending)
            return
        self._endings[day] = [ending]
        heappush(self._days, day)
        if day < self._awaited:
            self._wake()

    def _set_market(self, day: int) -> None:
        self._terms = self._settings.exits
        self._rates = [zone.default_rate for zone in self._settings.zones.values()]
        sensitivity = self._terms.appreciation_sensitivity
        self._appreciation = self._market.appreciation(day)
        self._multipliers = [
            min(max(1 + sensitivity.k * change, sensitivity.lo), sensitivity.hi) * self._liquidity
            for change in self._appreciation
        ]
        self._speeds_and_rates = np.array((self._multipliers, self._rates))
        self._cover_age(0)

    def _cover_age(self, first_age_days: int) -> None:
        """Make the hazard table reach as far as a loan of this age can get inside the fund's life."""
        config = self._terms
        self._oldest = max(self._oldest, first_age_days)
        days = self._knots[-1] + self._oldest
        if self._hazard_for is not config or len(self._hazard) <= days:
            self._hazard_for = config
            self._hazard = cumulative_exit_hazard(config, days)

    def _ltv(self, rows: NDArray[np.intp], zones: NDArray[np.int16], day: int) -> NDArray[np.float64]:
        book = self._book
        principal = book.column("principal_cents")[rows].astype(np.float64)
        since = interest_starts(book, rows)
        owed = simple_interest(principal, book.column("coupon")[rows], (day - since).astype(np.float64))
        owed += principal
        owed /= self._values.known_rows(rows, zones, day)
        return owed

    def _take_new_rows(self) -> None:
        count = self._rows + len(self._new_exit)
        self._exit_left = grown(self._exit_left, count)
        self._default_left = grown(self._default_left, count)
        self._exit_left[self._rows : count] = self._new_exit
        self._default_left[self._rows : count] = self._new_default
        self._rows = count
        self._new_exit, self._new_default = array("d"), array("d")


def interest_starts(book: LoanBook, rows: NDArray[np.intp]) -> NDArray[np.int32]:
    """The day from which each loan's unpaid interest runs; same shape as ``rows``."""
    since: NDArray[np.int32] = book.column("bought_day")[rows]
    if book.interest_paid_day:
        since = np.where(book.column("pays_cash")[rows], np.maximum(since, book.interest_paid_day), since)
    return since


def _default_day(span: int, left: float, hazard: float) -> int:
    """In how many days a month's even hazard takes what is left of a threshold; more than ``span`` for never."""
    return max(1, math.ceil(left / hazard * span)) if hazard >= left and hazard > 0 else span + 1
