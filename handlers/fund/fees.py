"""Fees and expenses: what is owed on which day, and how it is paid.

Paid from free cash (cash that is neither a lot of proceeds nor called for loans); then from the cash reserve, where
there is one; then from a call on the fee reserve; once that is exhausted, from proceeds; the
rest stays a payable and is retried.
"""

import math
from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise

from fundclock.events.bus import Output
from fundclock.events.day_counts import YEAR
from fundclock.events.facts import CapitalContributed, FeeAccrued, FeesPaid, FeesWaived
from fundclock.events.facts.fees import FEES
from fundclock.events.parts import Part, Reactions
from fundclock.events.postings import LOANS_AT_COST
from fundclock.events.record import Fact, Record
from fundclock.events.units import to_cents
from fundclock.handlers.context import Context
from fundclock.handlers.fund.partners import Partners
from fundclock.handlers.fund.purse import free_cash, from_lots, kept_in_lots


class Fees(Part):
    """Accrues fees on their days and pays them."""

    def __init__(self, context: Context, partners: Partners) -> None:
        self._state = context.state
        self._settings = context.settings
        self._calendar = context.calendar
        self._partners = partners
        self._period_end = context.period_end
        self._last_day = context.last_day
        starts = [0, *(day + 1 for day in context.calendar.period_ends("quarterly", 0, context.last_day - 2))]
        self._quarters = dict(pairwise([*starts, context.last_day]))
        self.payment_days: dict[int, list[int]] = {}
        for start in self._quarters:
            paid = min(context.calendar.add_business_days(start, 0), context.last_day)
            self.payment_days.setdefault(paid, []).append(start)
        self._expensed_until = 0
        years = range(1, 2 + math.ceil(context.settings.fund.term_years))
        self._anniversaries = [context.calendar.add_months(0, 12 * year) for year in years]

    def reactions(self) -> Reactions:
        """What it does when facts are recorded."""
        return {
            CapitalContributed: [self.pay_on_capital_contributed],
        }

    def charge(self, day: int) -> Iterator[Output]:
        """A quarter begins: its management fee, the last quarter's expenses, on the first day the set-up."""
        starts = self.payment_days[day]
        config = self._settings.fees
        facts: list[Fact] = []
        setup = to_cents(config.setup)
        if 0 in starts and setup:
            facts.append(FeeAccrued(fee="setup", amount_cents=setup, base_cents=setup, from_day=0, to_day=0))
        for start in starts:
            for first, last, base in self._management_bases(start, self._quarters[start]):
                amount = round(config.management * base * (last - first) / YEAR)
                if amount:
                    facts.append(
                        FeeAccrued(fee="management", amount_cents=amount, base_cents=base, from_day=first, to_day=last)
                    )
        yield facts + self._expenses_until(starts[-1])
        yield from self.pay(day)

    def close(self, day: int) -> Iterator[Output]:
        """The fund's last day: the expenses since the last quarter; what can't be paid now is waived."""
        yield self._expenses_until(day)
        yield from self.pay(day)
        owed = {fee: cents for fee, cents in self._state.capital.owed.items() if cents}
        if owed:
            yield [FeesWaived(amount_cents=sum(owed.values()), by_fee=owed)]

    def _expenses_until(self, day: int) -> list[Fact]:
        """Expenses since they were last charged: a share of commitments a year that grows each year."""
        first, self._expensed_until = self._expensed_until, day
        amount = round(self._expenses(first, day))
        if not amount:
            return []
        base = self._partners.total_cents
        return [FeeAccrued(fee="expenses", amount_cents=amount, base_cents=base, from_day=first, to_day=day)]

    def pay(self, day: int) -> Iterator[Output]:
        """Pay what is owed as far as the cash goes, and call what the fee reserve still allows.

        While a facility is in default, its lender comes first: fees wait and stay owed, until the last day at most.
        """
        if self._state.facilities.in_default and day != self._last_day:
            return
        facts = self._payments()
        if facts:
            yield facts
        owed = self._state.capital.owed_cents()
        callable_cents = self._partners.callable_for_fees_cents()
        if not owed or not callable_cents or self._calls_pending():
            return
        due = self._partners.call_due(day)
        if due >= self._last_day:
            return
        yield [self._partners.call(min(owed, callable_cents), "fees", due)]

    def pay_on_capital_contributed(self, _record: Record, fact: CapitalContributed) -> Output:
        """What a fee call has brought pays fees at once."""
        return self._payments() if fact.purpose == "fees" and not self._state.facilities.in_default else None

    def holdback_cents(self, day: int) -> int:
        """What a distribution leaves for what is owed and for the fees of the next quarter."""
        until = min(day + 92, self._last_day)
        bases = sum(base * (last - first) for first, last, base in self._management_bases(day, until))
        soon = self._settings.fees.management * bases / YEAR
        return self._state.capital.owed_cents() + round(soon + self._expenses(self._expensed_until, until))

    def _calls_pending(self) -> bool:
        return self._state.capital.fee_calls_pending > 0

    def _payments(self) -> list[Fact]:
        """The fact that pays fees in their order; proceeds are used only when nothing can be called any more."""
        lots = self._state.lots
        free, kept = free_cash(self._state), kept_in_lots(self._state)
        left = free + max(0, lots.reserved_cents - kept)
        if not self._partners.callable_for_fees_cents() and not self._calls_pending():
            left = free + max(0, lots.cents - kept)
        by_fee: dict[str, int] = {}
        for fee in FEES:
            amount = min(self._state.capital.owed[fee], left)
            if amount > 0:
                by_fee[fee] = amount
                left -= amount
        amount = sum(by_fee.values())
        if not amount:
            return []
        before, taken = from_lots(self._state, max(0, amount - free), "fees")
        return [*before, FeesPaid(amount_cents=amount, by_fee=by_fee, lots=taken)]

    def _invested(self) -> int:
        """The limited partners' part of the cost of loans that pay, in cents."""
        cost = self._state.ledger.balances[LOANS_AT_COST] - self._state.book.cost_in_recovery_cents
        return round(cost * self._partners.lp_cents / self._partners.total_cents)

    def _management_bases(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """(from, to, base): limited partners' commitments until the reinvestment period ends, then invested capital."""
        step = min(max(self._period_end, start), end)
        if start < step:
            yield start, step, self._partners.lp_cents
        if step < end:
            yield step, end, self._invested()

    def _expenses(self, first: int, last: int) -> float:
        """Expenses of the days in [first, last): commitments × rate × (1 + growth)^year / 365 a day."""
        total = 0.0
        config = self._settings.fees
        year = bisect_right(self._anniversaries, first)
        while first < last:
            until = min(last, self._anniversaries[year])
            rate = config.expenses * (1 + config.expense_growth) ** year
            total += self._partners.total_cents * rate * (until - first) / YEAR
            first = until
            year += 1
        return total
