"""Logs for other tools: JSON lines (the canonical bytes) and CSV."""

import csv
import io
from collections.abc import Iterable, Iterator

from fundclock.events.dates import Calendar
from fundclock.events.record import Record

CSV_COLUMNS = ("seq", "day", "date", "phase", "kind", "cause", "correlation", "payload")


def to_jsonl(records: Iterable[Record]) -> Iterator[bytes]:
    """One canonical line per record: the bytes that the hash chain covers."""
    for record in records:
        yield record.line() + b"\n"


def to_csv(records: Iterable[Record], calendar: Calendar) -> Iterator[bytes]:
    """A header and one row per record; the payload as JSON text."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for r in records:
        date = calendar.date(r.day).isoformat()
        writer.writerow(
            (
                r.seq,
                r.day,
                date,
                r.phase,
                r.kind,
                "" if r.cause is None else r.cause,
                r.correlation,
                r.payload.to_json().decode(),
            )
        )
        if buffer.tell() > 1 << 16:
            yield _drain(buffer)
    yield _drain(buffer)


def _drain(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()
