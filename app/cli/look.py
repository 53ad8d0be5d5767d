"""Commands that look at what was recorded: runs, show, events, replay, why."""

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fundclock.app.cli.options import (
    DEFAULT_STORE,
    AsJson,
    LogLevel,
    RunName,
    Store,
    find_run,
    open_store,
    print_json,
    refuse,
)
from fundclock.app.cli.terminal import say
from fundclock.app.logs import configure_logs

if TYPE_CHECKING:
    from fundclock.events.dates import Calendar
    from fundclock.scenarios.runs.recorded import RecordedRun


def runs(store: Store = DEFAULT_STORE, as_json: AsJson = False, log_level: LogLevel = "warning") -> None:
    """List the runs of a store."""
    configure_logs(log_level)
    with open_store(store) as opened:
        found = opened.runs()
    if as_json:
        keys = ("run", "scenario", "seed", "status", "records", "head_hash", "parent")
        print_json(
            {"schema": "fundclock.runs/1", "runs": [{key: getattr(info, key) for key in keys} for info in found]}
        )
        return
    from fundclock.app.cli.tables.stores import runs_table
    from fundclock.app.cli.tables.style import console

    out = console()
    out.print(runs_table(found, out.width))


def show(
    run: RunName,
    quarters: Annotated[bool, typer.Option("--quarters", help="Net metrics at the end of each quarter.")] = False,
    flows: Annotated[
        str | None,
        typer.Option("--flows", metavar="PERIOD", help="Cash flows by day, month, quarter or year."),
    ] = None,
    reinvestment: Annotated[
        bool,
        typer.Option("--reinvestment", help="What was reinvested when, where and by which strategy, and its risk."),
    ] = False,
    leverage: Annotated[
        bool,
        typer.Option("--leverage", help="Facilities, debt by quarter, tests, breaches, and what debt did to returns."),
    ] = False,
    allocation: Annotated[bool, typer.Option("--allocation", help="What each allocation check decided.")] = False,
    chart: Annotated[
        str | None, typer.Option("--chart", metavar="NAME", help="The numbers of one chart, such as cash_reserve.")
    ] = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Show a run's metrics: totals, by quarter, cash flows, or by engine."""
    from fundclock.events import results
    from fundclock.scenarios.runs.manifest import calendar_of
    from fundclock.scenarios.runs.metrics import nav_risk
    from fundclock.scenarios.runs.stored import load_run

    configure_logs(log_level)
    if flows not in (None, "day", "month", "quarter", "year"):
        raise refuse("--flows", f"expected day, month, quarter or year, got '{flows}'")
    with find_run(store, run) as (opened, info):
        loaded = load_run(opened, info)
        calendar = calendar_of(loaded.manifest)
        parts: dict[str, Any] = {}
        if quarters:
            parts["nav_risk"] = results.as_json(nav_risk(loaded.quarterly_returns))
            parts["quarters"] = [
                {"date": calendar.date(row.day).isoformat(), **row.as_json()} for row in loaded.quarters
            ]
        if flows:
            from fundclock.scenarios.views.cash_flows import cash_flows

            parts["cash_flows"] = cash_flows(loaded.log, calendar, flows)  # type: ignore[arg-type]
        if reinvestment or leverage or allocation:
            from fundclock.scenarios import reports

            if reinvestment:
                parts["reinvestment"] = reports.reinvestment_report(loaded)
            if leverage:
                parts["leverage"] = reports.leverage_report(loaded)
            if allocation:
                parts["allocation"] = reports.allocation_report(loaded)
        if chart:
            from fundclock.scenarios.charts.figures import chart_data

            parts["chart"] = chart_data(loaded, chart)
        if as_json:
            print_json({**loaded.summary(), "status": info.status, **parts})
            return
        _show(loaded, calendar, parts)
        if info.status != "finished":
            say(
                f"warning: the run is {info.status}; metrics cover only what was recorded, up to day {loaded.state.day}"
            )


def _show(run: "RecordedRun", calendar: "Calendar", parts: dict[str, Any]) -> None:
    """The parts that were asked for; the run's figures where none was."""
    from fundclock.app.cli.tables.allocation import allocation_tables
    from fundclock.app.cli.tables.charts import chart_table
    from fundclock.app.cli.tables.leverage import leverage_tables
    from fundclock.app.cli.tables.reinvestment import reinvestment_tables
    from fundclock.app.cli.tables.runs import flows_table, quarters_table, run_table
    from fundclock.app.cli.tables.style import console

    if not parts:
        console().print(run_table(run))
    if "quarters" in parts:
        console().print(quarters_table(run, calendar))
        risk = {name: value for name, value in parts["nav_risk"].items() if value is not None}
        print("  ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in risk.items()))
    if "cash_flows" in parts:
        console(wide=True).print(flows_table(parts["cash_flows"]))
    tables = {
        "reinvestment": reinvestment_tables,
        "leverage": leverage_tables,
        "allocation": allocation_tables,
        "chart": chart_table,
    }
    for name, made in tables.items():
        if name in parts:
            console(wide=True).print(made(parts[name]))


def events(
    run: RunName,
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", help="Only records of this kind, such as loan.exited/1. Repeatable."),
    ] = None,
    after: Annotated[int, typer.Option("--after", min=0, metavar="SEQ", help="Only records after this seq.")] = 0,
    limit: Annotated[int | None, typer.Option("--limit", min=0, help="Maximum number of records.")] = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Print a run's records; with --json one record a line."""
    from fundclock.events.facts import FACTS
    from fundclock.scenarios.files.problems import closest

    configure_logs(log_level)
    for name in kind or []:
        if name not in FACTS:
            raise refuse("--kind", f"unknown kind '{name}'", suggestion=closest(name, FACTS))
    with find_run(store, run) as (opened, info):
        records = opened.log(info.run).read(after, kind, limit)
        if as_json:
            try:
                for record in records:
                    sys.stdout.buffer.write(record.line() + b"\n")
                sys.stdout.buffer.flush()
            except BrokenPipeError:  # whoever reads has seen enough
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return
        from fundclock.app.cli.tables.records import records_table
        from fundclock.app.cli.tables.style import console
        from fundclock.scenarios.runs.manifest import calendar_of
        from fundclock.scenarios.runs.stored import manifest_of

        out = console()
        out.print(records_table(records, calendar_of(manifest_of(opened, info)), out.width))


def replay(
    run: RunName,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="DATE", help="State at the end of this day (default: the last)."),
    ] = None,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Fold a run's log to the state of a day."""
    from fundclock.app.dates import day_of
    from fundclock.scenarios.runs.manifest import calendar_of
    from fundclock.scenarios.runs.stored import fold, manifest_of
    from fundclock.scenarios.views.state import replay_summary

    configure_logs(log_level)
    with find_run(store, run) as (opened, info):
        calendar = calendar_of(manifest_of(opened, info))
        until = None if as_of is None else day_of(as_of, "--as-of", calendar)
        state = fold(opened.log(info.run), until)
    if until is not None and until > state.day and info.status != "finished":
        raise refuse("--as-of", f"{as_of} is after the end of the log, which stops on {calendar.date(state.day)}")
    summary = replay_summary(info.run, state, calendar, until)
    if as_json:
        print_json(summary)
        return
    from fundclock.app.cli.tables.records import state_table
    from fundclock.app.cli.tables.style import console

    console().print(state_table(summary))


def why(
    run: RunName,
    seq: Annotated[int, typer.Argument(min=1, help="Seq of the record.")],
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Show what caused a record, up to the root, and what it led to."""
    from fundclock.scenarios.views.why import why as explain_record

    configure_logs(log_level)
    with find_run(store, run) as (opened, info):
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
        from fundclock.app.cli.tables.records import why_tree
        from fundclock.app.cli.tables.style import console
        from fundclock.scenarios.runs.manifest import calendar_of
        from fundclock.scenarios.runs.stored import manifest_of

        console().print(why_tree(found, calendar_of(manifest_of(opened, info))))
