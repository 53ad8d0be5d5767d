"""Commands about timing: fork a run, hold two against each other, audit one, sweep settings."""

from pathlib import Path
from typing import Annotated, Any

import typer

from app import terminal
from app.options import (
    DEFAULT_STORE,
    AsJson,
    Loans,
    LogLevel,
    RunName,
    ScenarioName,
    Seed,
    Settings,
    Store,
    app,
    choose,
    find_run,
    open_store,
    print_json,
)
from app.terminal import progress


@app.command()
def fork(
    run: RunName,
    at: Annotated[str, typer.Option("--at", metavar="DATE", help="The intervention's day; it comes in its morning.")],
    settings: Settings = None,
    do: Annotated[
        Path | None, typer.Option("--do", metavar="FILE", help="Script entries or commands (YAML) from the day on.")
    ] = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Play a run again up to a day, intervene, and play on with the same random draws."""
    from scenarios import forks
    from scenarios.loader import parse_setting
    from scenarios.problems import InvalidInput, Problem
    from scenarios.verify import load_run

    terminal.configure_logs(log_level)
    opened, info = find_run(store, run)
    parent = load_run(opened, info)
    changes: dict[str, Any] = dict(parse_setting(text) for text in settings or [])
    if len(changes) < len(settings or []):
        raise InvalidInput([Problem("--set", "names a key twice; a setting has one value")])
    entries = () if do is None else forks.read_file(do)
    with progress(f"forking {info.run}") as on_day:
        made = forks.fork(parent, at, changes, entries, opened, on_day)
    terminal.log().info("run.forked", run=made.name, parent=info.run, divergence_seq=made.divergence_seq)
    if as_json:
        print_json(made.summary())
        return
    from app.tables import console, run_view
    from app.timing_view import fork_line

    console().print(run_view(made))
    print(fork_line(made))


@app.command()
def diff(
    first: Annotated[str | None, typer.Argument(metavar="[A]", help="Run id, unique prefix, or 'last'.")] = None,
    second: Annotated[str | None, typer.Argument(metavar="[B]", help="The run to hold against it.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="At most so many rows of each list.")] = 20,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Hold two runs against each other: first difference, records, money to the cent, timing.

    With one run given, or none (the last), a fork is held against its parent.
    """
    from scenarios.diff import diff as hold
    from scenarios.problems import InvalidInput, Problem
    from scenarios.verify import load_run

    terminal.configure_logs(log_level)
    opened, info = find_run(store, first or "last")
    if second is None and info.parent is None:
        raise InvalidInput([Problem("diff", f"{info.run} is no fork; name the run to hold it against")])
    infos = [info, opened.find(second)] if second is not None else [opened.find(str(info.parent)), info]
    found = hold(*(load_run(opened, info) for info in infos))
    if as_json:
        print_json(found.as_json(limit))
        return
    from app.tables import console
    from app.timing_view import diff_view

    console(wide=True).print(diff_view(found, limit))


@app.command()
def audit(
    run: RunName,
    ladder: Annotated[bool, typer.Option("--ladder", help="What each wait cost, by runs without it.")] = False,
    shapley: Annotated[bool, typer.Option("--shapley", help="The same in every order, shared out.")] = False,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Make the covenant tests of every evening (done with --ladder).")
    ] = False,
    ties: Annotated[bool, typer.Option("--ties", help="What other orders of a day would have given.")] = False,
    frozen: Annotated[
        bool, typer.Option("--frozen", help="Acts under conditions (when:) keep their days in the ladder.")
    ] = False,
    rate: Annotated[
        float | None,
        typer.Option("--rate", min=-0.99, max=10, help="Rate of the future value; else the first day's base rate."),
    ] = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """The timing audit: where dollar-days went and why, promises, when anyone knew, what timing cost."""
    from scenarios.timing.audit import audit as look
    from scenarios.verify import load_run

    terminal.configure_logs(log_level)
    opened, info = find_run(store, run)
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
    from app.tables import console
    from app.timing_view import audit_view

    out = console(wide=True)
    out.print(audit_view(found, out.width))


@app.command()
def sweep(
    scenario: ScenarioName,
    axes: Annotated[
        list[str] | None,
        typer.Option("--sweep", metavar="KEY=VALUES", help="0,1,3 or 1:500; else the scenario's own sweep section."),
    ] = None,
    seed: Seed = None,
    settings: Settings = None,
    loans: Loans = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, max=1024, help="Processes; else one for each core.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the rows as .csv or .parquet.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Play cells again that the store has.")] = False,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Play a scenario under every combination of settings and seeds, with common random numbers."""
    from scenarios import sweeps
    from scenarios.axes import parse_axis
    from scenarios.problems import InvalidInput, Problem
    from scenarios.sweep_tables import check_format

    terminal.configure_logs(log_level)
    given = dict(parse_axis(text) for text in axes or [])
    if len(given) < len(axes or []):
        raise InvalidInput([Problem("--sweep", "names a key twice; give all its values at once")])
    fixed = {text.partition("=")[0].strip() for text in settings or []} | ({"seed"} if seed is not None else set())
    both = sorted(fixed & given.keys())
    if both:
        raise InvalidInput([Problem("--sweep", f"and another option both say what {', '.join(both)} is; use one")])
    if output is not None:
        check_format(output)
        if output.exists() and not force:
            raise InvalidInput([Problem("--output", "is there already; --force replaces it", str(output))])
    chosen = choose(scenario, seed, settings, loans)
    chosen.plan()
    with progress(f"sweeping {chosen.name}") as on_cell:
        found = sweeps.sweep(
            chosen,
            given or None,
            workers=workers,
            store=open_store(store, create=True),
            fresh=fresh,
            on_cell=on_cell,
        )
    terminal.log().info("sweep.finished", sweep=found.name, cells=len(found.rows), reused=found.reused)
    if output is not None:
        found.save(output)
    if as_json:
        print_json(found.as_json())
        return
    from app.tables import console
    from app.timing_view import sweep_view

    console(wide=True).print(sweep_view(found))
    if found.reused:
        print(f"{found.reused:,} of {len(found.rows):,} cells were in {store} already")
    if output is not None:
        print(f"wrote {len(found.rows):,} rows to {output}")
