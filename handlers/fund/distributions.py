"""Distributions: what may go out, and how the waterfall shares it."""

from collections.abc import Iterator

from events.bus import Output
from events.facts import CapitalDistributed, CarryReturned
from events.state import State
from events.units import split_pro_rata
from handlers.fund.fees import Fees, free_cash
from handlers.fund.partners import Partners
from handlers.fund.waterfall import Account, Split, distribute, preferred_balance
from handlers.settings import Settings


class Distributions:
    """Sends cash to the partners on payment days, and settles the carry at the end."""

    def __init__(
        self, state: State, settings: Settings, partners: Partners, fees: Fees, deployed_by: int, last_day: int
    ) -> None:
        """``deployed_by`` is the day after the last tranche of the deployment plan has been paid and spent."""
        self._deployed_by = deployed_by
        self._state = state
        self._settings = settings
        self._partners = partners
        self._fees = fees
        self._last_day = last_day

    def distribute(self, day: int) -> Iterator[Output]:
        """Cash goes out but what the next quarter's fees need; on the last day, all.

        In the reinvestment period only what is not recycled goes out, and only where something may not be.
        """
        fund = self._settings.fund
        amount = self._state.ledger.cash_cents
        if not self._state.lots.period_over:
            if fund.recycle == "all" and fund.recycling_cap is None:
                return
            amount = free_cash(self._state)
        undeployed = max(0, self._state.capital.undeployed_cents)
        if day < self._deployed_by:
            amount, undeployed = min(amount, max(0, self._state.ledger.cash_cents - undeployed)), 0
        if day < self._last_day:
            amount = max(0, amount - self._fees.holdback_cents(day))
        if amount:
            yield [self._fact(amount, day, min(amount, undeployed))]
        if day == self._last_day and self._settings.waterfall.clawback:
            yield from self._claw_back(day)

    def _split(self, amount: int, day: int) -> tuple[int, Split]:
        """The general partner's pari passu share, and the waterfall of the rest."""
        capital, config = self._state.capital, self._settings.waterfall
        lps, gp = split_pro_rata(amount, [capital.lp_contributed_cents, capital.gp_contributed_cents])
        return gp, distribute(lps, self._account(day), catch_up=config.catch_up, carry=config.carry)

    def _account(self, day: int) -> Account:
        """The limited partners' account: of the whole fund, or in the American style of its realised loans.

        The American style asks only for the contributions that realised loans have used, by their share of all cost.
        """
        capital, config = self._state.capital, self._settings.waterfall
        part = self._state.results.realised_share() if config.style == "american" else 1.0
        flows = [(when, cents * part if cents > 0 else cents) for when, cents in capital.hurdle_flows]
        unreturned = max(0, round(capital.lp_contributed_cents * part) - capital.capital_returned_cents)
        owed = preferred_balance(flows, day, config.hurdle)
        return Account(unreturned, max(0, owed - unreturned), capital.profit_cents, capital.carry_cents)

    def _fact(self, amount: int, day: int, undeployed: int) -> CapitalDistributed:
        gp, split = self._split(amount, day)
        fund = self._settings.fund
        return CapitalDistributed(
            amount_cents=amount,
            gp_cents=gp,
            lp_cents=split.to_lps,
            carry_cents=split.to_carry,
            capital_cents=split.capital,
            preferred_cents=split.preferred,
            catch_up_lp_cents=split.catch_up_lps,
            catch_up_carry_cents=split.catch_up_carry,
            split_lp_cents=split.split_lps,
            split_carry_cents=split.split_carry,
            undeployed_cents=undeployed,
            recallable_cents=split.capital if fund.recallable and not self._state.lots.period_over else 0,
            by_lp=self._partners.share_distribution(split.to_lps),
        )

    def _claw_back(self, day: int) -> Iterator[Output]:
        """Carry above what the whole life has earned comes back and goes to the limited partners."""
        capital, config = self._state.capital, self._settings.waterfall
        missing = max(0, preferred_balance(capital.hurdle_flows, day, config.hurdle))
        profit = capital.lp_distributed_cents + capital.carry_cents - capital.lp_contributed_cents
        earned = max(0, min(round(config.carry * max(0, profit)), capital.carry_cents - missing))
        excess = capital.carry_cents - earned
        if excess > 1:
            carry = capital.carry_cents
            yield [CarryReturned(amount_cents=excess, carry_cents=carry, earned_cents=earned)]
            yield [self._to_lps(excess, day)]

    def _to_lps(self, amount: int, day: int) -> CapitalDistributed:
        """Returned carry is the limited partners' alone; it makes up capital, then preferred return."""
        capital = self._state.capital
        unreturned = capital.lp_contributed_cents - capital.capital_returned_cents
        owed = max(0, preferred_balance(capital.hurdle_flows, day, self._settings.waterfall.hurdle))
        returned = min(amount, unreturned)
        preferred = min(amount - returned, max(0, owed - unreturned))
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
            recallable_cents=0,
            by_lp=self._partners.share_distribution(amount),
        )
