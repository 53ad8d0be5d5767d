"""The kernel: a SimPy clock that drives the event bus.

Priorities of SimPy events are ``place of the phase × RANKS + rank``: rank 0 is the calendar of promises,
then come the processes in the order of their names. So what happens in a phase never
depends on what was created first.
"""

from collections.abc import Callable, Generator, Sequence
from typing import Any

import simpy

from fundclock.events.bus import EventBus, HandlerError
from fundclock.events.commands import AnyCommand
from fundclock.events.facts import CommandScheduled
from fundclock.events.phases import Phase
from fundclock.events.record import Record

RANKS = 64

Process = Generator[simpy.Event, Any, None]


class Moment(simpy.Event):
    """An event on a day that is sure to come: triggered when it is made, like SimPy's Timeout, and in a phase."""

    _ok = True
    _value = None
    _defused = False

    def __init__(self, env: simpy.Environment, day: int, phase: Phase, callback: Callable[["Moment"], None]) -> None:
        self.env = env
        self.callbacks = [callback]
        self.day = day
        self.phase = phase


class Kernel:
    """Carries out due promises and wakes the fund's processes."""

    def __init__(self, bus: EventBus, order: Sequence[Phase] = tuple(Phase), backwards: bool = False) -> None:
        """``order`` of the phases of a day; ``backwards`` turns the order of business keys
        inside each of them round."""
        self._place = [0] * (len(Phase) + 1)  # by phase: a list is quicker than a dict of members
        for place, phase in enumerate(order, start=1):
            self._place[phase] = place
        self.backwards = backwards
        self.env = simpy.Environment(initial_time=0)
        self._bus = bus
        self.publish = bus.publish
        self._slots: dict[tuple[int, int], list[tuple[str, int, int, AnyCommand]]] = {}
        self._ranks: dict[str, int] = {}
        self.processes: dict[str, simpy.Process] = {}

    @property
    def day(self) -> int:
        """Today."""
        return int(self.env.now)

    def start(self, processes: dict[str, Callable[[str], Process]]) -> None:
        """Start the fund's named, long-lived processes; each is given its name."""
        self._ranks = {name: rank for rank, name in enumerate(sorted(processes), start=1)}
        for name in sorted(processes):
            self.processes[name] = self.env.process(processes[name](name))

    def wait(self, name: str, day: int, phase: Phase) -> simpy.Event:
        """The event on which process ``name`` goes on: this day, in this phase."""
        return self._at(day, phase, self._ranks[name], self._enter)

    def morning(self, day: int, rank: int = 1) -> simpy.Event:
        """The event before anything else of a day; of several, the lower rank goes first."""
        return self._at(day, Phase.market, rank - 10, self._enter)

    def evening(self, day: int, rank: int = 1) -> simpy.Event:
        """The event after everything else of a day; of several, the lower rank goes first."""
        return self._at(day, Phase.report, RANKS - 10 + rank, self._enter)

    def interrupt(self, name: str) -> None:
        """Wake a process that waits for a later day than it should; it looks again."""
        process = self.processes.get(name)
        if process is not None and self.env.active_process is not process:
            process.interrupt()

    def failure(self, name: str, error: Exception) -> Exception:
        """The error as it may leave a process: SimPy makes it anew from its args, which not every error survives."""
        try:
            type(error)(*error.args)
        except Exception:
            return HandlerError(self._bus.state.seq, name, error)
        return error

    def put_on_calendar(self, record: Record, fact: CommandScheduled) -> None:
        """A promise has been made: one SimPy event serves all commands of its day and phase.

        Raises ValueError for a promise that is due before now.
        """
        phase = fact.command.phase
        over = self._place[phase] < self._place[self._bus.phase]
        if fact.due_day < self.day or (fact.due_day == self.day and over):
            raise ValueError(f"{fact.command.kind} is due on day {fact.due_day} in {phase.name}, which has passed")
        key = (fact.due_day, int(phase))
        slot = self._slots.get(key)
        if slot is None:
            slot = self._slots[key] = []
            self._at(fact.due_day, phase, 0, self._keep)
        slot.append((fact.command.business_key, record.seq, record.correlation, fact.command))

    def dismantle(self) -> None:
        """Let go of processes and of what is still on the calendar; the clock can't go on after this."""
        for process in self.processes.values():
            if process.is_alive and process.target.callbacks:
                process.target.callbacks.clear()  # what it waits for would keep it, and it all that it knows
        self.processes.clear()
        self._slots.clear()
        self.env = simpy.Environment(self.day)

    def run(self, last_day: int) -> None:
        """Play the days up to and with ``last_day``."""
        self.env.run(until=last_day + 1)

    def _at(self, day: int, phase: Phase, rank: int, callback: Callable[[Moment], None]) -> Moment:
        moment = Moment(self.env, day, phase, callback)
        self.env.schedule(moment, self._place[phase] * RANKS + rank, day - self.env.now)  # type: ignore[arg-type]
        return moment

    def _enter(self, moment: Moment) -> None:
        self._bus.enter(moment.day, moment.phase)

    def _keep(self, moment: Moment) -> None:
        self._enter(moment)
        slot = self._slots.pop((self._bus.day, int(moment.phase)))
        slot.sort(key=lambda entry: entry[:2], reverse=self.backwards)
        pending = self._bus.state.agenda.pending
        for _key, seq, correlation, command in slot:
            if seq in pending:
                self._bus.execute(command, seq, correlation)
