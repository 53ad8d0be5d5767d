"""Sweeps: a scenario under every combination of some settings and seeds, with the same draws for the same seed.

Cells are numbered in the order of the axes, the last one fastest, and played on all cores. A cell's row depends on the
cell alone, not on the number of workers or on what was played before. Rows are stored as they arrive, so that an
interrupted sweep resumes where it stopped.
"""

import hashlib
import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any, NamedTuple

from fundclock.events.facts import RunStarted
from fundclock.events.stores.sqlite import SqliteStore
from fundclock.events.stores.store import InputFile
from fundclock.scenarios.ensembles.sweep_fan import sweep_fan
from fundclock.scenarios.ensembles.sweep_files import save
from fundclock.scenarios.ensembles.sweep_summary import summary
from fundclock.scenarios.files.axes import DRAWS, MAX_CELLS, Axes, axis_values
from fundclock.scenarios.files.problems import InvalidInput, Problem
from fundclock.scenarios.runs.planning import plan_again
from fundclock.scenarios.runs.playing import play_in_memory
from fundclock.scenarios.scenario import Scenario

CHUNKS_A_WORKER = 16
MAX_CHUNK = 16

Progress = Callable[[int, int], None]


class Cell(NamedTuple):
    """One run of a sweep: its number, which combination of settings it has, and its draws."""

    number: int
    combination: int
    seed: int
    replication: int


class Task(NamedTuple):
    """Cells of one combination, with all that another process needs to play them."""

    manifest: bytes
    inputs: dict[str, InputFile]
    cells: list[Cell]


@dataclass(frozen=True)
class Sweep:
    """A finished sweep: one row per cell, in the order of the cells; ``reused`` of them were played before."""

    name: str
    scenario: str
    axes: Axes
    rows: list[dict[str, Any]]
    reused: int

    @cached_property
    def summary(self) -> list[dict[str, Any]]:
        """Metrics by combination over all draws; see ``fundclock.scenarios.ensembles.sweep_summary.summary``."""
        return summary(self.rows, [key for key in self.axes if key not in DRAWS])

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return {
            "schema": "fundclock.sweep/1",
            "sweep": self.name,
            "scenario": self.scenario,
            "axes": self.axes,
            "cells": len(self.rows),
            "reused": self.reused,
            "rows": self.rows,
            "summary": self.summary,
        }

    def save(self, path: Path) -> None:
        """Write the rows as CSV or Parquet, by the file extension. Raises InvalidInput for any other."""
        save(self.rows, path)

    def figure(self, name: str) -> dict[str, Any]:
        """A chart's data by its name: ``sweep_fan``. Raises InvalidInput for another."""
        if name != "sweep_fan":
            raise InvalidInput([Problem("chart", f"there is no chart '{name}'; a sweep has sweep_fan")])
        return sweep_fan(self.scenario, self.summary).as_json()


def sweep(
    scenario: Scenario,
    axes: Mapping[str, Sequence[Any] | str] | None = None,
    *,
    workers: int | None = None,
    executor: Executor | None = None,
    store: str | Path | SqliteStore | None = None,
    fresh: bool = False,
    on_cell: Progress | None = None,
) -> Sweep:
    """Play a scenario under every combination of the axes' values (by default those of its ``sweep:`` section).

    It uses ``workers`` processes, by default one per core; 1 plays in this process. Any executor of
    ``concurrent.futures`` may be used instead. With a ``store``, rows are kept as they arrive, and cells already there
    are not played again unless ``fresh``. ``on_cell`` is called with (cells done, cells). Raises InvalidInput before
    anything is played.

    With worker processes, a script must call it under ``if __name__ == "__main__":``.
    """
    given = dict(scenario.resolve().sweep) if axes is None else dict(axes)
    chosen: Axes = {key: axis_values(key, list(v) if isinstance(v, tuple | range) else v) for key, v in given.items()}
    if not chosen:
        raise InvalidInput([Problem("sweep", "has no axis; give at least one, like seed=1:100")])
    combinations, cells = _cells(scenario, chosen)
    plans = _plans(scenario, combinations)
    manifests = [manifest.to_json() for manifest, _ in plans]
    names = _names(manifests, cells)
    with nullcontext(store) if store is None or isinstance(store, SqliteStore) else SqliteStore(store) as opened:
        found = {} if opened is None or fresh else opened.cells(names)
        kept = {cell.number: json.loads(found[name]) for cell, name in zip(cells, names, strict=True) if name in found}
        missing = [cell for cell in cells if cell.number not in kept]
        tasks = _tasks(missing, manifests, [inputs for _, inputs in plans], workers)
        rows: dict[int, dict[str, Any]] = dict(kept)

        def take(found: list[tuple[int, dict[str, Any]]]) -> None:
            if opened is not None:
                opened.keep_cells([(names[number], json.dumps(row)) for number, row in found])
            rows.update(found)
            if on_cell is not None:
                on_cell(len(rows), len(cells))

        _play_all(tasks, workers, executor, take)
    done = [{"cell": cell.number, **_at(chosen, cell, combinations), **rows[cell.number]} for cell in cells]
    name = hashlib.sha256("".join(names).encode()).hexdigest()[:16]
    return Sweep(name, scenario.name, chosen, done, len(kept))


def _cells(scenario: Scenario, axes: Axes) -> tuple[list[dict[str, Any]], list[Cell]]:
    """The combinations of settings, and the cells, in the order of the axes."""
    count = 1
    for values in axes.values():
        count *= len(values)
    if count > MAX_CELLS:
        raise InvalidInput([Problem("sweep", f"has {count:,} cells; at most {MAX_CELLS:,} are allowed")])
    places: dict[str, int] = {}
    combinations: list[dict[str, Any]] = []
    cells = []
    for number, point in enumerate(product(*axes.values())):
        chosen = dict(zip(axes, point, strict=True))
        seed = chosen.pop("seed", scenario.seed)
        replication = chosen.pop("replication", scenario.replication)
        key = json.dumps(chosen, default=str)
        if key not in places:
            places[key] = len(combinations)
            combinations.append(chosen)
        cells.append(Cell(number, places[key], seed, replication))
    return combinations, cells


def _plans(
    scenario: Scenario, combinations: Sequence[Mapping[str, Any]]
) -> list[tuple[RunStarted, dict[str, InputFile]]]:
    """The manifest and the inputs of each combination. Raises InvalidInput with what is wrong in any."""
    plans = []
    problems: dict[Problem, None] = {}
    for settings in combinations:
        try:
            plan = scenario.with_(set=settings, origin="--sweep").plan()
        except InvalidInput as error:
            problems |= dict.fromkeys(error.problems)
            continue
        plans.append((plan.manifest, {item.digest: item for item in plan.inputs.values()}))
    if problems:
        raise InvalidInput(problems)
    return plans


def _names(manifests: Sequence[bytes], cells: Sequence[Cell]) -> list[str]:
    """What each cell is made from, as a name: its manifest (with versions) and its draws."""
    begun = [hashlib.sha256(manifest) for manifest in manifests]
    names = []
    for cell in cells:
        digest = begun[cell.combination].copy()
        digest.update(f"/{cell.seed}/{cell.replication}".encode())
        names.append(digest.hexdigest())
    return names


def _tasks(
    cells: Sequence[Cell], manifests: Sequence[bytes], inputs: Sequence[dict[str, InputFile]], workers: int | None
) -> list[Task]:
    """Cells in small groups, so that no worker waits long for the last one."""
    size = max(1, min(MAX_CHUNK, len(cells) // (CHUNKS_A_WORKER * (workers or os.cpu_count() or 1))))
    tasks: list[Task] = []
    by_combination: dict[int, list[Cell]] = {}
    for cell in cells:
        by_combination.setdefault(cell.combination, []).append(cell)
    for combination, group in by_combination.items():
        for first in range(0, len(group), size):
            tasks.append(Task(manifests[combination], inputs[combination], group[first : first + size]))
    return tasks


def _play_all(
    tasks: Sequence[Task],
    workers: int | None,
    executor: Executor | None,
    take: Callable[[list[tuple[int, dict[str, Any]]]], None],
) -> None:
    if executor is None and (workers == 1 or len(tasks) < 2):
        for task in tasks:
            take(play_cells(task))
        return
    own = None
    if executor is None:
        own = executor = ProcessPoolExecutor(workers, worker_context(__name__), initializer=end_with_parent)
    futures: list[Future[list[tuple[int, dict[str, Any]]]]] = []
    try:
        futures += [executor.submit(play_cells, task) for task in tasks]
        for future in as_completed(futures):
            take(future.result())
    except BrokenProcessPool:
        where = 'in a script, call sweep() under `if __name__ == "__main__":`, or pass workers=1'
        raise InvalidInput([Problem("workers", f"a worker process did not start or was terminated; {where}")]) from None
    except BaseException:
        for future in futures:
            future.cancel()
        raise
    finally:
        if own is not None:
            own.shutdown(wait=True, cancel_futures=True)


def worker_context(*modules: str) -> BaseContext:
    """How worker processes begin: as copies of one that has imported the modules, or each anew (on Windows)."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(modules))
    return context


def end_with_parent() -> None:
    """A worker whose sweep was killed ends too, instead of waiting for tasks that never come."""
    parent = multiprocessing.parent_process()
    assert parent is not None  # this is a worker

    def watch() -> None:
        parent.join()
        os._exit(1)

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the sweep's to answer
    threading.Thread(target=watch, daemon=True).start()


def play_cells(task: Task) -> list[tuple[int, dict[str, Any]]]:
    """Play the cells of a task: each one's number and row."""
    first = RunStarted.model_validate_json(task.manifest)
    plan = plan_again(first, task.inputs.__getitem__)
    rows = []
    for cell in task.cells:
        manifest = first.model_copy(update={"seed": cell.seed, "replication": cell.replication})
        run = play_in_memory(plan._replace(seed=cell.seed, replication=cell.replication, manifest=manifest))
        figures = {name: value for name, value in run.metrics.items() if not isinstance(value, dict)}
        row = {"seed": cell.seed, "replication": cell.replication, **figures}
        rows.append((cell.number, {**row, "records": len(run.log), "head_hash": run.head_hash}))
    return rows


def _at(axes: Axes, cell: Cell, combinations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The cell's values on the axes of settings."""
    return {key: combinations[cell.combination][key] for key in axes if key not in DRAWS}
