"""Rows of stores as records."""

from fundclock.events.facts import parse_fact
from fundclock.events.record import Record
from fundclock.events.stores.store import DamagedLog, RawRecord


def record_of(row: RawRecord) -> Record:
    """The record of a stored row. Raises DamagedLog where its payload can't be read."""
    try:
        fact = parse_fact(row.kind, row.payload)
    except ValueError as error:
        raise DamagedLog(row.seq, str(error)) from None
    return Record(
        seq=row.seq,
        day=row.day,
        phase=row.phase,
        kind=row.kind,
        cause=row.cause,
        correlation=row.correlation,
        payload=fact,
    )
