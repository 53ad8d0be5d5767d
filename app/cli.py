"""The command line: all commands, and what errors mean to the shell.

A command reads its words, calls the scenarios package, and shows what came of it.
"""

import sys
from typing import Annotated, NoReturn

import typer

from app import making, reading, terminal, timing
from app.options import app
from app.terminal import say

__all__ = ["app", "main", "making", "reading", "timing"]

LATER = ("ensemble",)
"""Commands that are announced and not built yet."""


def _later(name: str) -> None:
    @app.command(name, hidden=True, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
    def command(_words: Annotated[list[str] | None, typer.Argument()] = None) -> NoReturn:
        say(f"fundclock {name} is not available yet")
        raise typer.Exit(terminal.USAGE)


for _name in LATER:
    _later(_name)


def main() -> None:
    """Run the command line; exit codes are those of ``app.terminal``."""
    try:
        app()
    except SystemExit as stop:
        if stop.code == terminal.INTERRUPTED:
            say("interrupted; what was recorded is kept")
        raise
    except Exception as error:
        code = terminal.exit_code_of(error)
        if code is None:
            terminal.log().error("internal_error", error=str(error), exc_info=error)
            sys.exit(terminal.INTERNAL)
        for line in str(error).splitlines():
            say(f"error: {line}")
        sys.exit(code)
