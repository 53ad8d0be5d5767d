"""Parts: what reacts to facts and carries out commands, and how all of a run are put together for its bus."""

from collections.abc import Iterable, Mapping, Sequence

from fundclock.events.bus import CommandHandler, Reaction
from fundclock.events.commands import Command
from fundclock.events.record import Fact

Reactions = Mapping[type[Fact], Sequence[Reaction]]
"""What a part does when facts are recorded."""

Commands = Mapping[type[Command], CommandHandler]
"""Which commands a part carries out; each has one handler in a run."""


class Part:
    """One part of a fund, such as an engine. It says what it listens to; being put together is all it needs."""

    def reactions(self) -> Reactions:
        """Handlers of facts, by fact; several of one fact in their order."""
        return {}

    def commands(self) -> Commands:
        """Handlers of commands, by command."""
        return {}


def joined(parts: Iterable[Part]) -> tuple[dict[type[Fact], list[Reaction]], dict[type[Command], CommandHandler]]:
    """All reactions and command handlers of a run. Of one fact, the part that stands earlier reacts first.

    Raises ValueError where two parts would carry out the same command.
    """
    reactions: dict[type[Fact], list[Reaction]] = {}
    commands: dict[type[Command], CommandHandler] = {}
    for part in parts:
        for fact, handlers in part.reactions().items():
            reactions.setdefault(fact, []).extend(handlers)
        for command, handler in part.commands().items():
            if command in commands:
                both = f"{commands[command].__qualname__} and {handler.__qualname__}"
                raise ValueError(f"{command.__name__} has two handlers: {both}")
            commands[command] = handler
    return reactions, commands
