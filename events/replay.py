"""Fold replay: from a log to a state, without a clock."""

from collections.abc import Iterable

from fundclock.events.record import Record
from fundclock.events.state import State


def replay(records: Iterable[Record], until_day: int | None = None, state: State | None = None) -> State:
    """The state after these records; with ``until_day``, as it was at the end of that day.

    ``state`` is the state to continue from, by default a new one. Raises InvariantError for an inconsistent log.
    """
    state = State() if state is None else state
    for record in records:
        if until_day is not None and record.day > until_day:
            break
        state.apply(record)
    return state
