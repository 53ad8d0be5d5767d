"""The agenda: scheduled commands that are still pending."""

from typing import Any, TypeVar

from fundclock.events.commands import Command, RepayFacility
from fundclock.events.facts import (
    CommandCancelled,
    CommandRejected,
    CommandScheduled,
    DrawDeclined,
    FacilityDrawn,
    FacilityRepaid,
)
from fundclock.events.record import Fact, Record
from fundclock.events.state.folding import Mutator
from fundclock.events.units import from_cents

C = TypeVar("C", bound=Command)


class Agenda:
    """Pending commands by the seq of their promise.

    A scheduled command is done at the first record that it causes, even a rejection; ``State.apply`` sees to that, for
    records of any kind. ``refused`` lists the requests of scripts that were refused: day, source, reason.
    """

    def __init__(self) -> None:
        self.pending: dict[int, tuple[int, Command]] = {}
        self._sources: dict[int, str] = {}
        self._repayments: dict[int, int] = {}
        self.refused: list[tuple[int, str, str]] = []

    def promises(self, kind: type[C]) -> list[tuple[int, C]]:
        """Pending commands of a kind with the seqs of their promises, the oldest first."""
        return [(seq, command) for seq, (_, command) in self.pending.items() if isinstance(command, kind)]

    def on(self) -> dict[type[Fact], Mutator]:
        """Which facts change it, and how."""
        return {
            CommandScheduled: self._scheduled,
            CommandCancelled: self._cancelled,
            CommandRejected: self._rejected,
            DrawDeclined: self._draw_declined,
            FacilityDrawn: self._drawn,
            FacilityRepaid: self._repaid,
        }

    def _scheduled(self, record: Record, fact: CommandScheduled) -> None:
        self.pending[record.seq] = (fact.due_day, fact.command)
        source = fact.source or self._sources.get(record.cause or 0)  # a notice's promise is its script's too
        if source is not None:
            self._sources[record.seq] = source
        if fact.source is None and isinstance(fact.command, RepayFacility) and fact.command.reason == "manual":
            self._repayments[record.seq] = fact.command.amount_cents

    def _cancelled(self, _record: Record, fact: CommandCancelled) -> None:
        self.pending.pop(fact.scheduled_seq, None)

    def _rejected(self, record: Record, fact: CommandRejected) -> None:
        by_hand = isinstance(fact.command, RepayFacility) and fact.command.reason == "manual"
        if by_hand or record.cause in self._sources:
            self.refused.append((record.day, self._sources[record.cause or 0], fact.reason))

    def _draw_declined(self, record: Record, fact: DrawDeclined) -> None:
        if fact.purpose == "manual":
            reason = f"{fact.facility} does not pay the draw: {fact.reason}"
            self.refused.append((record.day, self._sources[record.cause or 0], reason))

    def _drawn(self, record: Record, fact: FacilityDrawn) -> None:
        if fact.purpose == "manual":
            self._cut(record, fact.amount_cents, fact.asked_cents, "drawn")

    def _repaid(self, record: Record, fact: FacilityRepaid) -> None:
        asked = self._repayments.pop(record.cause or 0, None)
        if asked is not None:
            self._cut(record, fact.amount_cents, asked, "repaid")

    def _cut(self, record: Record, cents: int, asked: int, what: str) -> None:
        if cents < asked:
            reason = f"only {from_cents(cents)} of {from_cents(asked)} is {what}"
            self.refused.append((record.day, self._sources[record.cause or 0], reason))

    def summary(self) -> dict[str, Any]:
        """Due day and kind of each pending promise, by seq."""
        return {str(seq): [due, command.kind] for seq, (due, command) in sorted(self.pending.items())}
