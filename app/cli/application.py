"""The Typer application that all commands join."""

from typing import Annotated

import typer

app = typer.Typer(
    name="fundclock",
    help="Play a private loan fund day by day, and see what timing does to it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _version(wanted: bool) -> None:
    if wanted:
        from fundclock import __version__

        print(f"fundclock {__version__}")
        raise typer.Exit


@app.callback()
def fundclock(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Play a private loan fund day by day, and see what timing does to it."""
