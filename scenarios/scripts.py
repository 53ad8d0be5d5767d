"""Scripts: what a scenario's ``script:`` entries ask for, as commands on their days."""

import datetime
from typing import Any

from pydantic import BaseModel, ValidationError

from events.commands import (
    Command,
    ResumeReinvestment,
    SetConfig,
    ShockPrice,
    ShockRate,
    SuspendReinvestment,
)
from events.config import Config
from events.units import Rate
from scenarios.loader import Document, lay_on, validate
from scenarios.problems import InvalidInput, Path, Problem, closest, explain_validation
from scenarios.schema import CHANGEABLE, FIXED, ScenarioConfig


class _Nothing(Config):
    pass


class _PriceArguments(Config):
    change: Rate
    zone: str | None = None


class _RateArguments(Config):
    change: Rate


class _SetArguments(Config):
    key: str
    value: Any


ARGUMENTS: dict[str, type[BaseModel]] = {
    "set": _SetArguments,
    "shock_price": _PriceArguments,
    "shock_rate": _RateArguments,
    "suspend_reinvestment": _Nothing,
    "resume_reinvestment": _Nothing,
}
"""Command name in a script to what it takes."""

LATER = (
    "reinvest", "shock_nav", "shock_liquidity", "trip_breaker", "reset_breaker", "call_capital", "draw", "repay",
    "default_on_call",
)  # fmt: skip


def read_script(config: ScenarioConfig, document: Document) -> list[tuple[int, str, Command]]:
    """Day, source and command of each act, in the order of the script.

    Raises InvalidInput with every entry that asks for something that can't be.
    """
    problems: list[Problem] = []
    acts: list[tuple[int, str, Command]] = []
    for place, entry in enumerate(config.script):
        if entry.at is None:
            continue
        day = config.calendar().day(entry.at)
        path: Path = ("script", place, "do")
        try:
            for command in _commands(entry.do, path, config, document):
                acts.append((day, f"script[{place}]", command))
        except InvalidInput as error:
            problems += error.problems
    if problems:
        raise InvalidInput(problems)
    return acts


def _commands(do: dict[str, Any], path: Path, config: ScenarioConfig, document: Document) -> list[Command]:
    """The commands of one ``do:``; ``{NAME: ARGUMENTS}`` and ``{command: NAME, ARGUMENT: …}`` mean the same."""
    if "command" in do:
        name, arguments = do["command"], {key: value for key, value in do.items() if key != "command"}
    elif len(do) == 1:
        name, arguments = next(iter(do.items()))
        path = (*path, name)
    else:
        raise InvalidInput([document.problem(path, f"expected one command, got {', '.join(map(str, do)) or 'none'}")])
    if name in LATER:
        raise InvalidInput([document.problem(path, f"the command '{name}' is not available yet")])
    if name not in ARGUMENTS:
        hint = closest(str(name), ARGUMENTS)
        allowed = "" if hint else f"; allowed: {', '.join(ARGUMENTS)}"
        raise InvalidInput([document.problem(path, f"unknown command '{name}'{allowed}", hint)])
    if name == "set" and not (isinstance(arguments, dict) and set(arguments) == {"key", "value"}):
        if not isinstance(arguments, dict) or not arguments:
            raise InvalidInput(
                [document.problem(path, "expected settings like {reinvestment_engine.reinvestment_delay: 3}")]
            )
        return [_set(str(key), value, (*path, str(key)), config, document) for key, value in arguments.items()]
    if arguments is None:
        arguments = {}
    elif not isinstance(arguments, dict) and name in ("shock_price", "shock_rate"):
        arguments = {"change": arguments}
    try:
        values = ARGUMENTS[name].model_validate(arguments)
    except ValidationError as error:
        raise InvalidInput(
            document.problem((*path, *inner), message, hint)
            for inner, message, hint in explain_validation(error, ARGUMENTS[name], arguments)
        ) from None
    return [_command(name, values, path, config, document)]


def _command(name: str, values: Any, path: Path, config: ScenarioConfig, document: Document) -> Command:
    match name:
        case "set":
            return _set(values.key, values.value, path, config, document)
        case "shock_price":
            if values.zone is not None and values.zone not in config.zones:
                hint = closest(values.zone, config.zones)
                raise InvalidInput([document.problem((*path, "zone"), f"unknown zone '{values.zone}'", hint)])
            if values.change <= -1:
                raise InvalidInput([document.problem((*path, "change"), f"must be above -1, got {values.change:g}")])
            return ShockPrice(change=values.change, zone=values.zone)
        case "shock_rate":
            return ShockRate(change=values.change)
        case "suspend_reinvestment":
            return SuspendReinvestment()
        case _:
            return ResumeReinvestment()


def _set(key: str, value: Any, path: Path, config: ScenarioConfig, document: Document) -> SetConfig:
    problem = why_not_changeable(key)
    if problem:
        raise InvalidInput([document.problem(path, problem)])
    try:
        changed(config, key, value)
    except InvalidInput as error:
        raise InvalidInput(
            document.problem(path, f"{key}: {item.message}", item.suggestion) for item in error.problems
        ) from None
    return SetConfig(key=key, value=_json(value))


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_json(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime.date) else value


def why_not_changeable(key: str) -> str | None:
    """Why a key may not change during a run; None where it may."""
    parts = key.split(".")
    for fixed in FIXED:
        names = fixed.split(".")
        if len(parts) >= len(names) and all(a in ("*", b) for a, b in zip(names, parts, strict=False)):
            return f"{key} can't change during a run"
    for allowed in CHANGEABLE:
        if key == allowed or key.startswith(f"{allowed}."):
            return None
    return f"{key} can't change during a run; what can: {', '.join(CHANGEABLE)}"


def changed(config: ScenarioConfig, key: str, value: Any) -> ScenarioConfig:
    """The config with one setting changed. Raises InvalidInput where that can't be."""
    document = Document(f"set {key}", config.model_dump(mode="json", exclude={"script"}))
    lay_on(document, key, value, f"set {key}")
    new = validate(document)
    return new.model_copy(update={"script": config.script})


def current(config: ScenarioConfig, key: str) -> Any:
    """The value of a setting, as JSON values."""
    node: Any = config.model_dump(mode="json")
    for part in key.split("."):
        node = node[part]
    return node
