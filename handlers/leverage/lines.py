"""Facilities from their opening to their maturity: what can be drawn, draws on their notice, extensions."""

from collections.abc import Iterator

from fundclock.events.bus import Led, Output, Rejected
from fundclock.events.commands import DrawFacility, DrawPurpose, EndDraws, MatureFacility, RequestDraw
from fundclock.events.facts import (
    CommandScheduled,
    DrawDeclined,
    DrawPeriodEnded,
    FacilityDrawn,
    FacilityExtended,
    FacilityMatured,
    FacilityOpened,
    PaymentDefaulted,
    SweepBegun,
    SweepEnded,
)
from fundclock.events.facts.facilities import DrawRefusal
from fundclock.events.record import Fact, Record
from fundclock.events.units import from_cents, to_cents
from fundclock.handlers.context import Context
from fundclock.handlers.fund.partners import Partners
from fundclock.handlers.fund.purse import repayment
from fundclock.handlers.leverage.collateral import Collateral
from fundclock.handlers.leverage.service import DebtService, Line, repaid
from fundclock.handlers.settings.leverage import GreenSleeveConfig


class Lines:
    """The facilities of a fund and what each can lend."""

    def __init__(self, context: Context, partners: Partners, collateral: Collateral, service: DebtService) -> None:
        self._state = context.state
        self._settings = context.settings
        self._calendar = context.calendar
        self._partners = partners
        self._collateral = collateral
        self._service = service
        self._last_day = context.last_day

    @property
    def config(self) -> dict[str, Line]:
        """The terms of each facility, by name."""
        return self._settings.leverage.lines()

    def open(self, day: int) -> Iterator[Output]:
        """Open each facility, with the last day for draws and the maturity as promises."""
        size = self._settings.fund.size
        for name, line in self.config.items():
            months = line.draw_end_months if isinstance(line, GreenSleeveConfig) else line.draw_period_months
            draw_end = self._calendar.add_months(day, months)
            maturity = self._maturity(day, line.term_months)
            if isinstance(line, GreenSleeveConfig):
                commitment, ceiling = to_cents(size * line.initial_commitment_mult), to_cents(size * line.max_mult)
                upfront, extensions = round(commitment * line.upfront_fee_bps / 10_000), line.extensions
            else:
                commitment = ceiling = to_cents(size * line.limit_pct_commit)
                upfront = extensions = 0
            opened = FacilityOpened(
                facility=name,
                facility_type="nav" if isinstance(line, GreenSleeveConfig) else "subscription",
                commitment_cents=commitment,
                ceiling_cents=ceiling,
                advance_rate=line.advance_rate,
                spread=line.spread_bps / 10_000,
                commitment_fee=line.commitment_fee_bps / 10_000,
                upfront_fee_cents=upfront,
                draw_end_day=draw_end,
                maturity_day=maturity,
                extensions=extensions,
            )
            promises = [
                CommandScheduled(due_day=due, command=command)
                for due, command in ((draw_end, EndDraws(facility=name)), (maturity, MatureFacility(facility=name)))
                if due < self._last_day
            ]
            yield Led(opened, promises)

    def _maturity(self, day: int, months: int) -> int:
        """So many months after a day, or the next business day."""
        return self._calendar.add_business_days(self._calendar.add_months(day, months), 0)

    def base_cents(self, name: str, day: int) -> int:
        """What a facility lends against on a day: eligible loans, or uncalled commitments, × the advance rate."""
        line = self.config[name]
        if isinstance(line, GreenSleeveConfig):
            return self._collateral.base(day).base_cents
        return int(line.advance_rate * self.included_uncalled_cents())

    def base_terms(self, name: str, day: int) -> dict[str, int]:
        """What a facility's base is made from, as a test's record has it."""
        if isinstance(self.config[name], GreenSleeveConfig):
            return self._collateral.base(day).terms()
        commitment = self._state.facilities.by_name[name].commitment_cents
        return {"uncalled_cents": self.included_uncalled_cents(), "commitment_cents": commitment}

    def included_uncalled_cents(self) -> int:
        """Uncalled commitments of the limited partners that have not defaulted."""
        capital = self._state.capital
        return sum(
            max(0, cents - capital.contributed_by_lp.get(name, 0))
            for name, cents in self._partners.commitments.items()
            if name not in capital.forfeits
        )

    def available_cents(self, name: str, day: int) -> int:
        """min(commitment, base) − balance, while draws are allowed."""
        facility = self._state.facilities.by_name[name]
        if self.why_closed(name, day):
            return 0
        return max(0, min(facility.commitment_cents, self.base_cents(name, day)) - facility.balance_cents)

    def why_closed(self, name: str, day: int) -> DrawRefusal | None:
        """Why nothing can be drawn on a day; None where it can."""
        facilities = self._state.facilities
        facility = facilities.by_name[name]
        if facility.matured:
            return "matured"
        if any(line.defaulted for line in facilities.by_name.values()):
            return "in_default"
        if facility.breaches:
            return "in_cure"
        if name in facilities.sweeps:
            return "sweep"
        return "draw_period_over" if day >= facility.draw_end_day else None

    def promised_cents(self, name: str) -> int:
        """Draws requested and not yet paid."""
        return sum(act.amount_cents for _, act in self._state.agenda.promises(DrawFacility) if act.facility == name)

    def notice_day(self, name: str, day: int) -> int:
        """The day on which a draw or repayment of which notice is given today takes place: tomorrow at the earliest."""
        return self._calendar.add_business_days(day + 1, self.config[name].draw_notice_business_days - 1)

    def ask(self, name: str, day: int, cents: int, purpose: DrawPurpose) -> CommandScheduled:
        """Notice of a draw."""
        command = DrawFacility(facility=name, amount_cents=cents, purpose=purpose)
        return CommandScheduled(due_day=self.notice_day(name, day), command=command)

    def request(self, day: int, command: RequestDraw) -> Output | Rejected:
        """A draw by script: rejected at once if it could not be paid today."""
        available = self.available_cents(command.facility, day) - self.promised_cents(command.facility)
        if command.amount_cents > available:
            why = self.why_closed(command.facility, day) or "nothing more is available"
            asked, left = from_cents(command.amount_cents), from_cents(available)
            return Rejected(f"{command.facility} can't lend {asked}, only {left}: {why}")
        if self.notice_day(command.facility, day) >= self._last_day:
            return Rejected("the draw would be paid after the fund's end")
        return [self.ask(command.facility, day, command.amount_cents, "manual")]

    def draw(self, day: int, command: DrawFacility) -> Output:
        """The lender pays what was asked for, at most what is available today."""
        name = command.facility
        facility = self._state.facilities.by_name[name]
        available = self.available_cents(name, day)
        amount = min(command.amount_cents, available)
        if amount <= 0:
            return [
                DrawDeclined(
                    facility=name,
                    purpose=command.purpose,
                    asked_cents=command.amount_cents,
                    available_cents=available,
                    reason=self.why_closed(name, day) or "nothing_available",
                )
            ]
        return [
            FacilityDrawn(
                facility=name,
                purpose=command.purpose,
                asked_cents=command.amount_cents,
                amount_cents=amount,
                balance_cents=facility.balance_cents + amount,
                available_cents=available,
            )
        ]

    def end_draws(self, _day: int, command: EndDraws) -> Output:
        """The draw period is over."""
        facility = self._state.facilities.by_name[command.facility]
        return [DrawPeriodEnded(facility=command.facility, balance_cents=facility.balance_cents)]

    def sweep_on_draw_period_ended(self, _record: Record, fact: DrawPeriodEnded) -> Output:
        """After the draw period, all receipts repay the NAV line."""
        facilities = self._state.facilities
        is_nav = facilities.by_name[fact.facility].facility_type == "nav"
        if not is_nav or not fact.balance_cents or facilities.sweeps.get(fact.facility) in ("cure", "default"):
            return None
        return [SweepBegun(facility=fact.facility, reason="draw_period_over")]

    def sweep_on_sweep_ended(self, record: Record, fact: SweepEnded) -> Output:
        """A sweep for a breach may end after the draw period, when all receipts still repay the NAV line."""
        facility = self._state.facilities.by_name[fact.facility]
        if facility.facility_type != "nav" or not facility.balance_cents or facility.defaulted:
            return None
        over = facility.draw_end_day <= record.day < self._last_day
        return [SweepBegun(facility=fact.facility, reason="draw_period_over")] if over else None

    def mature(self, day: int, command: MatureFacility) -> Output:
        """A maturity: extended if a balance is owed, an option is left and no test fails; otherwise all is due."""
        name, line = command.facility, self.config[command.facility]
        facility = self._state.facilities.by_name[name]
        sound = not facility.breaches and not facility.defaulted
        if facility.balance_cents and facility.extensions_left and sound and isinstance(line, GreenSleeveConfig):
            used = line.extensions - facility.extensions_left + 1
            maturity = self._maturity(0, line.term_months + used * line.extension_months)
            later = FacilityExtended(facility=name, maturity_day=maturity, extensions_left=facility.extensions_left - 1)
            if maturity >= self._last_day:
                return [later]
            return Led(later, [CommandScheduled(due_day=maturity, command=MatureFacility(facility=name))])
        again = CommandScheduled(due_day=day, command=command)
        accrued = self._service.accrue(name, day, due_day=day)
        if accrued is not None:
            return [accrued, again]
        if facility.owed_cents > facility.overdue_cents:
            paid = self._service.pay(name)
            if paid:
                return [*paid, again]
        facts: list[Fact] = []
        if facility.owed_cents > facility.overdue_cents:
            facts.append(PaymentDefaulted(facility=name, what="service", unpaid_cents=facility.owed_cents))
        balance = facility.balance_cents
        payment = repayment(self._state, balance)
        if payment.amount_cents:
            facts += repaid(self._state, name, payment, "maturity")
        left = balance - payment.amount_cents
        facts.append(FacilityMatured(facility=name, balance_cents=left))
        if left:
            facts.append(PaymentDefaulted(facility=name, what="principal", unpaid_cents=left))
        return facts
