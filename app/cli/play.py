"""Commands that play: run, fork, sweep, demo."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fundclock.app.cli import terminal
from fundclock.app.cli.options import (
    DEFAULT_STORE,
    AsJson,
    Force,
    Loans,
    LogLevel,
    RunName,
    ScenarioName,
    Seed,
    Settings,
    Store,
    check_new,
    choose,
    find_run,
    open_store,
    print_json,
    refuse,
    write_report,
)
from fundclock.app.cli.terminal import progress, say
from fundclock.app.logs import configure_logs, log


def run(
    scenario: Annotated[
        str | None,
        typer.Argument(metavar="SCENARIO", help="A scenario file, or the name of a shipped scenario."),
    ] = None,
    seed: Seed = None,
    settings: Settings = None,
    loans: Loans = None,
    resume: Annotated[
        str | None, typer.Option("--resume", metavar="RUN", help="Complete an interrupted run instead.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Also write the run's report (HTML).")
    ] = None,
    fail_on_breach: Annotated[
        bool, typer.Option("--fail-on-breach", help="Exit with code 3 if a covenant was breached.")
    ] = False,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Play a scenario and keep its log."""
    from fundclock.scenarios.runs.planning import warnings_of
    from fundclock.scenarios.runs.playing import play_into
    from fundclock.scenarios.runs.verify import resume as complete

    configure_logs(log_level)
    if (scenario is None) == (resume is None):
        raise typer.BadParameter("give a SCENARIO, or --resume RUN")
    check_new(report, "--report", store)
    warnings: list[str] = []
    plan = None
    if scenario is not None:
        plan = choose(scenario, seed, settings, loans).plan()
        warnings = warnings_of(plan)
    with open_store(store, create=plan is not None) as opened:
        if plan is not None:
            log().info("run.starting", scenario=plan.manifest.name, seed=plan.seed, store=store)
            with progress(f"running {plan.manifest.name}") as on_day:
                played = play_into(opened, plan, on_day)
        else:
            info = opened.find(str(resume))
            log().info("run.resuming", run=info.run, records=info.records)
            with progress(f"resuming {info.run}") as on_day:
                played = complete(opened, info, on_day)
        log().info("run.finished", run=played.name, records=len(played.log), head_hash=played.head_hash)
        if as_json:
            summary = played.summary()
            summary["warnings"] = summary["warnings"] + warnings
            print_json(summary)
        else:
            from fundclock.app.cli.tables.runs import run_table
            from fundclock.app.cli.tables.style import console

            console().print(run_table(played))
            for warning in played.refused + warnings:
                say(f"warning: {warning}")
        if report is not None:
            write_report(played, report, force=True, store=store)
            say(f"wrote the report to {report}")
    if fail_on_breach and played.metrics["covenant_breaches"]:
        raise typer.Exit(terminal.BREACH)


def fork(
    run: RunName,
    at: Annotated[
        str, typer.Option("--at", metavar="DATE", help="Day of the intervention, which takes effect in the morning.")
    ],
    settings: Settings = None,
    do: Annotated[
        Path | None,
        typer.Option("--do", metavar="FILE", help="Commands or script entries (YAML) from that day on."),
    ] = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Play a run again up to a day, intervene, and play on with the same random draws."""
    from fundclock.scenarios.files.documents import parse_setting
    from fundclock.scenarios.runs import forks
    from fundclock.scenarios.runs.stored import load_run

    configure_logs(log_level)
    changes: dict[str, Any] = dict(parse_setting(text) for text in settings or [])
    if len(changes) < len(settings or []):
        raise refuse("--set", "duplicate key; give each setting once")
    with find_run(store, run) as (opened, info):
        parent = load_run(opened, info)
        entries = () if do is None else forks.read_file(do)
        with progress(f"forking {info.run}") as on_day:
            made = forks.fork(parent, at, changes, entries, opened, on_day)
        log().info("run.forked", run=made.name, parent=info.run, divergence_seq=made.divergence_seq)
        if as_json:
            print_json(made.summary())
            return
        from fundclock.app.cli.tables.comparisons import fork_line
        from fundclock.app.cli.tables.runs import run_table
        from fundclock.app.cli.tables.style import console

        console().print(run_table(made))
        print(fork_line(made))


def sweep(
    scenario: ScenarioName,
    axes: Annotated[
        list[str] | None,
        typer.Option(
            "--sweep",
            metavar="KEY=VALUES",
            help="An axis: values like 0,1,3 or a range like 1:500. Repeatable; default: the scenario's sweep section.",
        ),
    ] = None,
    seed: Seed = None,
    settings: Settings = None,
    loans: Loans = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, max=1024, help="Worker processes (default: one per core).")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the rows as .csv or .parquet.")
    ] = None,
    force: Force = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Run again the cells that the store already has.")] = False,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Play a scenario under every combination of settings and seeds, with common random numbers."""
    from fundclock.scenarios.ensembles import sweeps
    from fundclock.scenarios.ensembles.sweep_files import check_format, save
    from fundclock.scenarios.files.axes import parse_axis

    configure_logs(log_level)
    given = dict(parse_axis(text) for text in axes or [])
    if len(given) < len(axes or []):
        raise refuse("--sweep", "duplicate key; give all values of a setting at once")
    fixed = {text.partition("=")[0].strip() for text in settings or []} | ({"seed"} if seed is not None else set())
    both = sorted(fixed & given.keys())
    if both:
        raise refuse("--sweep", f"{', '.join(both)} is also given by another option; use one of them")
    if output is not None:
        check_format(output)
        check_new(output, "--output", store, force=force)
    chosen = choose(scenario, seed, settings, loans)
    chosen.plan()
    with open_store(store, create=True) as opened, progress(f"sweeping {chosen.name}") as on_cell:
        found = sweeps.sweep(chosen, given or None, workers=workers, store=opened, fresh=fresh, on_cell=on_cell)
    log().info("sweep.finished", sweep=found.name, cells=len(found.rows), reused=found.reused)
    if output is not None:
        save(found.rows, output)
    if as_json:
        print_json(found.as_json())
        return
    from fundclock.app.cli.tables.style import console
    from fundclock.app.cli.tables.sweeps import sweep_table

    console(wide=True).print(sweep_table(found))
    if found.reused:
        print(f"{found.reused:,} of {len(found.rows):,} cells were already in {store}")
    if output is not None:
        print(f"wrote {len(found.rows):,} rows to {output}")


def demo(
    seed: Seed = 1, store: Store = DEFAULT_STORE, as_json: AsJson = False, log_level: LogLevel = "warning"
) -> None:
    """Play the base fund and its twin without delay, and compare them."""
    from fundclock.app.extras import MissingExtra
    from fundclock.scenarios.comparisons.compare import compare
    from fundclock.scenarios.scenario import Scenario

    configure_logs(log_level)
    with open_store(store, create=True) as opened:
        played = []
        for name in ("base", "instant"):
            with progress(f"running {name}") as on_day:
                played.append(Scenario.load(name).with_(seed=seed).run(opened, on_day))
        rows = compare(*played)
        if as_json:
            print_json({"schema": "fundclock.demo/1", "runs": [run.summary() for run in played], "comparison": rows})
            return
        from fundclock.app.cli.tables.comparisons import comparison_table
        from fundclock.app.cli.tables.style import console

        console().print(comparison_table(played[0], played[1], rows))
        for run in played:
            print(f"run {run.name}: {len(run.log):,} records, head {run.head_hash}")
        path = Path("fundclock-demo.html")
        try:
            write_report(played[0], path, force=True, store=store)
            say(f"wrote the report to {path}")
        except MissingExtra as missing:
            say(f"no report was written: {missing}")
        print(f"The logs are in {store}. Continue with: fundclock events {played[0].name} --limit 20")
