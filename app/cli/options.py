"""What the commands share: options, and how stores, runs and scenarios are found.

Heavy imports stand inside functions, here and in the commands: a command imports what it needs and no more.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

if TYPE_CHECKING:
    from fundclock.events.stores.sqlite import SqliteStore
    from fundclock.events.stores.store import RunInfo
    from fundclock.scenarios.runs.recorded import RecordedRun
    from fundclock.scenarios.scenario import Scenario


def _level(value: str) -> str:
    if value.lower() not in ("debug", "info", "warning", "error"):
        raise typer.BadParameter(f"expected debug, info, warning or error, got '{value}'")
    return value.lower()


Store = Annotated[
    str, typer.Option("--store", envvar="FUNDCLOCK_STORE", metavar="FILE", help="The file that holds the runs.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
LogLevel = Annotated[
    str,
    typer.Option(
        "--log-level",
        metavar="LEVEL",
        help="Level of the operators' log on stderr: debug, info, warning or error.",
        callback=_level,
    ),
]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Random seed.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change a setting, given by its dotted key; VALUE is YAML. Repeatable."
    ),
]
Loans = Annotated[
    str | None, typer.Option("--loans", metavar="FILE", help="Loan tape (CSV) with which the fund opens.")
]
ScenarioName = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="A scenario file, or the name of a shipped scenario.")
]
RunName = Annotated[str, typer.Argument(metavar="RUN", help="Run id, a unique prefix of one, or 'last'.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")]

DEFAULT_STORE = "fundclock.db"


def print_json(value: Any) -> None:
    """Data on stdout."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def refuse(option: str, message: str, source: str = "", suggestion: str | None = None) -> Exception:
    """The error of an option that can't be taken."""
    from fundclock.scenarios.files.problems import InvalidInput, Problem

    return InvalidInput([Problem(option, message, source, suggestion=suggestion)])


def check_new(path: Path | None, option: str, store: str, *, force: bool = True) -> None:
    """Whether a file may be written here, before anything is played. Raises InvalidInput where it may not."""
    if path is None:
        return
    if not path.absolute().parent.is_dir():
        raise refuse(option, "its parent directory does not exist", str(path))
    _check_free(path, option, store, force)


def _check_free(path: Path, option: str, store: str, force: bool) -> None:
    if path.is_dir():
        raise refuse(option, "is a directory; give the name of a file", str(path))
    if path.exists() and Path(store).exists() and path.samefile(store):
        raise refuse(option, "is the store itself", str(path))
    if path.exists() and not force:
        raise refuse(option, "already exists; use --force to overwrite it", str(path))


@contextmanager
def new_file(path: Path, *, force: bool, store: str) -> Iterator[BinaryIO]:
    """A file to write: whole when all went well, else not there at all. Raises InvalidInput where it can't be."""
    _check_free(path, "--output", store, force)
    partial = path.with_name(f"{path.name}.part")
    try:
        with partial.open("wb") as out:
            yield out
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_report(run: "RecordedRun", path: Path, *, force: bool, store: str) -> None:
    """A run's report, as a file. Raises InvalidInput where it can't be written, MissingExtra."""
    from fundclock.app.extras import needs

    with needs("figures", "a report"):
        from fundclock.app.report.report import report_html

    with new_file(path, force=force, store=store) as out:
        out.write(report_html(run).encode())


@contextmanager
def open_store(store: str, *, create: bool = False) -> "Iterator[SqliteStore]":
    """The store that ``--store`` names, closed at the end. Raises StoreError, InvalidInput."""
    from fundclock.events.stores.sqlite import SqliteStore

    if store.startswith(("postgresql://", "postgres://")):
        raise refuse("--store", "PostgreSQL stores are not available yet; give the path of a file")
    opened = SqliteStore(store, create=create)
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def find_run(store: str, run: str) -> "Iterator[tuple[SqliteStore, RunInfo]]":
    """A store, and the run in it that goes by this name; the store is closed at the end."""
    with open_store(store) as opened:
        yield opened, opened.find(run)


def choose(name: str, seed: int | None, settings: list[str] | None, loans: str | None) -> "Scenario":
    """The scenario that the words of a command ask for."""
    from fundclock.scenarios.files.documents import parse_setting
    from fundclock.scenarios.scenario import Scenario

    scenario = Scenario.load(name)
    for text in settings or []:
        key, value = parse_setting(text)
        scenario = scenario.with_(set={key: value}, origin="--set")
    if loans is not None:
        scenario = scenario.with_(set={"loans.tape": loans}, origin="--loans")
    return scenario.with_(seed=seed)
