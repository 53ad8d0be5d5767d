"""Double entry: the debit and credit legs of every fact that moves money.

A leg is ``(account, cents)``, debits above zero and credits below. The legs of a fact sum
to zero. Account names follow the five-root convention of plain-text accounting.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from fundclock.events.facts import (
    BookValued,
    CapitalContributed,
    CapitalDistributed,
    CarryReturned,
    CashInterestReceived,
    DebtServicePaid,
    FacilityDrawn,
    FacilityInterestAccrued,
    FacilityOpened,
    FacilityRaised,
    FacilityRepaid,
    FacilityWrittenOff,
    FeeAccrued,
    FeesPaid,
    FeesWaived,
    LoanDefaulted,
    LoanExited,
    LoanInterestPaid,
    LoanOriginated,
    LoanRecovered,
    OriginationFeeReceived,
    ReserveDrawn,
    ReserveFilled,
    ReserveReleased,
)
from fundclock.events.record import Fact

CASH = "Assets:Cash"
RESERVE = "Assets:Reserve"
LOANS_AT_COST = "Assets:Loans:Cost"
ACCRUED_INTEREST = "Assets:Loans:AccruedInterest"
UNREALISED_GAIN = "Assets:Loans:UnrealisedGain"
LP_CONTRIBUTIONS = "Equity:LP:Contributions"
LP_DISTRIBUTIONS = "Equity:LP:Distributions"
GP_CONTRIBUTIONS = "Equity:GP:Contributions"
GP_DISTRIBUTIONS = "Equity:GP:Distributions"
CARRY = "Equity:GP:Carry"
FEES_PAYABLE = "Liabilities:FeesPayable"
ORIGINATION_FEES = "Income:OriginationFees"
FEE_EXPENSE = {
    "setup": "Expenses:Setup",
    "management": "Expenses:ManagementFee",
    "expenses": "Expenses:Operating",
    "origination": "Expenses:OriginationFee",
}
LOAN_INTEREST = "Income:LoanInterest"
REALISED_GAIN = "Income:RealisedGain"
CHANGE_IN_UNREALISED = "Income:ChangeInUnrealisedGain"
CASH_INTEREST = "Income:CashInterest"
FACILITY_INTEREST = "Expenses:FacilityInterest"
FACILITY_FEES = "Expenses:FacilityFees"
DEBT_FORGIVEN = "Income:DebtForgiven"
FACILITY_PRINCIPAL = "Liabilities:Facility:"
FACILITY_PAYABLE = "Liabilities:FacilityPayable:"
"""What a facility has lent, and the interest and fees that it is owed: one account each, by its name."""

Legs = tuple[tuple[str, int], ...]


def _originated(fact: LoanOriginated) -> Legs:
    return ((LOANS_AT_COST, fact.principal_cents), (CASH, -fact.principal_cents))


def _paid_off(fact: LoanExited | LoanRecovered) -> Legs:
    interest = fact.interest_cents - fact.carried_interest_cents
    return (
        (CASH, fact.proceeds_cents),
        (LOANS_AT_COST, -fact.principal_cents),
        (ACCRUED_INTEREST, -fact.carried_interest_cents),
        (UNREALISED_GAIN, -fact.carried_gain_cents),
        (LOAN_INTEREST, -interest),
        (REALISED_GAIN, -fact.gain_cents),
        (CHANGE_IN_UNREALISED, fact.carried_gain_cents),
    )


def _revalued(fact: LoanDefaulted | BookValued) -> Legs:
    return (
        (ACCRUED_INTEREST, fact.interest_change_cents),
        (LOAN_INTEREST, -fact.interest_change_cents),
        (UNREALISED_GAIN, fact.gain_change_cents),
        (CHANGE_IN_UNREALISED, -fact.gain_change_cents),
    )


def _interest_paid(fact: LoanInterestPaid) -> Legs:
    return (
        (CASH, fact.amount_cents),
        (ACCRUED_INTEREST, -fact.carried_interest_cents),
        (LOAN_INTEREST, fact.carried_interest_cents - fact.amount_cents),
    )


def _contributed(fact: CapitalContributed) -> Legs:
    return ((CASH, fact.amount_cents), (LP_CONTRIBUTIONS, -fact.lp_cents), (GP_CONTRIBUTIONS, -fact.gp_cents))


def _distributed(fact: CapitalDistributed) -> Legs:
    return (
        (CASH, -fact.amount_cents),
        (LP_DISTRIBUTIONS, fact.lp_cents),
        (GP_DISTRIBUTIONS, fact.gp_cents),
        (CARRY, fact.carry_cents),
    )


def _carry_returned(fact: CarryReturned) -> Legs:
    return ((CASH, fact.amount_cents), (CARRY, -fact.amount_cents))


def _fee_accrued(fact: FeeAccrued) -> Legs:
    return ((FEE_EXPENSE[fact.fee], fact.amount_cents), (FEES_PAYABLE, -fact.amount_cents))


def _fees_paid(fact: FeesPaid) -> Legs:
    return ((FEES_PAYABLE, fact.amount_cents), (CASH, -fact.amount_cents))


def _fees_waived(fact: FeesWaived) -> Legs:
    back = tuple((FEE_EXPENSE[fee], -cents) for fee, cents in fact.by_fee.items())
    return ((FEES_PAYABLE, fact.amount_cents), *back)


def _origination_fee(fact: OriginationFeeReceived) -> Legs:
    return ((CASH, fact.amount_cents), (ORIGINATION_FEES, -fact.amount_cents))


def _cash_interest(fact: CashInterestReceived) -> Legs:
    return ((CASH, fact.amount_cents), (CASH_INTEREST, -fact.amount_cents))


def _into_reserve(fact: ReserveFilled) -> Legs:
    return ((RESERVE, fact.amount_cents), (CASH, -fact.amount_cents))


def _out_of_reserve(fact: ReserveReleased | ReserveDrawn) -> Legs:
    return ((CASH, fact.amount_cents), (RESERVE, -fact.amount_cents))


@cache
def _facility(root: str, name: str) -> str:
    """The account of a facility: ``green_sleeve`` is ``…GreenSleeve``."""
    return root + "".join(part.capitalize() for part in name.split("_"))


def _upfront_fee(fact: FacilityOpened | FacilityRaised) -> Legs:
    return (
        (FACILITY_FEES, fact.upfront_fee_cents),
        (_facility(FACILITY_PAYABLE, fact.facility), -fact.upfront_fee_cents),
    )


def _facility_drawn(fact: FacilityDrawn) -> Legs:
    return ((CASH, fact.amount_cents), (_facility(FACILITY_PRINCIPAL, fact.facility), -fact.amount_cents))


def _facility_repaid(fact: FacilityRepaid) -> Legs:
    return ((_facility(FACILITY_PRINCIPAL, fact.facility), fact.amount_cents), (CASH, -fact.amount_cents))


def _facility_accrued(fact: FacilityInterestAccrued) -> Legs:
    return (
        (FACILITY_INTEREST, fact.interest_cents),
        (FACILITY_FEES, fact.fee_cents),
        (_facility(FACILITY_PAYABLE, fact.facility), -fact.interest_cents - fact.fee_cents),
    )


def _debt_service(fact: DebtServicePaid) -> Legs:
    paid = fact.interest_cents + fact.fee_cents
    return ((_facility(FACILITY_PAYABLE, fact.facility), paid), (CASH, -paid))


def _written_off(fact: FacilityWrittenOff) -> Legs:
    unpaid = fact.interest_cents + fact.fee_cents
    return (
        (_facility(FACILITY_PRINCIPAL, fact.facility), fact.principal_cents),
        (_facility(FACILITY_PAYABLE, fact.facility), unpaid),
        (DEBT_FORGIVEN, -fact.principal_cents - unpaid),
    )


POSTINGS: dict[type[Fact], Callable[[Any], Legs]] = {
    LoanOriginated: _originated,
    LoanExited: _paid_off,
    LoanRecovered: _paid_off,
    LoanDefaulted: _revalued,
    BookValued: _revalued,
    LoanInterestPaid: _interest_paid,
    CapitalContributed: _contributed,
    CapitalDistributed: _distributed,
    CarryReturned: _carry_returned,
    FeeAccrued: _fee_accrued,
    FeesPaid: _fees_paid,
    FeesWaived: _fees_waived,
    OriginationFeeReceived: _origination_fee,
    CashInterestReceived: _cash_interest,
    ReserveFilled: _into_reserve,
    ReserveReleased: _out_of_reserve,
    ReserveDrawn: _out_of_reserve,
    FacilityOpened: _upfront_fee,
    FacilityRaised: _upfront_fee,
    FacilityDrawn: _facility_drawn,
    FacilityRepaid: _facility_repaid,
    FacilityInterestAccrued: _facility_accrued,
    DebtServicePaid: _debt_service,
    FacilityWrittenOff: _written_off,
}
"""Which facts move money, and how."""
