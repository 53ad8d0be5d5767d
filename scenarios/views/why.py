"""Why did this happen? Causes of a record up to its root, effects down."""

from dataclasses import dataclass, field
from typing import Any

from fundclock.events.facts import CapitalReinvested, DebtServicePaid, FacilityRepaid, ProceedsReleased
from fundclock.events.record import Record
from fundclock.events.stores.store import Log
from fundclock.scenarios.files.problems import InvalidInput, Problem


@dataclass
class Effect:
    """A record and what it led to."""

    record: Record
    effects: "list[Effect]" = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Seq, day and kind, down the tree."""
        record = self.record
        return {
            "seq": record.seq,
            "day": record.day,
            "kind": record.kind,
            "effects": [effect.as_json() for effect in self.effects],
        }


@dataclass(frozen=True)
class Why:
    """The chain from the root to the record's parent, the tree below the record, and the lots that paid for it."""

    causes: list[Record]
    tree: Effect
    lots: list[Record]


def why(log: Log, seq: int) -> Why:
    """Causes, effects and lots of the record with this seq. Raises InvalidInput where there is none.

    A reinvestment is caused by a check, a repayment by a test or a sweep, but both are paid for by lots: those are
    named beside the chain.
    """
    if not 1 <= seq <= len(log):
        raise InvalidInput([Problem("seq", f"there is no record {seq}; the log has records 1 to {len(log)}")])
    found: dict[int, Record] = {}
    effects: dict[int, Effect] = {}
    for record in log.episode(log.row(seq).correlation):  # an effect's correlation is its cause's
        found[record.seq] = record
        if record.seq == seq:
            effects[seq] = Effect(record)
        elif record.cause in effects:
            effects[record.seq] = Effect(record)
            effects[record.cause].effects.append(effects[record.seq])
    causes: list[Record] = []
    cause = found[seq].cause
    while cause is not None:
        causes.append(found[cause])
        cause = found[cause].cause
    causes.reverse()
    return Why(causes, effects[seq], _lots(log, [*causes, found[seq]]))


def _lots(log: Log, chain: list[Record]) -> list[Record]:
    named: list[int] = []
    for record in chain:
        if isinstance(record.payload, CapitalReinvested | FacilityRepaid | DebtServicePaid):
            named += [lot for lot, _cents in record.payload.lots]
        elif isinstance(record.payload, ProceedsReleased):
            named.append(record.payload.lot)
    inside = {record.seq for record in chain}
    return [next(log.read(after=lot - 1, limit=1)) for lot in dict.fromkeys(named) if lot not in inside]
