"""Capital calls and the purchases they pay for: the opening book, then a tranche a month."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fundclock.events.bus import Led, Output, Rejected
from fundclock.events.commands import CallCapital, OriginateLoans, PayCall
from fundclock.events.facts import (
    CallDeclined,
    CapitalCalled,
    CapitalContributed,
    CapitalDeployed,
    CommandScheduled,
    DeploymentDeferred,
    LoanHistoryKnown,
    LoanOriginated,
    PurchaseDeclined,
)
from fundclock.events.parts import Commands, Part, Reactions
from fundclock.events.record import Fact, Record
from fundclock.events.units import from_cents
from fundclock.handlers.allocation.targets import Targets
from fundclock.handlers.context import Context
from fundclock.handlers.fund.partners import Partners
from fundclock.handlers.fund.reserve import Reserve
from fundclock.handlers.leverage.bridge import Bridge
from fundclock.handlers.loans.generator import LoanGenerator
from fundclock.handlers.loans.purchases import Purchases

CHUNK = 1000
"""Loans of the opening book that are recorded together."""


class OpeningBook(NamedTuple):
    """A loan tape in columns, one entry a loan; days count from the fund's start, None is what the tape leaves open."""

    loan_ids: list[str]
    zones: list[str]
    principal_cents: NDArray[np.int64]
    property_value_cents: NDArray[np.int64]
    coupon: NDArray[np.float64]
    age_days: NDArray[np.int32]
    maturity_day: NDArray[np.int32]
    appreciation_share: list[float | None]
    pays_cash: list[bool | None]
    exit_day: list[int | None]
    exit_kind: list[str | None]
    proceeds_cents: list[int | None]


class Deployment(Part):
    """Calls capital and buys loans with it until the deployment plan is carried out."""

    def __init__(
        self,
        context: Context,
        generator: LoanGenerator,
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
        self._generator = generator
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
            prices = self._opening.principal_cents.tolist()
            self._plan_starts_at = reserve + _affordable(prices, self._partners.deployable_cents - reserve)
            yield from self._call(day, self._plan_starts_at, "opening_book")

    def buy_opening_book(self, day: int) -> Iterator[Output]:
        """Buy the tape's loans in its order; what the cash can't pay is declined, loan by loan."""
        book, self._opening = self._opening, None
        if book is None:
            return
        cash = self._state.ledger.cash_cents
        entities = dict.fromkeys(self._state.book.zones, 0)
        facts: list[Fact] = []
        for i, loan_id in enumerate(book.loan_ids):
            loan = self._tape_loan(book, i, entities[book.zones[i]])
            entities[loan.zone] += 1
            if loan.principal_cents > cash:
                facts.append(
                    PurchaseDeclined(
                        loan_id=loan_id,
                        principal_cents=loan.principal_cents,
                        available_cents=cash,
                        reason="insufficient_cash",
                    )
                )
            else:
                cash -= loan.principal_cents
                facts.append(loan)
                facts += self._history(book, i, day)
            if len(facts) >= CHUNK:
                yield facts
                facts = []
        yield facts

    def call_tranche(self, day: int, tranche: int) -> Iterator[Output]:
        """Call the capital of the next tranche, and what was drawn in the place of an earlier call."""
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

    def _tape_loan(self, book: OpeningBook, i: int, entity: int) -> LoanOriginated:
        config = self._settings.loans
        zone = book.zones[i]
        exits, defaults, kind = self._generator.fate(zone, entity)
        share = book.appreciation_share[i]
        if share is None and isinstance(config.appreciation_share, float):
            share = config.appreciation_share
        pays_cash = book.pays_cash[i]
        value = book.property_value_cents.item(i)
        return LoanOriginated(
            loan_id=book.loan_ids[i],
            zone=zone,
            source="tape",
            entity=entity,
            principal_cents=book.principal_cents.item(i),
            property_value_cents=value,
            senior_debt_cents=round(config.senior_ltv * value),
            coupon=book.coupon.item(i),
            pays_cash=config.interest_payment == "cash" if pays_cash is None else pays_cash,
            appreciation_share=share,
            first_age_days=book.age_days.item(i),
            maturity_day=book.maturity_day.item(i),
            exit_threshold=exits,
            default_threshold=defaults,
            kind_draw=kind,
        )

    def _history(self, book: OpeningBook, i: int, day: int) -> list[LoanHistoryKnown]:
        exit_day, kind = book.exit_day[i], book.exit_kind[i]
        if exit_day is None or kind is None:
            return []
        default_day = None
        if kind == "default":
            months = self._settings.exits.foreclosure_months
            default_day = max(day + 1, self._calendar.add_months(exit_day, -months))
        return [
            LoanHistoryKnown(
                loan_id=book.loan_ids[i],
                exit_day=exit_day,
                exit_kind=kind,
                default_day=default_day,
                proceeds_cents=book.proceeds_cents[i],
            )
        ]


def _affordable(prices: list[int], cents: int) -> int:
    """What a list of loans costs, bought in its order as far as the cash goes, loan by loan."""
    left = cents
    for price in prices:
        if price <= left:
            left -= price
    return cents - left
