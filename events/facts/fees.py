"""Facts about fees and expenses, in cents."""

from typing import Literal

from fundclock.events.record import Fact

FEES = ("setup", "management", "expenses", "origination")
"""What the fund pays for, in the order in which it is paid."""


class FeeAccrued(Fact):
    """A fee is owed: for the days in [from_day, to_day), on a base."""

    kind: Literal["fee.accrued/1"] = "fee.accrued/1"
    fee: Literal["setup", "management", "expenses", "origination"]
    amount_cents: int
    base_cents: int
    from_day: int
    to_day: int


class FeesPaid(Fact):
    """Fees that were owed are paid; ``lots`` lists the proceeds that were used where nothing else was left.

    ``undeployed_cents`` of it came out of capital that had been called for loans.
    """

    kind: Literal["fees.paid/1"] = "fees.paid/1"
    amount_cents: int
    by_fee: dict[str, int]
    lots: list[tuple[int, int]]
    undeployed_cents: int = 0


class FeesWaived(Fact):
    """The fund's last day: what is still owed can't be paid and is given up."""

    kind: Literal["fees.waived/1"] = "fees.waived/1"
    amount_cents: int
    by_fee: dict[str, int]


class OriginationFeeReceived(Fact):
    """Borrowers have paid the fee on new loans; it is income of the fund."""

    kind: Literal["origination_fee.received/1"] = "origination_fee.received/1"
    amount_cents: int
    loans: int
