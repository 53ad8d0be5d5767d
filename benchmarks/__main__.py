"""What a record costs, as ratios inside one process: prints the table and keeps it in docs/benchmarks.md."""

import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.allocation import allocation
from benchmarks.checks import seconds_a_check
from benchmarks.commands import commands
from benchmarks.service import dashboard, service
from benchmarks.timing import audits, sweeps
from benchmarks.unit import unit_seconds
from fundclock import Run, Scenario
from fundclock.events.stores.sqlite import SqliteStore
from fundclock.scenarios.runs.plan import Plan
from fundclock.scenarios.runs.playing import play_in_memory, play_into

ROOT = Path(__file__).resolve().parent.parent
SMALL_LOANS = {
    "loans.size": {"mean": 8_000, "sd": 2_000, "min": 1_000, "max": 20_000},
    "reinvestment_engine.reinvestment_batch_size": 2_500,
}
"""Loans of a fiftieth of the size, and batches fifty times as large."""

NO_FEES = {
    "fees": {"management": 0, "origination": 0, "expenses": 0, "setup": 0},
    "waterfall": {"hurdle": 0, "carry": 0, "catch_up": 0},
}

ALL_OF_REINVESTMENT = {
    "reinvestment_engine.enable_dynamic_allocation": True,
    "reinvestment_engine.enable_cash_reserve": True,
}

Row = tuple[str, str, str, bool]
"""What, measured, allowed, and whether it is met."""


def path_in_units(plan: Plan, play: Callable[[Plan], Run], repeats: int) -> tuple[float, float, int, int]:
    """Median path in U, seconds of the median path, loans and records. Path and unit are timed in turn."""
    run = play(plan)
    loans, records = run.metrics["loans_originated"], len(run.log)
    del run
    paths, units = [], []
    for _ in range(repeats):
        units.append(unit_seconds(loans))
        began = time.process_time()
        run = play(plan)
        paths.append(time.process_time() - began)
        del run
    ratio = statistics.median(path / unit for path, unit in zip(paths, units, strict=True))
    return ratio, statistics.median(paths), loans, records


def paths(folder: Path) -> list[Row]:
    """Whole paths against bare SimPy."""
    with SqliteStore(folder / "paths.db") as store:
        return _paths(lambda plan: play_into(store, plan))


def _paths(stored: Callable[[Plan], Run]) -> list[Row]:
    found: list[Row] = []
    for name, scenario, settings, repeats, in_memory, in_sqlite in (
        ("base", "base", {}, 61, 18, 25),
        ("base without fees and carry", "base", NO_FEES, 61, 16, 22),
        ("base with reserve and dynamic allocation", "base", ALL_OF_REINVESTMENT, 61, 20, 28),
        ("levered", "levered", {}, 61, 24, 32),
        ("levered with reserve and dynamic allocation", "levered", ALL_OF_REINVESTMENT, 61, 24, 32),
        ("small loans", "base", SMALL_LOANS, 5, 5, 7),
    ):
        plan = Scenario.load(scenario).with_(seed=7, set=settings).plan()
        for where, play, allowed in (("in memory", play_in_memory, in_memory), ("SQLite rows", stored, in_sqlite)):
            units, seconds, loans, records = path_in_units(plan, play, repeats)
            what = f"{name}, {loans:,} loans, {records:,} records, {where}"
            found.append((what, f"{units:.1f} U", f"≤ {allowed} U", units <= allowed))
            micro, event = seconds / records * 1e6, seconds / units / (4 * loans) * 1e6
            found.append((f"  a record, {where}", f"{micro:.1f} µs = {micro / event:.1f} SimPy events", "", True))
    return found


def quarters() -> list[Row]:
    """The net figures of all quarters against the path that they are of."""
    plan = Scenario.load("base").with_(seed=7).plan()
    paths, figures = [], []
    for _ in range(15):
        began = time.process_time()
        run = play_in_memory(plan)
        played = time.process_time()
        assert run.quarters
        figures.append(time.process_time() - played)
        paths.append(played - began)
    part = statistics.median(figures) / statistics.median(paths)
    return [("figures of all quarters, of the path", f"{part:.1%}", "≤ 5.0%", part <= 0.05)]


def opening(folder: Path) -> list[Row]:
    """Cost a record and peak memory with very many opening loans."""
    results = {}
    for loans in (10_000, 1_000_000):
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.opening", str(loans), str(folder)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        results[loans] = json.loads(done.stdout)
    few, many = (found["seconds"] / found["records"] * 1e6 for found in results.values())
    peak = results[1_000_000]["peak_bytes"] / 1e9
    return [
        (
            f"a record at 1,000,000 opening loans ({many:.1f} µs) against 10,000 ({few:.1f} µs)",
            f"{many / few:.2f} ×",
            "≤ 1.5 ×",
            many / few <= 1.5,
        ),
        ("peak memory at 1,000,000 opening loans", f"{peak:.2f} GB", "≤ 1.5 GB", peak <= 1.5),
    ]


def checks(folder: Path) -> list[Row]:
    """A reinvestment check with few and with many living loans."""
    (few_first, few), (many_first, many) = (seconds_a_check(loans, folder) for loans in (1_000, 100_000))
    rows = []
    for what, small, large in (("a reinvestment check", few, many), ("  after a valuation", few_first, many_first)):
        micro = f"{large * 1e6:.0f} µs against {small * 1e6:.0f} µs"
        bar = "≤ 1.5 ×" if what[0] != " " else ""
        text = f"{what}, 100,000 living loans against 1,000 ({micro})"
        rows.append((text, f"{large / small:.2f} ×", bar, not bar or large / small <= 1.5))
    return rows


def help_page() -> list[Row]:
    """How long the help page takes as a whole process."""
    program = Path(sys.executable).with_name("fundclock")
    times = []
    for _ in range(7):
        began = time.perf_counter()
        subprocess.run([program, "--help"], capture_output=True, check=True)
        times.append(time.perf_counter() - began)
    seconds = statistics.median(times)
    return [("fundclock --help", f"{seconds:.2f} s", "≤ 0.4 s", seconds <= 0.4)]


def machine() -> str:
    """The machine in one line."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{model}, {platform.system()}, CPython {platform.python_version()}"


def markdown(rows: list[Row], date: str) -> str:
    """The page that is kept."""
    lines = [
        "# Benchmarks",
        "",
        "The unit U is bare SimPy with the same loans: one process per loan originated in the run, each with three",
        "integer timeouts drawn beforehand, nothing else. A path is a whole run: all facts made, dispatched, folded",
        "and hashed. Both are processor time, timed alternately in one process;",
        "a ratio is the median over the pairs. Produced by `make bench`.",
        "",
        f"{machine()}; {date}.",
        "",
        "| what | measured | bar | met |",
        "|---|---:|---:|---|",
    ]
    lines += [f"| {what.strip()} | {measured} | {bar} | {_met(bar, met)} |" for what, measured, bar, met in rows]
    return "\n".join(lines) + "\n"


def _met(bar: str, met: bool) -> str:
    return "" if not bar else "yes" if met else "**no**"


def main() -> None:
    """Run all benchmarks."""
    rows: list[Any] = []
    with tempfile.TemporaryDirectory() as folder:
        for part in (
            help_page,
            lambda: commands(Path(folder)),
            allocation,
            lambda: paths(Path(folder)),
            quarters,
            lambda: opening(Path(folder)),
            lambda: checks(Path(folder)),
            lambda: audits(Path(folder)),
            sweeps,
            lambda: service(Path(folder)),
            lambda: dashboard(Path(folder)),
        ):
            rows += part()
    table = Table(title="Fundclock benchmarks")
    for head in ("", "measured", "bar", "met"):
        table.add_column(head, justify="left" if head in ("", "met") else "right")
    for what, measured, bar, met in rows:
        table.add_row(what, measured, bar, _met(bar, met).strip("*"))
    Console(width=120).print(table)
    page = ROOT / "docs" / "benchmarks.md"
    page.write_text(markdown(rows, datetime.now(UTC).date().isoformat()))


if __name__ == "__main__":
    main()
