"""The opening book: a loan tape in columns, and how the fund buys it at its first closing."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fundclock.events.bus import Output
from fundclock.events.facts import LoanHistoryKnown, LoanOriginated, PurchaseDeclined
from fundclock.events.facts.loans import KnownKind
from fundclock.events.record import Fact
from fundclock.handlers.context import Context
from fundclock.handlers.loans.generator import LoanGenerator

CHUNK = 1000
"""Loans of the opening book that are recorded together."""


class OpeningBook(NamedTuple):
    """A loan tape in columns, one entry a loan; days count from the fund's start, None is what the tape leaves open."""

    loan_ids: list[str]
    zones: list[str]
    principal_cents: NDArray[np.int64]
    property_value_cents: NDArray[np.int64]
    coupon: NDArray[np.float64]
    age_days: NDArray[np.int32]
    maturity_day: NDArray[np.int32]
    appreciation_share: list[float | None]
    pays_cash: list[bool | None]
    exit_day: list[int | None]
    exit_kind: list[KnownKind | None]
    proceeds_cents: list[int | None]

    def affordable_cents(self, cents: int) -> int:
        """What the loans cost, bought in their order as far as the cash goes, loan by loan."""
        left = cents
        for price in self.principal_cents.tolist():
            if price <= left:
                left -= price
        return cents - left


class OpeningPurchase:
    """Buys the loans of a tape on the first day."""

    def __init__(self, context: Context, generator: LoanGenerator, book: OpeningBook | None) -> None:
        self._state = context.state
        self._settings = context.settings
        self._calendar = context.calendar
        self._generator = generator
        self._book = book

    def buy(self, day: int) -> Iterator[Output]:
        """Buy the tape's loans in its order; what the cash can't pay is declined, loan by loan."""
        book, self._book = self._book, None  # it is not needed any more
        if book is None:
            return
        cash = self._state.ledger.cash_cents
        entities = dict.fromkeys(self._state.book.zones, 0)
        facts: list[Fact] = []
        for i, loan_id in enumerate(book.loan_ids):
            loan = self._tape_loan(book, i, entities[book.zones[i]])
            entities[loan.zone] += 1
            if loan.principal_cents > cash:
                facts.append(
                    PurchaseDeclined(
                        loan_id=loan_id,
                        principal_cents=loan.principal_cents,
                        available_cents=cash,
                        reason="insufficient_cash",
                    )
                )
            else:
                cash -= loan.principal_cents
                facts.append(loan)
                facts += self._history(book, i, day)
            if len(facts) >= CHUNK:
                yield facts
                facts = []
        yield facts

    def _tape_loan(self, book: OpeningBook, i: int, entity: int) -> LoanOriginated:
        config = self._settings.loans
        zone = book.zones[i]
        exits, defaults, kind = self._generator.fate(zone, entity)
        share = book.appreciation_share[i]
        if share is None and isinstance(config.appreciation_share, float):
            share = config.appreciation_share
        pays_cash = book.pays_cash[i]
        value = book.property_value_cents.item(i)
        return LoanOriginated(
            loan_id=book.loan_ids[i],
            zone=zone,
            source="tape",
            entity=entity,
            principal_cents=book.principal_cents.item(i),
            property_value_cents=value,
            senior_debt_cents=round(config.senior_ltv * value),
            coupon=book.coupon.item(i),
            pays_cash=config.interest_payment == "cash" if pays_cash is None else pays_cash,
            appreciation_share=share,
            first_age_days=book.age_days.item(i),
            maturity_day=book.maturity_day.item(i),
            exit_threshold=exits,
            default_threshold=defaults,
            kind_draw=kind,
        )

    def _history(self, book: OpeningBook, i: int, day: int) -> list[LoanHistoryKnown]:
        exit_day, kind = book.exit_day[i], book.exit_kind[i]
        if exit_day is None or kind is None:
            return []
        default_day = None
        if kind == "default":
            months = self._settings.exits.foreclosure_months
            default_day = max(day + 1, self._calendar.add_months(exit_day, -months))
        return [
            LoanHistoryKnown(
                loan_id=book.loan_ids[i],
                exit_day=exit_day,
                exit_kind=kind,
                default_day=default_day,
                proceeds_cents=book.proceeds_cents[i],
            )
        ]
