"""Lots: proceeds on their way from an exit to the next loan, and which of them lie in the reserve."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any

from fundclock.events.facts import (
    CapitalDistributed,
    CapitalReinvested,
    DebtServicePaid,
    FacilityRepaid,
    FeesPaid,
    LoanExited,
    LoanInterestPaid,
    LoanRecovered,
    ProceedsReleased,
    ReinvestmentDeclined,
    ReinvestmentPeriodEnded,
    ReinvestmentResumed,
    ReinvestmentSuspended,
    ReserveDrawn,
    ReserveFilled,
    ReserveReleased,
)
from fundclock.events.record import Fact, Record
from fundclock.events.state.folding import InvariantError, Mutator


@dataclass(slots=True)
class Lot:
    """Cash of one inflow that has not been reinvested yet; ``source`` is what brought it."""

    received_day: int
    cents: int
    source: str
    released: bool = False


CALL = "call"
"""The source of a lot that a capital call has put into the reserve."""


class Lots:
    """Lots by the seq of the record that brought the cash; eligible ones in the order of their release.

    ``reserved_cents`` of the eligible cash lie in the reserve, the rest in cash. ``recycled_cents`` of what was
    reinvested were proceeds, the rest had been called into the reserve; only proceeds have waited.
    """

    def __init__(self) -> None:
        self.lots: dict[int, Lot] = {}
        self.eligible: deque[int] = deque()
        self.eligible_cents = 0
        self.waiting_cents = 0
        self.reserved_cents = 0
        self.called_into_reserve_cents = 0
        self.distributable_cents = 0
        self.accepted_cents = 0
        self.suspended = False
        self.period_over = False
        self.reinvested_cents = 0
        self.recycled_cents = 0
        self.reinvestments = 0
        self.refused_by_hand: list[tuple[int, ReinvestmentDeclined]] = []
        self.waited_cent_days = 0

    def on(self) -> dict[type[Fact], Mutator]:
        """Which facts change it, and how."""
        return {
            LoanExited: self._received,
            LoanRecovered: self._received,
            LoanInterestPaid: self._paid,
            ProceedsReleased: self._released,
            CapitalReinvested: self._reinvested,
            FeesPaid: self._fees_paid,
            DebtServicePaid: self._fees_paid,
            FacilityRepaid: self._fees_paid,
            ReserveFilled: self._reserve_filled,
            ReserveReleased: self._reserve_released,
            ReserveDrawn: self._reserve_drawn,
            CapitalDistributed: self._distributed,
            ReinvestmentDeclined: self._declined,
            ReinvestmentSuspended: self._suspend,
            ReinvestmentResumed: self._resume,
            ReinvestmentPeriodEnded: self._ended,
        }

    @property
    def cents(self) -> int:
        """All proceeds that are on their way to the next loan."""
        return self.eligible_cents + self.waiting_cents

    @property
    def in_cash_cents(self) -> int:
        """What of them lies in cash, not in the reserve."""
        return self.cents - self.reserved_cents

    def eligible_from(self, source: str) -> int:
        """Eligible cents that one source has brought."""
        return sum(lot.cents for lot in map(self.lots.__getitem__, self.eligible) if lot.source == source)

    def take(self, cents: int, source: str | None = None) -> list[tuple[int, int]]:
        """What eligible lots (of one source, if given) give to ``cents``, oldest release first; changes nothing."""
        if source is None:
            return self._take(cents, self.eligible)
        return self._take(cents, (seq for seq in self.eligible if self.lots[seq].source == source))

    def take_any(self, cents: int) -> list[tuple[int, int]]:
        """What each lot gives to ``cents``, eligible ones first, then the oldest; changes nothing."""
        waiting = (seq for seq, lot in self.lots.items() if not lot.released and lot.cents)
        return self._take(cents, chain(self.eligible, waiting))

    def take_after(self, taken: list[tuple[int, int]], cents: int) -> list[tuple[int, int]]:
        """What eligible lots give to ``cents`` after others have ``taken`` their part; changes nothing."""
        gone = dict(taken)
        left = [(seq, self.lots[seq].cents - gone.get(seq, 0)) for seq in self.eligible]
        return beyond(left, 0, cents)

    def _take(self, cents: int, seqs: Iterable[int]) -> list[tuple[int, int]]:
        taken: list[tuple[int, int]] = []
        for seq in seqs:
            if cents <= 0:
                break
            part = min(cents, self.lots[seq].cents)
            taken.append((seq, part))
            cents -= part
        return taken

    def by_source(self, taken: list[tuple[int, int]]) -> dict[str, int]:
        """What was taken from lots, summed by what brought them."""
        sums: dict[str, int] = {}
        for seq, cents in taken:
            source = self.lots[seq].source
            sums[source] = sums.get(source, 0) + cents
        return sums

    def _add(self, record: Record, cents: int, source: str) -> None:
        if cents > 0 and not self.period_over:
            self.lots[record.seq] = Lot(record.day, cents, source)
            self.waiting_cents += cents
            self.accepted_cents += cents

    def _received(self, record: Record, fact: LoanExited | LoanRecovered) -> None:
        self._add(record, fact.proceeds_cents, "exit" if isinstance(fact, LoanExited) else "recovery")

    def _paid(self, record: Record, fact: LoanInterestPaid) -> None:
        self._add(record, fact.amount_cents, "interest")

    def _released(self, _record: Record, fact: ProceedsReleased) -> None:
        self._release(fact.lot)

    def _release(self, seq: int) -> None:
        lot = self.lots[seq]
        self.waiting_cents -= lot.cents
        if lot.cents == 0:
            del self.lots[seq]
            return
        lot.released = True
        self.eligible.append(seq)
        self.eligible_cents += lot.cents

    def _reinvested(self, record: Record, fact: CapitalReinvested) -> None:
        for seq, cents in fact.lots:
            lot = self.lots[seq]
            if lot.source != CALL:
                self.waited_cent_days += cents * (record.day - lot.received_day)
                self.recycled_cents += cents
            self._use(record, seq, cents)
        self.reinvested_cents += fact.amount_cents
        self.reinvestments += 1

    def _fees_paid(self, record: Record, fact: FeesPaid | DebtServicePaid | FacilityRepaid) -> None:
        self._give_up(record, fact.lots)

    def _give_up(self, record: Record, taken: list[tuple[int, int]]) -> None:
        """These cents become no loan."""
        for seq, cents in taken:
            if self.lots[seq].source != CALL:
                self.accepted_cents -= cents
            self._use(record, seq, cents)

    def _reserve_filled(self, record: Record, fact: ReserveFilled) -> None:
        self.reserved_cents += fact.amount_cents
        for seq, _ in fact.lots:
            if not self.lots[seq].released:
                self._release(seq)
        if fact.source == CALL:
            self.lots[record.seq] = Lot(record.day, fact.amount_cents, CALL, released=True)
            self.eligible.append(record.seq)
            self.eligible_cents += fact.amount_cents
            self.called_into_reserve_cents += fact.amount_cents

    def _reserve_released(self, record: Record, fact: ReserveReleased) -> None:
        self.reserved_cents -= fact.amount_cents
        if fact.purpose == "distribution":
            self._give_up(record, fact.lots)
            self.distributable_cents += fact.amount_cents - fact.called_cents

    def _reserve_drawn(self, _record: Record, fact: ReserveDrawn) -> None:
        self.reserved_cents -= fact.amount_cents

    def _distributed(self, _record: Record, fact: CapitalDistributed) -> None:
        paid_out = fact.amount_cents - fact.undeployed_cents
        self.distributable_cents = max(0, self.distributable_cents - paid_out)

    def _use(self, record: Record, seq: int, cents: int) -> None:
        lot = self.lots[seq]
        lot.cents -= cents
        if lot.cents < 0:
            raise InvariantError(f"seq {record.seq} takes more from lot {seq} than it holds")
        if lot.released:
            self.eligible_cents -= cents
        else:
            self.waiting_cents -= cents
        if lot.cents == 0 and lot.released:
            del self.lots[seq]
            self.eligible.remove(seq)

    def _declined(self, record: Record, fact: ReinvestmentDeclined) -> None:
        if fact.trigger == "manual":
            self.refused_by_hand.append((record.day, fact))
        if fact.lot is not None:
            lot = self.lots[fact.lot]
            lot.cents -= fact.amount_cents
            self.waiting_cents -= fact.amount_cents
            self.accepted_cents -= fact.amount_cents
            if lot.cents == 0:
                del self.lots[fact.lot]

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
            "reserved_cents": self.reserved_cents,
            "called_into_reserve_cents": self.called_into_reserve_cents,
            "distributable_cents": self.distributable_cents,
            "suspended": self.suspended,
            "period_over": self.period_over,
            "accepted_cents": self.accepted_cents,
            "reinvested_cents": self.reinvested_cents,
            "recycled_cents": self.recycled_cents,
            "refused_by_hand": len(self.refused_by_hand),
            "reinvestments": self.reinvestments,
            "waited_cent_days": self.waited_cent_days,
        }


def beyond(taken: list[tuple[int, int]], used: int, cents: int | None = None) -> list[tuple[int, int]]:
    """What is left of ``taken`` after its first ``used`` cents; with ``cents``, at most so much."""
    rest = []
    for seq, whole in taken:
        part = max(0, whole - used)
        used = max(0, used - whole)
        if cents is not None:
            part = min(part, cents)
            cents -= part
        if part:
            rest.append((seq, part))
    return rest
