"""Facts about the partners' capital and the fund's cash, in cents."""

from typing import Literal

from fundclock.events.record import Fact


class CapitalCalled(Fact):
    """A capital call has been sent; it is paid on ``due_day``."""

    kind: Literal["capital.called/1"] = "capital.called/1"
    call: int
    amount_cents: int
    purpose: str
    due_day: int


class CapitalContributed(Fact):
    """The partners have paid a call; ``by_lp`` says what each limited partner paid."""

    kind: Literal["capital.contributed/1"] = "capital.contributed/1"
    call: int
    amount_cents: int
    lp_cents: int
    gp_cents: int
    by_lp: dict[str, int]
    purpose: str


class PartnerDefaulted(Fact):
    """A limited partner has not paid a call: the others cover ``covered_cents``, the rest is not paid.

    From now on it is not called, and ``forfeit`` of its share of distributions goes to the others.
    """

    kind: Literal["partner.defaulted/1"] = "partner.defaulted/1"
    partner: str
    call: int
    amount_cents: int
    covered_cents: int
    forfeit: float


class DefaultAnnounced(Fact):
    """A script says that this limited partner will not pay the next call that is due."""

    kind: Literal["default.announced/1"] = "default.announced/1"
    partner: str


class CapitalDeployed(Fact):
    """Called capital has bought ``loans`` loans; ``carried_cents`` waits for the next tranche.

    ``shortfall`` is what each zone has had too little of (below zero: too much) over all tranches so far.
    """

    kind: Literal["capital.deployed/1"] = "capital.deployed/1"
    call: int
    offered_cents: int
    amount_cents: int
    carried_cents: int
    loans: int
    shortfall: dict[str, int]


class CallDeclined(Fact):
    """A call was not made, or made for less, and why."""

    kind: Literal["call.declined/1"] = "call.declined/1"
    purpose: str
    wanted_cents: int
    callable_cents: int
    reason: Literal["nothing_uncalled", "due_after_the_end"]


class CapitalDistributed(Fact):
    """Cash has gone to the partners. The general partner's commitment shares pari passu (``gp_cents``); the rest
    runs through the waterfall, whose tiers are listed: ``lp_cents`` and ``carry_cents`` are their sums.
    ``undeployed_cents`` of it had been called for loans and comes back outside the waterfall, ``lp_undeployed_cents``
    to the limited partners (inside ``lp_cents`` and ``capital_cents``); ``recallable_cents`` may be called again.
    """

    kind: Literal["capital.distributed/1"] = "capital.distributed/1"
    amount_cents: int
    gp_cents: int
    lp_cents: int
    carry_cents: int
    capital_cents: int
    preferred_cents: int
    catch_up_lp_cents: int
    catch_up_carry_cents: int
    split_lp_cents: int
    split_carry_cents: int
    undeployed_cents: int
    lp_undeployed_cents: int
    recallable_cents: int
    by_lp: dict[str, int]


class CarryReturned(Fact):
    """The clawback: carry that the fund's whole life did not earn has come back from the general partner."""

    kind: Literal["carry.returned/1"] = "carry.returned/1"
    amount_cents: int
    carry_cents: int
    earned_cents: int


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
