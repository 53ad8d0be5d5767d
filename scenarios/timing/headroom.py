"""How far can it go? The longest delay, the largest price fall and the latest call that still breach nothing.

Each is found by bisection on forks of the run: whole runs under the same draws, in which everything else takes its
course. Bisection assumes that more is worse; both the answer and the next worse step have been played.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from fundclock.events.record import Record
from fundclock.events.results import as_json
from fundclock.scenarios.files.problems import InvalidInput, Problem
from fundclock.scenarios.runs.forks import fork, plan_fork, settings_on
from fundclock.scenarios.runs.manifest import calendar_of
from fundclock.scenarios.runs.recorded import RecordedRun
from fundclock.scenarios.runs.rerun import plan_of
from fundclock.scenarios.timing.counterfactual import check_finished
from fundclock.scenarios.views.leverage import DebtHistory
from fundclock.scenarios.views.stress import stress

BREACHES = ("covenant.breached/1", "payment.defaulted/1", "event_of_default.declared/1")
"""What must not happen on or after the day."""

PRICE_STEPS = 1000
"""The price fall is found to a tenth of a per cent."""


@dataclass(frozen=True)
class Limit:
    """The last value without a breach and the first with one (None: none up to the highest value tried).

    ``breach`` is the first breach of the run with the first value that has one.
    """

    name: str
    unit: str
    holds: float | None
    fails: float | None
    breach: "FirstBreach | None"
    runs: int

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return as_json(self)


@dataclass(frozen=True)
class FirstBreach:
    """The first thing that went wrong: the kind of its record, the facility, the test or payment, and the date."""

    kind: str
    facility: str
    test: str | None
    date: str


@dataclass(frozen=True)
class _Search:
    name: str
    unit: str
    lowest: int
    highest: int
    scale: float
    command: Callable[[float], dict[str, Any]]


def headroom(run: RecordedRun, at: date | None = None, on_run: Callable[[int, int], None] | None = None) -> list[Limit]:
    """The three limits from a day on; without a day, from the quarter's end with the most debt.

    Raises InvalidInput if there are no facilities, or if the run itself breaches something after that day.
    """
    history = DebtHistory(run)
    check_finished(run, "the search")
    calendar = history.calendar
    when = at or date.fromisoformat(stress(run).date)
    first = calendar.day(when)
    already = _breach(run, first)
    if already is not None:
        what = f"{already.kind.split('/')[0]} of {already.payload.facility}"
        message = f"the run already has a {what} on {calendar.date(already.day)}; choose a later day"
        raise InvalidInput([Problem("at", message)])
    config = settings_on(run, plan_of(run.manifest, run.log, run.kept).config, first)
    searches = [
        _Search(
            "longest_delay",
            "months",
            int(config.reinvestment_engine.reinvestment_delay),
            120,
            1.0,
            lambda months: {"set": {"reinvestment_engine.reinvestment_delay": int(months)}},
        ),
        _Search(
            "largest_price_fall",
            "share",
            0,
            PRICE_STEPS - 1,
            1 / PRICE_STEPS,
            lambda fall: {"shock_price": -fall},
        ),
        _Search(
            "latest_call",
            "business days of notice",
            config.calls.notice_business_days,
            250,
            1.0,
            lambda days: {"set": {"calls.notice_business_days": int(days)}},
        ),
    ]
    found = []
    for number, search in enumerate(searches):
        told = None if on_run is None else (lambda done, number=number: on_run(10 * number + min(9, done), 30))
        found.append(_bisect(run, when, search, told))
    return found


def _bisect(run: RecordedRun, when: date, search: _Search, on_run: Callable[[int], None] | None) -> Limit:
    calendar = calendar_of(run.manifest)
    first, played = calendar.day(when), 0

    def command(value: int) -> list[dict[str, Any]]:
        return [search.command(value * search.scale)]

    def can_be(value: int) -> bool:
        try:
            plan_fork(run, when, {}, command(value))
        except InvalidInput:
            return False
        return True

    def breach(value: int) -> Record | None:
        nonlocal played
        played += 1
        if on_run is not None:
            on_run(played)
        return _breach(fork(run, when, do=command(value)), first)

    low, high = search.lowest, search.highest
    if not can_be(high):  # the terms of the fund allow less
        high = _last(can_be, low, high)
    failed = breach(high) if high > low else None
    if failed is None:
        return Limit(search.name, search.unit, round(high * search.scale, 6), None, None, played)
    while high - low > 1:
        middle = (low + high) // 2
        found = breach(middle)
        if found is None:
            low = middle
        else:
            high, failed = middle, found
    fact = failed.payload.__dict__
    shown = FirstBreach(
        failed.kind, fact["facility"], fact.get("test") or fact.get("what"), calendar.date(failed.day).isoformat()
    )
    return Limit(search.name, search.unit, round(low * search.scale, 6), round(high * search.scale, 6), shown, played)


def _last(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The last value between low, which holds, and high, which does not."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _breach(run: RecordedRun, day: int) -> Record | None:
    """The first breach on or after a day."""
    return next((record for record in run.log.read(kinds=BREACHES) if record.day >= day), None)
