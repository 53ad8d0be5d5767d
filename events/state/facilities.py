"""Facilities: what each has lent and is owed, which of its tests fail, and what cash is kept for it."""

from dataclasses import dataclass, field
from typing import Any

from fundclock.events.commands import RepayFacility
from fundclock.events.facts import (
    BufferSet,
    CapitalContributed,
    CommandRejected,
    CommandScheduled,
    CovenantBreached,
    CovenantCured,
    CovenantTested,
    DebtServicePaid,
    DrawLent,
    DrawPeriodEnded,
    EventOfDefaultDeclared,
    FacilityAccelerated,
    FacilityDrawn,
    FacilityExtended,
    FacilityInterestAccrued,
    FacilityMatured,
    FacilityOpened,
    FacilityRaised,
    FacilityRepaid,
    FacilityWrittenOff,
    LeverageMeasured,
    PaymentDefaulted,
    ReinvestmentPeriodEnded,
    SweepBegun,
    SweepEnded,
)
from fundclock.events.record import Fact, Record
from fundclock.events.state.folding import InvariantError, Mutator


@dataclass(slots=True)
class Facility:
    """One facility; cents. ``steps`` are (day, balance, commitment) since interest was last accrued.

    ``draws`` are (day, cents) of what has been drawn and not repaid, oldest first; ``breaches`` are (day, cure due
    day) of the tests that fail.
    """

    facility_type: str
    commitment_cents: int
    ceiling_cents: int
    spread: float
    commitment_fee: float
    draw_end_day: int
    maturity_day: int
    extensions_left: int
    fees_owed_cents: int
    balance_cents: int = 0
    interest_owed_cents: int = 0
    interest_paid_cents: int = 0
    fees_paid_cents: int = 0
    defaulted: bool = False
    matured: bool = False
    overdue_cents: int = 0
    ended: bool = False
    steps: list[tuple[int, int, int]] = field(default_factory=list)
    draws: list[tuple[int, int]] = field(default_factory=list)
    breaches: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def undrawn_cents(self) -> int:
        """What the commitment fee is due on."""
        return max(0, self.commitment_cents - self.balance_cents)

    @property
    def owed_cents(self) -> int:
        """Interest and fees that are owed and not paid."""
        return self.interest_owed_cents + self.fees_owed_cents

    @property
    def status(self) -> str:
        """available, drawn, in_cure, in_default or matured."""
        if self.defaulted:
            return "in_default"
        if self.matured:
            return "matured"
        if self.breaches:
            return "in_cure"
        return "drawn" if self.balance_cents else "available"


class Facilities:
    """Facilities by name, in the order of their opening; empty where there are none.

    ``unlent_cents`` were drawn to be lent and wait for it (after the reinvestment period nothing is lent);
    ``buffer_cents`` are kept for debt service. ``bridged`` are the calls that paid back what had been drawn before
    them: (day of the draw, day of the call, cents).
    """

    def __init__(self) -> None:
        self.by_name: dict[str, Facility] = {}
        self.unlent_cents = 0
        self.buffer_cents = 0
        self.period_over = False
        self.sweeps: dict[str, str] = {}
        self._repayments: dict[int, int] = {}
        self.peak_cents = 0
        self.breached = 0
        self.max_leverage: float | None = None
        self.min_coverage: float | None = None
        self.flows: dict[int, int] = {}
        self.line_costs: dict[int, int] = {}
        self.bridged: list[tuple[int, int, int]] = []
        self.cure_equity: list[tuple[int, int]] = []

    def on(self) -> dict[type[Fact], Mutator]:
        """Which facts change it, and how."""
        return {
            FacilityOpened: self._opened,
            FacilityRaised: self._raised,
            FacilityDrawn: self._drawn,
            DrawLent: self._lent,
            FacilityRepaid: self._repaid,
            FacilityInterestAccrued: self._accrued,
            DebtServicePaid: self._paid,
            BufferSet: self._buffer_set,
            PaymentDefaulted: self._payment_defaulted,
            FacilityExtended: self._extended,
            FacilityMatured: self._matured,
            DrawPeriodEnded: self._draws_ended,
            CommandScheduled: self._promised,
            CommandRejected: self._rejected,
            FacilityWrittenOff: self._written_off,
            CovenantTested: self._tested,
            CovenantBreached: self._breached,
            CovenantCured: self._cured,
            EventOfDefaultDeclared: self._defaulted,
            FacilityAccelerated: self._accelerated,
            SweepBegun: self._sweep_begun,
            SweepEnded: self._sweep_ended,
            LeverageMeasured: self._measured,
            CapitalContributed: self._contributed,
            ReinvestmentPeriodEnded: self._period_ended,
        }

    @property
    def debt_cents(self) -> int:
        """The outstanding debt of all facilities."""
        return sum(facility.balance_cents for facility in self.by_name.values())

    @property
    def bridged_cents(self) -> int:
        """What subscription lines have lent to bridge calls."""
        lines = self.by_name.values()
        return sum(line.balance_cents for line in lines if line.facility_type == "subscription")

    @property
    def owed_cents(self) -> int:
        """Interest and fees that are owed and not paid."""
        return sum(facility.owed_cents for facility in self.by_name.values())

    @property
    def senior_cents(self) -> int:
        """Cash that is kept for debt service: what is owed, and the buffer."""
        return self.owed_cents + self.buffer_cents if self.by_name else 0

    @property
    def kept_cents(self) -> int:
        """Cash set aside for lenders: debt service, and repayments on notice."""
        promised = sum(self._repayments.values())
        return self.senior_cents + (min(promised, self.debt_cents) if promised else 0)

    @property
    def closed(self) -> bool:
        """Whether every facility has ended and been repaid in full."""
        lines = self.by_name.values()
        return all((line.matured or line.defaulted) and not line.balance_cents + line.owed_cents for line in lines)

    @property
    def in_default(self) -> bool:
        """Whether a lender that is still owed something has declared an event of default."""
        return any(line.defaulted and line.balance_cents + line.owed_cents for line in self.by_name.values())

    @property
    def holds_cash_back(self) -> bool:
        """Whether nothing may be reinvested or distributed: a sweep is on, or a facility in default."""
        return bool(self.sweeps) or self.in_default

    def _flow(self, day: int, cents: int) -> None:
        self.flows[day] = self.flows.get(day, 0) + cents

    def _opened(self, record: Record, fact: FacilityOpened) -> None:
        self.by_name[fact.facility] = facility = Facility(
            fact.facility_type,
            fact.commitment_cents,
            fact.ceiling_cents,
            fact.spread,
            fact.commitment_fee,
            fact.draw_end_day,
            fact.maturity_day,
            fact.extensions,
            fact.upfront_fee_cents,
        )
        self._step(record.day, facility)

    def _raised(self, record: Record, fact: FacilityRaised) -> None:
        facility = self.by_name[fact.facility]
        facility.commitment_cents = fact.commitment_cents
        facility.fees_owed_cents += fact.upfront_fee_cents
        self._step(record.day, facility)

    def _drawn(self, record: Record, fact: FacilityDrawn) -> None:
        facility = self.by_name[fact.facility]
        if fact.amount_cents > fact.available_cents:
            raise InvariantError(
                f"seq {record.seq} draws {fact.amount_cents} of {fact.available_cents} cents available"
            )
        if fact.purpose != "bridge" and not self.period_over:
            self.unlent_cents += fact.amount_cents
        facility.draws.append((record.day, fact.amount_cents))
        self._move(record, facility, fact.amount_cents, fact.balance_cents)
        self.peak_cents = max(self.peak_cents, self.debt_cents)

    def _lent(self, _record: Record, fact: DrawLent) -> None:
        self.unlent_cents = fact.carried_cents

    def _repaid(self, record: Record, fact: FacilityRepaid) -> None:
        facility = self.by_name[fact.facility]
        self.unlent_cents -= fact.unlent_cents
        left = fact.amount_cents
        while left:
            day, cents = facility.draws[0]
            part = min(cents, left)
            facility.draws[:1] = [(day, cents - part)] if part < cents else []
            left -= part
        self._repayments.pop(record.cause or 0, None)
        if fact.reason in ("call", "clean_down"):
            self.bridged += [(day, record.day, cents) for day, cents in fact.draws]
        self._move(record, facility, -fact.amount_cents, fact.balance_cents)

    def _move(self, record: Record, facility: Facility, cents: int, balance: int) -> None:
        facility.balance_cents += cents
        if facility.ended:
            facility.commitment_cents = facility.balance_cents
        if facility.balance_cents != balance or balance < 0:
            raise InvariantError(
                f"seq {record.seq} leaves a balance of {facility.balance_cents} cents, but the record says {balance}"
            )
        self._flow(record.day, cents)
        self._step(record.day, facility)

    def _step(self, day: int, facility: Facility) -> None:
        if facility.steps and facility.steps[-1][0] == day:
            facility.steps.pop()
        facility.steps.append((day, facility.balance_cents, facility.commitment_cents))

    def _accrued(self, _record: Record, fact: FacilityInterestAccrued) -> None:
        facility = self.by_name[fact.facility]
        facility.interest_owed_cents += fact.interest_cents
        facility.fees_owed_cents += fact.fee_cents
        facility.steps = [(fact.to_day, facility.balance_cents, facility.commitment_cents)]

    def _paid(self, record: Record, fact: DebtServicePaid) -> None:
        facility = self.by_name[fact.facility]
        facility.interest_owed_cents -= fact.interest_cents
        facility.fees_owed_cents -= fact.fee_cents
        if facility.interest_owed_cents < 0 or facility.fees_owed_cents < 0:
            raise InvariantError(f"seq {record.seq} pays more interest or fees than {fact.facility} is owed")
        facility.interest_paid_cents += fact.interest_cents
        facility.fees_paid_cents += fact.fee_cents
        facility.overdue_cents = max(0, facility.overdue_cents - fact.interest_cents - fact.fee_cents)
        paid = fact.interest_cents + fact.fee_cents
        self._flow(record.day, -paid)
        if facility.facility_type == "subscription":
            self.line_costs[record.day] = self.line_costs.get(record.day, 0) + paid

    def _payment_defaulted(self, _record: Record, fact: PaymentDefaulted) -> None:
        if fact.what == "service":
            self.by_name[fact.facility].overdue_cents = fact.unpaid_cents

    def _buffer_set(self, _record: Record, fact: BufferSet) -> None:
        self.buffer_cents = fact.buffer_cents

    def _extended(self, _record: Record, fact: FacilityExtended) -> None:
        facility = self.by_name[fact.facility]
        facility.maturity_day = fact.maturity_day
        facility.extensions_left = fact.extensions_left

    def _matured(self, record: Record, fact: FacilityMatured) -> None:
        facility = self.by_name[fact.facility]
        facility.matured = True
        self._end(record.day, facility)

    def _accelerated(self, record: Record, _fact: FacilityAccelerated) -> None:
        for facility in self.by_name.values():  # the others lend no more either
            self._end(record.day, facility)

    def _draws_ended(self, record: Record, fact: DrawPeriodEnded) -> None:
        self._end(record.day, self.by_name[fact.facility])

    def _end(self, day: int, facility: Facility) -> None:
        """What is not drawn is not committed any more, and no fee is due on it."""
        facility.ended = True
        facility.commitment_cents = facility.balance_cents
        self._step(day, facility)

    def _promised(self, record: Record, fact: CommandScheduled) -> None:
        if isinstance(fact.command, RepayFacility):
            self._repayments[record.seq] = fact.command.amount_cents

    def _rejected(self, record: Record, _fact: CommandRejected) -> None:
        self._repayments.pop(record.cause or 0, None)

    def _written_off(self, record: Record, fact: FacilityWrittenOff) -> None:
        facility = self.by_name[fact.facility]
        facility.interest_owed_cents -= fact.interest_cents
        facility.fees_owed_cents -= fact.fee_cents
        facility.balance_cents -= fact.principal_cents
        facility.draws = []
        facility.overdue_cents = 0
        self._step(record.day, facility)

    def _breached(self, record: Record, fact: CovenantBreached) -> None:
        self.breached += 1
        self.by_name[fact.facility].breaches[fact.test] = (record.day, fact.cure_due_day)

    def _cured(self, _record: Record, fact: CovenantCured) -> None:
        del self.by_name[fact.facility].breaches[fact.test]

    def _defaulted(self, _record: Record, fact: EventOfDefaultDeclared) -> None:
        self.by_name[fact.facility].defaulted = True

    def _sweep_begun(self, _record: Record, fact: SweepBegun) -> None:
        self.sweeps[fact.facility] = fact.reason

    def _sweep_ended(self, _record: Record, fact: SweepEnded) -> None:
        del self.sweeps[fact.facility]

    def _measured(self, _record: Record, fact: LeverageMeasured) -> None:
        ratio = fact.leverage_ratio
        if ratio is not None:
            self.max_leverage = ratio if self.max_leverage is None else max(ratio, self.max_leverage)

    def _tested(self, _record: Record, fact: CovenantTested) -> None:
        coverage = fact.value.get("dscr")
        if coverage is not None:
            self.min_coverage = coverage if self.min_coverage is None else min(coverage, self.min_coverage)

    def _contributed(self, record: Record, fact: CapitalContributed) -> None:
        if fact.purpose == "cure":
            self.cure_equity.append((record.day, fact.amount_cents))

    def _period_ended(self, _record: Record, _fact: ReinvestmentPeriodEnded) -> None:
        self.unlent_cents = 0
        self.period_over = True

    def summary(self) -> dict[str, Any]:
        """All numbers by facility, and those of all."""
        if not self.by_name:
            return {}
        return {
            "by_name": {
                name: {key: getattr(facility, key) for key in Facility.__slots__}
                for name, facility in self.by_name.items()
            },
            **{name: value for name, value in vars(self).items() if name not in ("by_name", "flows", "line_costs")},
        }
