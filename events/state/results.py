"""What the run has done so far: counts and sums by zone, and the loans' cash flows by day."""

from dataclasses import asdict, dataclass
from typing import Any

from events.facts import (
    CapitalCalled,
    CapitalContributed,
    CapitalDistributed,
    LoanDefaulted,
    LoanExited,
    LoanInterestPaid,
    LoanOriginated,
    LoanRecovered,
    MarketMoved,
    RunFinished,
    RunStarted,
)
from events.record import Fact, Record
from events.state.folding import Mutator


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
        self.lp_flows: dict[int, int] = {}
        self.calls = 0
        self.called_cents = 0
        self.undeployed_cents = 0
        self.contributed_cents = 0
        self.lp_contributed_cents = 0
        self.gp_contributed_cents = 0
        self.lp_distributed_cents = 0
        self.gp_distributed_cents = 0
        self.base_rate = 0.0
        self.indices: dict[str, float] = {}
        self.finished = False
        self.on: dict[type[Fact], Mutator] = {
            RunStarted: self._started,
            LoanOriginated: self._originated,
            LoanExited: self._paid_off,
            LoanRecovered: self._paid_off,
            LoanDefaulted: self._defaulted,
            LoanInterestPaid: self._interest_paid,
            CapitalCalled: self._called,
            CapitalContributed: self._contributed,
            CapitalDistributed: self._distributed,
            MarketMoved: self._market,
            RunFinished: self._finished,
        }

    def _started(self, _record: Record, fact: RunStarted) -> None:
        zones = fact.scenario["zones"]
        assert isinstance(zones, dict)
        self.zones = {name: ZoneResult() for name in zones}

    def _flow(self, day: int, cents: int) -> None:
        self.loan_flows[day] = self.loan_flows.get(day, 0) + cents

    def _originated(self, record: Record, fact: LoanOriginated) -> None:
        zone = self.zones[fact.zone]
        zone.originated += 1
        zone.lent_cents += fact.principal_cents
        if fact.source != "reinvestment":
            self.undeployed_cents -= fact.principal_cents
        self._flow(record.day, -fact.principal_cents)

    def _paid_off(self, record: Record, fact: LoanExited | LoanRecovered) -> None:
        zone = self.zones[fact.zone]
        zone.exited += 1
        zone.cost_cents += fact.principal_cents
        zone.proceeds_cents += fact.proceeds_cents
        self._flow(record.day, fact.proceeds_cents)

    def _defaulted(self, _record: Record, fact: LoanDefaulted) -> None:
        self.zones[fact.zone].defaulted += 1

    def _interest_paid(self, record: Record, fact: LoanInterestPaid) -> None:
        for name, cents in fact.by_zone.items():
            self.zones[name].interest_cents += cents
        self._flow(record.day, fact.amount_cents)

    def _called(self, _record: Record, fact: CapitalCalled) -> None:
        self.calls += 1
        self.called_cents += fact.amount_cents

    def _contributed(self, record: Record, fact: CapitalContributed) -> None:
        self.contributed_cents += fact.amount_cents
        self.undeployed_cents += fact.amount_cents
        self.lp_contributed_cents += fact.lp_cents
        self.gp_contributed_cents += fact.gp_cents
        self.lp_flows[record.day] = self.lp_flows.get(record.day, 0) - fact.lp_cents

    def _distributed(self, record: Record, fact: CapitalDistributed) -> None:
        self.lp_distributed_cents += fact.lp_cents
        self.gp_distributed_cents += fact.gp_cents
        self.lp_flows[record.day] = self.lp_flows.get(record.day, 0) + fact.lp_cents

    def _market(self, _record: Record, fact: MarketMoved) -> None:
        self.base_rate = fact.base_rate
        self.indices = fact.indices

    def _finished(self, _record: Record, _fact: RunFinished) -> None:
        self.finished = True

    def summary(self) -> dict[str, Any]:
        """All aggregates; the daily flows as sums."""
        return {
            "zones": {name: asdict(zone) for name, zone in self.zones.items()},
            "loan_flow_days": len(self.loan_flows),
            "loan_flows_cents": sum(self.loan_flows.values()),
            "calls": self.calls,
            "called_cents": self.called_cents,
            "undeployed_cents": self.undeployed_cents,
            "lp_contributed_cents": self.lp_contributed_cents,
            "gp_contributed_cents": self.gp_contributed_cents,
            "lp_distributed_cents": self.lp_distributed_cents,
            "gp_distributed_cents": self.gp_distributed_cents,
            "base_rate": self.base_rate,
            "indices": self.indices,
            "finished": self.finished,
        }
