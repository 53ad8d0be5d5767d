"""Facts about the partners' capital and the fund's cash, in cents."""

from typing import Literal

from events.record import Fact


class CapitalCalled(Fact):
    """A capital call has been sent; it is paid on ``due_day``."""

    kind: Literal["capital.called/1"] = "capital.called/1"
    call: int
    amount_cents: int
    purpose: str
    due_day: int


class CapitalContributed(Fact):
    """The partners have paid a call."""

    kind: Literal["capital.contributed/1"] = "capital.contributed/1"
    call: int
    amount_cents: int
    lp_cents: int
    gp_cents: int
    purpose: str


class CapitalDeployed(Fact):
    """Called capital has bought ``loans`` loans; ``carried_cents`` waits for the next tranche."""

    kind: Literal["capital.deployed/1"] = "capital.deployed/1"
    call: int
    offered_cents: int
    amount_cents: int
    carried_cents: int
    loans: int


class CallDeclined(Fact):
    """A call was not made, or made for less, and why."""

    kind: Literal["call.declined/1"] = "call.declined/1"
    purpose: str
    wanted_cents: int
    callable_cents: int
    reason: Literal["nothing_uncalled"]


class CapitalDistributed(Fact):
    """Cash has gone to the partners, pro rata to what they paid in."""

    kind: Literal["capital.distributed/1"] = "capital.distributed/1"
    amount_cents: int
    lp_cents: int
    gp_cents: int


class CashInterestReceived(Fact):
    """Idle cash has earned interest, on each day's closing balance from ``from_day`` until this day."""

    kind: Literal["cash_interest.received/1"] = "cash_interest.received/1"
    amount_cents: int
    from_day: int


class NavReported(Fact):
    """Net asset value at a quarter's end: assets at valuation less liabilities."""

    kind: Literal["nav.reported/1"] = "nav.reported/1"
    nav_cents: int
    cash_cents: int
    reserve_cents: int
    loans_cents: int
    living_loans: int
