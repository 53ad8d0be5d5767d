"""Commands about scenario files: init, validate, explain, schema."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fundclock.app.cli.options import AsJson, Loans, LogLevel, ScenarioName, Settings, choose, print_json, refuse
from fundclock.app.cli.terminal import say
from fundclock.app.logs import configure_logs

STARTER = Path(__file__).parent.parent / "starter.yaml"


def init(
    file: Annotated[Path, typer.Argument(help="The file to write.")] = Path("scenario.yaml"),
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Write a starter scenario."""
    configure_logs(log_level)
    try:
        with file.open("xb") as out:
            out.write(STARTER.read_bytes())
    except FileExistsError:
        raise refuse("", "already exists; give another name", str(file)) from None
    if as_json:
        print_json({"schema": "fundclock.init/1", "file": str(file)})
    else:
        print(f"wrote {file}; try: fundclock run {file}")


def validate(
    scenario: ScenarioName,
    settings: Settings = None,
    loans: Loans = None,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Check a scenario and its files; list every error with its line and column."""
    from fundclock.scenarios.files.problems import InvalidInput
    from fundclock.scenarios.runs.planning import warnings_of

    configure_logs(log_level)
    try:
        chosen = choose(scenario, None, settings, loans)
        warnings = warnings_of(chosen.plan())
    except InvalidInput as error:
        if as_json:
            problems = [asdict(problem) for problem in error.problems]
            print_json({"schema": "fundclock.validate/1", "valid": False, "problems": problems})
        raise
    if as_json:
        print_json({"schema": "fundclock.validate/1", "valid": True, "problems": [], "warnings": warnings})
        return
    print(f"{chosen.name} is valid")
    for warning in warnings:
        say(f"warning: {warning}")


def explain(
    scenario: ScenarioName,
    settings: Settings = None,
    loans: Loans = None,
    as_json: AsJson = False,
    log_level: LogLevel = "warning",
) -> None:
    """Print a scenario with every setting filled in; defaults and descriptions stand beside the values."""
    from fundclock.app.explained import resolved_yaml

    configure_logs(log_level)
    config = choose(scenario, None, settings, loans).resolve()
    if as_json:
        print_json({"schema": "fundclock.explain/1", "scenario": config.model_dump(mode="json")})
    else:
        print(resolved_yaml(config), end="")


def schema(as_json: AsJson = False, log_level: LogLevel = "warning") -> None:
    """Print the JSON Schema of scenario files, for editors."""
    from fundclock.scenarios.files.schema import ScenarioConfig

    configure_logs(log_level)
    described = ScenarioConfig.model_json_schema()
    print_json({"schema": "fundclock.schema/1", "json_schema": described} if as_json else described)
