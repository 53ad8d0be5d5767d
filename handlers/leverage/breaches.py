"""Tests of facilities: when they are run, from what, and what a failure leads to.

At each quarter's end all of them; at once when a loan that exits or defaults leaves the base; and while one fails,
after each repayment and at the end of the cure period.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from fundclock.events.bus import Caused, Led, Output
from fundclock.events.commands import CheckCleanDown, EndCure, RemedyBreach
from fundclock.events.facts import (
    CommandCancelled,
    CommandScheduled,
    CovenantBreached,
    CovenantCured,
    CovenantTested,
    DebtServicePaid,
    EventOfDefaultDeclared,
    FacilityAccelerated,
    FacilityMatured,
    FacilityRepaid,
    LoanDefaulted,
    LoanExited,
    PaymentDefaulted,
    SweepBegun,
    SweepEnded,
)
from fundclock.events.facts.covenants import TestTrigger
from fundclock.events.postings import CASH_INTEREST
from fundclock.events.record import Fact, Record
from fundclock.handlers.context import Context
from fundclock.handlers.leverage.collateral import Collateral
from fundclock.handlers.leverage.covenants import Result, Terms, base_test, ratio, removal_tests, run_tests
from fundclock.handlers.leverage.lines import Lines
from fundclock.handlers.leverage.service import DebtService
from fundclock.handlers.settings.leverage import GreenSleeveConfig, RampLineConfig


class _Flows(NamedTuple):
    """Cents since the fund's start, or in a window: collected less expenses, cash income, debt service."""

    collected: int
    cash_income: int
    service: int


class Breaches:
    """Runs the tests and answers their results."""

    def __init__(self, context: Context, collateral: Collateral, lines: Lines, service: DebtService) -> None:
        self._state = context.state
        self._settings = context.settings
        self._calendar = context.calendar
        self._collateral = collateral
        self._lines = lines
        self._service = service
        self._last_day = context.last_day
        self._quarters: list[_Flows] = []
        self._equity_until = 0

    def test_quarter(self, day: int) -> Iterator[Output]:
        """A quarter's end: every facility that is open, from the valuation of the day."""
        self._quarters.append(self._flows())
        self._equity_until = len(self._state.facilities.cure_equity)
        results = self._state.results
        for name, facility in self._state.facilities.by_name.items():
            is_nav = facility.facility_type == "nav"
            if facility.balance_cents or (is_nav and not facility.matured and not facility.defaulted):
                yield Caused([self.test(name, day, "quarter_end")], results.valued_seq, results.moved_seq)

    def test_on_loan_exited(self, record: Record, fact: LoanExited) -> Output:
        """An exit shrinks the base."""
        return self._removed(record, fact.loan_id, "exit")

    def test_on_loan_defaulted(self, record: Record, fact: LoanDefaulted) -> Output:
        """A default shrinks the base."""
        return self._removed(record, fact.loan_id, "default")

    def test_on_payment_defaulted(self, record: Record, fact: PaymentDefaulted) -> Output:
        """What was due and not paid fails a test of its own."""
        if record.day == self._last_day or fact.what == "principal":
            return None
        return [self.test(fact.facility, record.day, "payment")]

    def test_on_matured(self, record: Record, fact: FacilityMatured) -> Output:
        """What a facility is still owed at its maturity fails a test."""
        return [self.test(fact.facility, record.day, "maturity")] if fact.balance_cents else None

    def test_on_repaid(self, record: Record, fact: FacilityRepaid) -> Output:
        """A repayment may cure a breach."""
        facility = self._state.facilities.by_name[fact.facility]
        if not facility.breaches or facility.defaulted or record.day == self._last_day:
            return None
        if fact.reason == "maturity" and fact.balance_cents:  # the maturity's own test comes
            return None
        return [self.test(fact.facility, record.day, "repaid")]

    def test_on_service_paid(self, record: Record, fact: DebtServicePaid) -> Output:
        """A late payment may cure a breach."""
        facility = self._state.facilities.by_name[fact.facility]
        if "payment" not in facility.breaches or facility.defaulted or record.day == self._last_day:
            return None
        return [self.test(fact.facility, record.day, "repaid")]

    def end_cure(self, day: int, command: EndCure) -> Output:
        """The cure period is over: pay late interest if cash allows; a test still failing is an event of default."""
        if self._state.facilities.by_name[command.facility].overdue_cents:
            paid = self._service.pay(command.facility)
            if paid:
                return [*paid, CommandScheduled(due_day=day, command=command)]
        return [self.test(command.facility, day, "cure_deadline")]

    def check_clean_down(self, day: int, command: CheckCleanDown) -> Output:
        """A draw on the subscription line must have been repaid by today."""
        return [self.test(command.facility, day, "clean_down")]

    def _removed(self, record: Record, loan_id: str, trigger: TestTrigger) -> Output:
        self._collateral.remove(self._state.book.row_of[loan_id])
        facility = self._state.facilities.by_name.get("green_sleeve")
        if facility is None or not facility.balance_cents or facility.defaulted or record.day == self._last_day:
            return None
        if record.day == self._collateral.valued_day:  # the quarter's own test comes later in the day
            return None
        base = self._collateral.base(record.day)
        terms = {
            "debt_cents": self._state.facilities.debt_cents,
            "balance_cents": facility.balance_cents,
            "worth_cents": self._collateral.worth_cents,
            "claims_cents": self._collateral.claims_cents,
            "base_cents": base.base_cents,
        }
        config = self._settings.leverage.green_sleeve
        found = removal_tests(
            facility.balance_cents, base.base_cents, terms["debt_cents"], terms["claims_cents"], config
        )
        return [_tested("green_sleeve", trigger, found, terms, base.terms())]

    def terms(self, name: str, day: int) -> Terms:
        """What a facility's tests are made from on a day. Flows are of the last four quarters that have ended."""
        facilities, ledger = self._state.facilities, self._state.ledger
        window = self._window()
        base = self._lines.base_cents(name, day)
        nav_line = isinstance(self._lines.config[name], GreenSleeveConfig)
        self._collateral.catch_up(day)
        return Terms(
            debt_cents=facilities.debt_cents,
            balance_cents=facilities.by_name[name].balance_cents,
            nav_cents=ledger.nav_cents(),
            worth_cents=self._collateral.worth_cents,
            claims_cents=self._collateral.claims_cents,
            base_cents=base if nav_line else min(base, facilities.by_name[name].commitment_cents),
            collected_cents=window.collected,
            cash_income_cents=window.cash_income,
            service_cents=window.service,
            liquidity_cents=ledger.cash_cents + ledger.reserve_cents - self._state.capital.returning_cents,
            liquidity_needed_cents=facilities.owed_cents or self._service.next_service_cents(day),
        )

    def _flows(self) -> _Flows:
        state = self._state
        facilities = state.facilities
        coupons = sum(zone.interest_cents for zone in state.results.zones.values())
        proceeds = sum(zone.proceeds_cents for zone in state.results.zones.values())
        equity = sum(cents for _, cents in facilities.cure_equity)
        lines = facilities.by_name.values()
        return _Flows(
            proceeds + coupons + equity - sum(state.capital.paid.values()),
            coupons - state.ledger.balances.get(CASH_INTEREST, 0),
            sum(line.interest_paid_cents + line.fees_paid_cents for line in lines),
        )

    def _window(self) -> _Flows:
        """The last four quarters; what partners have paid in to cure since counts too, as collected."""
        if not self._quarters:
            return _Flows(0, 0, 0)
        now = self._quarters[-1]
        then = self._quarters[-5] if len(self._quarters) > 4 else _Flows(0, 0, 0)
        equity = sum(cents for _, cents in self._state.facilities.cure_equity[self._equity_until :])
        return _Flows(
            now.collected - then.collected + equity,
            now.cash_income - then.cash_income,
            now.service - then.service,
        )

    def results(self, name: str, day: int, terms: Terms, trigger: TestTrigger) -> list[Result]:
        """The tests that count today: all at a quarter's end; else base, LTV and those that fail already."""
        line, facility = self._lines.config[name], self._state.facilities.by_name[name]
        if isinstance(line, RampLineConfig):
            found = [base_test(terms.balance_cents, terms.base_cents)]
        else:
            found = run_tests(terms, line, self._calendar.months_since_start(day))
            if trigger != "quarter_end":
                found = [result for result in found if result.test in ("base", "ltv", *facility.breaches)]
        due: dict[str, int] = {"payment": facility.overdue_cents}
        if facility.matured:
            due["maturity"] = facility.balance_cents
        if isinstance(line, RampLineConfig):
            late = day - line.clean_down_days
            due["clean_down"] = sum(cents for drawn, cents in facility.draws if drawn <= late)
        for test, cents in due.items():
            if cents or test in facility.breaches or test == trigger:
                found.append(Result(test, None, 0.0, cents == 0, -cents))
        return found

    def test(self, name: str, day: int, trigger: TestTrigger) -> CovenantTested:
        """The fact of a facility's tests."""
        terms = self.terms(name, day)
        found, base = self.results(name, day, terms, trigger), self._lines.base_terms(name, day)
        return _tested(name, trigger, found, terms._asdict(), base)

    def measures(self, day: int) -> dict[str, Any]:
        """The ratios that are reported, of all debt."""
        facilities, window = self._state.facilities, self._window()
        self._collateral.catch_up(day)
        debt = facilities.debt_cents
        return {
            "leverage_ratio": ratio(debt, self._state.ledger.nav_cents()),
            "loan_to_value_ratio": ratio(debt, self._collateral.claims_cents),
            "debt_service_coverage_ratio": ratio(window.collected, window.service),
            "interest_coverage_ratio": ratio(window.cash_income, window.service),
            "service_cents": window.service,
            "collected_cents": window.collected,
        }

    def answer_tested(self, record: Record, fact: CovenantTested) -> Output:
        """What fails anew is a breach with a time to cure; what passes again is cured; what was not cured in time is
        an event of default, and the whole balance is due."""
        facilities, day = self._state.facilities, record.day
        name = fact.facility
        facility = facilities.by_name[name]
        open_tests = facility.breaches
        if facility.defaulted or (not open_tests and all(fact.passed.values())):
            return None
        failing = [test for test, passed in fact.passed.items() if not passed]
        facts: list[Fact] = [
            CovenantCured(facility=name, test=test, days=day - open_tests[test][0])
            for test, passed in fact.passed.items()
            if passed and test in open_tests
        ]
        expired = [test for test in failing if test in open_tests and open_tests[test][1] <= day]
        if expired and fact.trigger == "cure_deadline":
            return self._default(name, expired, day, facts)
        new = [test for test in failing if test not in open_tests]
        if not new:
            left = set(failing) | set(open_tests) - set(fact.passed)
            return [*facts, *self._closed(name, left)]
        due = self._cure_due(name, day)
        breaches = [
            CovenantBreached(
                facility=name,
                test=test,
                value=fact.value[test],
                limit=fact.limit[test],
                headroom_cents=fact.headroom_cents[test],
                cure_due_day=due,
            )
            for test in new
        ]
        rest: list[Fact] = [*breaches[1:]]
        if due < self._last_day:
            rest.append(CommandScheduled(due_day=due, command=EndCure(facility=name)))
        if facilities.sweeps.get(name, "deleveraging") == "deleveraging" and new != ["liquidity"]:
            rest.append(SweepBegun(facility=name, reason="cure"))
        return Led(breaches[0], rest + self._remedy(name, day), facts)

    def _cure_due(self, name: str, day: int) -> int:
        return self._calendar.add_business_days(day, self._lines.config[name].cure_business_days)

    def _remedy(self, name: str, day: int) -> list[Fact]:
        """The promise to repay and call what cures, on the next business day."""
        due = self._calendar.add_business_days(day, 0)
        return [CommandScheduled(due_day=due, command=RemedyBreach(facility=name))] if due < self._last_day else []

    def _closed(self, name: str, left: set[str]) -> list[Fact]:
        """What ends when tests pass again: the sweep, unless one that a repayment cures still fails; the deadlines."""
        facts: list[Fact] = []
        if not left:
            facts += self._no_deadline(name, "cured")
        if self._state.facilities.sweeps.get(name) == "cure" and not left - {"liquidity"}:
            facts.append(SweepEnded(facility=name))
        return facts

    def _no_deadline(self, name: str, reason: str) -> list[Fact]:
        return [
            CommandCancelled(scheduled_seq=seq, reason=reason)
            for seq, command in self._state.agenda.promises(EndCure)
            if command.facility == name
        ]

    def _default(self, name: str, tests: list[str], day: int, cured: list[Fact]) -> Led:
        facility = self._state.facilities.by_name[name]
        rest: list[Fact] = [
            FacilityAccelerated(facility=name, balance_cents=facility.balance_cents),
            *self._no_deadline(name, "in_default"),
        ]
        if facility.balance_cents + facility.overdue_cents:
            rest += [SweepBegun(facility=name, reason="default"), *self._remedy(name, day)]
        return Led(EventOfDefaultDeclared(facility=name, tests=tests), rest, cured)


def _tested(
    name: str, trigger: TestTrigger, found: list[Result], terms: dict[str, int], base: dict[str, int]
) -> CovenantTested:
    return CovenantTested(
        facility=name,
        trigger=trigger,
        passed={result.test: result.passed for result in found},
        value={result.test: result.value for result in found},
        limit={result.test: result.limit for result in found},
        headroom_cents={result.test: result.headroom_cents for result in found},
        terms=terms,
        base=base,
    )
