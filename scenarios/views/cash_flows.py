"""Cash flows by period and category, from the ledger's legs; every total reconciles to the cent."""

from collections.abc import Iterable
from functools import cache
from typing import Any, Literal

from fundclock.events.dates import Calendar
from fundclock.events.postings import (
    ACCRUED_INTEREST,
    CARRY,
    CASH,
    CASH_INTEREST,
    CHANGE_IN_UNREALISED,
    FACILITY_PAYABLE,
    FACILITY_PRINCIPAL,
    FEES_PAYABLE,
    GP_CONTRIBUTIONS,
    GP_DISTRIBUTIONS,
    LOAN_INTEREST,
    LOANS_AT_COST,
    LP_CONTRIBUTIONS,
    LP_DISTRIBUTIONS,
    ORIGINATION_FEES,
    POSTINGS,
    REALISED_GAIN,
    RESERVE,
    UNREALISED_GAIN,
)
from fundclock.events.record import Record
from fundclock.events.units import from_cents

Period = Literal["day", "month", "quarter", "year"]

CATEGORIES = {
    LP_CONTRIBUTIONS: "contributions",
    GP_CONTRIBUTIONS: "contributions",
    LOANS_AT_COST: "principal",
    ACCRUED_INTEREST: "loan_interest",
    LOAN_INTEREST: "loan_interest",
    UNREALISED_GAIN: "loan_gains",
    CHANGE_IN_UNREALISED: "loan_gains",
    REALISED_GAIN: "loan_gains",
    ORIGINATION_FEES: "origination_fees",
    CASH_INTEREST: "cash_interest",
    FEES_PAYABLE: "fees_and_expenses",
    LP_DISTRIBUTIONS: "distributions",
    GP_DISTRIBUTIONS: "distributions",
    CARRY: "carry",
    FACILITY_PRINCIPAL: "debt",
    FACILITY_PAYABLE: "debt_service",
}
"""What the other side of a cash movement is called. Loans made are negative principal, loans repaid positive.

A name that ends in ``:`` stands for all accounts below it.
"""


@cache
def category_of(account: str) -> str:
    """The category of an account."""
    found = CATEGORIES.get(account)
    return found or next(name for root, name in CATEGORIES.items() if root[-1] == ":" and account.startswith(root))


def period_of(calendar: Calendar, day: int, by: Period) -> str:
    """The name of the period of a day, like 2028-06-30, 2028-06, 2028-Q2 or 2028."""
    when = calendar.date(day)
    match by:
        case "day":
            return when.isoformat()
        case "month":
            return f"{when:%Y-%m}"
        case "quarter":
            return f"{when.year}-Q{(when.month + 2) // 3}"
        case _:
            return str(when.year)


def cash_flows(records: Iterable[Record], calendar: Calendar, by: Period) -> list[dict[str, Any]]:
    """One row per period in which cash moved: opening cash, each category, closing cash, as decimal strings.

    Opening + categories = closing in each row, and a row opens where the one before closed.
    """
    sums: dict[str, dict[str, int]] = {}
    for record in records:
        posting = POSTINGS.get(type(record.payload))
        if posting is None:
            continue
        legs = posting(record.payload)
        if not any(account in (CASH, RESERVE) for account, _ in legs):
            continue
        row = sums.setdefault(period_of(calendar, record.day, by), {})
        for account, cents in legs:
            if account not in (CASH, RESERVE):
                category = category_of(account)
                row[category] = row.get(category, 0) - cents
    rows = []
    cash = 0
    for period, row in sums.items():
        opening, cash = cash, cash + sum(row.values())
        amounts = {name: from_cents(row.get(name, 0)) for name in dict.fromkeys(CATEGORIES.values())}
        rows.append({"period": period, "opening": from_cents(opening), **amounts, "closing": from_cents(cash)})
    return rows
