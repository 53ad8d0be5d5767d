"""The command line. A command reads its words, calls the scenarios package, and shows what came of it."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from app import terminal
from app.terminal import progress, say

if TYPE_CHECKING:
    from events.stores.sqlite import SqliteStore
    from events.stores.store import RunInfo
    from scenarios import Scenario

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


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


def _open(store: str, *, create: bool = False) -> "SqliteStore":
    from events.stores.sqlite import SqliteStore
    from scenarios.problems import InvalidInput, Problem

    if store.startswith(("postgresql://", "postgres://")):
        raise InvalidInput([Problem("--store", "PostgreSQL stores are not available yet; give a file path")])
    return SqliteStore(store, create=create)


def _find(store: str, run: str) -> "tuple[SqliteStore, RunInfo]":
    opened = _open(store)
    return opened, opened.find(run)


def _scenario(name: str, seed: int | None, settings: list[str] | None, loans: str | None) -> "Scenario":
    from scenarios import Scenario
    from scenarios.loader import parse_setting

    scenario = Scenario.load(name)
    for text in settings or []:
        key, value = parse_setting(text)
        scenario = scenario.with_(set={key: value}, origin="--set")
    if loans is not None:
        scenario = scenario.with_(set={"loans.tape": loans}, origin="--loans")
    return scenario.with_(seed=seed)


@app.command()
def run(
    scenario: Annotated[
        str | None, typer.Argument(metavar="[SCENARIO]", help="A scenario file or a shipped name.")
    ] = None,
    seed: Seed = None,
    settings: Settings = None,
    loans: Loans = None,
    resume: Annotated[str | None, typer.Option("--resume", metavar="RUN", help="Complete an interrupted run.")] = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Play a scenario and keep its log."""
    from scenarios import verify as verification

    terminal.configure_logs(log_level)
    if (scenario is None) == (resume is None):
        raise typer.BadParameter("give a SCENARIO, or --resume RUN")
    if resume is not None:
        opened, info = _find(store, resume)
        terminal.log().info("run.resuming", run=info.run, records=info.records)
        with progress(f"resuming {info.run}") as on_day:
            played = verification.resume(opened, info, on_day)
        warnings: list[str] = []
    else:
        assert scenario is not None
        chosen = _scenario(scenario, seed, settings, loans)
        plan = chosen.plan()
        warnings = chosen.warnings()
        from scenarios.scenario import play_into

        terminal.log().info("run.starting", scenario=chosen.name, seed=chosen.seed, store=store)
        with progress(f"running {chosen.name}") as on_day:
            played = play_into(_open(store, create=True), plan, on_day)
    terminal.log().info("run.finished", run=played.name, records=len(played.log), head_hash=played.head_hash)
    if as_json:
        summary = played.summary()
        summary["warnings"] = summary["warnings"] + warnings
        _print_json(summary)
        return
    from app.tables import console, run_view

    console().print(run_view(played))
    for warning in warnings:
        say(f"warning: {warning}")


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
        chosen = _scenario(scenario, None, settings, loans)
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
            _print_json({"schema": "fundclock.validate/1", "valid": False, "problems": problems})
        raise
    warnings = chosen.warnings()
    if as_json:
        _print_json({"schema": "fundclock.validate/1", "valid": True, "problems": [], "warnings": warnings})
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
    config = _scenario(scenario, None, settings, loans).config
    if as_json:
        _print_json({"schema": "fundclock.explain/1", "scenario": config.model_dump(mode="json")})
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
        _print_json({"schema": "fundclock.init/1", "file": str(file)})
    else:
        print(f"wrote {file}; try: fundclock run {file}")


@app.command()
def schema(as_json: AsJson = False, log_level: LogLevel = "warning") -> None:
    """Print the JSON Schema of scenario files."""
    from scenarios.schema import ScenarioConfig

    terminal.configure_logs(log_level)
    described = ScenarioConfig.model_json_schema()
    _print_json({"schema": "fundclock.schema/1", "json_schema": described} if as_json else described)


@app.command()
def runs(store: Store = DEFAULT_STORE, as_json: AsJson = False, log_level: LogLevel = "warning") -> None:
    """List the runs of a store."""
    terminal.configure_logs(log_level)
    found = _open(store).runs()
    if as_json:
        keys = ("run", "scenario", "seed", "status", "records", "head_hash", "parent")
        _print_json(
            {"schema": "fundclock.runs/1", "runs": [{key: getattr(info, key) for key in keys} for info in found]}
        )
        return
    from app.tables import console, runs_view

    console().print(runs_view(found))


@app.command()
def show(
    run: RunName,
    quarters: Annotated[bool, typer.Option("--quarters", help="Net figures at each quarter's end.")] = False,
    flows: Annotated[
        str | None, typer.Option("--flows", metavar="PERIOD", help="Cash flows by day, month, quarter or year.")
    ] = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Show a run's figures, by quarter or as cash flows if asked."""
    from app.documents import calendar_of
    from scenarios.cashflows import cash_flows
    from scenarios.metrics import nav_risk
    from scenarios.problems import InvalidInput, Problem
    from scenarios.verify import load_run

    terminal.configure_logs(log_level)
    opened, info = _find(store, run)
    loaded = load_run(opened, info)
    if flows not in (None, "day", "month", "quarter", "year"):
        raise InvalidInput([Problem("--flows", f"expected day, month, quarter or year, got '{flows}'")])
    calendar = calendar_of(loaded.manifest)
    rows = cash_flows(loaded.log, calendar, flows) if flows else None  # type: ignore[arg-type]
    if as_json:
        summary = {**loaded.summary(), "status": info.status}
        if quarters:
            summary["nav_risk"] = nav_risk(loaded.quarters)
            summary["quarters"] = [{"date": calendar.date(q["day"]).isoformat(), **q} for q in loaded.quarters]
        if rows is not None:
            summary["cash_flows"] = rows
        _print_json(summary)
        return
    from app.tables import console, flows_view, quarters_view, run_view

    if quarters:
        console().print(quarters_view(loaded, calendar))
        risk = nav_risk(loaded.quarters)
        print("  ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in risk.items() if value is not None))
    if rows is not None:
        console().print(flows_view(rows))
    if not quarters and rows is None:
        console().print(run_view(loaded))
    if info.status != "finished":
        say(f"warning: the run is {info.status}; figures are of what was recorded, up to day {loaded.state.day}")


@app.command()
def events(
    run: RunName,
    kind: Annotated[
        list[str] | None, typer.Option("--kind", help="Only this kind, like loan.exited/1; may be given again.")
    ] = None,
    after: Annotated[int, typer.Option("--after", min=0, metavar="SEQ", help="Only records after this seq.")] = 0,
    limit: Annotated[int | None, typer.Option("--limit", min=0, help="At most so many.")] = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Print a run's records."""
    from events.facts import FACTS
    from scenarios.problems import InvalidInput, Problem, closest
    from scenarios.verify import manifest_of

    terminal.configure_logs(log_level)
    for name in kind or []:
        if name not in FACTS:
            raise InvalidInput([Problem("--kind", f"unknown kind '{name}'", suggestion=closest(name, FACTS))])
    opened, info = _find(store, run)
    records = opened.log(info.run).read(after, kind, limit)
    if as_json:
        try:
            for record in records:
                sys.stdout.buffer.write(record.line() + b"\n")
            sys.stdout.buffer.flush()
        except BrokenPipeError:  # whoever reads has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    from app.documents import calendar_of
    from app.tables import console, events_view

    out = console()
    out.print(events_view(records, calendar_of(manifest_of(opened, info)), out.width))


@app.command()
def replay(
    run: RunName,
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="State at the end of this day.")] = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Fold a run's log to a state."""
    from app.documents import calendar_of, replay_summary
    from events.dates import parse_iso
    from scenarios.problems import InvalidInput, Problem
    from scenarios.verify import fold, manifest_of

    terminal.configure_logs(log_level)
    opened, info = _find(store, run)
    calendar = calendar_of(manifest_of(opened, info))
    until = None
    if as_of is not None:
        try:
            until = calendar.day(parse_iso(as_of))
        except ValueError as error:
            raise InvalidInput([Problem("--as-of", str(error))]) from None
        if until < 0:
            raise InvalidInput([Problem("--as-of", f"{as_of} is before the fund's start {calendar.start}")])
    state = fold(opened.log(info.run), until)
    if until is not None and until > state.day and info.status != "finished":
        raise InvalidInput(
            [Problem("--as-of", f"{as_of} is after the log's end; it stops on {calendar.date(state.day)}")]
        )
    summary = replay_summary(info.run, state, calendar, until)
    if as_json:
        _print_json(summary)
        return
    from app.tables import console, state_view

    console().print(state_view(summary))


@app.command()
def verify(
    run: RunName, store: Store = DEFAULT_STORE, as_json: AsJson = False, log_level: LogLevel = "warning"
) -> None:
    """Check a run: hash chain, folds, and a byte-identical re-run."""
    from scenarios.verify import verify as check

    terminal.configure_logs(log_level)
    opened, info = _find(store, run)
    with progress(f"verifying {info.run}") as on_day:
        verdict = check(opened, info, on_day)
    terminal.log().info("run.verified", run=info.run, status=verdict.status, bad_seq=verdict.bad_seq)
    if as_json:
        _print_json(verdict.summary())
    else:
        for name, result in verdict.checks.items():
            print(f"{name:10} {result}")
        if verdict.status == "ok":
            print(f"{info.run}: {info.records:,} records verified, head {info.head_hash}")
        elif verdict.status == "incomplete":
            print(f"{info.run}: a valid but incomplete log; {verdict.problem}")
        else:
            place = f"first bad record {verdict.bad_seq}: " if verdict.bad_seq else ""
            print(f"{info.run}: {place}{verdict.problem}")
    if verdict.status == "mismatch":
        raise typer.Exit(terminal.MISMATCH)


@app.command()
def why(
    run: RunName,
    seq: Annotated[int, typer.Argument(min=1, help="Seq of the record.")],
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Show what caused a record, up to the root, and what it led to."""
    from scenarios.causes import why as explain_record
    from scenarios.verify import manifest_of

    terminal.configure_logs(log_level)
    opened, info = _find(store, run)
    found = explain_record(opened.log(info.run), seq)
    if as_json:
        _print_json(
            {
                "schema": "fundclock.why/1",
                "run": info.run,
                "seq": seq,
                "causes": [{"seq": r.seq, "day": r.day, "kind": r.kind} for r in found.causes],
                "lots": [r.seq for r in found.lots],
                "record": found.tree.as_json(),
            }
        )
        return
    from app.documents import calendar_of
    from app.tables import console, why_view

    console().print(why_view(found, calendar_of(manifest_of(opened, info))))


@app.command()
def export(
    run: RunName,
    to: Annotated[str, typer.Option("--to", help="jsonl, csv or beancount.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Write a run's log for other tools."""
    from app.documents import calendar_of
    from events.beancount import to_beancount
    from events.exports import to_csv, to_jsonl
    from handlers.fund.config import FundConfig
    from scenarios.problems import InvalidInput, Problem, closest
    from scenarios.verify import manifest_of

    terminal.configure_logs(log_level)
    formats = ("jsonl", "csv", "beancount")
    if to in ("parquet", "ocel", "trace"):
        raise InvalidInput([Problem("--to", f"'{to}' is not available yet; there are {', '.join(formats)}")])
    if to not in formats:
        hint = closest(to, formats)
        raise InvalidInput([Problem("--to", f"expected {', '.join(formats)}, got '{to}'", suggestion=hint)])
    opened, info = _find(store, run)
    log = opened.log(info.run)
    manifest = manifest_of(opened, info)
    match to:
        case "jsonl":
            chunks = to_jsonl(log)
        case "csv":
            chunks = to_csv(log, calendar_of(manifest))
        case _:
            fund = FundConfig.model_validate(manifest.scenario["fund"])
            chunks = to_beancount(log, calendar_of(manifest), fund.currency, info.run)
    if output.is_dir() or (output.exists() and not force):
        hint = "is a folder" if output.is_dir() else "is there already; --force replaces it"
        raise InvalidInput([Problem("--output", hint, str(output))])
    if output.exists() and output.samefile(store):
        raise InvalidInput([Problem("--output", "is the store itself", str(output))])
    partial = output.with_name(f"{output.name}.part")
    try:
        with partial.open("wb") as out:
            for chunk in chunks:
                out.write(chunk)
        os.replace(partial, output)
    finally:
        partial.unlink(missing_ok=True)
    if as_json:
        _print_json(
            {
                "schema": "fundclock.export/1",
                "run": info.run,
                "format": to,
                "file": str(output),
                "records": info.records,
            }
        )
    else:
        print(f"wrote {info.records:,} records of {info.run} to {output}")


@app.command()
def demo(
    seed: Seed = 1, store: Store = DEFAULT_STORE, as_json: AsJson = False, log_level: LogLevel = "warning"
) -> None:
    """Play the base fund and its twin without delay, and compare them."""
    from scenarios import Scenario, compare

    terminal.configure_logs(log_level)
    opened = _open(store, create=True)
    played = []
    for name in ("base", "instant"):
        with progress(f"running {name}") as on_day:
            played.append(Scenario.load(name).with_(seed=seed).run(opened, on_day))
    rows = compare(*played)
    if as_json:
        _print_json({"schema": "fundclock.demo/1", "runs": [run.summary() for run in played], "comparison": rows})
        return
    from app.tables import comparison_view, console

    console().print(comparison_view(played[0], played[1], rows))
    for run in played:
        print(f"run {run.name}: {len(run.log):,} records, head {run.head_hash}")
    print(f"The logs are in {store}. Go on with: fundclock events {played[0].name} --limit 20")


@app.command()
def version(as_json: AsJson = False, log_level: LogLevel = "warning") -> None:
    """Print versions."""
    from scenarios.manifest import versions

    terminal.configure_logs(log_level)
    found = versions()
    if as_json:
        _print_json({"schema": "fundclock.version/1", "versions": found})
    else:
        for name, value in found.items():
            print(f"{name} {value}")


LATER = ("fork", "diff", "audit", "stress", "sweep", "ensemble", "serve")
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
