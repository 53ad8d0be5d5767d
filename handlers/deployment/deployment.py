"""Capital calls and the purchases they pay for: the opening book's, then a tranche a month."""

from collections.abc import Iterator
from typing import Literal

from fundclock.events.bus import Led, Output, Rejected
from fundclock.events.commands import CallCapital, OriginateLoans, PayCall
from fundclock.events.facts import (
    CallDeclined,
    CapitalCalled,
    CapitalContributed,
    CapitalDeployed,
    CommandScheduled,
    DeploymentDeferred,
)
from fundclock.events.parts import Commands, Part, Reactions
from fundclock.events.record import Record
from fundclock.events.units import from_cents
from fundclock.handlers.allocation.targets import Targets
from fundclock.handlers.context import Context
from fundclock.handlers.deployment.opening_book import OpeningBook
from fundclock.handlers.fund.partners import Partners
from fundclock.handlers.fund.reserve import Reserve
from fundclock.handlers.leverage.bridge import Bridge
from fundclock.handlers.loans.purchases import Purchases


class Deployment(Part):
    """Calls capital and buys loans with it until the deployment plan is carried out."""

    def __init__(
        self,
        context: Context,
        purchases: Purchases,
        partners: Partners,
        reserve: Reserve,
        opening: OpeningBook | None,
        targets: Targets,
        bridge: Bridge | None = None,
    ) -> None:
        """With a ``bridge``, a tranche may be drawn first and called later."""
        self._bridge = bridge
        self._targets = targets
        self._state = context.state
        self._settings = context.settings
        self._calendar = context.calendar
        self._purchases = purchases
        self._opening = opening
        self._last_day = context.last_day
        self._partners = partners
        self._reserve = reserve
        self._plan_starts_at = 0

    def reactions(self) -> Reactions:
        """What it does when facts are recorded."""
        return {
            CapitalCalled: [self.schedule_payment_on_capital_called],
            CapitalContributed: [self.schedule_purchase_on_capital_contributed],
        }

    def commands(self) -> Commands:
        """The commands that it carries out."""
        return {
            PayCall: self.pay_call,
            OriginateLoans: self.originate,
            CallCapital: self.call,
        }

    def call_opening_book(self, day: int) -> Iterator[Output]:
        """The first closing: capital for the opening book is called and paid on the day."""
        if self._opening is not None:
            reserve = self._reserve.minimum_cents if self._reserve.enabled else 0
            affordable = self._opening.affordable_cents(self._partners.deployable_cents - reserve)
            self._plan_starts_at, self._opening = reserve + affordable, None
            yield from self._call(day, self._plan_starts_at, "opening_book")

    def call_tranche(self, day: int, tranche: int) -> Iterator[Output]:
        """Call the capital of the next tranche, plus what was drawn to bridge an earlier call."""
        months = self._settings.fund.deployment_months
        planned = self._partners.deployable_cents - self._plan_starts_at
        wanted = planned * (tranche + 1) // months - planned * tranche // months
        if self._bridge is not None:
            drawn = self._bridge.instead_of_call(day, wanted)
            if drawn:
                yield drawn
                return
            wanted += self._bridge.outstanding_cents() if wanted else 0
        yield from self._call(self._partners.call_due(day), wanted, "deployment")

    def _call(self, due: int, wanted: int, purpose: str) -> Iterator[Output]:
        if wanted <= 0:
            return
        left = self._partners.uncalled_cents()
        if left <= 0 or due >= self._last_day:
            reason: Literal["nothing_uncalled", "due_after_the_end"]
            reason = "nothing_uncalled" if left <= 0 else "due_after_the_end"
            yield [CallDeclined(purpose=purpose, wanted_cents=wanted, callable_cents=left, reason=reason)]
            return
        yield [self._partners.call(min(wanted, left), purpose, due)]

    def call(self, day: int, command: CallCapital) -> Output | Rejected:
        """A call by script; its cash is lent like a tranche's."""
        left, due = self._partners.uncalled_cents(), self._partners.call_due(day)
        if command.amount_cents > left:
            return Rejected(f"only {from_cents(left)} is left to call")
        if due >= self._last_day:
            return Rejected("the call would be due after the fund's end")
        return next(self._call(due, command.amount_cents, "deployment"))

    def schedule_payment_on_capital_called(self, _record: Record, fact: CapitalCalled) -> Output:
        """The notice is a promise that the partners pay on the due day."""
        lp_only = min(fact.amount_cents, self._state.capital.owed["management"]) if fact.purpose == "fees" else 0
        command = PayCall(call=fact.call, amount_cents=fact.amount_cents, lp_only_cents=lp_only, purpose=fact.purpose)
        return [CommandScheduled(due_day=fact.due_day, command=command)]

    def pay_call(self, _day: int, command: PayCall) -> Output:
        """The partners pay, each by its commitment."""
        gp, by_lp = self._partners.share_call(command.amount_cents, command.lp_only_cents)
        by_lp, defaults = self._partners.default(by_lp, command.call)
        lps = sum(by_lp.values())
        return [
            *defaults,
            CapitalContributed(
                call=command.call,
                amount_cents=lps + gp,
                lp_cents=lps,
                gp_cents=gp,
                by_lp=by_lp,
                purpose=command.purpose,
            ),
        ]

    def schedule_purchase_on_capital_contributed(self, record: Record, fact: CapitalContributed) -> Output:
        """Called capital is spent in the originations of its day."""
        if fact.purpose != "deployment":
            return None
        return [CommandScheduled(due_day=record.day, command=OriginateLoans(call=fact.call))]

    def originate(self, day: int, command: OriginateLoans) -> Output:
        """Buy loans by target shares with all called capital that has not been spent yet."""
        available = min(self._state.capital.undeployed_cents, self._state.ledger.cash_cents)
        if self._state.conditions.tripped:
            return [DeploymentDeferred(call=command.call, amount_cents=available, reason="circuit_breaker")]
        room = self._targets.room_cents(available)
        if room < min(available, self._purchases.smallest_cents()):
            return [DeploymentDeferred(call=command.call, amount_cents=available, reason="risk_multiplier")]
        targets = self._targets.shares()
        earlier = self._state.results.shortfall["deployment"]
        purchase = self._purchases.plan(day, self._purchases.affordable(room), targets, "deployment", earlier)
        deployed = CapitalDeployed(
            call=command.call,
            offered_cents=available,
            amount_cents=purchase.spent_cents,
            carried_cents=available - purchase.spent_cents,
            loans=len(purchase.loans),
            shortfall=purchase.shortfall,
        )
        return Led(deployed, [*purchase.loans, *self._purchases.origination_fees(purchase, day, [], called=True)])
