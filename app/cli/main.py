"""The command line: all commands, and what errors mean to the shell.

A command reads its words, calls the scenarios below, and shows what came of it. Each file beside this one holds one
group of commands: ``play``, ``look``, ``ask``, ``leave``, ``look_after``, ``scenario_files``.
"""

import sys
from typing import Annotated, NoReturn

import typer

from fundclock.app.cli import ask, leave, look, look_after, play, scenario_files, terminal
from fundclock.app.cli.application import app
from fundclock.app.cli.terminal import say
from fundclock.app.logs import log

__all__ = ["app", "ask", "leave", "look", "look_after", "main", "play", "scenario_files"]

LATER = ("ensemble",)
"""Commands that are announced and not built yet."""

MOVED = ("events", "handlers", "sim", "scenarios", "app")
"""Names that an installation put on the path before they stood below ``fundclock``."""


def _later(name: str) -> None:
    @app.command(name, hidden=True, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
    def command(_words: Annotated[list[str] | None, typer.Argument()] = None) -> NoReturn:
        say(f"fundclock {name} is not available yet")
        raise typer.Exit(terminal.USAGE)


for _name in LATER:
    _later(_name)


def main() -> None:
    """Run the command line; exit codes are those of ``fundclock.app.cli.terminal``."""
    try:
        app()
    except SystemExit as stop:
        if stop.code == terminal.INTERRUPTED:
            say("interrupted; what was recorded is kept")
        raise
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in MOVED:
            raise
        say(f"error: there is no module '{error.name}'; Fundclock's own is now called fundclock.{error.name}")
        sys.exit(terminal.USAGE)
    except Exception as error:
        code = terminal.exit_code_of(error)
        if code is None:
            log().error("internal_error", error=str(error), exc_info=error)
            sys.exit(terminal.INTERNAL)
        for line in str(error).splitlines():
            say(f"error: {line}")
        sys.exit(code)
