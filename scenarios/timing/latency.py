"""When did we know? From the day a condition became true to the day a check saw it, and on to its cure.

That a facility's test would fail, or that the circuit breaker should trip, becomes true on a day that only shadow
tests show (``fundclock.scenarios.timing.shadow``); the log alone says when it was seen and when it was cured. That
proceeds reach the smallest amount that is lent is in the log.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np

from fundclock.events.facts import (
    BreakerReset,
    BreakerTripped,
    CapitalReinvested,
    ConfigChanged,
    CovenantBreached,
    CovenantCured,
    EventOfDefaultDeclared,
)
from fundclock.events.record import Record
from fundclock.events.units import to_cents
from fundclock.scenarios.timing.idle_cash import Stay

SHADOWED = ("base", "ltv")
"""Tests of values, which can be made on any day; the others are about quarters, payments or deadlines."""

MINIMUM = "reinvestment_engine.min_reinvestment_amount"
RESERVE = "reinvestment_engine.enable_cash_reserve"
TARGET = "reinvestment_engine.cash_reserve_target"
ELIGIBLE = frozenset(("awaiting_check", "below_minimum", "batch_limit", "indivisible_remainder", "declined"))
BOUGHT_BY_CHECKS = ("check", "release", "resumed", "reserve_max")


class Span(NamedTuple):
    """Something was true in the evenings of [first, last): what, and of which facility (or the fund)."""

    what: str
    about: str
    first: int
    last: int


class Latency(NamedTuple):
    """A condition: since when it was true (None: not looked at), when it was seen, when it was over.

    ``seen`` is None where it was over before anyone looked, ``over`` where it never was.
    """

    what: str
    about: str
    since: int | None
    seen: int | None
    over: int | None
    seq: int | None

    @property
    def days_to_see(self) -> int | None:
        """Days in which it was true and nobody knew."""
        return None if self.since is None or self.seen is None else self.seen - self.since

    @property
    def days_to_cure(self) -> int | None:
        """Days from being seen to being over."""
        return None if self.seen is None or self.over is None else self.over - self.seen


class Detections:
    """A fold over the log: what was seen, and when it was over."""

    kinds = (
        CovenantBreached,
        CovenantCured,
        EventOfDefaultDeclared,
        BreakerTripped,
        BreakerReset,
        CapitalReinvested,
        ConfigChanged,
    )

    def __init__(self, scenario: Any) -> None:
        self._open: dict[tuple[str, str], tuple[int, int]] = {}
        self.seen: list[Latency] = []
        engine = scenario["reinvestment_engine"]
        self._size = scenario["fund"]["size"]
        self._settings = {key: [(0, engine[key.partition(".")[2]])] for key in (MINIMUM, RESERVE, TARGET)}
        self._bought: list[tuple[int, int]] = []

    def apply(self, record: Record) -> None:
        """Fold one record."""
        fact, day = record.payload, record.day
        match fact:
            case CovenantBreached():
                self._open.setdefault((f"covenant {fact.test}", fact.facility), (day, record.seq))
            case CovenantCured():
                self._over(f"covenant {fact.test}", fact.facility, day)
            case BreakerTripped() if fact.reason == "nav_fall":
                self._open.setdefault(("nav_fall", "fund"), (day, record.seq))
            case BreakerReset():
                self._over("nav_fall", "fund", day)
            case CapitalReinvested() if fact.trigger in BOUGHT_BY_CHECKS:
                self._bought.append((day, record.seq))
            case ConfigChanged():
                for key in self._settings.keys() & fact.changes.keys():
                    self._settings[key].append((day, fact.changes[key]))

    def _over(self, what: str, about: str, day: int) -> None:
        found = self._open.pop((what, about), None)
        if found is not None:
            seen, seq = found
            self.seen.append(Latency(what, about, None, seen, day, seq))

    def finish(self) -> None:
        """The log's end: what is open was never over."""
        for (what, about), (seen, seq) in self._open.items():
            self.seen.append(Latency(what, about, None, seen, None, seq))
        self._open.clear()
        self.seen.sort(key=lambda row: row.seen or 0)

    def minimum_reached(self, stays: Sequence[Stay], days: int) -> list[Latency]:
        """Since when proceeds that could be lent had reached the minimum, at each check that lent them.

        With a reserve, what may be lent is what lies in it above its target.
        """
        changes = np.zeros((2, days + 2), np.int64)
        for stay in stays:
            row = 0 if stay.reason in ELIGIBLE else 1 if stay.reason == "reserve" else None
            if row is not None:
                changes[row, stay.first] += stay.cents
                changes[row, stay.last] -= stay.cents
        eligible, reserved = np.cumsum(changes, axis=1)
        target, minimum = np.zeros(days + 2, np.int64), np.ones(days + 2, np.int64)
        with_reserve = np.zeros(days + 2, np.bool_)
        for day, value in self._settings[MINIMUM]:
            minimum[day:] = max(1, to_cents(value))
        for day, value in self._settings[TARGET]:
            target[day:] = to_cents(self._size * value)
        for day, value in self._settings[RESERVE]:
            with_reserve[day:] = value
        eligible = np.where(with_reserve, reserved - target, eligible)
        short = np.flatnonzero(eligible < minimum)
        found = []
        for day, seq in self._bought:
            before = short[: np.searchsorted(short, day)]  # evenings before the check on which it was not enough
            since = int(before[-1]) + 1 if len(before) else 0
            found.append(Latency("minimum_reached", "proceeds", min(since, day), day, day, seq))
        return found


def with_shadows(seen: Iterable[Latency], spans: Iterable[Span], last_day: int) -> list[Latency]:
    """What was seen with the day since when it was true; what was true and over before anyone looked, too."""
    left = sorted(spans, key=lambda span: span.first)
    rows = []
    for row in seen:
        match = next(
            (s for s in left if (s.what, s.about) == (row.what, row.about) and s.first <= (row.seen or 0) <= s.last),
            None,
        )
        shadowed = row.what == "nav_fall" or row.what.removeprefix("covenant ") in SHADOWED
        since = match.first if match is not None else row.seen if shadowed else None
        rows.append(row._replace(since=since))
        if match is not None:
            left.remove(match)
    unseen = [
        Latency(span.what, span.about, span.first, None, span.last if span.last < last_day else None, None)
        for span in left
        if not any(
            (row.what, row.about) == (span.what, span.about)
            and row.seen is not None
            and row.seen <= span.first < (row.over or last_day)
            for row in rows
        )
    ]
    return sorted([*rows, *unseen], key=lambda row: (row.since if row.since is not None else row.seen or 0, row.what))


@dataclass(frozen=True)
class LatencySummary:
    """One condition over a run: how often it became true, and how long nobody knew."""

    times: int
    unseen: int
    """How often no check ever saw it."""
    mean_days_to_see: float | None
    max_days_to_see: int | None
    mean_days_to_cure: float | None


def summary(rows: Sequence[Latency]) -> dict[str, LatencySummary]:
    """What is known of each condition."""
    found = {}
    for what in sorted({row.what for row in rows}):
        of = [row for row in rows if row.what == what]
        seeing = [row.days_to_see for row in of if row.days_to_see is not None]
        curing = [row.days_to_cure for row in of if row.days_to_cure is not None]
        found[what] = LatencySummary(
            times=len(of),
            unseen=sum(row.seen is None for row in of),
            mean_days_to_see=fmean(seeing) if seeing else None,
            max_days_to_see=max(seeing, default=None),
            mean_days_to_cure=None if what == "minimum_reached" or not curing else fmean(curing),
        )
    return found
