"""What every fold has in common."""

from collections.abc import Callable
from typing import Any, Protocol

from fundclock.events.record import Fact, Record

Mutator = Callable[[Record, Any], None]


class Fold(Protocol):
    """State of one concern."""

    def on(self) -> dict[type[Fact], Mutator]:
        """Which facts change it and how; nothing else does. A fold that kept this would refer to itself."""
        ...

    def summary(self) -> dict[str, Any]:
        """The state as JSON values; equal states give equal summaries."""
        ...


class InvariantError(Exception):
    """The log is inconsistent: money from nowhere, a loan that ends twice."""
