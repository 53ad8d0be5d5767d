"""Every fact by its wire name. A wire name is never changed after release: add a version."""

from pydantic import ValidationError

from events.facts.capital import (
    CallDeclined,
    CapitalCalled,
    CapitalContributed,
    CapitalDeployed,
    CapitalDistributed,
    CarryReturned,
    CashInterestReceived,
    DefaultAnnounced,
    NavReported,
    PartnerDefaulted,
)
from events.facts.fees import FeeAccrued, FeesPaid, FeesWaived, OriginationFeeReceived
from events.facts.loans import (
    BookValued,
    LoanDefaulted,
    LoanExited,
    LoanHistoryKnown,
    LoanInterestPaid,
    LoanOriginated,
    LoanRecovered,
    PurchaseDeclined,
)
from events.facts.market import MarketMoved, PriceShocked, RateShocked
from events.facts.reinvestment import (
    AllocationAdjusted,
    BatchCut,
    CapitalReinvested,
    ProceedsCarried,
    ProceedsReleased,
    ReinvestmentDeclined,
    ReinvestmentPeriodEnded,
    ReinvestmentResumed,
    ReinvestmentSuspended,
    ReserveDrawn,
    ReserveFilled,
    ReserveReleased,
    RiskAssessed,
)
from events.facts.run import (
    CommandCancelled,
    CommandRejected,
    CommandScheduled,
    ConfigChanged,
    RunFinished,
    RunStarted,
)
from events.record import Fact

_FACTS: tuple[type[Fact], ...] = (
    RunStarted,
    RunFinished,
    CommandScheduled,
    CommandRejected,
    CommandCancelled,
    ConfigChanged,
    MarketMoved,
    PriceShocked,
    RateShocked,
    LoanOriginated,
    LoanHistoryKnown,
    LoanExited,
    LoanDefaulted,
    LoanRecovered,
    LoanInterestPaid,
    BookValued,
    PurchaseDeclined,
    CapitalCalled,
    CapitalContributed,
    CapitalDeployed,
    CallDeclined,
    CapitalDistributed,
    CarryReturned,
    CashInterestReceived,
    FeeAccrued,
    FeesPaid,
    FeesWaived,
    OriginationFeeReceived,
    NavReported,
    DefaultAnnounced,
    PartnerDefaulted,
    ProceedsReleased,
    CapitalReinvested,
    ReinvestmentDeclined,
    BatchCut,
    ProceedsCarried,
    AllocationAdjusted,
    ReserveFilled,
    ReserveReleased,
    ReserveDrawn,
    RiskAssessed,
    ReinvestmentSuspended,
    ReinvestmentResumed,
    ReinvestmentPeriodEnded,
)

FACTS: dict[str, type[Fact]] = {str(fact.model_fields["kind"].default): fact for fact in _FACTS}
"""Wire name to fact. The record's kind selects the class, so a payload is read without trying any other."""


def parse_fact(kind: str, payload: str | bytes) -> Fact:
    """The fact of a stored payload. Raises ValueError for an unknown kind or a payload that does not fit it."""
    fact = FACTS.get(kind)
    if fact is None:
        raise ValueError(f"unknown kind '{kind}'")
    try:
        return fact.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"payload of {kind} does not fit: {where}: {first['msg']}") from None


__all__ = [
    "FACTS",
    "AllocationAdjusted",
    "BatchCut",
    "BookValued",
    "CallDeclined",
    "CapitalCalled",
    "CapitalContributed",
    "CapitalDeployed",
    "CapitalDistributed",
    "CapitalReinvested",
    "CarryReturned",
    "CashInterestReceived",
    "CommandCancelled",
    "CommandRejected",
    "CommandScheduled",
    "ConfigChanged",
    "DefaultAnnounced",
    "FeeAccrued",
    "FeesPaid",
    "FeesWaived",
    "LoanDefaulted",
    "LoanExited",
    "LoanHistoryKnown",
    "LoanInterestPaid",
    "LoanOriginated",
    "LoanRecovered",
    "MarketMoved",
    "NavReported",
    "OriginationFeeReceived",
    "PartnerDefaulted",
    "PriceShocked",
    "ProceedsCarried",
    "ProceedsReleased",
    "PurchaseDeclined",
    "RateShocked",
    "ReinvestmentDeclined",
    "ReinvestmentPeriodEnded",
    "ReinvestmentResumed",
    "ReinvestmentSuspended",
    "ReserveDrawn",
    "ReserveFilled",
    "ReserveReleased",
    "RiskAssessed",
    "RunFinished",
    "RunStarted",
    "parse_fact",
]
