"""Which cash may be used for what: called, drawn and reserved cash kept apart, debt service first."""

from typing import NamedTuple

from fundclock.events.facts import ReserveDrawn
from fundclock.events.facts.reinvestment import DrawnFor
from fundclock.events.record import Fact
from fundclock.events.state import State


def own_cash(state: State) -> int:
    """Cash that is neither proceeds nor called or drawn for loans nor called capital on its way back; may be < 0."""
    capital, lots = state.capital, state.lots
    called = max(0, capital.undeployed_cents) + capital.returning_cents
    return state.ledger.cash_cents - lots.in_cash_cents - called - state.facilities.unlent_cents


def free_cash(state: State) -> int:
    """The part of ``own_cash`` that is not set aside for debt service or promised repayments either."""
    return max(0, own_cash(state) - state.facilities.kept_cents)


def kept_in_lots(state: State) -> int:
    """Proceeds that must be kept for lenders because other cash does not cover what is set aside for them."""
    kept = state.facilities.kept_cents
    return max(0, kept - max(0, own_cash(state))) if kept else 0


class Payment(NamedTuple):
    """Cash for a payment: ``before`` takes what is needed out of the reserve, ``lots`` are the proceeds in it."""

    amount_cents: int
    before: list[Fact]
    lots: list[tuple[int, int]]
    unlent_cents: int = 0


def service_payment(state: State, wanted: int) -> Payment:
    """Cash for interest and fees of facilities: all but called and drawn cash, proceeds last."""
    own = max(0, own_cash(state))
    amount = min(wanted, own + state.lots.cents)
    before, lots = from_lots(state, max(0, amount - own), "debt_service")
    return Payment(amount, before, lots)


def repayment(state: State, wanted: int, *, keep_buffer: bool = True) -> Payment:
    """Cash for principal: what debt service does not need; drawn cash that waits to be lent, then proceeds."""
    facilities = state.facilities
    kept = facilities.senior_cents if keep_buffer else facilities.owed_cents
    own = own_cash(state) - kept
    in_lots = max(0, state.lots.cents + min(0, own))
    free, unlent = max(0, own), max(0, facilities.unlent_cents)
    amount = max(0, min(wanted, free + unlent + in_lots))
    from_unlent = min(unlent, max(0, amount - free))
    before, lots = from_lots(state, max(0, amount - free - from_unlent), "repayment")
    return Payment(amount, before, lots, from_unlent)


def from_lots(state: State, cents: int, purpose: DrawnFor) -> tuple[list[Fact], list[tuple[int, int]]]:
    """Cash out of lots, those in the reserve first: the fact that takes it out of there, and the lots."""
    lots = state.lots
    drawn = min(cents, lots.reserved_cents)
    if not drawn:
        return [], lots.take_any(cents) if cents else []
    left = lots.reserved_cents - drawn
    taken = lots.take(drawn)
    fact = ReserveDrawn(purpose=purpose, amount_cents=drawn, lots=taken, reserve_cents=left)
    return [fact], lots.take_any(cents)
