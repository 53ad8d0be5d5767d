"""The operators' log: on stderr, lines for people on a terminal, JSON elsewhere."""

import logging
import sys
from typing import Any


def configure_logs(level: str) -> None:
    """Send the operators' log to stderr, from this level on: debug, info, warning or error."""
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
