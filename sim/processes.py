"""The fund's timed processes. What they do on their days is injected; when they do it is here."""

from collections.abc import Callable, Iterable
from typing import Protocol

import simpy

from fundclock.events.bus import Output
from fundclock.events.phases import Phase
from fundclock.sim.kernel import Kernel, Process

Act = Callable[[int], Iterable[Output]]
"""What a process does on a day: each answer it gives is an episode of its own."""


class Endings(Protocol):
    """Loans whose end inside the current month is known to nature, not to the fund."""

    def next_day(self) -> int:
        """The next day on which loans may end."""
        ...

    def end_loans(self, day: int, backwards: bool = False) -> Iterable[Output]:
        """End the loans of a day, one answer a loan, in the order of their names or in the opposite order."""
        ...


def on_days(kernel: Kernel, days: Iterable[int], phase: Phase, act: Act) -> Callable[[str], Process]:
    """A process that acts on each of these days, in one phase."""

    def process(name: str) -> Process:
        publish = kernel.publish
        for day in days:
            yield kernel.wait(name, day, phase)
            try:
                for output in act(day):
                    publish(output)
            except Exception as error:
                raise kernel.failure(name, error) from error

    return process


def loan_exits(kernel: Kernel, endings: Endings) -> Callable[[str], Process]:
    """The process that ends loans on their days.

    Interrupt it when an ending has been found that is earlier than the one it waits for.
    """

    def process(name: str) -> Process:
        while True:
            day = endings.next_day()
            try:
                yield kernel.wait(name, day, Phase.exits)
            except simpy.Interrupt:
                continue
            try:
                for output in endings.end_loans(day, kernel.backwards):
                    kernel.publish(output)
            except Exception as error:
                raise kernel.failure(name, error) from error

    return process
