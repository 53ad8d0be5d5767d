"""The cash reserve: a band, in shares of the fund's size, through which all eligible proceeds pass.

The first calls fill it to its minimum. A check deploys what is above the target; what is then still above the
maximum goes to the partners. Fees may draw it; below the minimum a call tops it up.
"""

from collections.abc import Iterator

from fundclock.events.bus import Output
from fundclock.events.commands import CheckReserve
from fundclock.events.facts import (
    CapitalContributed,
    CommandScheduled,
    ConfigChanged,
    ReserveDrawn,
    ReserveFilled,
    ReserveReleased,
)
from fundclock.events.facts.reinvestment import ReleasePurpose
from fundclock.events.parts import Part, Reactions
from fundclock.events.record import Fact, Record
from fundclock.events.state.lots import CALL
from fundclock.events.units import to_cents
from fundclock.handlers.context import Context
from fundclock.handlers.fund.partners import Partners


class Reserve(Part):
    """Fills, tops up and releases the reserve."""

    def __init__(self, context: Context, partners: Partners) -> None:
        self._state = context.state
        self._settings = context.settings
        self._calendar = context.calendar
        self._partners = partners
        self._period_end = context.period_end

    def reactions(self) -> Reactions:
        """What it does when facts are recorded."""
        return {
            ConfigChanged: [self.follow_on_config_changed],
            ReserveDrawn: [self.top_up_on_reserve_drawn],
            CapitalContributed: [self.fill_on_capital_contributed],
        }

    @property
    def enabled(self) -> bool:
        """Whether proceeds pass through a reserve today."""
        return self._settings.reinvestment_engine.enable_cash_reserve and not self._state.lots.period_over

    @property
    def minimum_cents(self) -> int:
        """Below it, a call tops the reserve up."""
        return self._cents(self._settings.reinvestment_engine.cash_reserve_min)

    @property
    def target_cents(self) -> int:
        """What is above it may be lent."""
        return self._cents(self._settings.reinvestment_engine.cash_reserve_target)

    @property
    def maximum_cents(self) -> int:
        """What is above it is lent or paid out on the day."""
        return self._cents(self._settings.reinvestment_engine.cash_reserve_max)

    def _cents(self, share: float) -> int:
        return to_cents(self._settings.fund.size * share)

    def fill_on_capital_contributed(self, record: Record, fact: CapitalContributed) -> Output:
        """The first calls fill the reserve to its minimum before they buy loans; a call for it goes into it whole.

        If the reserve has been abolished by the time such a call is paid, its cash may be lent.
        """
        amount = fact.amount_cents if fact.purpose == "reserve" else 0
        if self.enabled and fact.purpose in ("opening_book", "deployment"):
            left = fact.amount_cents - self._state.facilities.bridged_cents
            amount = min(left, self.minimum_cents - self._state.lots.called_into_reserve_cents)
        if amount <= 0:
            return None
        reserve = self._state.ledger.reserve_cents + amount
        facts: list[Fact] = [ReserveFilled(source="call", amount_cents=amount, lots=[], reserve_cents=reserve)]
        if not self.enabled:
            facts.append(ReserveReleased(purpose="disabled", amount_cents=amount, lots=[], reserve_cents=0))
        elif reserve > self.maximum_cents:  # proceeds have filled it while the call was on its way
            facts.append(CommandScheduled(due_day=record.day, command=CheckReserve()))
        return facts

    def follow_on_config_changed(self, record: Record, _fact: ConfigChanged) -> Output:
        """A script has changed settings: eligible cash goes in, all comes out, or the reserve is now too full."""
        lots = self._state.lots
        reserve = lots.reserved_cents
        facts: list[Fact] = []
        if not self.enabled:
            return [self.released(reserve, lots.take(reserve), "disabled")] if reserve else None
        outside = lots.eligible_cents - reserve
        if outside:
            facts.append(self.filled(lots.take(outside)))
        if reserve + outside > self.maximum_cents:
            facts.append(CommandScheduled(due_day=record.day, command=CheckReserve()))
        return facts

    def top_up_on_reserve_drawn(self, record: Record, _fact: ReserveDrawn) -> Output:
        """What was drawn is called again if the reserve is below its minimum."""
        return next(self.top_up(record.day), None)

    def top_up(self, day: int) -> Iterator[Output]:
        """Call what the reserve lacks to its minimum, once the first calls have filled it or are all paid."""
        lots, capital = self._state.lots, self._state.capital
        minimum = self.minimum_cents
        missing = minimum - lots.reserved_cents
        filling = day < self._partners.deployed_by and lots.called_into_reserve_cents < minimum
        if not self.enabled or missing <= 0 or filling:
            return
        due = self._partners.call_due(day)
        amount = min(missing, self._partners.callable_for_fees_cents())
        if amount > 0 and due < self._period_end and not capital.reserve_calls_pending:
            yield [self._partners.call(amount, "reserve", due)]

    def released(self, cents: int, lots: list[tuple[int, int]], purpose: ReleasePurpose) -> ReserveReleased:
        """The fact that cash leaves the reserve."""
        left = self._state.lots.reserved_cents - cents
        return ReserveReleased(
            purpose=purpose,
            amount_cents=cents,
            called_cents=self._state.lots.by_source(lots).get(CALL, 0),
            lots=lots,
            reserve_cents=left,
        )

    def filled(self, lots: list[tuple[int, int]]) -> ReserveFilled:
        """The fact that these lots' cash goes into the reserve."""
        amount = sum(cents for _, cents in lots)
        reserve = self._state.lots.reserved_cents + amount
        return ReserveFilled(source="proceeds", amount_cents=amount, lots=lots, reserve_cents=reserve)
