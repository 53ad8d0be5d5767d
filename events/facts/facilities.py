"""Facts about debt facilities, in cents. A facility is named by its key in the config, like ``green_sleeve``."""

from typing import Literal

from fundclock.events.record import Fact

DrawRefusal = Literal["nothing_available", "draw_period_over", "in_cure", "in_default", "sweep", "matured"]
RepaymentReason = Literal[
    "call", "clean_down", "deleveraging", "sweep", "cure", "prepayment", "default", "maturity", "fund_end", "manual"
]


class FacilityOpened(Fact):
    """A facility can be drawn from today on; ``upfront_fee_cents`` is owed with the first debt service.

    ``spread`` and ``commitment_fee`` are annual decimals; ``draw_end_day`` is the first day without draws.
    """

    kind: Literal["facility.opened/1"] = "facility.opened/1"
    facility: str
    facility_type: Literal["nav", "subscription"]
    commitment_cents: int
    ceiling_cents: int
    advance_rate: float
    spread: float
    commitment_fee: float
    upfront_fee_cents: int
    draw_end_day: int
    maturity_day: int
    extensions: int


class FacilityRaised(Fact):
    """The lender has raised its commitment, at most to the ceiling; the upfront fee is owed on the increase."""

    kind: Literal["facility.raised/1"] = "facility.raised/1"
    facility: str
    commitment_cents: int
    upfront_fee_cents: int


class FacilityDrawn(Fact):
    """Cash has come from the lender; ``available_cents`` is what could be drawn, ``balance_cents`` is after it.

    ``asked_cents`` is what the notice asked for: less comes where less is available on the day.
    """

    kind: Literal["facility.drawn/1"] = "facility.drawn/1"
    facility: str
    purpose: Literal["target", "bridge", "manual"]
    asked_cents: int
    amount_cents: int
    balance_cents: int
    available_cents: int


class DrawDeclined(Fact):
    """The lender does not pay a draw that was asked for, and why."""

    kind: Literal["draw.declined/1"] = "draw.declined/1"
    facility: str
    purpose: str
    asked_cents: int
    available_cents: int
    reason: DrawRefusal


class DrawLent(Fact):
    """Drawn cash has bought loans; ``kept_cents`` of it fill the buffer for debt service, ``carried_cents`` wait.

    ``reason`` says what the state of the market leaves no room for, where that is why.
    """

    kind: Literal["draw.lent/1"] = "draw.lent/1"
    facility: str
    offered_cents: int
    kept_cents: int
    amount_cents: int
    carried_cents: int
    loans: int
    shortfall: dict[str, int]
    reason: Literal["circuit_breaker", "risk_multiplier"] | None = None


class FacilityRepaid(Fact):
    """Principal has gone back to the lender, and why; ``lots`` lists the proceeds that were used.

    ``draws`` are the (day, cents) of the draws that this pays back, oldest first.
    """

    kind: Literal["facility.repaid/1"] = "facility.repaid/1"
    facility: str
    reason: RepaymentReason
    amount_cents: int
    balance_cents: int
    unlent_cents: int
    lots: list[tuple[int, int]]
    draws: list[tuple[int, int]]


class FacilityInterestAccrued(Fact):
    """Interest on the daily balance and the fee on the daily undrawn commitment, for the days in [from_day, to_day).

    ``segments`` are their terms, where nothing changed in between: first day, day after the last, balance, undrawn,
    annual rate with the spread (compounded: the rate that simple interest would need).
    """

    kind: Literal["facility_interest.accrued/1"] = "facility_interest.accrued/1"
    facility: str
    from_day: int
    to_day: int
    due_day: int
    interest_cents: int
    fee_cents: int
    segments: list[tuple[int, int, int, int, float]]


class DebtServicePaid(Fact):
    """Interest and fees that were owed are paid; ``lots`` lists the proceeds that were used."""

    kind: Literal["debt_service.paid/1"] = "debt_service.paid/1"
    facility: str
    interest_cents: int
    fee_cents: int
    lots: list[tuple[int, int]]


class BufferSet(Fact):
    """So much cash is kept for debt service from now on: a multiple of the next quarter's interest and fees."""

    kind: Literal["buffer.set/1"] = "buffer.set/1"
    buffer_cents: int
    next_service_cents: int


class PaymentDefaulted(Fact):
    """A payment day has passed and ``unpaid_cents`` of interest and fees, or of principal, are still owed."""

    kind: Literal["payment.defaulted/1"] = "payment.defaulted/1"
    facility: str
    what: Literal["service", "principal"]
    unpaid_cents: int


class DrawPeriodEnded(Fact):
    """Nothing can be drawn from today on."""

    kind: Literal["draw_period.ended/1"] = "draw_period.ended/1"
    facility: str
    balance_cents: int


class FacilityExtended(Fact):
    """The fund has used an option: the facility matures later."""

    kind: Literal["facility.extended/1"] = "facility.extended/1"
    facility: str
    maturity_day: int
    extensions_left: int


class FacilityMatured(Fact):
    """The facility's last day: nothing can be drawn any more; what is still owed is due."""

    kind: Literal["facility.matured/1"] = "facility.matured/1"
    facility: str
    balance_cents: int


class FacilityWrittenOff(Fact):
    """The fund is at its end and its cash is gone: what it still owes is the lender's loss."""

    kind: Literal["facility.written_off/1"] = "facility.written_off/1"
    facility: str
    principal_cents: int
    interest_cents: int
    fee_cents: int
