"""Remedies: cash and called capital that cure what fails, and sweeps that pay lenders with what comes in."""

from events.bus import Output, Rejected
from events.commands import PayCall, RemedyBreach, RepayFacility, RequestRepayment, SweepCash
from events.dates import Calendar
from events.facts import (
    CapitalCalled,
    CapitalContributed,
    CommandScheduled,
    FacilityRepaid,
    LoanExited,
    LoanInterestPaid,
    LoanRecovered,
    SweepBegun,
    SweepEnded,
)
from events.phases import Phase
from events.record import Fact, Record
from events.state import State
from handlers.fund.partners import Partners, call_due
from handlers.fund.purse import own_cash, repayment
from handlers.leverage.lines import Lines
from handlers.leverage.monitor import Monitor
from handlers.leverage.service import DebtService, repaid
from handlers.settings import Settings

REPAYABLE = ("base", "ltv", "maturity", "clean_down")
"""Tests that a repayment of what is missing cures."""


class Cures:
    """Pays lenders what they may ask for, out of cash, of what comes in, and of capital calls."""

    def __init__(
        self,
        state: State,
        settings: Settings,
        calendar: Calendar,
        partners: Partners,
        lines: Lines,
        monitor: Monitor,
        service: DebtService,
        last_day: int,
    ) -> None:
        self._state = state
        self._settings = settings
        self._calendar = calendar
        self._partners = partners
        self._lines = lines
        self._monitor = monitor
        self._service = service
        self._last_day = last_day
        self._sweep_day = -1

    def remedy(self, day: int, command: RemedyBreach) -> Output | Rejected:
        """Repay what cures as far as the cash goes; call the rest."""
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
        payment = repayment(self._state, min(repay, facility.balance_cents), keep_buffer=not facility.defaulted)
        facts = repaid(self._state, name, payment, self._reason(name)) if payment.amount_cents else []
        call = max(repay - payment.amount_cents, needs.get("dscr", 0))
        facts += self._call(call + needs.get("liquidity", 0) + needs.get("payment", 0), day)
        return facts or Rejected("there is nothing to repay with and nothing left to call")

    def _reason(self, name: str) -> str:
        return "default" if self._state.facilities.by_name[name].defaulted else "cure"

    def _needs(self, name: str, day: int) -> dict[str, int]:
        """Cents that each failing test asks for today; all that is owed after an event of default."""
        facility = self._state.facilities.by_name[name]
        if facility.defaulted:
            return {"default": facility.balance_cents, "payment": facility.overdue_cents}
        results = self._monitor.results(name, day, self._monitor.terms(name, day), "repaid")
        return {result.test: -result.headroom_cents for result in results if not result.passed}

    def _call(self, cents: int, day: int) -> list[Fact]:
        """A capital call for what is missing, if one is not on its way."""
        uncalled = self._partners.uncalled_cents()
        due = call_due(self._calendar, self._settings, day)
        pending = any(
            isinstance(command, PayCall) and command.purpose == "cure"
            for _, command in self._state.agenda.pending.values()
        )
        amount = min(cents, uncalled)
        if amount <= 0 or pending or due >= self._last_day:
            return []
        number = self._state.capital.calls + 1
        return [CapitalCalled(call=number, amount_cents=amount, purpose="cure", due_day=due)]

    def pay_on_capital_contributed(self, record: Record, fact: CapitalContributed) -> Output:
        """What partners have paid in to cure: late interest, then principal; what liquidity lacks stays in cash."""
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
                    return repaid(self._state, name, payment, self._reason(name))
            if not facility.defaulted:
                return [self._monitor.test(name, record.day, "repaid")]
        return None

    def sweep_on_inflow(self, record: Record, _fact: LoanExited | LoanRecovered | LoanInterestPaid) -> Output:
        """While a sweep is on, what comes in goes to the lender on the next business day."""
        return self._promise_sweep(record) if self._state.facilities.sweeps else None

    def sweep_on_sweep_begun(self, record: Record, _fact: SweepBegun) -> Output:
        """So does what is there already."""
        return self._promise_sweep(record)

    def _promise_sweep(self, record: Record) -> Output:
        over = Phase[record.phase] > Phase.cure  # what the optimiser begins is swept from tomorrow on
        due = self._calendar.add_business_days(record.day + over, 0)
        if due <= self._sweep_day or due >= self._last_day:
            return None
        self._sweep_day = due
        return [CommandScheduled(due_day=due, command=SweepCash())]

    def sweep(self, day: int, _command: SweepCash) -> Output | Rejected:
        """Late interest first, then principal: of a facility in default, then of the one that costs most."""
        facilities = self._state.facilities
        self._sweep_day = min(self._sweep_day, day - 1)  # what comes in later today is swept later today
        if not facilities.sweeps:
            return Rejected("no sweep is on any more")
        lines = facilities.by_name
        names = sorted(facilities.sweeps, key=lambda name: (not lines[name].defaulted, -lines[name].spread))
        for name in names:
            facility = lines[name]
            if facility.overdue_cents:
                facts = self._service.pay(name)
                if facts:
                    return facts
            wanted = facility.balance_cents
            if facilities.sweeps[name] == "deleveraging":
                wanted = min(wanted, self.above_maximum_cents())
            payment = repayment(self._state, wanted, keep_buffer=not facility.defaulted)
            if payment.amount_cents:
                return repaid(self._state, name, payment, "sweep")
        return Rejected("nothing is there that debt service does not need")

    def above_maximum_cents(self) -> int:
        """By how much debt is above the maximum of leverage."""
        most = self._settings.leverage.optimization.max_leverage
        return max(0, self._state.facilities.debt_cents - int(most * max(0, self._state.ledger.nav_cents())))

    def end_sweep_on_repaid(self, _record: Record, fact: FacilityRepaid) -> Output:
        """A sweep ends with the balance, or where it was to bring leverage down, with that."""
        facilities = self._state.facilities
        reason = facilities.sweeps.get(fact.facility)
        if reason is None:
            return None
        low = reason == "deleveraging" and not self.above_maximum_cents()
        return [SweepEnded(facility=fact.facility)] if low or not fact.balance_cents else None

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
        """Whether a facility may only be paid back where it must be."""
        return day < self._calendar.add_months(0, self._lines.config[name].prepayment_lockout_months)
