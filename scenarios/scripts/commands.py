"""Commands of scripts: what a ``do:`` says, checked, as the command that it means."""

import datetime
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, JsonValue, StrictBool, ValidationError, model_validator

from fundclock.events.commands import (
    AnyCommand,
    CallCapital,
    ClearBreaker,
    DefaultOnCall,
    Reinvest,
    RequestDraw,
    RequestRepayment,
    ResumeReinvestment,
    SetConfig,
    SetTransactionCost,
    SetVolatility,
    ShockLiquidity,
    ShockNav,
    ShockPrice,
    ShockRate,
    SuspendReinvestment,
    TripBreaker,
)
from fundclock.events.config import Config
from fundclock.events.units import Amount, Count, Number, Rate, to_cents
from fundclock.handlers.settings.reinvestment import Strategy
from fundclock.scenarios.files.changes import changed, leaves, why_not_changeable
from fundclock.scenarios.files.documents import Document
from fundclock.scenarios.files.problems import InvalidInput, Path, Problem, closest, explain_validation
from fundclock.scenarios.files.schema import ScenarioConfig


class _Nothing(Config):
    pass


class _PriceArguments(Config):
    change: Annotated[Rate, Field(gt=-1, le=10)]
    zone: str | None = None


class _PartnerArguments(Config):
    partner: str


ROUNDED_YEAR = 0.06
"""Months by which a year that is given to two decimals may miss the month that is meant: 2.33 is four months."""


class _ReinvestArguments(Config):
    """The body of a manual reinvestment; its date is the entry's ``at`` or ``year`` (and ``month``)."""

    amount: Annotated[Amount, Field(gt=0)]
    year: Annotated[Number, Field(ge=0, le=60)] | None = None
    month: Annotated[Count, Field(ge=0, le=11)] | None = None
    strategy: Strategy | None = None
    source: Literal["exit", "recovery", "interest", "call"] | None = None
    source_details: dict[str, JsonValue] = Field(default_factory=dict)
    zone_preference_multipliers: dict[str, Annotated[Number, Field(ge=0)]] | None = None
    enable_dynamic_allocation: StrictBool | None = None

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.year is None and self.month is not None:
            raise ValueError("month is given without year")
        if self.year is not None and self.month is not None:
            part = self.year % 1 * 12
            if part and abs(part - self.month) > ROUNDED_YEAR:
                raise ValueError(
                    f"year {self.year:g} is {part:g} months after the whole year, month says {self.month};"
                    " leave month out, or give the whole year"
                )
        return self

    def months(self) -> float | None:
        """Months after the fund's start, where the body says so."""
        if self.year is None or self.month is None:
            return None if self.year is None else round(self.year * 12, 9)
        return int(self.year) * 12 + self.month


class _RateArguments(Config):
    change: Annotated[Rate, Field(ge=-1, le=1)]


class _LevelArguments(Config):
    """How far a level moves at once: -0.2 is a fall of a fifth."""

    change: Annotated[Rate, Field(ge=-1, le=10)]


class _FacilityArguments(Config):
    amount: Annotated[Amount, Field(gt=0)]
    facility: str = "green_sleeve"


class _VolatilityArguments(Config):
    """``market`` gives the state back to what prices say."""

    state: Literal["low", "medium", "high", "extreme", "market"]


class _CostArguments(Config):
    level: Annotated[Number, Field(ge=0, le=1e9)]


class _CallArguments(Config):
    amount: Annotated[Amount, Field(gt=0)]


ARGUMENTS: dict[str, type[BaseModel]] = {
    "reinvest": _ReinvestArguments,
    "set": _Nothing,
    "shock_price": _PriceArguments,
    "shock_rate": _RateArguments,
    "shock_nav": _LevelArguments,
    "shock_liquidity": _LevelArguments,
    "call_capital": _CallArguments,
    "draw": _FacilityArguments,
    "repay": _FacilityArguments,
    "trip_breaker": _Nothing,
    "reset_breaker": _Nothing,
    "set_volatility": _VolatilityArguments,
    "set_transaction_cost": _CostArguments,
    "default_on_call": _PartnerArguments,
    "suspend_reinvestment": _Nothing,
    "resume_reinvestment": _Nothing,
}
"""Command name in a script to what it takes."""

BARE = {
    "call_capital": "amount",
    "draw": "amount",
    "repay": "amount",
    "set_volatility": "state",
    "set_transaction_cost": "level",
}
"""What a bare value after a command's name means."""


def command_of(do: dict[str, Any], path: Path, config: ScenarioConfig, document: Document) -> AnyCommand:
    """The command of one ``do:``; ``{NAME: ARGUMENTS}`` and ``{command: NAME, ARGUMENT: …}`` mean the same."""
    if "command" in do:
        name, arguments = do["command"], {key: value for key, value in do.items() if key != "command"}
    elif len(do) == 1:
        name, arguments = next(iter(do.items()))
        path = (*path, name)
    else:
        raise InvalidInput([document.problem(path, f"expected one command, got {', '.join(map(str, do)) or 'none'}")])
    if not isinstance(name, str) or name not in ARGUMENTS:
        hint = closest(str(name), ARGUMENTS)
        allowed = "" if hint else f"; allowed: {', '.join(ARGUMENTS)}"
        raise InvalidInput([document.problem(path, f"unknown command '{name}'{allowed}", hint)])
    if name == "set":
        if isinstance(arguments, dict) and set(arguments) == {"key", "value"}:
            arguments = {str(arguments["key"]): arguments["value"]}
        if not isinstance(arguments, dict) or not arguments:
            example = "expected settings like {reinvestment_engine.reinvestment_delay: 3}"
            raise InvalidInput([document.problem(path, example)])
        return _set(arguments, path, config, document)
    if arguments is None:
        arguments = {}
    elif not isinstance(arguments, dict) and name.startswith("shock_"):
        arguments = {"change": arguments}
    elif not isinstance(arguments, dict) and name in BARE:
        arguments = {BARE[name]: arguments}
    return _command(name, arguments_of(name, arguments, path, document), path, config, document)


def arguments_of(name: str, arguments: Any, path: Path, document: Document) -> Any:
    """What a command takes, checked. Raises InvalidInput with every problem found."""
    try:
        return ARGUMENTS[name].model_validate(arguments)
    except ValidationError as error:
        raise InvalidInput(
            document.problem((*path, *inner), message, hint)
            for inner, message, hint in explain_validation(error, ARGUMENTS[name], arguments)
        ) from None


def _command(name: str, values: Any, path: Path, config: ScenarioConfig, document: Document) -> AnyCommand:
    match name:
        case "reinvest":
            _check_multipliers(values.zone_preference_multipliers or {}, path, config, document)
            return Reinvest(
                amount_cents=to_cents(values.amount),
                **values.model_dump(exclude={"amount", "year", "month"}),
            )
        case "shock_price":
            if values.zone is not None and values.zone not in config.zones:
                hint = closest(values.zone, config.zones)
                raise InvalidInput([document.problem((*path, "zone"), f"unknown zone '{values.zone}'", hint)])
            return ShockPrice(change=values.change, zone=values.zone)
        case "default_on_call":
            partners = list(config.fund.limited_partners)
            if values.partner not in partners or len(partners) < 2:
                hint = closest(values.partner, partners)
                there = f"there are {', '.join(partners)}" if partners else "fund.limited_partners names none"
                raise InvalidInput(
                    [document.problem(path, f"no partner '{values.partner}' can default; {there}", hint)]
                )
            return DefaultOnCall(partner=values.partner)
        case "shock_rate":
            return ShockRate(change=values.change)
        case "shock_nav":
            return ShockNav(change=values.change)
        case "shock_liquidity":
            return ShockLiquidity(change=values.change)
        case "call_capital":
            return CallCapital(amount_cents=to_cents(values.amount))
        case "draw" | "repay":
            lines = list(config.leverage.lines())
            if values.facility not in lines:
                there = f"there are {', '.join(lines)}" if lines else "leverage is not enabled"
                hint = closest(values.facility, lines)
                message = f"no facility '{values.facility}'; {there}"
                raise InvalidInput([document.problem((*path, "facility"), message, hint)])
            kind = RequestDraw if name == "draw" else RequestRepayment
            return kind(facility=values.facility, amount_cents=to_cents(values.amount))
        case "suspend_reinvestment":
            return SuspendReinvestment()
        case "trip_breaker":
            return TripBreaker()
        case "reset_breaker":
            return ClearBreaker()
        case "set_volatility":
            return SetVolatility(state=None if values.state == "market" else values.state)
        case "set_transaction_cost":
            return SetTransactionCost(level=values.level)
        case _:
            return ResumeReinvestment()


def _check_multipliers(
    multipliers: Mapping[str, float], path: Path, config: ScenarioConfig, document: Document
) -> None:
    path = (*path, "zone_preference_multipliers")
    for zone in multipliers:
        if zone not in config.zones:
            there = f"; there are {', '.join(config.zones)}"
            raise InvalidInput([document.problem((*path, zone), f"unknown zone{there}", closest(zone, config.zones))])
    if multipliers and not any(multipliers.get(zone, 1.0) for zone in config.zones):
        raise InvalidInput([document.problem(path, "at least one multiplier must be above 0")])


def _set(settings: dict[str, Any], path: Path, config: ScenarioConfig, document: Document) -> SetConfig:
    """One command for all settings of an entry; mappings are taken apart into their single settings."""
    known = leaves("", config.model_dump(mode="json"))
    changes: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, value in settings.items():
        for leaf, inner in leaves(str(key), value).items():
            problem = why_not_changeable(leaf)
            if problem is None and leaf not in known:
                problems.append(
                    document.problem((*path, str(key)), f"there is no setting {leaf}", closest(leaf, known))
                )
            elif problem is not None:
                problems.append(document.problem((*path, str(key)), problem))
            changes[leaf] = _json(inner)
    if problems:
        raise InvalidInput(problems)
    try:
        changed(config, changes)
    except InvalidInput as error:
        raise InvalidInput(
            document.problem(path, f"{item.key}: {item.message}", item.suggestion) for item in error.problems
        ) from None
    return SetConfig(changes=changes)


def _json(value: Any) -> Any:
    if isinstance(value, list):
        return [_json(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime.date) else value
