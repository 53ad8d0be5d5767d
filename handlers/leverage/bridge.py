"""The subscription line bridges capital calls: tranches are drawn, and every other call pays for two of them."""

from fundclock.events.bus import Output, Rejected
from fundclock.events.commands import CheckCleanDown, CleanDown, OriginateLoans
from fundclock.events.facts import (
    CallDeclined,
    CapitalContributed,
    CommandCancelled,
    CommandScheduled,
    DrawDeclined,
    FacilityDrawn,
    FacilityRepaid,
)
from fundclock.events.record import Fact, Record
from fundclock.handlers.context import Context
from fundclock.handlers.fund.partners import Partners
from fundclock.handlers.fund.purse import Payment
from fundclock.handlers.leverage.lines import Lines
from fundclock.handlers.leverage.service import repaid
from fundclock.handlers.settings.leverage import RampLineConfig

NAME = "ramp_line"


class Bridge:
    """Draws instead of calls, and calls that pay the draws back in time."""

    def __init__(self, context: Context, partners: Partners, lines: Lines) -> None:
        self._state = context.state
        self._settings = context.settings
        self._calendar = context.calendar
        self._partners = partners
        self._lines = lines
        self._last_day = context.last_day

    def instead_of_call(self, day: int, wanted: int) -> Output:
        """Notice of a draw of what would be called, if the line can lend all of it; None if it must be called."""
        if wanted <= 0 or NAME not in self._state.facilities.by_name:
            return None
        available = self._lines.available_cents(NAME, day) - self._lines.promised_cents(NAME)
        callable_cents = self._partners.uncalled_cents() - self.outstanding_cents()
        due = self._lines.notice_day(NAME, day)
        if wanted > min(available, callable_cents) or due >= self._last_day or self._lines.why_closed(NAME, due):
            return None
        return [self._lines.ask(NAME, day, wanted, "bridge")]

    def outstanding_cents(self) -> int:
        """What a call has to pay back: drawn or asked for, and not in a call that is on its way."""
        line = self._state.facilities.by_name.get(NAME)
        if line is None:
            return 0
        owed = line.balance_cents + self._lines.promised_cents(NAME)
        return max(0, owed - self._partners.on_the_way_cents("deployment", "clean_down"))

    def repay_on_capital_contributed(self, _record: Record, fact: CapitalContributed) -> Output:
        """A call first repays the draws that bridged it."""
        line = self._state.facilities.by_name.get(NAME)
        if line is None or not line.balance_cents or fact.purpose not in ("deployment", "opening_book", "clean_down"):
            return None
        payment = Payment(min(line.balance_cents, fact.amount_cents), [], [])
        return repaid(self._state, NAME, payment, "clean_down" if fact.purpose == "clean_down" else "call")

    def spend_on_drawn(self, record: Record, fact: FacilityDrawn) -> Output:
        """A bridge is spent like the call that it stands for, and promises its clean-down."""
        if fact.facility != NAME:
            return None
        line = self._lines.config[NAME]
        assert isinstance(line, RampLineConfig)
        facts: list[Fact] = []
        if fact.purpose == "bridge":
            facts.append(CommandScheduled(due_day=record.day, command=OriginateLoans(call=0)))
        last = record.day + line.clean_down_days
        called = last
        while called > record.day and self._partners.call_due(called) > last:
            called -= 1
        if last < self._last_day:
            facts.append(CommandScheduled(due_day=called, command=CleanDown(facility=NAME, draw_day=record.day)))
            check = CheckCleanDown(facility=NAME, draw_day=record.day)
            facts.append(CommandScheduled(due_day=last, command=check))
        return facts

    def call_rest_on_drawn(self, record: Record, fact: FacilityDrawn) -> Output:
        """What the lender did not pay of a tranche is called after all."""
        return self._call_rest(record.day, fact.asked_cents - fact.amount_cents) if fact.purpose == "bridge" else None

    def call_on_draw_declined(self, record: Record, fact: DrawDeclined) -> Output:
        """A tranche of which the lender paid nothing is called after all."""
        return self._call_rest(record.day, fact.asked_cents) if fact.purpose == "bridge" else None

    def _call_rest(self, day: int, cents: int) -> Output:
        due = self._partners.call_due(day)
        amount = min(cents, self._partners.uncalled_cents() - self.outstanding_cents())
        if amount <= 0:
            return None
        if due >= self._last_day:
            return [
                CallDeclined(
                    purpose="deployment", wanted_cents=cents, callable_cents=amount, reason="due_after_the_end"
                )
            ]
        return [self._partners.call(amount, "deployment", due)]

    def clean_down(self, day: int, _command: CleanDown) -> Output | Rejected:
        """Call what repays all outstanding draws, unless a pending call does."""
        owed = self.outstanding_cents()
        if not owed:
            return Rejected("a call that is on its way pays it back")
        due = self._partners.call_due(day)
        amount = min(owed, self._partners.uncalled_cents())
        if amount <= 0 or due >= self._last_day:
            return Rejected("nothing is left to call for it")
        return [self._partners.call(amount, "clean_down", due)]

    def cancel_on_repaid(self, _record: Record, fact: FacilityRepaid) -> Output:
        """Cancel the clean-downs of draws that have been repaid."""
        if fact.facility != NAME:
            return None
        left = {day for day, _ in self._state.facilities.by_name[NAME].draws}
        return [
            CommandCancelled(scheduled_seq=seq, reason="repaid")
            for seq, (_, act) in self._state.agenda.pending.items()
            if isinstance(act, CleanDown | CheckCleanDown) and act.draw_day not in left
        ]
