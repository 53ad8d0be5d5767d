"""What scripts may do: shocks to the market, and stopping or resuming reinvestment."""

from fundclock.events.bus import Output, Rejected
from fundclock.events.commands import (
    DefaultOnCall,
    ResumeReinvestment,
    ShockLiquidity,
    ShockNav,
    ShockPrice,
    ShockRate,
    SuspendReinvestment,
)
from fundclock.events.facts import (
    DefaultAnnounced,
    LiquidityShocked,
    NavShocked,
    PriceShocked,
    RateShocked,
    ReinvestmentResumed,
    ReinvestmentSuspended,
)
from fundclock.events.parts import Commands, Part
from fundclock.handlers.context import Context


class Interventions(Part):
    """Handlers of the scripted commands that need only the state."""

    def __init__(self, context: Context) -> None:
        self._state = context.state

    def commands(self) -> Commands:
        """The commands that it carries out."""
        return {
            DefaultOnCall: self.default_on_call,
            ShockNav: self.shock_nav,
            ShockLiquidity: self.shock_liquidity,
            ShockPrice: self.shock_price,
            ShockRate: self.shock_rate,
            SuspendReinvestment: self.suspend_reinvestment,
            ResumeReinvestment: self.resume_reinvestment,
        }

    def shock_price(self, _day: int, command: ShockPrice) -> Output:
        """Move prices of one zone, or of all."""
        zones = self._state.book.zones if command.zone is None else [command.zone]
        return [PriceShocked(change=command.change, zones=list(zones))]

    def shock_rate(self, _day: int, command: ShockRate) -> Output:
        """Move the base rate."""
        return [RateShocked(change=command.change)]

    def shock_nav(self, _day: int, command: ShockNav) -> Output:
        """Move valuations."""
        return [NavShocked(change=command.change)]

    def shock_liquidity(self, _day: int, command: ShockLiquidity) -> Output:
        """Move the rate of exits."""
        return [LiquidityShocked(change=command.change)]

    def default_on_call(self, _day: int, command: DefaultOnCall) -> Output | Rejected:
        """A limited partner will not pay the next call."""
        capital = self._state.capital
        if command.partner in capital.forfeits or command.partner in capital.defaulting:
            return Rejected(f"{command.partner} has defaulted already")
        return [DefaultAnnounced(partner=command.partner)]

    def suspend_reinvestment(self, _day: int, _command: SuspendReinvestment) -> Output | Rejected:
        """Stop reinvesting."""
        if self._state.lots.suspended:
            return Rejected("reinvestment is suspended already")
        return [ReinvestmentSuspended()]

    def resume_reinvestment(self, _day: int, _command: ResumeReinvestment) -> Output | Rejected:
        """Reinvest again."""
        if not self._state.lots.suspended:
            return Rejected("reinvestment is not suspended")
        return [ReinvestmentResumed()]
