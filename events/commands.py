"""Commands: what has been asked for, in the imperative, each with one handler.

A command is recorded only inside ``command.scheduled/1`` or ``command.rejected/1``.
``phase`` is the phase of the day in which it is carried out and ``business_key`` its
place among the commands of one day and phase.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, JsonValue

from fundclock.events.phases import Phase
from fundclock.events.record import Message

DrawPurpose = Literal["target", "bridge", "manual"]


class Command(Message):
    """Something that is to happen."""

    phase: ClassVar[Phase]

    @property
    def business_key(self) -> str:
        """What orders commands of one day and phase; the promise's seq decides among equal keys."""
        return ""


class ReinvestProceeds(Command):
    """Make proceeds available for reinvestment; ``lot`` is the seq of the record that brought the cash."""

    phase = Phase.reinvestment
    kind: Literal["proceeds.reinvest/1"] = "proceeds.reinvest/1"
    lot: int
    source: str
    amount_cents: int


class Reinvest(Command):
    """Reinvest an amount today, independent of the checks; None means as in the settings."""

    phase = Phase.reinvestment
    kind: Literal["capital.reinvest/1"] = "capital.reinvest/1"
    amount_cents: int
    strategy: str | None = None
    source: str | None = None
    source_details: dict[str, JsonValue] = Field(default_factory=dict)
    zone_preference_multipliers: dict[str, float] | None = None
    enable_dynamic_allocation: bool | None = None


class CheckReserve(Command):
    """Settings have put the reserve above its maximum: check on this day."""

    phase = Phase.reinvestment
    kind: Literal["reserve.check/1"] = "reserve.check/1"


class CollectRecovery(Command):
    """Collect what a defaulted loan recovers."""

    phase = Phase.receipts
    kind: Literal["recovery.collect/1"] = "recovery.collect/1"
    loan_id: str

    @property
    def business_key(self) -> str:
        """The loan."""
        return self.loan_id


class PayCall(Command):
    """The partners pay a capital call on its due day."""

    phase = Phase.receipts
    kind: Literal["call.pay/1"] = "call.pay/1"
    call: int
    amount_cents: int
    lp_only_cents: int
    purpose: str


class DefaultOnCall(Command):
    """A limited partner will not pay the next call that is due."""

    phase = Phase.market
    kind: Literal["partner.default/1"] = "partner.default/1"
    partner: str


class OriginateLoans(Command):
    """Buy loans with the capital of a call."""

    phase = Phase.originations
    kind: Literal["loans.originate/1"] = "loans.originate/1"
    call: int


class FacilityCommand(Command):
    """A command about a facility."""

    facility: str

    @property
    def business_key(self) -> str:
        """The facility."""
        return self.facility


class RequestDraw(FacilityCommand):
    """Give notice of a draw."""

    phase = Phase.notices
    kind: Literal["draw.request/1"] = "draw.request/1"
    amount_cents: int


class DrawFacility(FacilityCommand):
    """The lender pays a draw that was asked for."""

    phase = Phase.receipts
    kind: Literal["facility.draw/1"] = "facility.draw/1"
    amount_cents: int
    purpose: DrawPurpose


class LendDraw(FacilityCommand):
    """Buy loans with drawn cash."""

    phase = Phase.originations
    kind: Literal["draw.lend/1"] = "draw.lend/1"


class RequestRepayment(FacilityCommand):
    """Give notice of a repayment."""

    phase = Phase.notices
    kind: Literal["repayment.request/1"] = "repayment.request/1"
    amount_cents: int


class RepayFacility(FacilityCommand):
    """Repay principal of which notice was given."""

    phase = Phase.debt_service
    kind: Literal["facility.repay/1"] = "facility.repay/1"
    amount_cents: int
    reason: Literal["deleveraging", "manual"]


class EndDraws(FacilityCommand):
    """The last day for draws is over."""

    phase = Phase.tests
    kind: Literal["draws.end/1"] = "draws.end/1"


class MatureFacility(FacilityCommand):
    """The facility's maturity: extend it, or pay it back."""

    phase = Phase.debt_service
    kind: Literal["facility.mature/1"] = "facility.mature/1"


class CleanDown(FacilityCommand):
    """Call the capital that pays back what was drawn on ``draw_day``."""

    phase = Phase.notices
    kind: Literal["facility.clean_down/1"] = "facility.clean_down/1"
    draw_day: int


class CheckCleanDown(FacilityCommand):
    """What was drawn on ``draw_day`` must be paid back by today."""

    phase = Phase.tests
    kind: Literal["clean_down.check/1"] = "clean_down.check/1"
    draw_day: int


class RemedyBreach(FacilityCommand):
    """Repay, and call what it takes, to cure the failing tests."""

    phase = Phase.cure
    kind: Literal["breach.remedy/1"] = "breach.remedy/1"


class EndCure(FacilityCommand):
    """The cure period is over."""

    phase = Phase.cure
    kind: Literal["cure.end/1"] = "cure.end/1"


class SweepCash(Command):
    """What has come in goes to the lenders that sweep."""

    phase = Phase.cure
    kind: Literal["cash.sweep/1"] = "cash.sweep/1"

    @property
    def business_key(self) -> str:
        """After what is due for single facilities."""
        return "~"


class CallCapital(Command):
    """Call capital of the partners, to be lent."""

    phase = Phase.notices
    kind: Literal["capital.call/1"] = "capital.call/1"
    amount_cents: int


class ShockNav(Command):
    """Scale valuations of loans at once by ``change``; cash flows are unchanged."""

    phase = Phase.market
    kind: Literal["nav.shock/1"] = "nav.shock/1"
    change: float


class ShockLiquidity(Command):
    """Make exits rarer (``change`` below 0) or more frequent."""

    phase = Phase.market
    kind: Literal["liquidity.shock/1"] = "liquidity.shock/1"
    change: float


class SetConfig(Command):
    """Give settings other values, all at once; dotted keys."""

    phase = Phase.market
    kind: Literal["config.set/1"] = "config.set/1"
    changes: dict[str, JsonValue]


class ShockPrice(Command):
    """Move property prices at once by ``change`` (-0.2 is a fall of a fifth), in one zone or in all."""

    phase = Phase.market
    kind: Literal["price.shock/1"] = "price.shock/1"
    change: float
    zone: str | None = None


class ShockRate(Command):
    """Move the base rate at once by ``change`` (0.02 is 200 basis points)."""

    phase = Phase.market
    kind: Literal["rate.shock/1"] = "rate.shock/1"
    change: float


class SuspendReinvestment(Command):
    """Stop reinvesting until told to resume."""

    phase = Phase.market
    kind: Literal["reinvestment.suspend/1"] = "reinvestment.suspend/1"


class ResumeReinvestment(Command):
    """Reinvest again."""

    phase = Phase.market
    kind: Literal["reinvestment.resume/1"] = "reinvestment.resume/1"


class SellLoan(Command):
    """Settle the sale of a loan to someone else, at a haircut on what it would pay today."""

    phase = Phase.exits
    kind: Literal["loan.sell/1"] = "loan.sell/1"
    loan_id: str
    haircut: float

    @property
    def business_key(self) -> str:
        """The loan."""
        return self.loan_id


class TripBreaker(Command):
    """Stop all deployment, as the circuit breaker does."""

    phase = Phase.market
    kind: Literal["breaker.trip/1"] = "breaker.trip/1"


class ClearBreaker(Command):
    """Reset the circuit breaker."""

    phase = Phase.market
    kind: Literal["breaker.clear/1"] = "breaker.clear/1"


class ExpireBreaker(Command):
    """The circuit breaker's term is over."""

    phase = Phase.market
    kind: Literal["breaker.expire/1"] = "breaker.expire/1"


class SetVolatility(Command):
    """Put the market into a volatility state; None lets it follow prices again."""

    phase = Phase.market
    kind: Literal["volatility_state.set/1"] = "volatility_state.set/1"
    state: Literal["low", "medium", "high", "extreme"] | None


class SetTransactionCost(Command):
    """Put transaction costs at a level."""

    phase = Phase.market
    kind: Literal["transaction_cost.set/1"] = "transaction_cost.set/1"
    level: float


AnyCommand = Annotated[
    ReinvestProceeds
    | Reinvest
    | CheckReserve
    | CollectRecovery
    | PayCall
    | DefaultOnCall
    | OriginateLoans
    | RequestDraw
    | DrawFacility
    | LendDraw
    | RequestRepayment
    | RepayFacility
    | EndDraws
    | MatureFacility
    | CleanDown
    | CheckCleanDown
    | RemedyBreach
    | EndCure
    | SweepCash
    | CallCapital
    | ShockNav
    | ShockLiquidity
    | SetConfig
    | ShockPrice
    | ShockRate
    | SuspendReinvestment
    | ResumeReinvestment
    | SellLoan
    | TripBreaker
    | ClearBreaker
    | ExpireBreaker
    | SetVolatility
    | SetTransactionCost,
    Field(discriminator="kind"),
]
"""Any command, told apart by its wire name."""
