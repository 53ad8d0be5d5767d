"""What the commands share: the Typer application, options, and how stores, runs and scenarios are found."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

if TYPE_CHECKING:
    from events.dates import Calendar
    from events.stores.sqlite import SqliteStore
    from events.stores.store import RunInfo
    from scenarios import Run, Scenario

app = typer.Typer(
    name="fundclock",
    help="Play a private loan fund day by day, and see what timing does to it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _level(value: str) -> str:
    if value.lower() not in ("debug", "info", "warning", "error"):
        raise typer.BadParameter(f"expected debug, info, warning or error, got '{value}'")
    return value.lower()


Store = Annotated[str, typer.Option("--store", envvar="FUNDCLOCK_STORE", help="The file that holds runs.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
LogLevel = Annotated[
    str,
    typer.Option("--log-level", help="Operators' log on stderr: debug, info, warning or error.", callback=_level),
]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Random seed.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting; VALUE is YAML.")
]
Loans = Annotated[str | None, typer.Option("--loans", metavar="FILE", help="Loan tape (CSV) of the opening book.")]
ScenarioName = Annotated[str, typer.Argument(metavar="SCENARIO", help="A scenario file or a shipped name.")]
RunName = Annotated[str, typer.Argument(metavar="RUN", help="Run id, unique prefix, or 'last'.")]

DEFAULT_STORE = "fundclock.db"


def print_json(value: Any) -> None:
    """Data on stdout."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def check_new(path: Path | None, store: str) -> None:
    """Whether a report may be written here, before anything is played. Raises InvalidInput where it may not."""
    from scenarios.problems import InvalidInput, Problem

    if path is None:
        return
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise InvalidInput([Problem("--report", "is a folder, or in none that is there", str(path))])
    if path.exists() and Path(store).exists() and path.samefile(store):
        raise InvalidInput([Problem("--report", "is the store itself", str(path))])


@contextmanager
def new_file(path: Path, *, force: bool, store: str) -> Iterator[BinaryIO]:
    """A file to write: there whole when all went well, else not at all. Raises InvalidInput where it can't be."""
    from scenarios.problems import InvalidInput, Problem

    if path.is_dir() or (path.exists() and not force):
        hint = "is a folder" if path.is_dir() else "is there already; --force replaces it"
        raise InvalidInput([Problem("--output", hint, str(path))])
    if path.exists() and Path(store).exists() and path.samefile(store):
        raise InvalidInput([Problem("--output", "is the store itself", str(path))])
    partial = path.with_name(f"{path.name}.part")
    try:
        with partial.open("wb") as out:
            yield out
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_report(run: "Run", path: Path, *, force: bool, store: str) -> None:
    """A run's report, as a file. Raises InvalidInput where it can't be written."""
    from app.report import report_html

    with new_file(path, force=force, store=store) as out:
        out.write(report_html(run).encode())


def open_store(store: str, *, create: bool = False) -> "SqliteStore":
    """The store that ``--store`` names. Raises StoreError, InvalidInput."""
    from events.stores.sqlite import SqliteStore
    from scenarios.problems import InvalidInput, Problem

    if store.startswith(("postgresql://", "postgres://")):
        raise InvalidInput([Problem("--store", "PostgreSQL stores are not available yet; give a file path")])
    return SqliteStore(store, create=create)


def find_run(store: str, run: str) -> "tuple[SqliteStore, RunInfo]":
    """A store, and the run in it that goes by this name."""
    opened = open_store(store)
    return opened, opened.find(run)


def choose(name: str, seed: int | None, settings: list[str] | None, loans: str | None) -> "Scenario":
    """The scenario that the words of a command ask for."""
    from scenarios import Scenario
    from scenarios.loader import parse_setting

    scenario = Scenario.load(name)
    for text in settings or []:
        key, value = parse_setting(text)
        scenario = scenario.with_(set={key: value}, origin="--set")
    if loans is not None:
        scenario = scenario.with_(set={"loans.tape": loans}, origin="--loans")
    return scenario.with_(seed=seed)


def day_of(text: str, option: str, calendar: "Calendar") -> int:
    """The fund's day of an ISO date that an option gives. Raises InvalidInput for none, and before the fund's start."""
    from events.dates import parse_iso
    from scenarios.problems import InvalidInput, Problem

    try:
        day = calendar.day(parse_iso(text))
    except ValueError as error:
        raise InvalidInput([Problem(option, str(error))]) from None
    if day < 0:
        raise InvalidInput([Problem(option, f"{text} is before the fund's start {calendar.start}")])
    return day
