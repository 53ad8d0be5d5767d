"""Commands that take results elsewhere: export, report, serve."""

from pathlib import Path
from typing import Annotated

import typer

from fundclock.app.cli.options import (
    DEFAULT_STORE,
    AsJson,
    Force,
    LogLevel,
    RunName,
    Store,
    find_run,
    new_file,
    print_json,
    refuse,
    write_report,
)
from fundclock.app.cli.terminal import say
from fundclock.app.logs import configure_logs

FORMATS = ("jsonl", "csv", "beancount")


def export(
    run: RunName,
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="jsonl, csv or beancount.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The file to write.")],
    force: Force = False,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Write a run's log for other tools."""
    from fundclock.events.beancount import to_beancount
    from fundclock.events.exports import to_csv, to_jsonl
    from fundclock.scenarios.files.problems import closest
    from fundclock.scenarios.runs.manifest import calendar_of, currency_of
    from fundclock.scenarios.runs.stored import manifest_of

    configure_logs(log_level)
    if to in ("parquet", "ocel", "trace"):
        raise refuse("--to", f"'{to}' is not available yet; available formats: {', '.join(FORMATS)}")
    if to not in FORMATS:
        raise refuse("--to", f"expected {', '.join(FORMATS)}, got '{to}'", suggestion=closest(to, FORMATS))
    with find_run(store, run) as (opened, info):
        log, manifest = opened.log(info.run), manifest_of(opened, info)
        match to:
            case "jsonl":
                chunks = to_jsonl(log)
            case "csv":
                chunks = to_csv(log, calendar_of(manifest))
            case _:
                chunks = to_beancount(log, calendar_of(manifest), currency_of(manifest), info.run)
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


def report(
    run: RunName,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The HTML file to write.")],
    force: Force = False,
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Write a run's report: one page that opens without a network."""
    from fundclock.scenarios.runs.stored import load_run

    configure_logs(log_level)
    with find_run(store, run) as (opened, info):
        write_report(load_run(opened, info), output, force=force, store=store)
    if as_json:
        print_json({"schema": "fundclock.report/1", "run": info.run, "file": str(output)})
    else:
        print(f"wrote the report of {info.run} to {output}")


def serve(
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; beyond loopback a token is required.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to listen on.")] = 8000,
    token: Annotated[
        str | None,
        typer.Option("--token", envvar="FUNDCLOCK_TOKEN", help="Bearer token that clients must send."),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option("--allow-host", metavar="HOST[:PORT]", help="Additional Host header to accept. Repeatable."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, max=256, help="Worker processes (default: one per core).")
    ] = None,
    store: Store = DEFAULT_STORE,
    log_level: LogLevel = "warning",
) -> None:
    """Serve a store in a browser and over HTTP; on this machine only, unless a token is set."""
    from fundclock.app.extras import needs

    configure_logs(log_level)
    if store.startswith(("postgresql://", "postgres://")):
        raise refuse("--store", "PostgreSQL stores are not available yet; give the path of a file")
    with needs("service", "the service"):
        from fundclock.app.service.serve import serve as listen

    shown = f"[{host}]" if ":" in host else host
    say(f"serving {store}: open http://{shown}:{port}/ in a browser (Ctrl-C ends it)")
    listen(Path(store), host, port, token, allow or [], workers)
