"""The agenda: promises that are still to be kept."""

from typing import Any

from events.commands import Command
from events.facts import CommandCancelled, CommandScheduled
from events.record import Fact, Record
from events.state.folding import Mutator


class Agenda:
    """Pending commands by the seq of their promise.

    A promise is kept when a first record names it as its cause: carrying out a command
    always leaves one, and be it a refusal. ``State.apply`` sees to that, for records of any kind.
    """

    def __init__(self) -> None:
        self.pending: dict[int, tuple[int, Command]] = {}

    def on(self) -> dict[type[Fact], Mutator]:
        """Which facts change it, and how."""
        return {
            CommandScheduled: self._scheduled,
            CommandCancelled: self._cancelled,
        }

    def _scheduled(self, record: Record, fact: CommandScheduled) -> None:
        self.pending[record.seq] = (fact.due_day, fact.command)

    def _cancelled(self, _record: Record, fact: CommandCancelled) -> None:
        self.pending.pop(fact.scheduled_seq, None)

    def summary(self) -> dict[str, Any]:
        """Due day and kind of each pending promise, by seq."""
        return {str(seq): [due, command.kind] for seq, (due, command) in sorted(self.pending.items())}
