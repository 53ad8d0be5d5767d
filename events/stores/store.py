"""What every store offers, and how it fails."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

from fundclock.events.record import Record

Status = Literal["running", "finished", "interrupted", "failed"]


class StoreError(Exception):
    """A store can't be opened, read or written; the message says which and why."""


class UnknownRun(StoreError):
    """No run, or more than one, answers to this name."""


class DamagedLog(Exception):
    """A log differs from what was written. ``seq`` is the first bad record."""

    def __init__(self, seq: int, problem: str) -> None:
        super().__init__(seq, problem)
        self.seq = seq
        self.problem = problem

    def __str__(self) -> str:
        return f"record {self.seq}: {self.problem}"


@dataclass(frozen=True)
class RunInfo:
    """The row of a run: its name in the store and the head of its log."""

    run: str
    scenario: str
    seed: int
    status: Status
    records: int
    head_hash: str
    parent: str | None = None
    divergence_seq: int | None = None


@dataclass(frozen=True)
class RawRecord:
    """A record as stored, before anything is made of it."""

    seq: int
    day: int
    phase: str
    kind: str
    cause: int | None
    correlation: int
    payload: bytes
    hash: str


@dataclass
class InputFile:
    """An input that a run was made from, kept by the SHA-256 of its bytes."""

    digest: str
    name: str
    content: bytes = field(repr=False)


class Log(Protocol):
    """A run's log, for reading."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Record]: ...

    def hashes(self, limit: int | None = None) -> Iterator[str]:
        """The hashes of the first ``limit`` records, or of all."""
        ...

    def row(self, seq: int) -> RawRecord:
        """A record as it is stored."""
        ...

    def episode(self, correlation: int) -> Iterator[Record]:
        """The records of the episode that began with this seq: those with this correlation."""
        ...

    def read(self, after: int = 0, kinds: Iterable[str] | None = None, limit: int | None = None) -> Iterator[Record]:
        """Records with seq > ``after``, of these kinds, at most ``limit``."""
        ...


def no_such(name: str, problem: str) -> UnknownRun:
    """The error for a run that a store can't name."""
    return UnknownRun(f"{problem}: '{name}' (see `fundclock runs`)")
