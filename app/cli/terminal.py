"""What every command shares: streams, exit codes and progress."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

OK, INTERNAL, USAGE, BREACH, MISMATCH, STORE, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130
"""Exit codes."""

QUIET_SECONDS = 1.0
"""Work that takes less shows no progress."""


def say(text: str) -> None:
    """A line for people, on stderr."""
    print(text, file=sys.stderr)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A function that takes (done, total): a bar on a terminal, a line per 10 % elsewhere."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(what, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
        return
    began = time.monotonic()
    shown = 0

    def line(done: int, total: int) -> None:
        nonlocal shown
        tenth = 10 * done // total
        if tenth > shown and time.monotonic() - began > QUIET_SECONDS:
            shown = tenth
            say(f"{what}: {tenth * 10} %")

    yield line


def exit_code_of(error: BaseException) -> int | None:
    """The exit code that an error stands for; None for a mistake of our own."""
    from fundclock.app.extras import MissingExtra
    from fundclock.events.stores.store import DamagedLog, StoreError
    from fundclock.scenarios.files.problems import InvalidInput

    if isinstance(error, InvalidInput | MissingExtra):
        return USAGE
    if isinstance(error, DamagedLog):
        return MISMATCH
    if isinstance(error, StoreError | OSError):
        return STORE
    return None
