"""Whether a stored log is what was written: the chain of hashes, row by row."""

from collections.abc import Iterable

from fundclock.events.record import FIRST_HASH, canonical_line, chain
from fundclock.events.stores.store import DamagedLog, RawRecord, RunInfo


def check_chain(rows: Iterable[RawRecord], info: RunInfo) -> str:
    """The head hash of a whole chain. Raises DamagedLog that names the first bad record."""
    head = FIRST_HASH
    expected = 0
    for row in rows:
        if expected == info.records and info.status != "finished":
            break  # written since the row was read: a run that goes on
        expected += 1
        if row.seq != expected:
            raise DamagedLog(expected, f"is missing; the next one stored is {row.seq}")
        line = canonical_line(row.seq, row.day, row.phase, row.kind, row.cause, row.correlation, row.payload)
        head = chain(head, line)
        if head != row.hash:
            raise DamagedLog(row.seq, f"does not match its stored hash ({row.kind}, day {row.day})")
    if expected != info.records:
        raise DamagedLog(expected + 1, f"is missing: {info.records} records were written, {expected} are stored")
    if head != info.head_hash:
        raise DamagedLog(expected, "does not match the head hash in the run's row")
    return head
