"""States of a run at some evenings, kept so that the state of any other day is a short fold away."""

import pickle
from bisect import bisect_right

from fundclock.events.state import State
from fundclock.events.stores.store import Log
from fundclock.scenarios.runs.stored import fold

EVERY = 90
MAX_BYTES = 64_000_000
"""Of the states of one run; where they are large, fewer are kept."""


class Moments:
    """The evenings of one log, which may still grow."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._head = State()
        self._every = self._until = EVERY
        self._days: list[int] = []
        self._states: list[bytes] = []

    def at(self, day: int | None, records: int) -> State:
        """The state at a day's end, or at the end of the log's first ``records`` records; to be read only.

        Raises DamagedLog for a log that does not fold.
        """
        head = self._head
        while head.seq < records:
            fold(self._log, self._until, head)
            if head.seq < records:
                self._keep()
        if day is None or day >= head.day:
            return head
        place = bisect_right(self._days, day) - 1
        state = State() if place < 0 else pickle.loads(self._states[place])
        return fold(self._log, day, state)

    def _keep(self) -> None:
        self._days.append(self._until)
        self._states.append(pickle.dumps(self._head, pickle.HIGHEST_PROTOCOL))
        if sum(map(len, self._states)) > MAX_BYTES:
            self._days, self._states = self._days[1::2], self._states[1::2]
            self._every *= 2
        self._until += self._every
