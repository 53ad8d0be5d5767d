"""A log in memory."""

from collections.abc import Iterable, Iterator

from fundclock.events.chain import ChainedLog
from fundclock.events.record import Record
from fundclock.events.stores.store import RawRecord


class MemoryLog(ChainedLog):
    """Records in a list: a log writer while the run goes on, a log to read at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[Record] = []
        self._hashes: list[str] = []

    def append(self, records: list[Record]) -> None:
        """Keep a batch."""
        self.records += records
        ChainedLog.append(self, records)

    def hashes(self, limit: int | None = None) -> Iterator[str]:
        """The hashes of the first ``limit`` records, or of all."""
        self.seal()
        return iter(self._hashes[:limit])

    def row(self, seq: int) -> RawRecord:
        """A record as a store would hold it."""
        self.seal()
        record = self.records[seq - 1]
        return RawRecord(*record[:6], record.payload.to_json(), self._hashes[seq - 1])

    def episode(self, correlation: int) -> Iterator[Record]:
        """The records of the episode that began with this seq: those with this correlation."""
        return (record for record in self.records[correlation - 1 :] if record.correlation == correlation)

    def _write(self, _records: list[Record], _payloads: list[bytes], hashes: list[str]) -> None:
        self._hashes += hashes

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def read(self, after: int = 0, kinds: Iterable[str] | None = None, limit: int | None = None) -> Iterator[Record]:
        """Records with seq > ``after``, of these kinds, at most ``limit``."""
        wanted = None if kinds is None else frozenset(kinds)
        count = 0
        for record in self.records[after:]:
            if wanted is None or record.kind in wanted:
                if limit is not None and count >= limit:
                    return
                count += 1
                yield record
