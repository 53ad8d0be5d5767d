"""What the run has done so far: counts and sums by zone, and the loans' cash flows by day."""

from dataclasses import asdict, dataclass
from typing import Any

from fundclock.events.facts import (
    BookValued,
    CapitalDeployed,
    CapitalReinvested,
    DrawLent,
    LoanDefaulted,
    LoanExited,
    LoanInterestPaid,
    LoanOriginated,
    LoanRecovered,
    MarketMoved,
    RunFinished,
    RunStarted,
)
from fundclock.events.record import Fact, Record
from fundclock.events.state.folding import Mutator


@dataclass(slots=True)
class ZoneResult:
    """Counts of loans and sums in cents; ``proceeds`` and ``cost`` are of loans that have paid off."""

    originated: int = 0
    exited: int = 0
    defaulted: int = 0
    lent_cents: int = 0
    cost_cents: int = 0
    proceeds_cents: int = 0
    interest_cents: int = 0


class Results:
    """Aggregates behind the metrics; kept as facts come, so that nothing is scanned at the end."""

    def __init__(self) -> None:
        self.zones: dict[str, ZoneResult] = {}
        self.loan_flows: dict[int, int] = {}
        self.shortfall: dict[str, dict[str, int]] = {"deployment": {}, "reinvestment": {}, "leverage": {}}
        self.moved_seq = 0
        self.valued_seq = 0
        self.base_rate = 0.0
        self.indices: dict[str, float] = {}
        self.finished = False

    def on(self) -> dict[type[Fact], Mutator]:
        """Which facts change it, and how."""
        return {
            RunStarted: self._started,
            LoanOriginated: self._originated,
            LoanExited: self._paid_off,
            LoanRecovered: self._paid_off,
            LoanDefaulted: self._defaulted,
            LoanInterestPaid: self._interest_paid,
            MarketMoved: self._market,
            BookValued: self._valued,
            CapitalDeployed: self._deployed,
            CapitalReinvested: self._reinvested,
            DrawLent: self._draw_lent,
            RunFinished: self._finished,
        }

    def _started(self, _record: Record, fact: RunStarted) -> None:
        zones = fact.scenario["zones"]
        assert isinstance(zones, dict)
        self.zones = {name: ZoneResult() for name in zones}

    def realised_share(self) -> float:
        """Cost of the loans that have paid off over the cost of all loans made; 1 before the first loan."""
        lent = sum(zone.lent_cents for zone in self.zones.values())
        return sum(zone.cost_cents for zone in self.zones.values()) / lent if lent else 1.0

    def _flow(self, day: int, cents: int) -> None:
        self.loan_flows[day] = self.loan_flows.get(day, 0) + cents

    def _originated(self, record: Record, fact: LoanOriginated) -> None:
        zone = self.zones[fact.zone]
        zone.originated += 1
        zone.lent_cents += fact.principal_cents
        self._flow(record.day, -fact.principal_cents)

    def _paid_off(self, record: Record, fact: LoanExited | LoanRecovered) -> None:
        zone = self.zones[fact.zone]
        zone.exited += isinstance(fact, LoanExited)
        zone.cost_cents += fact.principal_cents
        zone.proceeds_cents += fact.proceeds_cents
        self._flow(record.day, fact.proceeds_cents)

    def _defaulted(self, _record: Record, fact: LoanDefaulted) -> None:
        self.zones[fact.zone].defaulted += 1

    def _interest_paid(self, record: Record, fact: LoanInterestPaid) -> None:
        for name, cents in fact.by_zone.items():
            self.zones[name].interest_cents += cents
        self._flow(record.day, fact.amount_cents)

    def _deployed(self, _record: Record, fact: CapitalDeployed) -> None:
        self.shortfall["deployment"] = fact.shortfall

    def _reinvested(self, _record: Record, fact: CapitalReinvested) -> None:
        self.shortfall["reinvestment"] = fact.shortfall

    def _draw_lent(self, _record: Record, fact: DrawLent) -> None:
        self.shortfall["leverage"] = fact.shortfall

    def _market(self, record: Record, fact: MarketMoved) -> None:
        self.moved_seq = record.seq
        self.base_rate = fact.base_rate
        self.indices = fact.indices

    def _valued(self, record: Record, _fact: BookValued) -> None:
        self.valued_seq = record.seq

    def _finished(self, _record: Record, _fact: RunFinished) -> None:
        self.finished = True

    def summary(self) -> dict[str, Any]:
        """All aggregates; the daily flows as sums."""
        return {
            "zones": {name: asdict(zone) for name, zone in self.zones.items()},
            "loan_flow_days": len(self.loan_flows),
            "loan_flows_cents": sum(self.loan_flows.values()),
            "shortfall": self.shortfall,
            "base_rate": self.base_rate,
            "indices": self.indices,
            "finished": self.finished,
        }
