"""What commands that only look cost, against what they import: processor time of whole processes, in turn."""

import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from fundclock import Scenario

IMPORTS = "import numpy, pydantic, rich, typer"
PAIRS = 15


def commands(folder: Path) -> list[tuple[str, str, str, bool]]:
    """Processor time of looking commands as multiples of Python with the packages that every command needs."""
    store = str(folder / "looked-at.db")
    Scenario.load("levered").with_(seed=7).run(store)
    program = str(Path(sys.executable).with_name("fundclock"))
    rows = []
    for words, most in (
        (["runs"], 1.5),
        (["events", "last", "--limit", "20"], None),
        (["show", "last"], None),
        (["replay", "last"], None),
    ):
        ratios = []
        for _ in range(PAIRS):
            bare = _seconds([sys.executable, "-c", IMPORTS])
            ratios.append(_seconds([program, *words, "--store", store]) / bare)
        ratio = statistics.median(ratios)
        bar = "" if most is None else f"≤ {most} ×"
        what = f"fundclock {words[0]}, processor time, against `{IMPORTS}`"
        rows.append((what, f"{ratio:.2f} ×", bar, most is None or ratio <= most))
    return rows


def _seconds(command: Sequence[str]) -> float:
    """Processor seconds of a process that has ended."""
    before = os.times()
    subprocess.run(command, capture_output=True, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system
