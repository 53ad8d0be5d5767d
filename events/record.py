"""The record: one envelope for every fact, and its canonical bytes."""

from collections.abc import Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel, ConfigDict

FIRST_HASH = "0" * 64
"""What the hash of the first record is chained to."""


if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass as _Quick
else:

    class _Quick(type(BaseModel)):
        """Calling a message's class validates its fields at once, without the ``__init__`` in between.

        One call in two microseconds less, for every record of every run. Type checkers see the fields as usual.
        """

        def __call__(cls, **fields: Any) -> Any:
            return cls.__pydantic_validator__.validate_python(fields)


class Message(BaseModel, metaclass=_Quick):
    """A fact or a command: frozen, flat where it can be, named on the wire by ``kind``."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kind: str

    def __getitem__(self, name: str) -> Any:
        """A field by its name, so that a payload also reads like a mapping."""
        try:
            return self.__dict__[name]
        except KeyError:
            raise KeyError(f"{self.kind} has no field '{name}'; it has {', '.join(self.__dict__)}") from None

    def keys(self) -> Iterator[str]:
        """The names of the fields."""
        return iter(self.__dict__)

    def to_json(self) -> bytes:
        """Canonical JSON: fields in declared order, no spaces, shortest floats that read back equal."""
        return self.__pydantic_serializer__.to_json(self)


class Fact(Message):
    """Something that happened; only facts are recorded."""


class Record(NamedTuple):
    """One line of the log: an envelope around a fact. ``seq`` counts from 1 and is the record's identity.

    ``cause`` is the seq of the direct parent (None at a root), ``correlation`` the seq at
    which the business episode began, ``day`` counts from the fund's start date.
    """

    seq: int
    day: int
    phase: str
    kind: str
    cause: int | None
    correlation: int
    payload: Any

    def line(self) -> bytes:
        """The canonical bytes of the record, one JSON object without a newline."""
        return canonical_line(*self[:6], self.payload.to_json())


def canonical_line(
    seq: int, day: int, phase: str, kind: str, cause: int | None, correlation: int, payload: bytes
) -> bytes:
    """The canonical bytes of a record from its parts; what the hash chain covers and what ``export`` writes."""
    parent = "null" if cause is None else cause
    head = (
        f'{{"seq":{seq},"day":{day},"phase":"{phase}","kind":"{kind}",'
        f'"cause":{parent},"correlation":{correlation},"payload":'
    )
    return head.encode() + payload + b"}"


def seal(head: str, records: list[Record]) -> tuple[list[bytes], list[str]]:
    """The payloads of these records and their hashes, chained from ``head``: ``canonical_line`` and ``chain`` of each.

    Written out as one loop, because every record of every run goes through it.
    """
    payloads: list[bytes] = []
    hashes: list[str] = []
    for seq, day, phase, kind, cause, correlation, fact in records:
        payload = fact.__pydantic_serializer__.to_json(fact)
        parent = "null" if cause is None else cause
        text = (
            f'{head}{{"seq":{seq},"day":{day},"phase":"{phase}","kind":"{kind}",'
            f'"cause":{parent},"correlation":{correlation},"payload":'
        )
        head = sha256(text.encode() + payload + b"}").hexdigest()
        payloads.append(payload)
        hashes.append(head)
    return payloads, hashes


def chain(previous: str, line: bytes) -> str:
    """The hash of a record: SHA-256 over the previous record's hash (hex) and this record's canonical bytes."""
    return sha256(previous.encode() + line).hexdigest()
