"""Lots of cash: every cent from the inflow that brought it to the outflow that took it, with a reason for each night.

A slice is part of a lot whose cents have had the same fate so far. It lies in one of four pools, which answer to what
the fund may do with its cash: proceeds on their way to a loan, called capital, drawn cash, and all else.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

PROCEEDS, CALLED, DRAWN, OTHER = "proceeds", "called", "drawn", "other"

REASONS = (
    "reserve",
    "debt_service_buffer",
    "fee_float",
    "sweep",
    "breaker",
    "delay",
    "awaiting_check",
    "below_minimum",
    "batch_limit",
    "indivisible_remainder",
    "uninvested_call",
    "uninvested_draw",
    "awaiting_distribution",
    "declined",
)
"""Why cash lies overnight, in the order of precedence: what is segregated comes first."""

HELD = "held"
"""The use of what is still there at the log's end."""


class Stay(NamedTuple):
    """Cents that lay for the nights [first, last) for one reason: where they came from and what took them."""

    source: str
    reason: str
    use: str
    cents: int
    first: int
    last: int
    origin: int
    taker: int


class Slice:
    """Cents of one lot with one history; ``spans`` are the reasons so far and the day on which each began."""

    __slots__ = (
        "awaiting",
        "buffered",
        "cents",
        "key",
        "mark",
        "origin",
        "pool",
        "released",
        "reserved",
        "source",
        "spans",
    )

    def __init__(self, key: int, origin: int, source: str, cents: int, pool: str) -> None:
        self.key = key
        self.origin = origin
        self.source = source
        self.cents = cents
        self.pool = pool
        self.spans: list[tuple[str, int]] = []
        self.mark: str | None = None
        self.released = self.reserved = self.awaiting = self.buffered = False

    def split(self, cents: int) -> "Slice":
        """Take these cents off as a slice of their own."""
        other = Slice(self.key, self.origin, self.source, cents, self.pool)
        other.spans = self.spans.copy()
        other.mark = self.mark
        other.released, other.reserved = self.released, self.reserved
        other.awaiting, other.buffered = self.awaiting, self.buffered
        self.cents -= cents
        return other


class Book:
    """All slices, in the order in which each pool uses them, and the stays of what has left.

    ``flows`` are cents by source and use, however long they lay.

    ``holding`` and ``tripped`` say whether a lender holds cash back and whether the circuit breaker is tripped.
    """

    def __init__(self) -> None:
        self.proceeds: dict[int, list[Slice]] = {}
        self.pools: dict[str, list[Slice]] = {CALLED: [], DRAWN: [], OTHER: []}
        self.cents = dict.fromkeys((PROCEEDS, CALLED, DRAWN, OTHER), 0)
        self.holding = self.tripped = False
        self.stays: list[Stay] = []
        self.flows: dict[tuple[str, str], int] = {}
        self._touched: dict[int, Slice] = {}
        self._day = 0

    def touch(self, part: Slice) -> None:
        """Look at its reason this evening."""
        self._touched[id(part)] = part

    def touch_all(self) -> None:
        """Look at all reasons this evening."""
        for part in self.all():
            self.touch(part)

    def all(self) -> Iterator[Slice]:
        """Every slice that is there."""
        for parts in (*self.proceeds.values(), *self.pools.values()):
            yield from parts

    def add(self, seq: int, source: str, cents: int, pool: str) -> Slice | None:
        """Cash has come in."""
        if cents <= 0:
            return None
        part = Slice(seq, seq, source, cents, pool)
        self._put(part)
        return part

    def _put(self, part: Slice) -> None:
        self.cents[part.pool] += part.cents
        if part.pool == PROCEEDS:
            self.proceeds.setdefault(part.key, []).append(part)
        else:
            self.pools[part.pool].append(part)
        self.touch(part)

    def divide(self, part: Slice, cents: int) -> Slice:
        """Leave a slice with these cents; what is more becomes another, whose night is looked at too."""
        rest = part.split(part.cents - cents)
        self.touch(rest)
        return rest

    def cut(self, parts: list[Slice], cents: int) -> list[Slice]:
        """Slices off the front of a list that come to these cents, or to as many as there are; they leave the list."""
        taken: list[Slice] = []
        while cents > 0 and parts:
            part = parts[0]
            if part.cents > cents:
                part = part.split(cents)
            else:
                del parts[0]
            taken.append(part)
            cents -= part.cents
        for part in taken:
            self.cents[part.pool] -= part.cents
        return taken

    def cut_lots(self, lots: Iterable[tuple[int, int]]) -> list[Slice]:
        """What lots of proceeds give, each its cents."""
        taken: list[Slice] = []
        for key, cents in lots:
            parts = self.proceeds.get(key)
            if parts is None:
                continue
            taken += self.cut(parts, cents)
            if not parts:
                del self.proceeds[key]
        return taken

    def move(self, parts: list[Slice], pool: str, *, awaiting: bool = False, key: int | None = None) -> None:
        """Put slices that were cut into another pool."""
        for part in parts:
            part.pool, part.mark, part.buffered = pool, None, False
            part.awaiting = awaiting
            part.reserved = part.released = False
            if key is not None:
                part.key = key
            self._put(part)

    def shift(self, source: str, target: str, cents: int) -> None:
        """Move up to so many cents, the oldest first, from one pool to another."""
        self.move(self.cut(self.pools[source], cents), target)

    def use(self, parts: list[Slice], use: str, day: int, seq: int) -> int:
        """Slices that were cut have left the fund's cash for a use; how many cents that were."""
        total, stays, flows = 0, self.stays, self.flows
        for part in parts:
            total += part.cents
            flow = part.source, use
            flows[flow] = flows.get(flow, 0) + part.cents
            last = len(part.spans) - 1
            for place, (reason, first) in enumerate(part.spans):
                until = day if place == last else part.spans[place + 1][1]
                if until > first:
                    stays.append(Stay(part.source, reason, use, part.cents, first, until, part.origin, seq))
            self._touched.pop(id(part), None)
        return total

    def pay(self, cents: int, order: Iterable[str], use: str, day: int, seq: int) -> None:
        """Take cents for a use from pools in this order, then from wherever there are any."""
        for pool in (*order, OTHER, DRAWN, CALLED):
            if cents <= 0:
                return
            cents -= self.use(self.cut(self.pools[pool], cents), use, day, seq)
        for key, parts in list(self.proceeds.items()):
            if cents <= 0:
                return
            cents -= self.use(self.cut_lots([(key, min(cents, cents_of(parts)))]), use, day, seq)

    def close(self, day: int) -> None:
        """The evening of a day: what was touched, and is still there, gets the reason of the coming night."""
        for part in self._touched.values():
            reason = self._reason(part)
            if not part.spans or part.spans[-1][0] != reason:
                if part.spans and part.spans[-1][1] == day:
                    part.spans[-1] = (reason, day)
                else:
                    part.spans.append((reason, day))
        self._touched.clear()

    def _reason(self, part: Slice) -> str:
        pool = part.pool
        if part.reserved:
            return "reserve"
        if part.buffered:
            return "debt_service_buffer"
        if pool == OTHER and not part.awaiting:
            return "fee_float"
        if part.awaiting:
            return "sweep" if self.holding else "awaiting_distribution"
        if self.holding and pool != CALLED:
            return "sweep"
        if self.tripped:
            return "breaker"
        if pool == PROCEEDS:
            return (part.mark or "awaiting_check") if part.released else "delay"
        return part.mark or ("uninvested_call" if pool == CALLED else "uninvested_draw")


def cents_of(parts: Iterable[Slice]) -> int:
    """What slices hold together."""
    return sum(part.cents for part in parts)
