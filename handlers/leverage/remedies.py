"""Remedies: cash and called capital that cure breaches, and sweeps that pay lenders from receipts."""

from fundclock.events.bus import Output, Rejected
from fundclock.events.commands import RemedyBreach, RepayFacility, RequestRepayment, SweepCash
from fundclock.events.facts import (
    CapitalContributed,
    CommandScheduled,
    CovenantTested,
    DebtServicePaid,
    FacilityRepaid,
    LoanExited,
    LoanInterestPaid,
    LoanRecovered,
    SweepBegun,
    SweepEnded,
)
from fundclock.events.phases import Phase
from fundclock.events.record import Fact, Record
from fundclock.handlers.context import Context
from fundclock.handlers.fund.partners import Partners
from fundclock.handlers.fund.purse import own_cash, repayment
from fundclock.handlers.leverage.breaches import Breaches
from fundclock.handlers.leverage.lines import Lines
from fundclock.handlers.leverage.service import DebtService, repaid

REPAYABLE = ("base", "ltv", "maturity", "clean_down")
"""Tests that a repayment of what is missing cures."""


class Remedies:
    """Pays lenders what they may demand, from cash, receipts and capital calls."""

    def __init__(
        self, context: Context, partners: Partners, lines: Lines, breaches: Breaches, service: DebtService
    ) -> None:
        self._state = context.state
        self._settings = context.settings
        self._calendar = context.calendar
        self._partners = partners
        self._lines = lines
        self._breaches = breaches
        self._service = service
        self._last_day = context.last_day
        self._sweep_day = -1

    def remedy(self, day: int, command: RemedyBreach) -> Output | Rejected:
        """Repay as much as cures the breach and the cash allows; call the rest."""
        name = command.facility
        facility = self._state.facilities.by_name[name]
        if facility.overdue_cents:
            facts: list[Fact] = self._service.pay(name)
            if facts:
                others = set(facility.breaches) - {"payment"}
                again = CommandScheduled(due_day=day, command=command)
                return [*facts, again] if others or facility.defaulted else facts
        needs = self._needs(name, day)
        repay = max((needs.get(test, 0) for test in (*REPAYABLE, "default")), default=0)
        payment = repayment(self._state, min(repay, facility.balance_cents))
        facts = repaid(self._state, name, payment, self._reason(name)) if payment.amount_cents else []
        call = max(repay - payment.amount_cents, needs.get("dscr", 0))
        call += needs.get("liquidity", 0) + needs.get("payment", 0)
        facts += self._call(call + sum(self._to_call(other, day) for other in self._lines.config if other != name), day)
        return facts or Rejected("there is nothing to repay with and nothing left to call")

    def _reason(self, name: str) -> str:
        return "default" if self._state.facilities.by_name[name].defaulted else "cure"

    def _needs(self, name: str, day: int) -> dict[str, int]:
        """Cents that each failing test asks for today; all that is owed after an event of default."""
        facility = self._state.facilities.by_name[name]
        if facility.defaulted:
            return {"default": facility.balance_cents, "payment": facility.overdue_cents}
        results = self._breaches.results(name, day, self._breaches.terms(name, day), "repaid")
        return {result.test: -result.headroom_cents for result in results if not result.passed}

    def _to_call(self, name: str, day: int) -> int:
        """What a facility's failing tests ask to be called."""
        facility = self._state.facilities.by_name[name]
        if not facility.breaches and not facility.defaulted:
            return 0
        needs = self._needs(name, day)
        repay = max((needs.get(test, 0) for test in (*REPAYABLE, "default", "dscr")), default=0)
        return repay + needs.get("liquidity", 0) + needs.get("payment", 0)

    def call_on_tested(self, record: Record, fact: CovenantTested) -> Output:
        """A test that has been failing for a while may lack more than was called for it."""
        facility = self._state.facilities.by_name[fact.facility]
        known = any(test in facility.breaches and not passed for test, passed in fact.passed.items())
        if (
            not known
            or facility.defaulted
            or fact.trigger == "cure_deadline"
            or self._state.agenda.promises(RemedyBreach)
        ):
            return None
        return self._call(sum(self._to_call(name, record.day) for name in self._lines.config), record.day) or None

    def _call(self, cents: int, day: int) -> list[Fact]:
        """A capital call for what is missing and not on its way; calls for loans pay a subscription line first."""
        due = self._partners.call_due(day)
        purposes = {"cure"}
        if any(line.breaches for line in self._state.facilities.by_name.values() if line.facility_type != "nav"):
            purposes |= {"deployment", "clean_down"}
        coming = self._partners.on_the_way_cents(*purposes)
        amount = min(cents - coming, self._partners.uncalled_cents())
        if amount <= 0 or due >= self._last_day:
            return []
        return [self._partners.call(amount, "cure", due)]

    def pay_on_capital_contributed(self, record: Record, fact: CapitalContributed) -> Output:
        """Use a cure contribution: late interest, then principal; any liquidity shortfall stays in cash."""
        if fact.purpose not in ("cure", "debt_service"):
            return None
        for name, facility in self._state.facilities.by_name.items():
            if not facility.breaches and not facility.defaulted:
                continue
            if facility.overdue_cents:
                return self._service.pay(name)
            if fact.purpose == "debt_service":
                continue
            needs = self._needs(name, record.day)
            wanted = max((cents for test, cents in needs.items() if test != "liquidity"), default=0)
            wanted = min(wanted, facility.balance_cents, fact.amount_cents, max(0, own_cash(self._state)))
            if wanted:
                payment = repayment(self._state, wanted, keep_buffer=False)
                if payment.amount_cents:
                    others = [
                        CommandScheduled(due_day=record.day, command=RemedyBreach(facility=other))
                        for other, line in self._state.facilities.by_name.items()
                        if other != name and (line.breaches or line.defaulted) and line.balance_cents
                    ]
                    return [*repaid(self._state, name, payment, self._reason(name)), *others]
            if not facility.defaulted:
                return [self._breaches.test(name, record.day, "repaid")]
        return None

    def sweep_on_inflow(self, record: Record, _fact: LoanExited | LoanRecovered | LoanInterestPaid) -> Output:
        """While a sweep is on, receipts go to the lender on the next business day."""
        return self._promise_sweep(record) if self._state.facilities.sweeps else None

    def sweep_on_sweep_begun(self, record: Record, _fact: SweepBegun) -> Output:
        """So does the cash already there."""
        return self._promise_sweep(record)

    def _promise_sweep(self, record: Record) -> Output:
        over = Phase[record.phase] > Phase.cure  # what the optimiser begins is swept from tomorrow on
        due = self._calendar.add_business_days(record.day + over, 0)
        if due <= self._sweep_day or due >= self._last_day:
            return None
        self._sweep_day = due
        return [CommandScheduled(due_day=due, command=SweepCash())]

    def sweep(self, day: int, command: SweepCash) -> Output | Rejected:
        """Late interest first, then principal: of a facility in default, then of the one that costs most.

        Where there may be cash left for another, the sweep goes on.
        """
        facilities = self._state.facilities
        self._sweep_day = min(self._sweep_day, day - 1)  # what comes in later today is swept later today
        if not facilities.sweeps:
            return Rejected("no sweep is on any more")
        lines = facilities.by_name
        again = CommandScheduled(due_day=day, command=command)
        late = next((name for name, line in lines.items() if line.overdue_cents), None)
        if late is not None:
            facts = self._service.pay(late)
            return [*facts, again] if facts else Rejected("there is no cash for late interest")
        names = sorted(facilities.sweeps, key=lambda name: (not lines[name].defaulted, -lines[name].spread))
        for name in names:
            wanted = lines[name].balance_cents
            if facilities.sweeps[name] == "deleveraging":
                wanted = min(wanted, self.above_maximum_cents())
            payment = repayment(self._state, wanted)
            if payment.amount_cents:
                more = payment.amount_cents == wanted and len(names) > 1
                return [*repaid(self._state, name, payment, "sweep"), *([again] if more else [])]
        return Rejected("nothing is there that debt service does not need")

    def above_maximum_cents(self) -> int:
        """The debt above maximum leverage."""
        most = self._settings.leverage.optimization.max_leverage
        return max(0, self._state.facilities.debt_cents - int(most * max(0, self._state.ledger.nav_cents())))

    def end_sweep_on_paid(self, _record: Record, fact: FacilityRepaid | DebtServicePaid) -> Output:
        """A payment may have completed a sweep."""
        return [SweepEnded(facility=fact.facility)] if self._over(fact.facility) else None

    def end_sweeps(self) -> Output:
        """End sweeps that are over without a payment: leverage has fallen because loans are worth more."""
        return [SweepEnded(facility=name) for name in self._state.facilities.sweeps if self._over(name)]

    def _over(self, name: str) -> bool:
        """Whether a sweep has got what it was for: all that is owed or, to bring leverage down, that."""
        reason = self._state.facilities.sweeps.get(name)
        if reason is None:
            return False
        if reason == "deleveraging" and not self.above_maximum_cents():
            return True
        facility = self._state.facilities.by_name[name]
        return not facility.balance_cents + facility.overdue_cents

    def request(self, day: int, command: RequestRepayment) -> Output | Rejected:
        """A repayment by script, with the notice of a draw."""
        if self.locked_out(command.facility, day):
            return Rejected(f"{command.facility} may not be paid back early yet")
        due = self._lines.notice_day(command.facility, day)
        if due >= self._last_day:
            return Rejected("the repayment would be made after the fund's end")
        repay = RepayFacility(facility=command.facility, amount_cents=command.amount_cents, reason="manual")
        return [CommandScheduled(due_day=due, command=repay)]

    def repay(self, _day: int, command: RepayFacility) -> Output | Rejected:
        """A voluntary repayment: as much of it as is owed and the cash allows."""
        facility = self._state.facilities.by_name[command.facility]
        payment = repayment(self._state, min(command.amount_cents, facility.balance_cents))
        if not payment.amount_cents:
            return Rejected("nothing is owed" if not facility.balance_cents else "no cash that debt service leaves")
        return repaid(self._state, command.facility, payment, command.reason)

    def locked_out(self, name: str, day: int) -> bool:
        """Whether a facility is in its prepayment lockout: only mandatory repayments are allowed."""
        return day < self._calendar.add_months(0, self._lines.config[name].prepayment_lockout_months)
