"""The timing audit against a fold replay, a fork against a run, and how busy a sweep keeps its workers."""

import gc
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from fundclock import Scenario, audit, sweep
from fundclock.events.stores.sqlite import SqliteStore
from fundclock.scenarios.runs.stored import fold

Row = tuple[str, str, str, bool]
PATHS = 2_000
WORKERS = 2
LATER = {"reinvestment_engine.reinvestment_delay": 3}


def seconds(work: Callable[[], object]) -> float:
    """Processor time of one call."""
    gc.collect()
    began = time.process_time()
    work()
    return time.process_time() - began


def ratio(work: Callable[[], object], other: Callable[[], object], repeats: int = 15) -> float:
    """Median ratio of two pieces of work, timed in turn."""
    return statistics.median(seconds(work) / seconds(other) for _ in range(repeats))


def audits(folder: Path) -> list[Row]:
    """An audit without options against a fold replay of the same log; a fork against the run that it is of."""
    rows: list[Row] = []
    with SqliteStore(folder / "timing.db") as store:
        for name in ("base", "levered"):
            scenario = Scenario.load(name).with_(seed=7)
            for where, run in (("in memory", scenario.run()), ("SQLite rows", scenario.run(store))):
                found = ratio(lambda run=run: audit(run), lambda run=run: fold(run.log))
                rows.append((f"audit of {name} against a fold replay, {where}", f"{found:.2f} ×", "≤ 2 ×", found <= 2))
            parent = scenario.run()
            found = ratio(lambda run=parent: run.fork("2028-03-31", set=LATER), lambda made=scenario: made.run())
            rows.append((f"a fork of {name} against its run", f"{found:.2f} ×", "", True))
    return rows


def sweeps() -> list[Row]:
    """Processor time of the workers over the time that they had."""
    if not Path("/proc/self/stat").exists():
        return [("a sweep's workers", "not measured here", "", True)]
    with ProcessPoolExecutor(WORKERS, multiprocessing.get_context("forkserver")) as executor:
        sweep(Scenario.load("base"), {"seed": "1:4"}, workers=WORKERS, executor=executor)  # they have started
        pids = list(executor._processes)
        before, began = sum(map(_worked, pids)), time.perf_counter()
        sweep(Scenario.load("base"), {"seed": f"1:{PATHS}"}, workers=WORKERS, executor=executor)
        took = time.perf_counter() - began
        busy = (sum(map(_worked, pids)) - before) / (WORKERS * took)
    return [
        (f"a sweep of {PATHS:,} base paths keeps {WORKERS} workers busy", f"{busy:.1%}", "≥ 90 %", busy >= 0.9),
        ("  a path on each worker", f"{took * WORKERS / PATHS * 1e3:.1f} ms", "", True),
    ]


def _worked(pid: int) -> float:
    """Seconds of processor time that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
