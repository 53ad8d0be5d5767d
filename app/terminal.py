"""What every command shares: streams, exit codes, progress and the operators' log."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

OK, INTERNAL, USAGE, BREACH, MISMATCH, STORE, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130
"""Exit codes."""

QUIET_SECONDS = 1.0
"""Work that takes less shows no progress."""


def configure_logs(level: str) -> None:
    """Send the operators' log to stderr: lines for people on a terminal, JSON elsewhere."""
    import structlog

    terminal = sys.stderr.isatty()
    renderer: Any = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def log() -> Any:
    """The operators' log."""
    import structlog

    return structlog.get_logger()


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
    from events.stores.store import DamagedLog, StoreError
    from scenarios.problems import InvalidInput
    from scenarios.rerun import Mismatch

    if isinstance(error, InvalidInput):
        return USAGE
    if isinstance(error, DamagedLog | Mismatch):
        return MISMATCH
    if isinstance(error, StoreError | OSError):
        return STORE
    return None
