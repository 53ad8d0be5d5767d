"""Commands that look at runs and take them elsewhere."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app import terminal
from app.options import (
    DEFAULT_STORE,
    AsJson,
    LogLevel,
    RunName,
    Store,
    app,
    day_of,
    find_run,
    new_file,
    open_store,
    print_json,
    write_report,
)
from app.terminal import progress, say

if TYPE_CHECKING:
    from events.dates import Calendar
    from scenarios.run import Run


@app.command()
def runs(store: Store = DEFAULT_STORE, as_json: AsJson = False, log_level: LogLevel = "warning") -> None:
    """List the runs of a store."""
    terminal.configure_logs(log_level)
    found = open_store(store).runs()
    if as_json:
        keys = ("run", "scenario", "seed", "status", "records", "head_hash", "parent")
        print_json(
            {"schema": "fundclock.runs/1", "runs": [{key: getattr(info, key) for key in keys} for info in found]}
        )
        return
    from app.tables import console, runs_view

    out = console()
    out.print(runs_view(found, out.width))


@app.command()
def show(
    run: RunName,
    quarters: Annotated[bool, typer.Option("--quarters", help="Net figures at each quarter's end.")] = False,
    flows: Annotated[
        str | None, typer.Option("--flows", metavar="PERIOD", help="Cash flows by day, month, quarter or year.")
    ] = None,
    reinvestment: Annotated[
        bool,
        typer.Option("--reinvestment", help="What was reinvested when, where and by which strategy, and its risk."),
    ] = False,
    leverage: Annotated[
        bool, typer.Option("--leverage", help="Facilities, debt by quarter, tests, breaches and what debt did.")
    ] = False,
    allocation: Annotated[bool, typer.Option("--allocation", help="What capital allocation did, by check.")] = False,
    chart: Annotated[
        str | None, typer.Option("--chart", metavar="NAME", help="The numbers of one chart, like cash_reserve.")
    ] = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Show a run's figures; by quarter, as cash flows, of its reinvestment, debt or allocation if asked."""
    from scenarios.allocation_charts import allocation_report
    from scenarios.cashflows import cash_flows
    from scenarios.figures import chart_data
    from scenarios.leverage_charts import leverage_report
    from scenarios.manifest import calendar_of
    from scenarios.metrics import nav_risk
    from scenarios.problems import InvalidInput, Problem
    from scenarios.reinvestment_charts import reinvestment_report
    from scenarios.verify import load_run

    terminal.configure_logs(log_level)
    opened, info = find_run(store, run)
    loaded = load_run(opened, info)
    if flows not in (None, "day", "month", "quarter", "year"):
        raise InvalidInput([Problem("--flows", f"expected day, month, quarter or year, got '{flows}'")])
    calendar = calendar_of(loaded.manifest)
    parts: dict[str, Any] = {}
    if quarters:
        parts["nav_risk"] = nav_risk(loaded.quarters)
        parts["quarters"] = [{"date": calendar.date(q["day"]).isoformat(), **q} for q in loaded.quarters]
    if flows:
        parts["cash_flows"] = cash_flows(loaded.log, calendar, flows)  # type: ignore[arg-type]
    if reinvestment:
        parts["reinvestment"] = reinvestment_report(loaded)
    if leverage:
        parts["leverage"] = leverage_report(loaded)
    if allocation:
        parts["allocation"] = allocation_report(loaded)
    if chart:
        parts["chart"] = chart_data(loaded, chart)
    if as_json:
        print_json({**loaded.summary(), "status": info.status, **parts})
        return
    _show(loaded, calendar, parts)
    if info.status != "finished":
        say(f"warning: the run is {info.status}; figures are of what was recorded, up to day {loaded.state.day}")


def _show(run: "Run", calendar: "Calendar", parts: dict[str, Any]) -> None:
    """The parts that were asked for; the run's figures where none was."""
    from app.allocation_view import allocation_view
    from app.leverage_view import leverage_view
    from app.reinvestment_view import chart_view, reinvestment_view
    from app.tables import console, flows_view, quarters_view, run_view

    if not parts:
        console().print(run_view(run))
    if "quarters" in parts:
        console().print(quarters_view(run, calendar))
        risk = {name: value for name, value in parts["nav_risk"].items() if value is not None}
        print("  ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in risk.items()))
    if "cash_flows" in parts:
        console(wide=True).print(flows_view(parts["cash_flows"]))
    views = {
        "reinvestment": reinvestment_view,
        "leverage": leverage_view,
        "allocation": allocation_view,
        "chart": chart_view,
    }
    for name, view in views.items():
        if name in parts:
            console(wide=True).print(view(parts[name]))


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
    opened, info = find_run(store, run)
    records = opened.log(info.run).read(after, kind, limit)
    if as_json:
        try:
            for record in records:
                sys.stdout.buffer.write(record.line() + b"\n")
            sys.stdout.buffer.flush()
        except BrokenPipeError:  # whoever reads has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    from app.tables import console, events_view
    from scenarios.manifest import calendar_of

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
    from app.documents import replay_summary
    from scenarios.manifest import calendar_of
    from scenarios.problems import InvalidInput, Problem
    from scenarios.verify import fold, manifest_of

    terminal.configure_logs(log_level)
    opened, info = find_run(store, run)
    calendar = calendar_of(manifest_of(opened, info))
    until = None if as_of is None else day_of(as_of, "--as-of", calendar)
    state = fold(opened.log(info.run), until)
    if until is not None and until > state.day and info.status != "finished":
        raise InvalidInput(
            [Problem("--as-of", f"{as_of} is after the log's end; it stops on {calendar.date(state.day)}")]
        )
    summary = replay_summary(info.run, state, calendar, until)
    if as_json:
        print_json(summary)
        return
    from app.tables import console, state_view

    console().print(state_view(summary))


@app.command()
def stress(
    run: RunName,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="DATE", help="The last test until this day; else the quarter's end with most debt."
        ),
    ] = None,
    headroom: Annotated[
        bool,
        typer.Option("--headroom", help="Longest delay, largest price fall, latest call without a breach."),
    ] = False,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Show what shocks would do to a run's covenant tests, and the smallest that breaks one."""
    from scenarios.leverage import stress as shocks
    from scenarios.manifest import calendar_of
    from scenarios.verify import load_run

    terminal.configure_logs(log_level)
    opened, info = find_run(store, run)
    loaded = load_run(opened, info)
    day = None if at is None else day_of(at, "--at", calendar_of(loaded.manifest))
    report = shocks(loaded, day)
    limits = None
    if headroom:
        from scenarios.timing.headroom import headroom as search

        with progress(f"searching from {report.date if at is None else at}") as on_run:
            limits = search(loaded, None if day is None else calendar_of(loaded.manifest).date(day), on_run)
    if as_json:
        found = {} if limits is None else {"headroom": [limit.as_json() for limit in limits]}
        print_json({**report.as_json(), "run": info.run, **found})
        return
    from app.leverage_view import stress_view
    from app.tables import console
    from app.timing_view import headroom_view

    console(wide=True).print(stress_view(report.as_json()))
    if limits is not None:
        console(wide=True).print(headroom_view(limits))


@app.command()
def verify(
    run: RunName, store: Store = DEFAULT_STORE, as_json: AsJson = False, log_level: LogLevel = "warning"
) -> None:
    """Check a run: hash chain, folds, and a byte-identical re-run."""
    from scenarios.verify import verify as check

    terminal.configure_logs(log_level)
    opened, info = find_run(store, run)
    with progress(f"verifying {info.run}") as on_day:
        verdict = check(opened, info, on_day)
    terminal.log().info("run.verified", run=info.run, status=verdict.status, bad_seq=verdict.bad_seq)
    if as_json:
        print_json(verdict.summary())
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
    opened, info = find_run(store, run)
    found = explain_record(opened.log(info.run), seq)
    if as_json:
        print_json(
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
    from app.tables import console, why_view
    from scenarios.manifest import calendar_of

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
    from events.beancount import to_beancount
    from events.exports import to_csv, to_jsonl
    from handlers.fund.config import FundConfig
    from scenarios.manifest import calendar_of
    from scenarios.problems import InvalidInput, Problem, closest
    from scenarios.verify import manifest_of

    terminal.configure_logs(log_level)
    formats = ("jsonl", "csv", "beancount")
    if to in ("parquet", "ocel", "trace"):
        raise InvalidInput([Problem("--to", f"'{to}' is not available yet; there are {', '.join(formats)}")])
    if to not in formats:
        hint = closest(to, formats)
        raise InvalidInput([Problem("--to", f"expected {', '.join(formats)}, got '{to}'", suggestion=hint)])
    opened, info = find_run(store, run)
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
    with new_file(output, force=force, store=store) as out:
        for chunk in chunks:
            out.write(chunk)
    if as_json:
        print_json(
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
def report(
    run: RunName,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The page to write (HTML).")],
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Write a run's report: one page that opens without a network."""
    from scenarios.verify import load_run

    terminal.configure_logs(log_level)
    opened, info = find_run(store, run)
    write_report(load_run(opened, info), output, force=force, store=store)
    if as_json:
        print_json({"schema": "fundclock.report/1", "run": info.run, "file": str(output)})
    else:
        print(f"wrote the report of {info.run} to {output}")
