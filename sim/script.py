"""Python scripts while a fund is played: SimPy processes that wait for days and conditions.

A command issued in the morning is carried out the same day, one issued in the evening the next day.
"""

import datetime
import sys
from collections.abc import Callable, Generator, Iterable
from typing import Any

import simpy

from fundclock.events.bus import EventBus, Output
from fundclock.events.dates import Calendar, parse_iso
from fundclock.events.facts import CommandScheduled
from fundclock.events.phases import Phase
from fundclock.sim.evenings import Evenings, Reader, Watched
from fundclock.sim.kernel import Kernel, Process

PYTHON = "python "
"""What the source of an act of a Python script begins with; its name and line follow."""

PythonScript = Callable[["ScriptEnvironment"], Generator[simpy.Event, Any, None]]
"""A generator function that is given the script environment and yields what it waits for."""


class ScriptEnvironment:
    """What a Python script is given: the fund's clock, its state by name, and the commands.

    A script is a generator function. It yields what it waits for, and issues commands in between:

        def cautious(fund):
            yield fund.at("2027-03-31")
            fund.do({"set": {"reinvestment_engine.reinvestment_delay": 3}})
            yield fund.when("eligible_proceeds > 5m")
            fund.do({"suspend_reinvestment": {}})
    """

    def __init__(
        self, kernel: Kernel, bus: EventBus, calendar: Calendar, evenings: Evenings, reader: Reader, last_day: int
    ) -> None:
        self._kernel = kernel
        self._bus = bus
        self._calendar = calendar
        self._evenings = evenings
        self._reader = reader
        self._last_day = last_day
        self._name = "script"
        self._cause: tuple[int, int] | None = None

    @property
    def day(self) -> int:
        """Today, in days since the fund's start."""
        return self._kernel.day

    @property
    def date(self) -> datetime.date:
        """Today's date."""
        return self._calendar.date(self._kernel.day)

    def __getitem__(self, name: str) -> Any:
        """State by name, as conditions name it."""
        return self._reader.value(name)

    def at(self, when: str | datetime.date) -> simpy.Event:
        """The morning of a date. Raises ValueError for a date that has passed or is outside the fund's life."""
        day = self._calendar.day(parse_iso(when) if isinstance(when, str) else when)
        first = self.day + (self._bus.phase != Phase.market)
        if not first <= day < self._last_day:
            dates = f"{self._calendar.date(first)} to {self._calendar.date(self._last_day - 1)}"
            raise ValueError(f"can't wait for {when}; the script can wait for {dates}")
        return self._kernel.morning(day, 2)

    def when(self, condition: str | Callable[["ScriptEnvironment"], bool]) -> simpy.Event:
        """The first evening on which a condition holds: its text, or a function of this environment."""
        event = simpy.Event(self._kernel.env)
        if isinstance(condition, str):
            names, holds = self._reader.condition(condition)
            text = condition
        else:
            test = condition
            text, names, holds = f"{test.__name__}()", (), lambda _values: bool(test(self))
        event.callbacks.append(self._note_cause)
        self._evenings.watch(Watched(self._source(), text, names, holds, event, False))
        return event

    def do(self, command: dict[str, Any]) -> None:
        """Ask for a command, written as in ``do:``; it is carried out today, or tomorrow if it is evening."""
        made = self._reader.command(command)
        due = self.day + (self._bus.phase != Phase.market)
        self._bus.publish([CommandScheduled(due_day=due, command=made, source=self._source())], *self._parents())

    def _note_cause(self, event: simpy.Event) -> None:
        seq: Any = event.value
        self._cause = (self._kernel.day, seq)

    def _parents(self) -> tuple[int | None, int | None]:
        """The condition that woke the script, if one did today; else it acts by itself."""
        if self._cause is None or self._cause[0] != self._kernel.day:
            return None, None
        return self._cause[1], self._cause[1]

    def _source(self) -> str:
        return f"{PYTHON}{self._name}:{sys._getframe(2).f_lineno}"

    def process(self, script: PythonScript) -> Process:
        """The script as a process. Raises TypeError for one that is not a generator function."""
        self._name = getattr(script, "__name__", "script")
        made = script(self)
        if not isinstance(made, Generator):
            raise TypeError(f"{self._name} must yield what it waits for, like fund.at('2028-03-31')")
        return made


def repeat_recorded(kernel: Kernel, bus: EventBus, recorded: Iterable[Any]) -> Process:
    """A process that does again what a Python script did, by its records: on their days, for the same causes."""
    known: dict[int, int] = {}
    day, phase = -1, ""
    for record in recorded:
        if (record.day, record.phase) != (day, phase):
            day, phase = record.day, record.phase
            yield kernel.morning(day, 2) if phase == Phase.market.name else kernel.evening(day, 2)
        cause = known.get(record.cause)
        output: Output = [record.payload]
        bus.publish(output, cause, cause)
        known[record.seq] = bus.state.seq
