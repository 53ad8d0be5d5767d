"""The operators' log: on stderr, lines for people on a terminal, JSON elsewhere."""

import sys
from typing import Any

_asked: str | None = None


def configure_logs(level: str) -> None:
    """Send the operators' log to stderr, from this level on: debug, info, warning or error.

    It is set up with its first line; most commands that only look never write one.
    """
    global _asked  # noqa: PLW0603
    _asked = level


def log() -> Any:
    """The operators' log."""
    global _asked  # noqa: PLW0603
    import structlog

    if _asked is not None:
        _set_up(_asked)
        _asked = None
    return structlog.get_logger()


def _set_up(level: str) -> None:
    import logging

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
