"""Idle cash: what it earns, and when it goes back to the partners."""

from collections.abc import Iterator
from itertools import pairwise

from events.bus import Output
from events.facts import CapitalDistributed, CashInterestReceived, NavReported
from events.postings import ACCRUED_INTEREST, LOANS_AT_COST, UNREALISED_GAIN
from events.state import State
from events.units import split_pro_rata
from handlers.ports import MarketView
from handlers.settings import Settings


class Treasury:
    """Interest on cash, distributions and the report of net asset value."""

    def __init__(self, state: State, settings: Settings, market: MarketView) -> None:
        self._state = state
        self._settings = settings
        self._market = market

    def credit_interest(self, day: int) -> Iterator[Output]:
        """Interest since the last posting: each night's closing balance × max(0, base rate + spread) / 365."""
        steps = self._state.ledger.idle_steps
        if not steps:
            return
        spread = self._settings.fund.cash_yield_spread_bps / 10_000
        earned = 0.0
        for (first, cents), (last, _) in pairwise([*steps, (day, 0)]):
            earned += cents * self._market.rate_days(first, last, spread) / 365
        amount = round(earned)
        if amount:
            yield [CashInterestReceived(amount_cents=amount, from_day=steps[0][0])]

    def distribute(self, _day: int) -> Iterator[Output]:
        """After the reinvestment period all cash goes to the partners, pro rata to what they paid in."""
        if not self._state.lots.period_over:
            return
        amount = self._state.ledger.cash_cents
        if amount > 0:
            results = self._state.results
            lp, gp = split_pro_rata(amount, [results.lp_contributed_cents, results.gp_contributed_cents])
            yield [CapitalDistributed(amount_cents=amount, lp_cents=lp, gp_cents=gp)]

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
