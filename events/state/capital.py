"""The partners' accounts: what was called, paid, returned and carried, and what fees are owed."""

from typing import Any, NamedTuple

from fundclock.events.facts import (
    CapitalCalled,
    CapitalContributed,
    CapitalDistributed,
    CarryReturned,
    DefaultAnnounced,
    FacilityDrawn,
    FacilityRepaid,
    FeeAccrued,
    FeesPaid,
    FeesWaived,
    LoanOriginated,
    NavReported,
    PartnerDefaulted,
    ReinvestmentPeriodEnded,
    ReserveFilled,
    ReserveReleased,
)
from fundclock.events.facts.fees import FEES
from fundclock.events.record import Fact, Record
from fundclock.events.state.folding import Mutator

PURPOSES = ("deployment", "opening_book", "fees", "reserve", "debt_service", "clean_down", "cure")
"""What capital is called for."""

LENT = ("deployment", "opening_book", "reserve")
"""Calls whose cash is to be lent; that for the reserve passes through it first."""


class Quarter(NamedTuple):
    """The fund at a quarter's end, in cents since its beginning; how many flows in and out there were."""

    day: int
    nav_cents: int
    contributed_cents: int
    distributed_cents: int
    lp_contributed_cents: int
    lp_distributed_cents: int
    carry_cents: int
    fees_paid_cents: int
    lp_undeployed_returned_cents: int
    flows_in: int
    flows_out: int


class Capital:
    """Sums in cents. ``lp_paid_in`` and ``lp_paid_out`` are the limited partners' flows as (day, cents).

    Called capital that comes back without having been lent is negative paid-in, not a distribution of profit.
    ``undeployed_cents`` of it wait for loans, ``returning_cents`` go back with the next distribution.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.called = dict.fromkeys(PURPOSES, 0)
        self.fee_calls_pending = 0
        self.reserve_calls_pending = 0
        self.undeployed_cents = 0
        self.returning_cents = 0
        self.lp_contributed_cents = 0
        self.gp_contributed_cents = 0
        self.lp_distributed_cents = 0
        self.gp_distributed_cents = 0
        self.lp_undeployed_returned_cents = 0
        self.recallable_cents = 0
        self.carry_cents = 0
        self.defaulting: list[str] = []
        self.forfeits: dict[str, float] = {}
        self.contributed_by_lp: dict[str, int] = {}
        self.distributed_by_lp: dict[str, int] = {}
        self.lp_flows: dict[int, int] = {}
        self.lp_paid_in: list[tuple[int, int]] = []
        self.lp_paid_out: list[tuple[int, int]] = []
        self.owed = dict.fromkeys(FEES, 0)
        self.paid = dict.fromkeys(FEES, 0)
        self.quarters: list[Quarter] = []

    def on(self) -> dict[type[Fact], Mutator]:
        """Which facts change it, and how."""
        return {
            CapitalCalled: self._called,
            CapitalContributed: self._contributed,
            CapitalDistributed: self._distributed,
            CarryReturned: self._carry_returned,
            FeeAccrued: self._accrued,
            FeesPaid: self._paid,
            FeesWaived: self._waived,
            LoanOriginated: self._originated,
            FacilityDrawn: self._drawn,
            FacilityRepaid: self._repaid,
            ReserveFilled: self._reserve_filled,
            ReserveReleased: self._reserve_released,
            ReinvestmentPeriodEnded: self._period_ended,
            NavReported: self._nav,
            DefaultAnnounced: self._announced,
            PartnerDefaulted: self._partner_defaulted,
        }

    def owed_cents(self) -> int:
        """Fees that are owed and not paid."""
        return sum(self.owed.values())

    def _flow(self, day: int, cents: int) -> None:
        self.lp_flows[day] = self.lp_flows.get(day, 0) + cents

    def _called(self, _record: Record, fact: CapitalCalled) -> None:
        self.calls += 1
        self.called[fact.purpose] += fact.amount_cents
        self.fee_calls_pending += fact.purpose == "fees"
        self.reserve_calls_pending += fact.purpose == "reserve"

    def _contributed(self, record: Record, fact: CapitalContributed) -> None:
        self.lp_contributed_cents += fact.lp_cents
        self.gp_contributed_cents += fact.gp_cents
        for name, cents in fact.by_lp.items():
            self.contributed_by_lp[name] = self.contributed_by_lp.get(name, 0) + cents
        self.fee_calls_pending -= fact.purpose == "fees"
        self.reserve_calls_pending -= fact.purpose == "reserve"
        if fact.purpose in LENT:
            self.undeployed_cents += fact.amount_cents
        self._flow(record.day, -fact.lp_cents)
        self.lp_paid_in.append((record.day, fact.lp_cents))

    def _originated(self, _record: Record, fact: LoanOriginated) -> None:
        if fact.source in ("deployment", "tape"):
            self.undeployed_cents -= fact.principal_cents

    def _drawn(self, _record: Record, fact: FacilityDrawn) -> None:
        if fact.purpose == "bridge":  # it stands in for a call
            self.undeployed_cents += fact.amount_cents

    def _repaid(self, _record: Record, fact: FacilityRepaid) -> None:
        if fact.reason == "call":
            self.undeployed_cents -= fact.amount_cents

    def _reserve_filled(self, _record: Record, fact: ReserveFilled) -> None:
        if fact.source == "call":  # called capital that is in the reserve is not on its way to a loan any more
            self.undeployed_cents -= fact.amount_cents

    def _reserve_released(self, _record: Record, fact: ReserveReleased) -> None:
        if fact.purpose in ("distribution", "period_over"):  # it goes back as what it was
            self.returning_cents += fact.called_cents

    def _period_ended(self, _record: Record, fact: ReinvestmentPeriodEnded) -> None:
        self.returning_cents += fact.called_cents

    def _distributed(self, record: Record, fact: CapitalDistributed) -> None:
        self.lp_distributed_cents += fact.lp_cents
        self.gp_distributed_cents += fact.gp_cents
        self.lp_undeployed_returned_cents += fact.lp_undeployed_cents
        self.carry_cents += fact.carry_cents
        returned = min(self.returning_cents, fact.undeployed_cents)
        self.returning_cents -= returned
        self.undeployed_cents -= fact.undeployed_cents - returned
        self.recallable_cents += fact.recallable_cents
        for name, cents in fact.by_lp.items():
            self.distributed_by_lp[name] = self.distributed_by_lp.get(name, 0) + cents
        self._flow(record.day, fact.lp_cents)
        if fact.lp_undeployed_cents:
            self.lp_paid_in.append((record.day, -fact.lp_undeployed_cents))
        self.lp_paid_out.append((record.day, fact.lp_cents - fact.lp_undeployed_cents))

    def _carry_returned(self, _record: Record, fact: CarryReturned) -> None:
        self.carry_cents -= fact.amount_cents

    def _accrued(self, _record: Record, fact: FeeAccrued) -> None:
        self.owed[fact.fee] += fact.amount_cents

    def _paid(self, _record: Record, fact: FeesPaid) -> None:
        for fee, cents in fact.by_fee.items():
            self.owed[fee] -= cents
            self.paid[fee] += cents
        self.undeployed_cents -= fact.undeployed_cents  # the fee on loans that called capital bought

    def _waived(self, _record: Record, fact: FeesWaived) -> None:
        for fee, cents in fact.by_fee.items():
            self.owed[fee] -= cents

    def _announced(self, _record: Record, fact: DefaultAnnounced) -> None:
        self.defaulting.append(fact.partner)

    def _partner_defaulted(self, _record: Record, fact: PartnerDefaulted) -> None:
        self.defaulting.remove(fact.partner)
        self.forfeits[fact.partner] = fact.forfeit

    def _nav(self, record: Record, fact: NavReported) -> None:
        self.quarters.append(
            Quarter(
                record.day,
                fact.nav_cents,
                self.lp_contributed_cents + self.gp_contributed_cents,
                self.lp_distributed_cents + self.gp_distributed_cents + self.carry_cents,
                self.lp_contributed_cents,
                self.lp_distributed_cents,
                self.carry_cents,
                sum(self.paid.values()),
                self.lp_undeployed_returned_cents,
                len(self.lp_paid_in),
                len(self.lp_paid_out),
            )
        )

    def summary(self) -> dict[str, Any]:
        """All sums; the limited partners' flows as sums by sign."""
        return {
            name: value
            for name, value in vars(self).items()
            if isinstance(value, int | dict | list)
            and name not in ("on", "lp_flows", "lp_paid_in", "lp_paid_out", "quarters")
        }
