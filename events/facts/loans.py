"""Facts about loans. Money in cents, rates as annual decimals, days since the fund's start."""

from typing import Literal

from fundclock.events.record import Fact

SOURCES = ("tape", "deployment", "reinvestment", "leverage")
"""What a loan was bought with: the opening book, called capital, proceeds."""

ExitKind = Literal["sale", "refinance", "maturity", "fund_end", "secondary_sale"]
RecoveryKind = Literal["foreclosure", "fund_end"]
KnownKind = Literal["sale", "refinance", "maturity", "default"]


class LoanOriginated(Fact):
    """The fund has bought a loan at its principal.

    ``entity`` numbers the loans of a zone and source, and keys the loan's random draws; the drawn
    thresholds are unit exponentials, which the integrated hazards of exit and default
    must reach. ``first_accrual_day`` is when interest starts to run, ``first_age_days`` the loan's age that day.
    ``appreciation_share`` is None where the marginal tiers apply.
    """

    kind: Literal["loan.originated/1"] = "loan.originated/1"
    loan_id: str
    zone: str
    source: Literal["tape", "deployment", "reinvestment", "leverage"]
    entity: int
    principal_cents: int
    property_value_cents: int
    senior_debt_cents: int
    coupon: float
    pays_cash: bool
    appreciation_share: float | None
    first_age_days: int
    maturity_day: int
    exit_threshold: float
    default_threshold: float
    kind_draw: float


class LoanHistoryKnown(Fact):
    """A tape says how this loan ended; it ends so, whatever the hazards would have said.

    ``exit_day`` is when its last cash came; ``default_day`` is when it stopped paying, where it defaulted.
    """

    kind: Literal["loan_history.loaded/1"] = "loan_history.loaded/1"
    loan_id: str
    exit_day: int
    exit_kind: KnownKind
    default_day: int | None
    proceeds_cents: int | None


class LoanExited(Fact):
    """A loan has paid off: ``proceeds = principal + interest + gain`` (a gain below zero is a loss).

    ``carried_interest_cents`` and ``carried_gain_cents`` are what the books carried for the loan until now,
    ``coupons_cents`` is the interest that it has paid in cash before.
    """

    kind: Literal["loan.exited/1"] = "loan.exited/1"
    loan_id: str
    zone: str
    exit_kind: ExitKind
    proceeds_cents: int
    principal_cents: int
    interest_cents: int
    gain_cents: int
    claim_cents: int
    property_value_cents: int
    carried_interest_cents: int
    carried_gain_cents: int
    coupons_cents: int
    held_days: int


class LoanDefaulted(Fact):
    """A loan has stopped performing; its recovery comes after the foreclosure wait.

    ``change_cents`` is the write-down (below zero) or write-up of the carried value to the expected recovery.
    """

    kind: Literal["loan.defaulted/1"] = "loan.defaulted/1"
    loan_id: str
    zone: str
    principal_cents: int
    interest_cents: int
    claim_cents: int
    property_value_cents: int
    expected_recovery_cents: int
    interest_change_cents: int
    gain_change_cents: int
    recovery_due_day: int


class LoanRecovered(Fact):
    """A defaulted loan has paid what it recovers; fields as in ``loan.exited/1``."""

    kind: Literal["loan.recovered/1"] = "loan.recovered/1"
    loan_id: str
    zone: str
    exit_kind: RecoveryKind
    proceeds_cents: int
    principal_cents: int
    interest_cents: int
    gain_cents: int
    claim_cents: int
    property_value_cents: int
    carried_interest_cents: int
    carried_gain_cents: int
    coupons_cents: int
    held_days: int
    waited_days: int


class LoanInterestPaid(Fact):
    """Borrowers of loans with cash interest have paid a month's coupons; amounts by zone.

    ``carried_interest_cents`` is the part that the books had already accrued.
    """

    kind: Literal["loan_interest.paid/1"] = "loan_interest.paid/1"
    amount_cents: int
    carried_interest_cents: int
    by_zone: dict[str, int]


class BookValued(Fact):
    """The book at its valuation: totals by zone, and what this valuation posts to the ledger."""

    kind: Literal["book.valued/1"] = "book.valued/1"
    loans: dict[str, int]
    principal_cents: dict[str, int]
    claim_cents: dict[str, int]
    value_cents: dict[str, int]
    interest_change_cents: int
    gain_change_cents: int


class PurchaseDeclined(Fact):
    """A loan on offer was not bought."""

    kind: Literal["purchase.declined/1"] = "purchase.declined/1"
    loan_id: str
    principal_cents: int
    available_cents: int
    reason: Literal["insufficient_cash"]
