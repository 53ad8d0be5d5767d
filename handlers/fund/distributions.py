"""Distributions: what may be paid out, and how the waterfall shares it."""

from collections.abc import Iterator

from fundclock.events.bus import Output
from fundclock.events.facts import CapitalDistributed, CarryReturned
from fundclock.events.units import split_pro_rata
from fundclock.handlers.context import Context
from fundclock.handlers.fund.fees import Fees
from fundclock.handlers.fund.partners import Partners
from fundclock.handlers.fund.purse import free_cash
from fundclock.handlers.fund.waterfall import Account, account_of, distribute, moved_to_draws


class Distributions:
    """Sends cash to the partners on payment days, and settles the carry at the end."""

    def __init__(self, context: Context, partners: Partners, fees: Fees) -> None:
        self._state = context.state
        self._settings = context.settings
        self._partners = partners
        self._fees = fees
        self._last_day = context.last_day

    def distribute(self, day: int) -> Iterator[Output]:
        """Distribute all cash except what the next quarter's fees need; on the last day, everything.

        In the reinvestment period only cash that is not recycled is distributed, and only if some may not be recycled
        or the cash reserve could not keep it. Called capital that the reserve returns goes out in full. Debt is
        senior: nothing is distributed in a sweep or while a facility is in default.
        """
        if self._state.facilities.holds_cash_back and day != self._last_day:
            return
        fund, capital, lots = self._settings.fund, self._state.capital, self._state.lots
        free, undeployed = free_cash(self._state), capital.returning_cents
        if not lots.period_over and fund.recycle == "all" and fund.recycling_cap is None:
            amount = undeployed + min(lots.distributable_cents, free)
        else:
            undeployed += max(0, capital.undeployed_cents) if day >= self._partners.deployed_by else 0
            amount = max(0, free + undeployed - self._fees.holdback_cents(day))
        if day == self._last_day:
            amount = self._state.ledger.cash_cents
        if amount:
            yield [self._fact(amount, day, min(amount, undeployed))]
        if day == self._last_day and self._settings.waterfall.clawback:
            yield from self._claw_back(day)

    def _account(self, day: int, undeployed: int) -> Account:
        """The limited partners' account: of the whole fund, or in the American style of its realised loans.

        The American style asks only for the contributions that realised loans have used, by their share of all cost.
        ``undeployed`` cents come back to them on this day without having been lent.
        """
        capital, config = self._state.capital, self._settings.waterfall
        part = self._state.results.realised_share() if config.style == "american" else 1.0
        flows = [*capital.lp_paid_in, *moved_to_draws(self._state, config, day), (day, -undeployed)]
        paid_in = [(when, cents * part) for when, cents in flows]
        return account_of(paid_in, capital.lp_paid_out, capital.carry_cents, day, config.hurdle)

    def _fact(self, amount: int, day: int, undeployed: int) -> CapitalDistributed:
        capital, config, fund = self._state.capital, self._settings.waterfall, self._settings.fund
        paid_in = [capital.lp_contributed_cents, capital.gp_contributed_cents]
        back, gp_back = split_pro_rata(undeployed, paid_in)
        lps, gp = split_pro_rata(amount - undeployed, paid_in)
        split = distribute(lps, self._account(day, back), catch_up=config.catch_up, carry=config.carry)
        in_period = not self._state.lots.period_over
        return CapitalDistributed(
            amount_cents=amount,
            gp_cents=gp + gp_back,
            lp_cents=split.to_lps + back,
            carry_cents=split.to_carry,
            capital_cents=split.capital + back,
            preferred_cents=split.preferred,
            catch_up_lp_cents=split.catch_up_lps,
            catch_up_carry_cents=split.catch_up_carry,
            split_lp_cents=split.split_lps,
            split_carry_cents=split.split_carry,
            undeployed_cents=undeployed,
            lp_undeployed_cents=back,
            recallable_cents=split.capital + back if fund.recallable and in_period else 0,
            by_lp=self._partners.share_distribution(split.to_lps + back),
        )

    def _claw_back(self, day: int) -> Iterator[Output]:
        """Carry above what the whole life has earned comes back and goes to the limited partners."""
        capital, config = self._state.capital, self._settings.waterfall
        paid_in = [*capital.lp_paid_in, *moved_to_draws(self._state, config, day)]
        whole = account_of(paid_in, capital.lp_paid_out, capital.carry_cents, day, config.hurdle)
        missing = whole.unreturned_capital + whole.unpaid_preferred
        profit = capital.lp_distributed_cents + capital.carry_cents - capital.lp_contributed_cents
        earned = max(0, min(round(config.carry * max(0, profit)), capital.carry_cents - missing))
        excess = capital.carry_cents - earned
        if excess > 1:
            carry = capital.carry_cents
            yield [CarryReturned(amount_cents=excess, carry_cents=carry, earned_cents=earned)]
            yield [self._to_lps(excess, whole)]

    def _to_lps(self, amount: int, account: Account) -> CapitalDistributed:
        """Returned carry is the limited partners' alone; it makes up capital, then preferred return."""
        returned = min(amount, account.unreturned_capital)
        preferred = min(amount - returned, account.unpaid_preferred)
        return CapitalDistributed(
            amount_cents=amount,
            gp_cents=0,
            lp_cents=amount,
            carry_cents=0,
            capital_cents=returned,
            preferred_cents=preferred,
            catch_up_lp_cents=0,
            catch_up_carry_cents=0,
            split_lp_cents=amount - returned - preferred,
            split_carry_cents=0,
            undeployed_cents=0,
            lp_undeployed_cents=0,
            recallable_cents=0,
            by_lp=self._partners.share_distribution(amount),
        )
