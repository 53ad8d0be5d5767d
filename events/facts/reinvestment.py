"""Facts about reinvestment. A lot is named by the seq of the record that brought its cash."""

from typing import Literal

from events.record import Fact


class ProceedsReleased(Fact):
    """The delay of a lot is over: its cash may be reinvested from now on."""

    kind: Literal["proceeds.released/1"] = "proceeds.released/1"
    lot: int
    amount_cents: int


class CapitalReinvested(Fact):
    """A check has bought loans; ``lots`` lists what each lot gave, ``target`` and ``actual`` are shares by zone,
    ``shortfall`` what each zone has had too little of (below zero: too much) over all reinvestments so far.
    """

    kind: Literal["capital.reinvested/1"] = "capital.reinvested/1"
    strategy: str
    offered_cents: int
    amount_cents: int
    carried_cents: int
    loans: int
    target: dict[str, float]
    actual: dict[str, float]
    gap: dict[str, float]
    shortfall: dict[str, int]
    lots: list[tuple[int, int]]
    remainder: Literal["none", "indivisible", "batch_limit"]


class ReinvestmentDeclined(Fact):
    """A check, or a due lot, led to no reinvestment; the cash carries forward or goes to the waterfall."""

    kind: Literal["reinvestment.declined/1"] = "reinvestment.declined/1"
    reason: Literal["below_minimum", "suspended", "period_over", "indivisible", "not_recycled"]
    amount_cents: int
    minimum_cents: int | None = None
    lot: int | None = None


class ReinvestmentSuspended(Fact):
    """No reinvestment until it is resumed."""

    kind: Literal["reinvestment.suspended/1"] = "reinvestment.suspended/1"


class ReinvestmentResumed(Fact):
    """Reinvestment goes on at the next check."""

    kind: Literal["reinvestment.resumed/1"] = "reinvestment.resumed/1"


class ReinvestmentPeriodEnded(Fact):
    """From this day on proceeds go to the partners; ``amount_cents`` is what lots still held."""

    kind: Literal["reinvestment_period.ended/1"] = "reinvestment_period.ended/1"
    amount_cents: int
