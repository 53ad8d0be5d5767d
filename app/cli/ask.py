"""Commands that ask what timing did and what could go wrong: audit, diff, stress."""

from typing import Annotated

import typer

from fundclock.app.cli.options import (
    DEFAULT_STORE,
    AsJson,
    LogLevel,
    RunName,
    Store,
    find_run,
    print_json,
    refuse,
)
from fundclock.app.cli.terminal import progress
from fundclock.app.logs import configure_logs


def audit(
    run: RunName,
    ladder: Annotated[bool, typer.Option("--ladder", help="Cost of each wait, from runs without it.")] = False,
    shapley: Annotated[
        bool, typer.Option("--shapley", help="Also averaged over every order of the waits (Shapley values).")
    ] = False,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Also test the covenants every evening (included in --ladder).")
    ] = False,
    ties: Annotated[
        bool, typer.Option("--ties", help="Range of results when a day's events come in another order.")
    ] = False,
    frozen: Annotated[
        bool, typer.Option("--frozen", help="Keep conditional commands (when:) on their original days in the ladder.")
    ] = False,
    rate: Annotated[
        float | None,
        typer.Option(
            "--rate", min=-0.99, max=10, help="Annual rate of the future value (default: the first day's base rate)."
        ),
    ] = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """The timing audit: where cash waited and why, promises kept, when anyone knew, what timing cost."""
    from fundclock.scenarios.runs.stored import load_run
    from fundclock.scenarios.timing.audit import audit as look

    configure_logs(log_level)
    with find_run(store, run) as (opened, info):
        loaded = load_run(opened, info)
        with progress(f"auditing {info.run}") as on_run:
            found = look(
                loaded,
                ladder=ladder,
                shapley=shapley,
                shadow=shadow or None,
                ties=ties,
                rate=rate,
                frozen=frozen,
                on_run=on_run,
            )
        if as_json:
            print_json(found.as_json())
            return
        from fundclock.app.cli.tables.style import console
        from fundclock.app.cli.tables.timing import audit_tables

        out = console(wide=True)
        out.print(audit_tables(found, out.width))


def diff(
    first: Annotated[
        str | None, typer.Argument(metavar="A", help="Run id, a unique prefix of one, or 'last' (the default).")
    ] = None,
    second: Annotated[
        str | None, typer.Argument(metavar="B", help="The run to compare it with (default: a fork's parent).")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Maximum number of rows in each list.")] = 20,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Compare two runs: first difference, records, money to the cent, timing."""
    from fundclock.scenarios.comparisons.diff import diff as compare_runs
    from fundclock.scenarios.runs.stored import load_run

    configure_logs(log_level)
    with find_run(store, first or "last") as (opened, info):
        if second is None and info.parent is None:
            raise refuse("diff", f"{info.run} is not a fork; name the run to compare it with")
        infos = [info, opened.find(second)] if second is not None else [opened.find(str(info.parent)), info]
        found = compare_runs(*(load_run(opened, info) for info in infos))
        if as_json:
            print_json(found.as_json(limit))
            return
        from fundclock.app.cli.tables.comparisons import diff_tables
        from fundclock.app.cli.tables.style import console

        console(wide=True).print(diff_tables(found, limit))


def stress(
    run: RunName,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="DATE",
            help="Last covenant test on or before this date (default: the quarter-end with the most debt).",
        ),
    ] = None,
    headroom: Annotated[
        bool,
        typer.Option(
            "--headroom", help="Also search the longest delay, largest price fall and latest call without a breach."
        ),
    ] = False,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Show what shocks would do to a run's covenant tests, and the smallest shock that breaks one."""
    from fundclock.app.dates import day_of
    from fundclock.scenarios.runs.manifest import calendar_of
    from fundclock.scenarios.runs.stored import load_run
    from fundclock.scenarios.timing.headroom import headroom as search
    from fundclock.scenarios.views.stress import stress as shocks

    configure_logs(log_level)
    with find_run(store, run) as (opened, info):
        loaded = load_run(opened, info)
        calendar = calendar_of(loaded.manifest)
        day = None if at is None else day_of(at, "--at", calendar)
        report = shocks(loaded, day)
        limits = None
        if headroom:
            with progress(f"searching from {report.date if at is None else at}") as on_run:
                limits = search(loaded, None if day is None else calendar.date(day), on_run)
    if as_json:
        found = {} if limits is None else {"headroom": [limit.as_json() for limit in limits]}
        print_json({**report.as_json(), "run": info.run, **found})
        return
    from fundclock.app.cli.tables.leverage import stress_tables
    from fundclock.app.cli.tables.style import console
    from fundclock.app.cli.tables.timing import headroom_table

    console(wide=True).print(stress_tables(report.as_json()))
    if limits is not None:
        console(wide=True).print(headroom_table(limits))
