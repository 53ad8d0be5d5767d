"""Lots: proceeds on their way from an exit to the next loan."""

from collections import deque
from dataclasses import dataclass
from typing import Any

from events.facts import (
    CapitalReinvested,
    LoanExited,
    LoanInterestPaid,
    LoanRecovered,
    ProceedsReleased,
    ReinvestmentDeclined,
    ReinvestmentPeriodEnded,
    ReinvestmentResumed,
    ReinvestmentSuspended,
)
from events.record import Fact, Record
from events.state.folding import InvariantError, Mutator


@dataclass(slots=True)
class Lot:
    """Cash of one inflow that has not been reinvested yet."""

    received_day: int
    cents: int


class Lots:
    """Lots by the seq of the record that brought the cash; eligible ones in the order of their release."""

    def __init__(self) -> None:
        self.lots: dict[int, Lot] = {}
        self.eligible: deque[int] = deque()
        self.eligible_cents = 0
        self.waiting_cents = 0
        self.suspended = False
        self.period_over = False
        self.reinvested_cents = 0
        self.reinvestments = 0
        self.waited_cent_days = 0
        self.on: dict[type[Fact], Mutator] = {
            LoanExited: self._received,
            LoanRecovered: self._received,
            LoanInterestPaid: self._paid,
            ProceedsReleased: self._released,
            CapitalReinvested: self._reinvested,
            ReinvestmentDeclined: self._declined,
            ReinvestmentSuspended: self._suspend,
            ReinvestmentResumed: self._resume,
            ReinvestmentPeriodEnded: self._ended,
        }

    def take(self, cents: int) -> list[tuple[int, int]]:
        """What each eligible lot gives to ``cents``, oldest release first; changes nothing."""
        taken: list[tuple[int, int]] = []
        for seq in self.eligible:
            if cents <= 0:
                break
            part = min(cents, self.lots[seq].cents)
            taken.append((seq, part))
            cents -= part
        return taken

    def _add(self, record: Record, cents: int) -> None:
        if cents > 0 and not self.period_over:
            self.lots[record.seq] = Lot(record.day, cents)
            self.waiting_cents += cents

    def _received(self, record: Record, fact: LoanExited | LoanRecovered) -> None:
        self._add(record, fact.proceeds_cents)

    def _paid(self, record: Record, fact: LoanInterestPaid) -> None:
        self._add(record, fact.amount_cents)

    def _released(self, _record: Record, fact: ProceedsReleased) -> None:
        cents = self.lots[fact.lot].cents
        self.eligible.append(fact.lot)
        self.eligible_cents += cents
        self.waiting_cents -= cents

    def _reinvested(self, record: Record, fact: CapitalReinvested) -> None:
        for seq, cents in fact.lots:
            lot = self.lots[seq]
            lot.cents -= cents
            self.waited_cent_days += cents * (record.day - lot.received_day)
            if lot.cents < 0:
                raise InvariantError(f"seq {record.seq} takes more from lot {seq} than it holds")
            if lot.cents == 0:
                del self.lots[seq]
                self.eligible.remove(seq)
        self.eligible_cents -= fact.amount_cents
        self.reinvested_cents += fact.amount_cents
        self.reinvestments += 1

    def _declined(self, _record: Record, fact: ReinvestmentDeclined) -> None:
        if fact.lot is not None:
            self.waiting_cents -= self.lots.pop(fact.lot).cents

    def _suspend(self, _record: Record, _fact: ReinvestmentSuspended) -> None:
        self.suspended = True

    def _resume(self, _record: Record, _fact: ReinvestmentResumed) -> None:
        self.suspended = False

    def _ended(self, _record: Record, _fact: ReinvestmentPeriodEnded) -> None:
        self.period_over = True
        self.lots.clear()
        self.eligible.clear()
        self.eligible_cents = self.waiting_cents = 0

    def summary(self) -> dict[str, Any]:
        """Cents by lot, what is eligible, and the totals so far."""
        return {
            "lots": {str(seq): [lot.received_day, lot.cents] for seq, lot in self.lots.items()},
            "eligible": list(self.eligible),
            "suspended": self.suspended,
            "period_over": self.period_over,
            "reinvested_cents": self.reinvested_cents,
            "reinvestments": self.reinvestments,
            "waited_cent_days": self.waited_cent_days,
        }
