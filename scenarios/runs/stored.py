"""Stored runs: found in a store, folded from their logs."""

from fundclock.events.facts import RunStarted, parse_fact
from fundclock.events.replay import replay
from fundclock.events.state import InvariantError, State
from fundclock.events.stores.sqlite import SqliteStore
from fundclock.events.stores.store import DamagedLog, Log, RunInfo, StoreError
from fundclock.scenarios.runs.recorded import RecordedRun


def manifest_of(store: SqliteStore, info: RunInfo) -> RunStarted:
    """The first record of a run. Raises DamagedLog where it is not a manifest."""
    if not info.records:
        raise StoreError(f"run {info.run} has no records yet")
    first = next(store.rows(info.run, limit=1), None)
    if first is None or first.seq != 1:
        raise DamagedLog(1, "the manifest is missing")
    try:
        manifest = parse_fact(first.kind, first.payload)
    except ValueError as error:
        raise DamagedLog(1, str(error)) from None
    if not isinstance(manifest, RunStarted):
        raise DamagedLog(1, f"expected run.started/1, found {first.kind}")
    return manifest


def load_run(store: SqliteStore, info: RunInfo) -> RecordedRun:
    """A stored run, folded from its log."""
    log = store.log(info.run)
    origin = (info.parent, info.divergence_seq)
    return RecordedRun(manifest_of(store, info), log, fold(log), info.head_hash, info.run, store.input, origin)


def fold(log: Log, until_day: int | None = None, state: State | None = None) -> State:
    """The state of a stored log; ``state`` is the state to continue from. Raises DamagedLog if it does not fold."""
    state = State() if state is None else state
    try:
        replay(log.read(after=state.seq), until_day, state)
    except (InvariantError, KeyError) as error:
        raise DamagedLog(state.seq, f"does not fold: {error} (see `fundclock verify`)") from None
    return state
