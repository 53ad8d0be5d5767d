"""The partners: who has committed what, and how calls and distributions are shared among them."""

from fundclock.events.commands import PayCall
from fundclock.events.facts import CapitalCalled, PartnerDefaulted
from fundclock.events.record import Fact
from fundclock.events.units import split_pro_rata, to_cents
from fundclock.handlers.context import Context


class Partners:
    """Limited partners by name, and the general partner's own commitment.

    ``deployed_by`` is the day after the last tranche of the deployment plan has been paid and spent.
    """

    def __init__(self, context: Context) -> None:
        fund = context.settings.fund
        self._state = context.state
        self._settings = context.settings
        self._calendar = context.calendar
        self.total_cents = to_cents(fund.size)
        self.gp_cents = round(self.total_cents * fund.gp_commitment)
        self.lp_cents = self.total_cents - self.gp_cents
        shares = fund.limited_partners or {"lp": 1.0}
        self.commitments = dict(
            zip(shares, split_pro_rata(self.lp_cents, [round(s * 1e12) for s in shares.values()]), strict=True)
        )
        self.deployable_cents = round(self.total_cents * (1 - fund.fee_reserve))
        self.deployed_by = self.call_due(context.calendar.add_months(0, fund.deployment_months - 1)) + 1

    def call_due(self, day: int) -> int:
        """The day on which a call of today is paid: a business day, tomorrow at the earliest.

        Notices come after receipts in the day, so nothing that is called today can be received today.
        """
        due = self._calendar.add_business_days(day, self._settings.calls.notice_business_days)
        return due if due > day else self._calendar.add_business_days(day + 1, 0)

    def uncalled_cents(self) -> int:
        """Commitments that have not been called, and what was returned and may be called again."""
        capital = self._state.capital
        return self.total_cents + capital.recallable_cents - sum(capital.called.values())

    def callable_for_fees_cents(self) -> int:
        """What is left of the fee reserve; recallable distributions included.

        It also tops up the cash reserve, and pays interest and fees of facilities where other cash will not.
        """
        reserve = self.total_cents - self.deployable_cents + self._state.capital.recallable_cents
        called = self._state.capital.called
        used = called["fees"] + called["reserve"] + called["debt_service"]
        return max(0, min(reserve - used, self.uncalled_cents()))

    def on_the_way_cents(self, *purposes: str) -> int:
        """What has been called for these purposes and is not due yet."""
        calls = self._state.agenda.promises(PayCall)
        return sum(call.amount_cents for _, call in calls if call.purpose in purposes)

    def call(self, amount_cents: int, purpose: str, due_day: int) -> CapitalCalled:
        """The notice of the next call."""
        number = self._state.capital.calls + 1
        return CapitalCalled(call=number, amount_cents=amount_cents, purpose=purpose, due_day=due_day)

    def share_call(self, cents: int, lp_only_cents: int) -> tuple[int, dict[str, int]]:
        """The general partner's part of a call, and each limited partner's, by commitment.

        The general partner bears no management fee: ``lp_only_cents`` of the call are the limited partners'.
        Those that have defaulted are not called any more: their parts are not paid.
        """
        gp, lps = split_pro_rata(cents - lp_only_cents, [self.gp_cents, self.lp_cents])
        parts = _share(lps + lp_only_cents, self.commitments)
        return gp, {name: part for name, part in parts.items() if name not in self._state.capital.forfeits}

    def default(self, by_lp: dict[str, int], call: int) -> tuple[dict[str, int], list[Fact]]:
        """A call without those who will not pay it: what the others pay, up to the overcall limit, and the defaults."""
        terms = self._settings.calls
        defaulting = [name for name in self._state.capital.defaulting if name in by_lp]
        paid = {name: cents for name, cents in by_lp.items() if name not in defaulting}
        room = {name: int(cents * terms.overcall_limit) for name, cents in paid.items()}
        facts: list[Fact] = []
        for name in defaulting:
            covered = min(by_lp[name], sum(room.values()))
            for other, cents in _share(covered, room).items() if covered else ():
                paid[other] += cents
                room[other] -= cents
            facts.append(
                PartnerDefaulted(
                    partner=name,
                    call=call,
                    amount_cents=by_lp[name],
                    covered_cents=covered,
                    forfeit=terms.default_forfeit,
                )
            )
        return paid, facts

    def share_distribution(self, cents: int) -> dict[str, int]:
        """What each limited partner gets of a distribution to them: by what it paid in, less what it has forfeited."""
        capital = self._state.capital
        weights = {
            name: round(paid * (1 - capital.forfeits.get(name, 0.0)))
            for name, paid in capital.contributed_by_lp.items()
        }
        return _share(cents, weights if any(weights.values()) else capital.contributed_by_lp)


def _share(cents: int, weights: dict[str, int]) -> dict[str, int]:
    if not any(weights.values()):
        return dict.fromkeys(weights, 0)
    return dict(zip(weights, split_pro_rata(cents, list(weights.values())), strict=True))
