"""The timing audit of a run: six questions, most of them answered by one pass over its log."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from fundclock.events.dates import Calendar
from fundclock.events.record import Fact
from fundclock.events.results import as_json
from fundclock.events.units import from_cents
from fundclock.scenarios.runs.manifest import calendar_of
from fundclock.scenarios.runs.recorded import RecordedRun
from fundclock.scenarios.timing.carry import Yields, hurdle_of
from fundclock.scenarios.timing.cash_stays import CashStays
from fundclock.scenarios.timing.dollar_days import DollarDays, nights_of
from fundclock.scenarios.timing.ladder import Ladder
from fundclock.scenarios.timing.ladder import ladder as climb
from fundclock.scenarios.timing.latency import Detections, Latency, summary, with_shadows
from fundclock.scenarios.timing.non_cash_waits import Waits
from fundclock.scenarios.timing.promises import Promises
from fundclock.scenarios.timing.shadow import shadow_tests
from fundclock.scenarios.timing.ties import TieOrder, tie_order

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Audit:
    """Where dollar-days went, what was promised and when anyone knew; on request what timing cost.

    ``latencies`` tell since when something was true only where ``shadowed``; ``ladder`` and ``tie_order`` are None
    where they were not asked for.
    """

    run: RecordedRun
    dollar_days: DollarDays
    carry: dict[str, int]
    waits: Waits
    promises: Promises
    latencies: list[Latency]
    shadowed: bool = False
    ladder: Ladder | None = None
    tie_order: TieOrder | None = None

    @cached_property
    def calendar(self) -> Calendar:
        """The run's calendar."""
        return calendar_of(self.run.manifest)

    @property
    def events(self) -> list["LatencyEvent"]:
        """Since when each condition was true, when it was seen and when it was over, with dates."""
        return [self._event(row) for row in self.latencies if row.what != "minimum_reached"]

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON values; money and dollar-days as decimal strings."""
        days = self.dollar_days
        found: dict[str, Any] = {
            "schema": "fundclock.audit/1",
            "run": self.run.name,
            "dollar_days": {reason: from_cents(cents) for reason, cents in days.by_reason().items()},
            "dollar_days_total": from_cents(days.total),
            "cash_integral": from_cents(days.cash_integral),
            "dollar_days_by": [
                {"source": source, "reason": reason, "use": use, "dollar_days": from_cents(cents)}
                for (source, reason, use), cents in days.table.items()
            ],
            "indicative_carry": {reason: from_cents(self.carry[reason]) for reason in days.by_reason()},
            "waits": {table: as_json(row) for table, row in self.waits.by_table().items()},
            "promises": {kind: as_json(row) for kind, row in self.promises.by_kind().items()},
            "latencies": {
                "shadow_tests": self.shadowed,
                "conditions": {what: as_json(row) for what, row in summary(self.latencies).items()},
                "events": [as_json(event) for event in self.events],
            },
        }
        if self.ladder is not None:
            found |= self.ladder.as_json()
        if self.tie_order is not None:
            found["tie_order"] = self.tie_order.as_json()
        return found

    def _event(self, row: Latency) -> "LatencyEvent":
        def date(day: int | None) -> str | None:
            return None if day is None else self.calendar.date(day).isoformat()

        return LatencyEvent(
            row.what, row.about, date(row.since), date(row.seen), date(row.over), row.days_to_see, row.days_to_cure,
            row.seq,
        )  # fmt: skip


@dataclass(frozen=True)
class LatencyEvent:
    """One time that a condition was true; dates are ISO dates, None where it was not, or nobody knows."""

    condition: str
    about: str
    true_since: str | None
    seen: str | None
    over: str | None
    days_to_see: int | None
    days_to_cure: int | None
    seq: int | None
    """The record that saw it."""


def audit(
    run: RecordedRun,
    *,
    ladder: bool = False,
    shapley: bool = False,
    shadow: bool | None = None,
    ties: bool = False,
    rate: float | None = None,
    frozen: bool = False,
    on_run: Progress | None = None,
) -> Audit:
    """Audit a run. Without options one pass over the log; each option plays runs of its own, under the same draws.

    ``ladder`` takes the waits away one by one, ``shapley`` does so in all orders (and implies the ladder), ``ties``
    swaps phases of the day, ``shadow`` makes the tests that nobody made then (by default where the ladder is asked
    for). ``rate`` of the future value is the first day's base rate unless given; ``frozen`` keeps the acts of scripts'
    conditions on their days. ``on_run`` is told (runs done, runs to do) of the ladder and of the ties.
    """
    found = read_log(run)
    ladder = ladder or shapley
    if shadow or (shadow is None and ladder):
        spans = shadow_tests(run)
        seen = [row for row in found.latencies if row.what != "minimum_reached"]
        minimum = [row for row in found.latencies if row.what == "minimum_reached"]
        found = replace(found, latencies=[*with_shadows(seen, spans, run.state.day), *minimum], shadowed=True)
    if ladder:
        climbed = climb(run, rate=rate, frozen=frozen, shapley=shapley, on_run=on_run)
        found = replace(found, ladder=climbed)
    if ties:
        found = replace(found, tie_order=tie_order(run, on_run))
    return found


def read_log(run: RecordedRun) -> Audit:
    """What one pass over the log tells."""
    scenario: Any = run.manifest.scenario
    cash, yields, waits, promises = CashStays(scenario), Yields(), Waits(), Promises()
    detections = Detections(scenario)
    folds: dict[type[Fact], list[Callable[..., None]]] = {fact: [cash.apply] for fact in cash.facts}
    parts: Iterable[Yields | Waits | Detections] = (yields, waits, detections)
    for part in parts:
        for fact in part.kinds:
            folds.setdefault(fact, []).append(part.apply)
    look = promises.apply
    for record in run.log:
        look(record)
        for apply in folds.get(type(record.payload), ()):
            apply(record)
    day = run.state.day
    days = nights_of(cash, run)
    waits.finish(day)
    promises.finish()
    detections.finish()
    stays = days.stays
    carry = yields.carry(stays, day, hurdle_of(scenario))
    return Audit(run, days, carry, waits, promises, [*detections.seen, *detections.minimum_reached(stays, day)])
