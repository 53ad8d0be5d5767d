"""The state of a fund: a fold over its log, one class a concern."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from fundclock.events.record import Fact, Record
from fundclock.events.state.agenda import Agenda
from fundclock.events.state.allocation import Allocation
from fundclock.events.state.capital import Capital
from fundclock.events.state.conditions import Conditions
from fundclock.events.state.facilities import Facilities
from fundclock.events.state.folding import Fold, InvariantError, Mutator
from fundclock.events.state.ledger import CashLedger
from fundclock.events.state.loan_book import LoanBook
from fundclock.events.state.lots import Lots
from fundclock.events.state.realised import Realised
from fundclock.events.state.results import Results


class State:
    """All folds together. ``apply`` is the only thing that changes them."""

    def __init__(self) -> None:
        self.seq = 0
        self.day = 0
        self.book = LoanBook()
        self.ledger = CashLedger()
        self.agenda = Agenda()
        self.lots = Lots()
        self.capital = Capital()
        self.results = Results()
        self.realised = Realised()
        self.facilities = Facilities()
        self.conditions = Conditions()
        self.allocation = Allocation()
        self._pending = self.agenda.pending
        self._mutators: dict[type[Fact], tuple[Mutator, ...]] = {}
        for fold in self._folds().values():
            for fact, mutator in fold.on().items():
                self._mutators[fact] = (*self._mutators.get(fact, ()), mutator)

    def _folds(self) -> dict[str, Fold]:
        return {
            "book": self.book,
            "ledger": self.ledger,
            "agenda": self.agenda,
            "lots": self.lots,
            "capital": self.capital,
            "results": self.results,
            "realised": self.realised,
            "facilities": self.facilities,
            "conditions": self.conditions,
            "allocation": self.allocation,
        }

    def apply(self, record: Record) -> None:
        """Fold one record. Raises InvariantError for an inconsistent log."""
        self.fold((record,))

    def fold(self, records: Sequence[Record]) -> None:
        """Fold records in their order. Raises InvariantError for an inconsistent log."""
        pending, mutators = self._pending, self._mutators
        for record in records:
            fact, cause = record.payload, record.cause
            self.seq = record.seq
            self.day = record.day
            if cause in pending:
                del pending[cause]
            for mutator in mutators.get(type(fact), ()):
                mutator(record, fact)

    def summary(self) -> dict[str, Any]:
        """The state as JSON values, by fold."""
        return {name: fold.summary() for name, fold in self._folds().items()}

    def digest(self) -> str:
        """SHA-256 of the summary: equal for equal states, however they were reached."""
        text = json.dumps([self.seq, self.day, self.summary()], separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


__all__ = ["InvariantError", "State"]
