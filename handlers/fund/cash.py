"""Idle cash and what it earns; the report of net asset value."""

from collections.abc import Iterator
from itertools import pairwise

from fundclock.events.bus import Output
from fundclock.events.day_counts import YEAR
from fundclock.events.facts import CashInterestReceived, ConfigChanged, NavReported
from fundclock.events.parts import Part, Reactions
from fundclock.events.postings import ACCRUED_INTEREST, LOANS_AT_COST, UNREALISED_GAIN
from fundclock.events.record import Record
from fundclock.handlers.context import Context


class Treasury(Part):
    """Interest on cash, and the report of net asset value."""

    def __init__(self, context: Context) -> None:
        self._spreads = [(0, context.settings.fund.cash_yield_spread_bps / 10_000)]
        self._state = context.state
        self._settings = context.settings
        self._market = context.market

    def reactions(self) -> Reactions:
        """What it does when facts are recorded."""
        return {
            ConfigChanged: [self.note_spread_on_config_changed],
        }

    def note_spread_on_config_changed(self, record: Record, _fact: ConfigChanged) -> Output:
        """A new spread applies from its day on, not to earlier nights."""
        spread = self._settings.fund.cash_yield_spread_bps / 10_000
        if spread != self._spreads[-1][1]:
            self._spreads.append((record.day, spread))
        return None

    def credit_interest(self, day: int) -> Iterator[Output]:
        """Interest since the last posting: each night's closing balance × max(0, base rate + spread) / 365."""
        steps = self._state.ledger.idle_steps
        if not steps:
            return
        earned = 0.0
        for (since, spread), (until, _) in pairwise([*self._spreads, (day, 0.0)]):
            if until > steps[0][0]:
                for (first, cents), (last, _) in pairwise([*steps, (day, 0)]):
                    if cents:
                        earned += cents * self._market.rate_days(max(first, since), min(last, until), spread) / YEAR
        amount = round(earned)
        if amount:
            yield [CashInterestReceived(amount_cents=amount, from_day=steps[0][0])]

    def report_nav(self, _day: int) -> Iterator[Output]:
        """Net asset value by its parts."""
        ledger = self._state.ledger
        loans = sum(ledger.balances.get(account, 0) for account in (LOANS_AT_COST, ACCRUED_INTEREST, UNREALISED_GAIN))
        yield [
            NavReported(
                nav_cents=ledger.nav_cents(),
                cash_cents=ledger.cash_cents,
                reserve_cents=ledger.reserve_cents,
                loans_cents=loans,
                living_loans=self._state.book.performing + self._state.book.in_recovery,
            )
        ]
