"""Facts about reinvestment and its cash reserve. A lot is named by the seq of the record that brought its cash."""

from typing import Literal

from pydantic import JsonValue

from fundclock.events.record import Fact

DeclineReason = Literal[
    "below_minimum",
    "suspended",
    "period_over",
    "indivisible",
    "not_recycled",
    "reserve_below_target",
    "no_zone",
    "insufficient_cash",
    "sweep",
    "debt_service_buffer",
    "circuit_breaker",
    "risk_multiplier",
]
ReleasePurpose = Literal["reinvestment", "distribution", "period_over", "disabled"]
DrawnFor = Literal["fees", "debt_service", "repayment"]
Trigger = Literal["check", "release", "resumed", "reserve_max", "manual"]
"""What led to a check: its day, a lot on that day, the end of a suspension, a reserve above its maximum, a script."""


class ProceedsReleased(Fact):
    """The delay of a lot is over: its cash may be reinvested from now on. With a reserve, see ``ReserveFilled``."""

    kind: Literal["proceeds.released/1"] = "proceeds.released/1"
    lot: int
    amount_cents: int


class CapitalReinvested(Fact):
    """A check has bought loans; ``lots`` lists what each lot gave, ``by_source`` its sums by what brought the cash.

    ``target`` and ``actual`` are shares by zone and ``gap`` is actual − target; ``shortfall`` is what each zone has
    had too little of (below zero: too much) over the reinvestments so far, ``carried_cents`` what is left of the offer.
    ``refused_cents`` were not offered, because the state of the market left no room for them.
    """

    kind: Literal["capital.reinvested/1"] = "capital.reinvested/1"
    trigger: Trigger
    strategy: str
    offered_cents: int
    amount_cents: int
    carried_cents: int
    refused_cents: int = 0
    loans: int
    loan_ids: list[str]
    target: dict[str, float]
    actual: dict[str, float]
    gap: dict[str, float]
    shortfall: dict[str, int]
    lots: list[tuple[int, int]]
    by_source: dict[str, int]
    details: dict[str, JsonValue]


class ReinvestmentDeclined(Fact):
    """A check, or a due lot, led to no reinvestment, and why; the cash carries forward or goes to the waterfall.

    ``minimum_cents`` is what the amount should have reached; ``available_cents`` and ``shortfall_cents`` say what
    a manual reinvestment found and lacked.
    """

    kind: Literal["reinvestment.declined/1"] = "reinvestment.declined/1"
    reason: DeclineReason
    amount_cents: int
    minimum_cents: int | None = None
    lot: int | None = None
    trigger: Trigger | None = None
    available_cents: int | None = None
    shortfall_cents: int | None = None


class BatchCut(Fact):
    """A check would have bought more than ``limit`` loans; ``left_cents`` were not spent because of it."""

    kind: Literal["batch.cut/1"] = "batch.cut/1"
    limit: int
    left_cents: int


class ProceedsCarried(Fact):
    """What a check has left of its offer waits for the next check, and why."""

    kind: Literal["proceeds.carried/1"] = "proceeds.carried/1"
    amount_cents: int
    reason: Literal["indivisible", "batch_limit"]


class AllocationAdjusted(Fact):
    """Shares moved by what loans that paid off after ``after_day`` have earned.

    ``performance`` is their annualised return by zone (None without any), ``loans`` how many they were,
    ``adjustments`` what was added to the shares ``before`` they were floored and scaled to ``after``.
    """

    kind: Literal["allocation.adjusted/1"] = "allocation.adjusted/1"
    after_day: int
    performance: dict[str, float | None]
    loans: dict[str, int]
    adjustments: dict[str, float]
    before: dict[str, float]
    after: dict[str, float]


class ReserveFilled(Fact):
    """Cash has gone into the reserve: proceeds whose delay is over (``lots`` says whose), or a call (its own lot)."""

    kind: Literal["reserve.filled/1"] = "reserve.filled/1"
    source: Literal["proceeds", "call"]
    amount_cents: int
    lots: list[tuple[int, int]]
    reserve_cents: int


class ReserveReleased(Fact):
    """Cash has left the reserve to buy loans, to go to the partners, or because there is no reserve any more.

    ``called_cents`` of it had been called into the reserve and never lent.
    """

    kind: Literal["reserve.released/1"] = "reserve.released/1"
    purpose: ReleasePurpose
    amount_cents: int
    called_cents: int = 0
    lots: list[tuple[int, int]]
    reserve_cents: int


class ReserveDrawn(Fact):
    """The reserve pays for something that had to be paid."""

    kind: Literal["reserve.drawn/1"] = "reserve.drawn/1"
    purpose: DrawnFor
    amount_cents: int
    lots: list[tuple[int, int]]
    reserve_cents: int


class RiskAssessed(Fact):
    """The book's risk before and after a reinvestment (see ``handlers.risk.measures``); None for an empty book."""

    kind: Literal["risk.assessed/1"] = "risk.assessed/1"
    zones_before: dict[str, float]
    zones_after: dict[str, float]
    before: dict[str, float] | None
    after: dict[str, float]
    change: dict[str, float] | None
    diversification_impact: float | None
    risk_adjusted_return_impact: float | None


class ReinvestmentSuspended(Fact):
    """No reinvestment until it is resumed."""

    kind: Literal["reinvestment.suspended/1"] = "reinvestment.suspended/1"


class ReinvestmentResumed(Fact):
    """Reinvestment goes on at the next check."""

    kind: Literal["reinvestment.resumed/1"] = "reinvestment.resumed/1"


class ReinvestmentPeriodEnded(Fact):
    """From this day on proceeds go to the partners; ``amount_cents`` is what lots still held.

    ``called_cents`` of it had been called into the reserve, had left it, and were never lent.
    """

    kind: Literal["reinvestment_period.ended/1"] = "reinvestment_period.ended/1"
    amount_cents: int
    called_cents: int = 0
