"""The command line: all commands, and what errors mean to the shell.

A command reads its words, calls the scenarios below, and shows what came of it. Each file beside this one holds one
group of commands.
"""

import sys
from typing import Annotated, NoReturn

import typer

from fundclock.app.cli import ask, leave, look, look_after, play, scenario_files, terminal
from fundclock.app.cli.terminal import say
from fundclock.app.logs import log

GROUPS = {
    "Play: run a fund, change it, compare outcomes": (play.run, play.fork, play.sweep, play.demo),
    "Look: what was recorded": (look.runs, look.show, look.events, look.replay, look.why),
    "Ask: what timing did, and what could go wrong": (ask.audit, ask.diff, ask.stress),
    "Leave: take results elsewhere": (leave.export, leave.report, leave.serve),
    "Look after: check and maintain": (look_after.verify, look_after.version),
    "Scenario files: write and check them": (
        scenario_files.init,
        scenario_files.validate,
        scenario_files.explain,
        scenario_files.schema,
    ),
}
"""All commands, by their group in the help."""

LATER = ("ensemble",)
"""Commands that are announced and not built yet."""

MOVED = ("events", "handlers", "sim", "scenarios", "app")
"""Names that an installation put on the path before they stood below ``fundclock``."""

app = typer.Typer(
    name="fundclock",
    help="Play a private loan fund day by day, and see what timing does to it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

for _group, _commands in GROUPS.items():
    for _command in _commands:
        app.command(rich_help_panel=_group)(_command)


def _version(wanted: bool) -> None:
    if wanted:
        from fundclock import __version__

        print(f"fundclock {__version__}")
        raise typer.Exit


@app.callback()
def _fundclock(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


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
