"""The reinvestment engine: lots wait out their delay, checks deploy what is eligible, the rest carries forward."""

from collections.abc import Iterator

from events.bus import Led, Output
from events.commands import ReinvestProceeds
from events.dates import MONTHS_BETWEEN, Calendar
from events.facts import (
    CapitalReinvested,
    CommandCancelled,
    CommandScheduled,
    LoanExited,
    LoanInterestPaid,
    LoanRecovered,
    ProceedsReleased,
    ReinvestmentDeclined,
    ReinvestmentPeriodEnded,
    ReinvestmentResumed,
)
from events.record import Fact, Record
from events.state import State
from events.state.lots import beyond
from events.units import to_cents
from handlers.loans.purchases import Purchases
from handlers.settings import Settings


class Reinvestment:
    """Decides when proceeds become loans again."""

    def __init__(
        self, state: State, settings: Settings, calendar: Calendar, purchases: Purchases, period_end: int
    ) -> None:
        """``period_end`` is the first day after the reinvestment period."""
        self._state = state
        self._settings = settings
        self._calendar = calendar
        self._purchases = purchases
        self._period_end = period_end

    def schedule_on_loan_exited(self, record: Record, fact: LoanExited) -> Output:
        """Proceeds of an exit wait for the delay."""
        return self._schedule(record, "exit", fact.proceeds_cents, fact.principal_cents)

    def schedule_on_loan_recovered(self, record: Record, fact: LoanRecovered) -> Output:
        """A recovery waits for the delay."""
        return self._schedule(record, "recovery", fact.proceeds_cents, fact.principal_cents)

    def schedule_on_loan_interest_paid(self, record: Record, fact: LoanInterestPaid) -> Output:
        """Coupons wait for the delay."""
        return self._schedule(record, "interest", fact.amount_cents, 0)

    def release(self, _day: int, command: ReinvestProceeds) -> Output:
        """The delay of a lot is over."""
        return [ProceedsReleased(lot=command.lot, amount_cents=self._state.lots.lots[command.lot].cents)]

    def check_on_proceeds_released(self, record: Record, _fact: ProceedsReleased) -> Output:
        """With frequency ``on_exit``, each release is a check."""
        if self._settings.reinvestment_engine.reinvestment_frequency != "on_exit":
            return None
        return next(self.check(record.day), None)

    def check_on_resumed(self, record: Record, _fact: ReinvestmentResumed) -> Output:
        """With frequency ``on_exit``, what has become eligible meanwhile does not wait for the next release."""
        if self._settings.reinvestment_engine.reinvestment_frequency != "on_exit":
            return None
        return next(self.check(record.day), None)

    def check_on_month_end(self, day: int) -> Iterator[Output]:
        """With any other frequency, the ends of its periods are checks."""
        months = MONTHS_BETWEEN.get(self._settings.reinvestment_engine.reinvestment_frequency)
        if months is not None and self._calendar.date(day).month % months == 0:
            yield from self.check(day)

    def check(self, day: int) -> Iterator[Output]:
        """Deploy what is eligible by target shares, or say why not."""
        config = self._settings.reinvestment_engine
        lots = self._state.lots
        offered = min(lots.eligible_cents, self._state.ledger.cash_cents)
        if offered <= 0:
            return
        if lots.suspended:
            yield [ReinvestmentDeclined(reason="suspended", amount_cents=offered)]
            return
        minimum = to_cents(config.min_reinvestment_amount)
        if offered < minimum:
            yield [ReinvestmentDeclined(reason="below_minimum", amount_cents=offered, minimum_cents=minimum)]
            return
        target = {name: zone.target_allocation for name, zone in self._settings.zones.items()}
        budget = self._purchases.affordable(offered)
        purchase = self._purchases.plan(day, budget, target, "reinvestment", config.reinvestment_batch_size)
        if not purchase.loans:
            yield [ReinvestmentDeclined(reason="indivisible", amount_cents=offered, minimum_cents=minimum)]
            return
        spent = purchase.spent_cents
        used = lots.take(spent)
        fee_lots = beyond(lots.take(offered), spent, round(self._settings.fees.origination * spent))
        fees = self._purchases.origination_fees(purchase, day, fee_lots)
        actual = {name: purchase.by_zone.get(name, 0) / spent for name in target}
        yield Led(
            CapitalReinvested(
                strategy=config.reinvestment_strategy,
                offered_cents=offered,
                amount_cents=spent,
                carried_cents=offered - spent,
                loans=len(purchase.loans),
                target=target,
                actual=actual,
                gap={name: actual[name] - target[name] for name in target},
                shortfall=purchase.shortfall,
                lots=used,
                remainder=purchase.remainder,
            ),
            [*purchase.loans, *fees],
        )

    def end_period(self, _day: int) -> Iterator[Output]:
        """The reinvestment period is over: what lots still hold goes to the partners, promises are taken back."""
        lots = self._state.lots
        yield [
            ReinvestmentPeriodEnded(amount_cents=lots.eligible_cents + lots.waiting_cents),
            *(
                CommandCancelled(scheduled_seq=seq, reason="reinvestment_period_over")
                for seq, (_due, command) in self._state.agenda.pending.items()
                if isinstance(command, ReinvestProceeds)
            ),
        ]

    def _schedule(self, record: Record, source: str, cents: int, principal: int) -> Output:
        if cents <= 0 or self._state.lots.period_over:
            return None
        due = self._calendar.add_months(record.day, self._settings.reinvestment_engine.reinvestment_delay)
        if due >= self._period_end:
            return [ReinvestmentDeclined(reason="period_over", amount_cents=cents, lot=record.seq)]
        fund = self._settings.fund
        if fund.recycle == "all" and fund.recycling_cap is None:
            command = ReinvestProceeds(lot=record.seq, source=source, amount_cents=cents)
            return [CommandScheduled(due_day=due, command=command)]
        recycled = self._recyclable(cents, principal)
        facts: list[Fact] = []
        if recycled < cents:
            facts.append(ReinvestmentDeclined(reason="not_recycled", amount_cents=cents - recycled, lot=record.seq))
        if recycled:
            command = ReinvestProceeds(lot=record.seq, source=source, amount_cents=recycled)
            facts.append(CommandScheduled(due_day=due, command=command))
        return facts

    def _recyclable(self, cents: int, principal: int) -> int:
        """What of these proceeds may be lent again: all or only principal, within the cap on all recycling so far."""
        fund, whole = self._settings.fund, cents
        if fund.recycle == "principal":
            cents = min(cents, principal)
        if fund.recycling_cap is not None:
            earlier = self._state.lots.accepted_cents - whole
            cents = max(0, min(cents, round(fund.recycling_cap * to_cents(fund.size)) - earlier))
        return cents
