"""Script conditions while a fund is played: they are evaluated each evening and trigger their commands.

A command issued in the morning is carried out the same day, one issued in the evening the next day.
"""

import datetime
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import simpy

from fundclock.events.bus import EventBus, Led
from fundclock.events.commands import AnyCommand, Command
from fundclock.events.facts import CommandScheduled, ConditionMet
from fundclock.sim.kernel import Kernel, Process

Holds = Callable[[Mapping[str, Any]], bool]
"""Whether a condition is met, by the values of the state that it names."""


class Watched(NamedTuple):
    """A condition that is evaluated every evening, and the command that follows when it is met."""

    source: str
    condition: str
    names: tuple[str, ...]
    holds: Holds
    then: AnyCommand | simpy.Event
    repeat: bool


class Reader(Protocol):
    """What scripts are given from outside: state by name, conditions and commands as they are written."""

    def value(self, name: str) -> Any:
        """The state that a name stands for now. Raises an error for an unknown name."""
        ...

    def condition(self, text: str) -> tuple[tuple[str, ...], Holds]:
        """The names in a condition, and whether it holds. Raises an error for one that can't be read."""
        ...

    def command(self, do: dict[str, Any]) -> AnyCommand:
        """The command that a ``do:`` means. Raises an error for one that can't be."""
        ...


class Evenings:
    """Evaluates conditions each evening, in the order in which they were added."""

    def __init__(self, kernel: Kernel, bus: EventBus, reader: Reader, last_day: int) -> None:
        self._kernel = kernel
        self._bus = bus
        self._reader = reader
        self._last_day = last_day
        self._watched: list[Watched] = []
        self._held: list[bool] = []

    def watch(self, watched: Watched) -> None:
        """Evaluate this one too, from this evening on."""
        place = len(self._watched)
        if isinstance(watched.then, Command):  # before what Python scripts wait for
            place = sum(isinstance(other.then, Command) for other in self._watched)
        self._watched.insert(place, watched)
        self._held.insert(place, False)

    def process(self, name: str) -> Process:
        """The process; the last evening is two days before the fund's end, so that acts fall into its life."""
        for day in range(self._last_day - 1):
            yield self._kernel.evening(day)
            try:
                self._look(day)
            except Exception as error:
                raise self._kernel.failure(name, error) from error

    def _look(self, day: int) -> None:
        done = []
        for place, watched in enumerate(self._watched):
            values = {name: self._reader.value(name) for name in watched.names}
            holds = watched.holds(values)
            if holds and not self._held[place]:
                self._meet(day, watched, values)
                if not watched.repeat:
                    done.append(place)
            self._held[place] = holds
        for place in reversed(done):
            del self._watched[place], self._held[place]

    def _meet(self, day: int, watched: Watched, values: Mapping[str, Any]) -> None:
        dates = {name: value.isoformat() for name, value in values.items() if isinstance(value, datetime.date)}
        met = ConditionMet(source=watched.source, condition=watched.condition, values={**values, **dates})
        if isinstance(watched.then, Command):
            promise = CommandScheduled(due_day=day + 1, command=watched.then, source=watched.source)
            self._bus.publish(Led(met, [promise]))
            return
        self._bus.publish([met])
        watched.then.succeed(self._bus.state.seq)
