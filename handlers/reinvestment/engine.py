"""The reinvestment engine: lots wait out their delay, checks deploy what is eligible, the rest carries forward."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from fundclock.events.bus import Led, Output, Rejected
from fundclock.events.commands import CheckReserve, Reinvest, ReinvestProceeds
from fundclock.events.dates import MONTHS_BETWEEN
from fundclock.events.facts import (
    AllocationAdjusted,
    BatchCut,
    BreakerReset,
    CapitalReinvested,
    CommandCancelled,
    CommandScheduled,
    LoanExited,
    LoanInterestPaid,
    LoanRecovered,
    ProceedsCarried,
    ProceedsReleased,
    ReinvestmentDeclined,
    ReinvestmentPeriodEnded,
    ReinvestmentResumed,
    ReserveFilled,
    RiskAssessed,
    SweepEnded,
)
from fundclock.events.facts.reinvestment import DeclineReason, Trigger
from fundclock.events.parts import Commands, Part, Reactions
from fundclock.events.record import Fact, Record
from fundclock.events.state.lots import CALL, beyond
from fundclock.events.units import to_cents
from fundclock.handlers.allocation.targets import Targets
from fundclock.handlers.context import Context
from fundclock.handlers.fund.purse import kept_in_lots
from fundclock.handlers.fund.reserve import Reserve
from fundclock.handlers.loans.purchases import Purchase, Purchases
from fundclock.handlers.reinvestment.performance import adjusted, annualised_return
from fundclock.handlers.reinvestment.strategies import Shares, Wish, maintain_allocation, rebalance, scaled, wish
from fundclock.handlers.risk.exposure import Exposure
from fundclock.handlers.risk.measures import (
    change_of,
    diversification_impact,
    risk_adjusted_return_impact,
    risk_of,
    shares_of,
)
from fundclock.handlers.settings.reinvestment import ReinvestmentConfig


class _Check(NamedTuple):
    """What is to be lent, and how; multipliers are those of a manual reinvestment, which tilt any strategy."""

    day: int
    trigger: Trigger
    offered_cents: int
    strategy: str
    dynamic: bool
    source: str | None = None
    multipliers: dict[str, float] | None = None
    details: dict[str, Any] = {}  # noqa: RUF012  (never changed)
    refused_cents: int = 0


class Reinvestment(Part):
    """Decides when proceeds become loans again."""

    def __init__(
        self, context: Context, purchases: Purchases, reserve: Reserve, exposure: Exposure, targets: Targets
    ) -> None:
        self._state = context.state
        self._settings = context.settings
        self._calendar = context.calendar
        self._purchases = purchases
        self._reserve = reserve
        self._exposure = exposure
        self._targets = targets
        self._market = context.market
        self._period_end = context.period_end

    def reactions(self) -> Reactions:
        """What it does when facts are recorded."""
        return {
            LoanExited: [self.schedule_on_loan_exited],
            LoanRecovered: [self.schedule_on_loan_recovered],
            LoanInterestPaid: [self.schedule_on_loan_interest_paid],
            ProceedsReleased: [self.check_on_proceeds_released],
            ReserveFilled: [self.check_on_reserve_filled],
            ReinvestmentResumed: [self.check_on_resumed],
            BreakerReset: [self.check_on_breaker_reset],
            SweepEnded: [self.schedule_on_sweep_ended],
        }

    def commands(self) -> Commands:
        """The commands that it carries out."""
        return {
            ReinvestProceeds: self.release,
            Reinvest: self.reinvest,
            CheckReserve: self.check_reserve,
        }

    @property
    def _config(self) -> ReinvestmentConfig:
        return self._settings.reinvestment_engine

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
        """The delay of a lot is over: its cash may be lent, or goes into the reserve."""
        lot, cents = command.lot, self._state.lots.lots[command.lot].cents
        if self._reserve.enabled and cents:
            return [self._reserve.filled([(lot, cents)])]
        return [ProceedsReleased(lot=lot, amount_cents=cents)]

    def check_on_proceeds_released(self, record: Record, _fact: ProceedsReleased) -> Output:
        """With frequency ``on_exit``, each release is a check."""
        if self._config.reinvestment_frequency != "on_exit":
            return None
        return self._check(record.day, "release")

    def check_on_reserve_filled(self, record: Record, fact: ReserveFilled) -> Output:
        """A reserve above its maximum is a check on the day; with frequency ``on_exit``, any release is."""
        if fact.source == "call" or record.phase != "reinvestment":
            return None
        if fact.reserve_cents > self._reserve.maximum_cents:
            return self._check(record.day, "reserve_max")
        return self._check(record.day, "release") if self._config.reinvestment_frequency == "on_exit" else None

    def check_reserve(self, day: int, _command: CheckReserve) -> Output | Rejected:
        """Settings have put the reserve above its maximum."""
        if self._state.lots.reserved_cents <= self._reserve.maximum_cents:
            return Rejected("the reserve is not above its maximum any more")
        return self._check(day, "reserve_max")

    def check_on_resumed(self, record: Record, _fact: ReinvestmentResumed) -> Output:
        """With frequency ``on_exit``, what has become eligible meanwhile does not wait for the next release."""
        if self._config.reinvestment_frequency != "on_exit":
            return None
        return self._check(record.day, "resumed")

    def check_on_breaker_reset(self, record: Record, _fact: BreakerReset) -> Output:
        """Check after a breaker reset (``on_exit`` only)."""
        return self._check(record.day, "resumed") if self._config.reinvestment_frequency == "on_exit" else None

    def check_on_month_end(self, day: int) -> Iterator[Output]:
        """With any other frequency, the ends of its periods are checks."""
        months = MONTHS_BETWEEN.get(self._config.reinvestment_frequency)
        if months is not None and self._calendar.date(day).month % months == 0:
            yield self._check(day, "check")

    def reinvest(self, day: int, command: Reinvest) -> Output:
        """A manual reinvestment: of what is eligible (with a reserve, down to its minimum), whatever its amount."""
        lots, wanted = self._state.lots, command.amount_cents
        if lots.period_over:
            return [ReinvestmentDeclined(reason="period_over", amount_cents=wanted, trigger="manual")]
        if self._state.facilities.holds_cash_back:
            return [ReinvestmentDeclined(reason="sweep", amount_cents=wanted, trigger="manual")]
        if self._state.conditions.tripped:
            return [ReinvestmentDeclined(reason="circuit_breaker", amount_cents=wanted, trigger="manual")]
        available = lots.eligible_cents if command.source is None else lots.eligible_from(command.source)
        kept = kept_in_lots(self._state)
        if self._reserve.enabled:
            kept = max(kept, self._reserve.minimum_cents)
        available = min(available, max(0, lots.eligible_cents - kept))
        if wanted > available:
            return [
                ReinvestmentDeclined(
                    reason="insufficient_cash",
                    amount_cents=wanted,
                    trigger="manual",
                    available_cents=available,
                    shortfall_cents=wanted - available,
                )
            ]
        room = self._targets.room_cents(wanted)
        if room < wanted:
            return [
                ReinvestmentDeclined(
                    reason="risk_multiplier",
                    amount_cents=wanted,
                    trigger="manual",
                    available_cents=room,
                    shortfall_cents=wanted - room,
                )
            ]
        dynamic = command.enable_dynamic_allocation
        return self._lend(
            _Check(
                day,
                "manual",
                wanted,
                command.strategy or self._config.reinvestment_strategy,
                self._config.enable_dynamic_allocation if dynamic is None else dynamic,
                command.source,
                command.zone_preference_multipliers,
                command.source_details,
            )
        )

    def _check(self, day: int, trigger: Trigger) -> Output:
        """Deploy what is eligible (with a reserve, what is above its target), or say why not."""
        config, lots = self._config, self._state.lots
        eligible = lots.reserved_cents if self._reserve.enabled else lots.eligible_cents
        if eligible <= 0:
            return None
        target = self._reserve.target_cents if self._reserve.enabled else 0
        kept = kept_in_lots(self._state)
        offered = eligible - max(target, kept)
        check = _Check(day, trigger, offered, config.reinvestment_strategy, config.enable_dynamic_allocation)
        if self._state.facilities.holds_cash_back:
            return self._decline(check, "sweep", amount=eligible)
        if self._state.conditions.tripped:
            return self._decline(check, "circuit_breaker", amount=eligible)
        if offered <= 0:
            reason: DeclineReason = "reserve_below_target" if target >= kept else "debt_service_buffer"
            return self._decline(check, reason, minimum=max(target, kept), amount=eligible)
        room = self._targets.room_cents(offered)
        if room < offered:
            if room < max(to_cents(config.min_reinvestment_amount), self._purchases.smallest_cents()):
                return self._decline(check, "risk_multiplier", amount=eligible)
            check = check._replace(offered_cents=room, refused_cents=offered - room)
        minimum = to_cents(config.min_reinvestment_amount)
        if offered < minimum and not lots.suspended:
            return self._decline(check, "below_minimum", minimum=minimum)
        return self._lend(check)

    def _lend(self, check: _Check) -> Output:
        """Buy loans with what is offered, by the strategy's shares."""
        lots = self._state.lots
        if lots.suspended:
            return self._decline(check, "suspended")
        wanted, adjustment = self._wish(check)
        if not wanted.shares:
            return self._decline(check, "no_zone")
        manual = check.trigger == "manual"
        earlier = self._state.results.shortfall["reinvestment"]
        purchase = self._purchases.plan(
            check.day,
            self._purchases.affordable(check.offered_cents),
            wanted.shares,
            "reinvestment",
            {} if manual or wanted.closes_gaps else earlier,
            self._config.reinvestment_batch_size,
        )
        if not purchase.loans:
            return self._decline(check, "indivisible", minimum=self._purchases.smallest_cents())
        spent = purchase.spent_cents
        offered_lots = lots.take(check.offered_cents, check.source)
        fee_lots = beyond(offered_lots, spent, self._purchases.fee_on(spent))
        used = lots.take(spent, check.source)
        fees = self._purchases.origination_fees(purchase, check.day, fee_lots)
        left = check.offered_cents - spent - sum(cents for _, cents in fee_lots)
        target = {zone: wanted.shares.get(zone, 0.0) for zone in self._state.book.zones}
        actual = {zone: purchase.by_zone.get(zone, 0) / spent for zone in target}
        before: list[Fact] = [] if adjustment is None else [adjustment]
        taken = lots.take(check.offered_cents - left, check.source)
        if self._reserve.enabled:
            before.append(self._reserve.released(check.offered_cents - left, taken, "reinvestment"))
        return Led(
            CapitalReinvested(
                trigger=check.trigger,
                strategy=check.strategy,
                offered_cents=check.offered_cents,
                amount_cents=spent,
                carried_cents=left,
                refused_cents=check.refused_cents,
                loans=len(purchase.loans),
                loan_ids=[loan.loan_id for loan in purchase.loans],
                target=target,
                actual=actual,
                gap={zone: actual[zone] - target[zone] for zone in target},
                shortfall=earlier if manual else {} if wanted.closes_gaps else purchase.shortfall,
                lots=used,
                by_source=lots.by_source(used),
                details=check.details,
            ),
            [
                *purchase.loans,
                *fees,
                self._assess(check.day, purchase),
                *self._left_over(purchase, left),
                *self._above_maximum(taken),
            ],
            before,
        )

    def _wish(self, check: _Check) -> tuple[Wish, AllocationAdjusted | None]:
        """Shares by zone, and the fact of their adjustment to performance, if there is one."""
        config = self._config
        claims = self._exposure.claims()
        base: Shares = self._targets.shares()
        if check.strategy == "maintain_allocation":
            base = maintain_allocation(claims, base)
        adjustment = self._adjustment(check.day, base) if check.dynamic else None
        if adjustment is not None:
            base = adjustment.after
        appreciation = self._market.appreciation(check.day)
        amount = self._purchases.reach(check.offered_cents, config.reinvestment_batch_size)
        found = wish(check.strategy, config, base, claims, appreciation, amount)
        if self._targets.closes_gaps_today:
            found = rebalance(claims, base, amount, 0.0)
        if check.multipliers is not None:
            tilted = {zone: share * check.multipliers.get(zone, 1.0) for zone, share in found.shares.items()}
            found = found._replace(shares=scaled(tilted))
        return found, adjustment if found.by_targets else None

    def _adjustment(self, day: int, base: Shares) -> AllocationAdjusted | None:
        """The shares moved by what loans have earned in the look-back window, if any have earned something."""
        config = self._config
        after_day = self._calendar.add_months(day, -config.performance_lookback_period)
        windows = {zone: self._state.realised.between(zone, after_day, day) for zone in base}
        returns = {zone: annualised_return(window) for zone, window in windows.items()}
        moved = adjusted(base, returns, config.performance_weight, config.max_allocation_adjustment)
        if moved is None:
            return None
        return AllocationAdjusted(
            after_day=after_day,
            performance=returns,
            loans={zone: window.loans for zone, window in windows.items()},
            adjustments=moved.by_zone,
            before=base,
            after=moved.shares,
        )

    def _assess(self, day: int, purchase: Purchase) -> RiskAssessed:
        """What the purchase does to the book's risk."""
        book_before = self._exposure.sums(day)
        book_after = self._exposure.with_bought(book_before, purchase.loans, day)
        before, after = risk_of(book_before), risk_of(book_after)
        assert after is not None
        change = None if before is None else change_of(before, after)
        return RiskAssessed(
            zones_before=shares_of(book_before.claim_by_zone),
            zones_after=shares_of(book_after.claim_by_zone),
            before=before,
            after=after,
            change=change,
            diversification_impact=None if change is None else diversification_impact(change),
            risk_adjusted_return_impact=None if before is None else risk_adjusted_return_impact(before, after),
        )

    def _left_over(self, purchase: Purchase, left: int) -> list[Fact]:
        """Why something is left of the offer, if it is."""
        if not left or purchase.remainder == "none":
            return []
        facts: list[Fact] = [ProceedsCarried(amount_cents=left, reason=purchase.remainder)]
        if purchase.remainder == "batch_limit":
            facts.insert(0, BatchCut(limit=self._config.reinvestment_batch_size, left_cents=left))
        return facts

    def _decline(
        self, check: _Check, reason: DeclineReason, *, minimum: int | None = None, amount: int | None = None
    ) -> Output:
        declined = ReinvestmentDeclined(
            reason=reason,
            amount_cents=check.offered_cents if amount is None else amount,
            minimum_cents=minimum,
            trigger=check.trigger,
        )
        return [declined, *self._above_maximum([])]

    def _above_maximum(self, taken: list[tuple[int, int]]) -> list[Fact]:
        """What stays above the reserve's maximum after these cents of lots have left it goes to the partners."""
        if not self._reserve.enabled or self._state.facilities.holds_cash_back:
            return []
        lots = self._state.lots
        left = lots.reserved_cents - sum(cents for _, cents in taken)
        over = left - self._reserve.maximum_cents
        if over <= 0:
            return []
        fact = self._reserve.released(over, lots.take_after(taken, over), "distribution")
        return [fact.model_copy(update={"reserve_cents": left - over})]

    def end_period(self, _day: int) -> Iterator[Output]:
        """The reinvestment period is over: what lots still hold goes to the partners, promises are taken back."""
        lots = self._state.lots
        reserve = lots.reserved_cents
        released = [self._reserve.released(reserve, lots.take(reserve), "period_over")] if reserve else []
        called = lots.eligible_from(CALL) - sum(fact.called_cents for fact in released)
        yield [
            *released,
            ReinvestmentPeriodEnded(amount_cents=lots.cents, called_cents=called),
            *(
                CommandCancelled(scheduled_seq=seq, reason="reinvestment_period_over")
                for seq, _ in self._state.agenda.promises(ReinvestProceeds)
            ),
        ]

    def schedule_on_sweep_ended(self, record: Record, _fact: SweepEnded) -> Output:
        """Cash not taken by a sweep waits on as if there had been none."""
        state = self._state
        if state.facilities.sweeps or state.lots.period_over:
            return None
        promised = {command.lot for _, command in state.agenda.promises(ReinvestProceeds)}
        facts: list[Fact] = []
        for seq, lot in state.lots.lots.items():
            if lot.released or not lot.cents or seq in promised:
                continue
            due = max(record.day, self._calendar.add_months(lot.received_day, self._config.reinvestment_delay))
            if due >= self._period_end:
                facts.append(ReinvestmentDeclined(reason="period_over", amount_cents=lot.cents, lot=seq))
            else:
                command = ReinvestProceeds(lot=seq, source=lot.source, amount_cents=lot.cents)
                facts.append(CommandScheduled(due_day=due, command=command))
        return facts

    def _schedule(self, record: Record, source: str, cents: int, principal: int) -> Output:
        if cents <= 0 or self._state.lots.period_over:
            return None
        fund = self._settings.fund
        all_of_it = fund.recycle == "all" and fund.recycling_cap is None
        if all_of_it and self._state.facilities.sweeps:  # the lender's; what a sweep leaves is promised at its end
            return None
        due = self._calendar.add_months(record.day, self._config.reinvestment_delay)
        if due >= self._period_end:
            return [ReinvestmentDeclined(reason="period_over", amount_cents=cents, lot=record.seq)]
        if all_of_it:
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
