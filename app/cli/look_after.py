"""Commands that check and maintain: verify, version."""

import typer

from fundclock.app.cli import terminal
from fundclock.app.cli.options import DEFAULT_STORE, AsJson, LogLevel, RunName, Store, find_run, print_json
from fundclock.app.cli.terminal import progress
from fundclock.app.logs import configure_logs, log


def verify(
    run: RunName, store: Store = DEFAULT_STORE, as_json: AsJson = False, log_level: LogLevel = "warning"
) -> None:
    """Check a run: hash chain, folds, and a byte-identical re-run."""
    from fundclock.scenarios.runs.verify import verify as check

    configure_logs(log_level)
    with find_run(store, run) as (opened, info), progress(f"verifying {info.run}") as on_day:
        verdict = check(opened, info, on_day)
    log().info("run.verified", run=info.run, status=verdict.status, bad_seq=verdict.bad_seq)
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


def version(as_json: AsJson = False, log_level: LogLevel = "warning") -> None:
    """Print the versions of Fundclock, Python and the packages that results depend on."""
    from fundclock.scenarios.runs.manifest import versions

    configure_logs(log_level)
    found = versions()
    if as_json:
        print_json({"schema": "fundclock.version/1", "versions": found})
    else:
        for name, value in found.items():
            print(f"{name} {value}")
