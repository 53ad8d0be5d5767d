"""The event bus: stamp, append, fold the whole batch, then react.

Dispatch is a plain call through a table. Only the bus stamps: ``seq`` counts from 1, the
cause is the direct parent, the correlation is the seq at which the episode began.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from fundclock.events.commands import AnyCommand, Command
from fundclock.events.facts import CommandRejected
from fundclock.events.phases import PHASES, Phase
from fundclock.events.record import Fact, Record
from fundclock.events.state import State


class Led(NamedTuple):
    """Facts of which ``lead`` causes the rest; folded together, before any handler reacts.

    ``before`` comes first, with the same cause as ``lead``.
    """

    lead: Fact
    rest: Sequence[Fact]
    before: Sequence[Fact] = ()


class Rejected(NamedTuple):
    """A command's handler could not carry it out, and why."""

    reason: str


class Caused(NamedTuple):
    """Facts of a process that follow from an earlier record, by its seq; ``correlation`` is that record's own."""

    facts: "Sequence[Fact] | Led"
    cause: int
    correlation: int


Output = Sequence[Fact] | Led | Caused | None
"""What a handler answers: facts caused by what it handled, or nothing."""

Reaction = Callable[[Record, Any], Output]
"""A handler of a fact: takes the record and its payload."""

CommandHandler = Callable[[int, Any], Output | Rejected]
"""The one handler of a command: takes the day on which it is due, and the command."""


class LogWriter(Protocol):
    """Where records go."""

    def append(self, records: list[Record]) -> None:
        """Take a batch, whole and in order."""
        ...


class HandlerError(Exception):
    """A handler failed; the log up to ``seq`` is valid."""

    def __init__(self, seq: int, handler: str, error: Exception) -> None:
        super().__init__(seq, handler, error)  # SimPy makes an error of a process anew, from its args
        self.seq = seq

    def __str__(self) -> str:
        seq, handler, error = self.args
        return f"{handler} failed on the record with seq {seq}: {type(error).__name__}: {error}"


class EventBus:
    """The only writer of a run's log."""

    def __init__(
        self,
        state: State,
        log: LogWriter,
        reactions: Mapping[type[Fact], Sequence[Reaction]],
        commands: Mapping[type[Command], CommandHandler],
    ) -> None:
        self.state = state
        self.day = 0
        self.phase = Phase.market
        self._phase_name = Phase.market.name
        self._seq = 0
        self._log = log
        self._reactions = {fact: tuple(handlers) for fact, handlers in reactions.items()}
        self._commands = dict(commands)

    def enter(self, day: int, phase: Phase) -> None:
        """The clock has come to a phase of a day; records are stamped with both from now on."""
        self.day = day
        self.phase = phase
        self._phase_name = PHASES[phase - 1]

    def dismantle(self) -> None:
        """Let go of all handlers; nothing can be published any more that someone would react to."""
        self._reactions.clear()
        self._commands.clear()

    def publish(self, output: Output, cause: int | None = None, correlation: int | None = None) -> None:
        """Record facts and carry on until no handler has anything more to say."""
        if not output:
            return
        if isinstance(output, Caused):
            output, cause, correlation = output
        reactions = self._reactions
        queue: deque[tuple[Output, int | None, int | None]] | None = None
        while True:
            records = self._record(output, cause, correlation)
            self.state.fold(records)
            for record in records:
                fact = record.payload
                handlers = reactions.get(type(fact))
                if handlers is None:
                    continue
                for handler in handlers:
                    try:
                        answer = handler(record, fact)
                    except Exception as error:
                        raise HandlerError(record.seq, handler.__qualname__, error) from error
                    if answer:
                        if queue is None:
                            queue = deque()
                        queue.append((answer, record.seq, record.correlation))
            if not queue:
                return
            output, cause, correlation = queue.popleft()

    def execute(self, command: AnyCommand, cause: int, correlation: int) -> None:
        """Carry out a due command; what it leads to is caused by its promise."""
        handler = self._commands[type(command)]
        try:
            answer = handler(self.day, command)
        except Exception as error:
            raise HandlerError(cause, handler.__qualname__, error) from error
        if isinstance(answer, Rejected):
            answer = [CommandRejected(command=command, reason=answer.reason)]
        if not answer:
            raise HandlerError(cause, handler.__qualname__, ValueError("a command must produce a fact"))
        self.publish(answer, cause, correlation)

    def _record(self, facts: Output, cause: int | None, correlation: int | None) -> list[Record]:
        lead_seq = None
        if isinstance(facts, Led):
            lead_seq = self._seq + 1 + len(facts.before)
            facts = [*facts.before, facts.lead, *facts.rest]
        assert not isinstance(facts, Caused)  # publish has taken it apart
        day, phase, seq = self.day, self._phase_name, self._seq
        records: list[Record] = []
        new = tuple.__new__  # what Record(…) comes to, without the call in between
        for fact in facts or ():
            seq += 1
            if correlation is None:
                correlation = seq
            records.append(new(Record, (seq, day, phase, fact.kind, cause, correlation, fact)))
            if seq == lead_seq:
                cause = seq
        self._seq = seq
        self._log.append(records)
        return records
