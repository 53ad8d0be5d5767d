"""Commands that make runs, and the scenarios that they are made from."""

from pathlib import Path
from typing import Annotated

import typer

from app import terminal
from app.options import (
    DEFAULT_STORE,
    AsJson,
    Loans,
    LogLevel,
    ScenarioName,
    Seed,
    Settings,
    Store,
    app,
    check_new,
    choose,
    find_run,
    open_store,
    print_json,
    write_report,
)
from app.terminal import progress, say


@app.command()
def run(
    scenario: Annotated[
        str | None, typer.Argument(metavar="[SCENARIO]", help="A scenario file or a shipped name.")
    ] = None,
    seed: Seed = None,
    settings: Settings = None,
    loans: Loans = None,
    resume: Annotated[str | None, typer.Option("--resume", metavar="RUN", help="Complete an interrupted run.")] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Write the run's report too (HTML).")
    ] = None,
    fail_on_breach: Annotated[
        bool, typer.Option("--fail-on-breach", help="Exit with 3 if a covenant was breached.")
    ] = False,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Play a scenario and keep its log."""
    from scenarios import verify as verification

    terminal.configure_logs(log_level)
    if (scenario is None) == (resume is None):
        raise typer.BadParameter("give a SCENARIO, or --resume RUN")
    check_new(report, store)
    if resume is not None:
        opened, info = find_run(store, resume)
        terminal.log().info("run.resuming", run=info.run, records=info.records)
        with progress(f"resuming {info.run}") as on_day:
            played = verification.resume(opened, info, on_day)
        warnings: list[str] = []
    else:
        assert scenario is not None
        chosen = choose(scenario, seed, settings, loans)
        plan = chosen.plan()
        warnings = chosen.warnings()
        from scenarios.scenario import play_into

        terminal.log().info("run.starting", scenario=chosen.name, seed=chosen.seed, store=store)
        with progress(f"running {chosen.name}") as on_day:
            played = play_into(open_store(store, create=True), plan, on_day)
    terminal.log().info("run.finished", run=played.name, records=len(played.log), head_hash=played.head_hash)
    if as_json:
        summary = played.summary()
        summary["warnings"] = summary["warnings"] + warnings
        print_json(summary)
    else:
        from app.tables import console, run_view

        console().print(run_view(played))
        for warning in played.refused + warnings:
            say(f"warning: {warning}")
    if report is not None:
        write_report(played, report, force=True, store=store)
        say(f"the report is in {report}")
    if fail_on_breach and played.metrics["covenant_breaches"]:
        raise typer.Exit(terminal.BREACH)


@app.command()
def validate(
    scenario: ScenarioName,
    settings: Settings = None,
    loans: Loans = None,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Check a scenario and its files; list every error with its line."""
    from scenarios import InvalidInput

    terminal.configure_logs(log_level)
    try:
        chosen = choose(scenario, None, settings, loans)
        chosen.plan()
    except InvalidInput as error:
        if as_json:
            problems = [
                {
                    "key": p.key,
                    "message": p.message,
                    "source": p.source,
                    "line": p.line,
                    "column": p.column,
                    "suggestion": p.suggestion,
                }
                for p in error.problems
            ]
            print_json({"schema": "fundclock.validate/1", "valid": False, "problems": problems})
        raise
    warnings = chosen.warnings()
    if as_json:
        print_json({"schema": "fundclock.validate/1", "valid": True, "problems": [], "warnings": warnings})
        return
    print(f"{chosen.name} is valid")
    for warning in warnings:
        say(f"warning: {warning}")


@app.command()
def explain(
    scenario: ScenarioName,
    settings: Settings = None,
    loans: Loans = None,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Print a scenario resolved: every key, with what differs from its default marked."""
    from app.documents import resolved_yaml

    terminal.configure_logs(log_level)
    config = choose(scenario, None, settings, loans).config
    if as_json:
        print_json({"schema": "fundclock.explain/1", "scenario": config.model_dump(mode="json")})
    else:
        print(resolved_yaml(config), end="")


@app.command()
def init(
    file: Annotated[Path, typer.Argument(help="The file to write.")] = Path("scenario.yaml"),
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Write a starter scenario."""
    from app.documents import STARTER
    from scenarios.problems import InvalidInput, Problem

    terminal.configure_logs(log_level)
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(STARTER)
    except FileExistsError:
        raise InvalidInput([Problem("", "is there already; give another name", str(file))]) from None
    if as_json:
        print_json({"schema": "fundclock.init/1", "file": str(file)})
    else:
        print(f"wrote {file}; try: fundclock run {file}")


@app.command()
def schema(as_json: AsJson = False, log_level: LogLevel = "warning") -> None:
    """Print the JSON Schema of scenario files."""
    from scenarios.schema import ScenarioConfig

    terminal.configure_logs(log_level)
    described = ScenarioConfig.model_json_schema()
    print_json({"schema": "fundclock.schema/1", "json_schema": described} if as_json else described)


@app.command()
def demo(
    seed: Seed = 1, store: Store = DEFAULT_STORE, as_json: AsJson = False, log_level: LogLevel = "warning"
) -> None:
    """Play the base fund and its twin without delay, and compare them."""
    from scenarios import Scenario, compare

    terminal.configure_logs(log_level)
    opened = open_store(store, create=True)
    played = []
    for name in ("base", "instant"):
        with progress(f"running {name}") as on_day:
            played.append(Scenario.load(name).with_(seed=seed).run(opened, on_day))
    rows = compare(*played)
    if as_json:
        print_json({"schema": "fundclock.demo/1", "runs": [run.summary() for run in played], "comparison": rows})
        return
    from app.tables import comparison_view, console

    console().print(comparison_view(played[0], played[1], rows))
    for run in played:
        print(f"run {run.name}: {len(run.log):,} records, head {run.head_hash}")
    path = Path("fundclock-demo.html")
    write_report(played[0], path, force=True, store=store)
    say(f"the report is in {path}")
    print(f"The logs are in {store}. Go on with: fundclock events {played[0].name} --limit 20")


@app.command()
def version(as_json: AsJson = False, log_level: LogLevel = "warning") -> None:
    """Print versions."""
    from scenarios.manifest import versions

    terminal.configure_logs(log_level)
    found = versions()
    if as_json:
        print_json({"schema": "fundclock.version/1", "versions": found})
    else:
        for name, value in found.items():
            print(f"{name} {value}")


@app.command()
def serve(
    host: Annotated[str, typer.Option("--host", help="The address; beyond loopback a token is needed.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="The port.")] = 8000,
    token: Annotated[
        str | None, typer.Option("--token", envvar="FUNDCLOCK_TOKEN", help="What clients must send as a bearer token.")
    ] = None,
    allow: Annotated[
        list[str] | None, typer.Option("--allow-host", metavar="HOST[:PORT]", help="Another Host that is answered.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, max=256, help="Processes that play; else one for each core.")
    ] = None,
    store: Store = DEFAULT_STORE,
    log_level: LogLevel = "warning",
) -> None:
    """Serve a store: a dashboard, REST and a stream; on this machine alone unless told to with a token."""
    from app.service.serve import serve as listen
    from scenarios.problems import InvalidInput, Problem

    terminal.configure_logs(log_level)
    if store.startswith(("postgresql://", "postgres://")):
        raise InvalidInput([Problem("--store", "PostgreSQL stores are not available yet; give a file path")])
    shown = f"[{host}]" if ":" in host else host
    say(f"serving {store}: open http://{shown}:{port}/ in a browser (Ctrl-C ends it)")
    listen(Path(store), host, port, token, allow or [], workers)
