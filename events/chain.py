"""The hash chain of a log, made in runs of records.

The bus hands over stamped records as they happen. Their bytes and hashes are made a few
hundred at a time: facts are frozen, so it does not matter when, and a tight loop does it in half the time.
"""

from fundclock.events.record import FIRST_HASH, Record, seal

RUN = 250
"""Records that are sealed together."""


class ChainedLog:
    """Base of everything that takes a run's records: seals them and passes them on to ``_write``."""

    def __init__(self, head: str = FIRST_HASH) -> None:
        self._head = head
        self._unsealed: list[Record] = []

    def append(self, records: list[Record]) -> None:
        """Take a batch."""
        unsealed = self._unsealed
        unsealed += records
        if len(unsealed) >= RUN:
            self.seal()

    @property
    def head_hash(self) -> str:
        """The hash of the last record taken."""
        self.seal()
        return self._head

    def seal(self) -> None:
        """Make the bytes and hashes of the records that wait, and write them."""
        records, self._unsealed = self._unsealed, []
        if not records:
            return
        payloads, hashes = seal(self._head, records)
        self._write(records, payloads, hashes)
        self._head = hashes[-1]

    def _write(self, records: list[Record], payloads: list[bytes], hashes: list[str]) -> None:
        """Take sealed records; the three lists are equally long."""
        raise NotImplementedError
