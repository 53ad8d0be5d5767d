"""Playing a plan: the log in memory or in a store, and the status of a run that is stopped."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fundclock.events.stores.memory import MemoryLog
from fundclock.events.stores.sqlite import SqliteStore
from fundclock.events.stores.store import Status, StoreError
from fundclock.scenarios.runs.plan import Plan
from fundclock.scenarios.runs.recorded import RecordedRun
from fundclock.scenarios.runs.simulation import Simulation
from fundclock.sim.script import PythonScript


def with_script(plan: Plan, script: PythonScript | None) -> Plan:
    """The plan with a Python script, whose name is in the manifest."""
    if script is None:
        return plan
    name = getattr(script, "__name__", "script")
    return plan._replace(python=script, manifest=plan.manifest.model_copy(update={"python": name}))


@contextmanager
def closing(close: Callable[[Status], None]) -> Iterator[None]:
    """Close a run's writer with the run's status; everything recorded is kept."""
    try:
        yield
    except KeyboardInterrupt:
        close("interrupted")
        raise
    except StoreError:
        raise
    except Exception:
        close("failed")
        raise
    close("finished")


def play_in_memory(plan: Plan, on_day: Callable[[int, int], None] | None = None) -> RecordedRun:
    """Run a plan with its log in memory."""
    log = MemoryLog()
    simulation = Simulation(plan, log, _progress(plan, on_day))
    simulation.run()
    inputs = {item.digest: item for item in plan.inputs.values()}
    return RecordedRun(plan.manifest, log, simulation.state, log.head_hash, kept=inputs.__getitem__, python=plan.python)


def play_into(
    store: SqliteStore, plan: Plan, on_day: Callable[[int, int], None] | None = None, name: str | None = None
) -> RecordedRun:
    """Run a plan into a store. On an interrupt or error the records so far are kept and the run's status says so.

    The run has the ``name``, or one that depends on its manifest.
    """
    writer = store.begin(name or run_name(plan), plan.manifest.name, plan.seed, plan.inputs.values())
    simulation = Simulation(plan, writer, _progress(plan, on_day))
    with closing(writer.close):
        simulation.run()
    return RecordedRun(
        plan.manifest,
        store.log(writer.run),
        simulation.state,
        writer.head_hash,
        writer.run,
        store.input,
        python=plan.python,
    )


def run_name(plan: Plan) -> str:
    """A short name that depends on the manifest alone."""
    return f"{plan.manifest.name}-{hashlib.sha256(plan.manifest.to_json()).hexdigest()[:8]}"


def _progress(plan: Plan, on_day: Callable[[int, int], None] | None) -> Callable[[int], None] | None:
    if on_day is None:
        return None
    last = plan.config.last_day()
    return lambda day: on_day(day, last)
