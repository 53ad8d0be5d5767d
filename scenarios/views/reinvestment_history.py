"""One pass over a run's log for all that its reinvestment statistics and figures are made from."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from fundclock.events.dates import Calendar
from fundclock.events.facts import (
    AllocationAdjusted,
    CapitalReinvested,
    ConfigChanged,
    LoanExited,
    LoanRecovered,
    ReserveDrawn,
    ReserveFilled,
    ReserveReleased,
    RiskAssessed,
    RunStarted,
)
from fundclock.events.record import Record
from fundclock.handlers.settings.fund import FundConfig
from fundclock.handlers.settings.reinvestment import ReinvestmentConfig
from fundclock.scenarios.runs.manifest import calendar_of
from fundclock.scenarios.runs.recorded import RecordedRun


@dataclass
class Event:
    """A reinvestment with what stands around it in the log."""

    record: Record
    fact: CapitalReinvested
    adjustments: dict[str, float]
    reserve_before: int
    reserve_after: int
    risk: Record | None = None


@dataclass
class Movement:
    """A movement of the reserve; ``change`` in cents, below zero for what left it."""

    record: Record
    what: str
    change: int
    cents: int


@dataclass
class History:
    """What a pass over a log has found about reinvestment."""

    calendar: Calendar
    fund: FundConfig
    targets: dict[str, float]
    settings: list[tuple[int, ReinvestmentConfig]]
    events: list[Event] = field(default_factory=list)
    reserve: list[Movement] = field(default_factory=list)
    declined: list[Record] = field(default_factory=list)
    received: dict[int, int] = field(default_factory=dict)
    proceeds_cents: int = 0
    lent_cents: int = 0
    paid_off: list[LoanExited | LoanRecovered] = field(default_factory=list)
    period_end: int | None = None
    last_day: int = 0

    @property
    def zones(self) -> list[str]:
        """The zones' names."""
        return list(self.targets)

    @property
    def engine(self) -> ReinvestmentConfig:
        """The settings as they were last."""
        return self.settings[-1][1]

    def date(self, day: int) -> date:
        """The date of a day."""
        return self.calendar.date(day)


def read_history(run: RecordedRun) -> History:
    """One pass over a run's log."""
    manifest = run.manifest
    history = _started(manifest)
    made: set[str] = set()
    adjustments: dict[str, float] = {}
    reserve = 0
    before_check: int | None = None
    history.last_day = run.state.day
    for record in run.log:
        fact: Any = record.payload
        match record.kind:
            case "loan.originated/1":
                history.lent_cents += fact.principal_cents
                if fact.source == "reinvestment":
                    made.add(fact.loan_id)
            case "loan.exited/1" | "loan.recovered/1":
                _received(history, record, fact.proceeds_cents)
                if fact.loan_id in made:
                    history.paid_off.append(fact)
            case "loan_interest.paid/1":
                _received(history, record, fact.amount_cents)
            case "reserve.filled/1" | "reserve.released/1" | "reserve.drawn/1":
                if record.kind == "reserve.released/1" and fact.purpose == "reinvestment":
                    before_check = reserve
                reserve = _moved(history, record, fact)
            case "allocation.adjusted/1":
                assert isinstance(fact, AllocationAdjusted)
                adjustments = fact.adjustments
            case "capital.reinvested/1":
                before = reserve if before_check is None else before_check
                history.events.append(Event(record, fact, adjustments, before, reserve))
                adjustments, before_check = {}, None
            case "risk.assessed/1":
                assert isinstance(fact, RiskAssessed)
                history.events[-1].risk = record
            case "reinvestment.declined/1":
                history.declined.append(record)
            case "reinvestment_period.ended/1":
                history.period_end = record.day
            case "config.changed/1":
                _changed(history, record, fact)
    return history


def _started(manifest: RunStarted) -> History:
    scenario: Any = manifest.scenario
    engine = ReinvestmentConfig.model_validate(scenario["reinvestment_engine"])
    fund = FundConfig.model_validate(scenario["fund"])
    calendar = calendar_of(manifest)
    targets = {name: zone["target_allocation"] for name, zone in scenario["zones"].items()}
    return History(calendar, fund, targets, [(0, engine)])


def _changed(history: History, record: Record, fact: ConfigChanged) -> None:
    """Keep what a script makes of the settings that statistics read."""
    section, changes = "reinvestment_engine.", {}
    for key, value in fact.changes.items():
        name = key.removeprefix(section)
        if key.startswith(section) and name in ReinvestmentConfig.model_fields:
            changes[name] = value
    if changes:
        settings = ReinvestmentConfig.model_validate({**history.engine.model_dump(), **changes})
        history.settings.append((record.day, settings))


def _received(history: History, record: Record, cents: int) -> None:
    history.received[record.seq] = record.day
    if history.period_end is None:
        history.proceeds_cents += cents


def _moved(history: History, record: Record, fact: ReserveFilled | ReserveReleased | ReserveDrawn) -> int:
    if isinstance(fact, ReserveFilled):
        change, what = fact.amount_cents, f"filled: {fact.source}"
    else:
        verb = "drawn" if isinstance(fact, ReserveDrawn) else "released"
        change, what = -fact.amount_cents, f"{verb}: {fact.purpose}"
    history.reserve.append(Movement(record, what, change, fact.reserve_cents))
    return fact.reserve_cents
