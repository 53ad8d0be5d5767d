"""Commands of scripts: one table of what a ``do:`` can say, and how it becomes the command that it means."""

import datetime
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, Field, JsonValue, RootModel, StrictBool, ValidationError, model_validator

from fundclock.events.commands import (
    AnyCommand,
    CallCapital,
    ClearBreaker,
    Command,
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
from fundclock.scenarios.files.changes import changed, leaves, value_of, why_not_changeable
from fundclock.scenarios.files.documents import Document
from fundclock.scenarios.files.problems import InvalidInput, Path, Problem, closest, explain_validation
from fundclock.scenarios.files.schema import ScenarioConfig


class Place(NamedTuple):
    """Where a command stands, and by which settings it is read."""

    path: Path
    config: ScenarioConfig
    document: Document

    def refuse(self, message: str, *inner: str, hint: str | None = None) -> InvalidInput:
        """The error for this place, or for a key inside it."""
        return InvalidInput([self.document.problem((*self.path, *inner), message, hint)])


class _Nothing(Config):
    """No arguments."""


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
                    f"year {self.year:g} is {part:g} months into its year, but month is {self.month};"
                    " omit month, or give a whole year"
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


class _Settings(RootModel[dict[str, Any]]):
    """Settings by dotted key, or one as ``key`` and ``value``."""

    @model_validator(mode="before")
    @classmethod
    def _mapping(cls, values: Any) -> Any:
        if isinstance(values, dict) and set(values) == {"key", "value"}:
            values = {str(values["key"]): values["value"]}
        if not isinstance(values, dict) or not values:
            raise ValueError("expected settings like {reinvestment_engine.reinvestment_delay: 3}")
        return {str(key): value for key, value in values.items()}


def _reinvest(values: _ReinvestArguments, place: Place) -> AnyCommand:
    _check_multipliers(values.zone_preference_multipliers or {}, place)
    return Reinvest(
        amount_cents=to_cents(values.amount),
        strategy=values.strategy,
        source=values.source,
        source_details=values.source_details,
        zone_preference_multipliers=values.zone_preference_multipliers,
        enable_dynamic_allocation=values.enable_dynamic_allocation,
    )


def _check_multipliers(multipliers: Mapping[str, float], place: Place) -> None:
    name, zones = "zone_preference_multipliers", place.config.zones
    for zone in multipliers:
        if zone not in zones:
            raise place.refuse(f"unknown zone; allowed: {', '.join(zones)}", name, zone, hint=closest(zone, zones))
    if multipliers and not any(multipliers.get(zone, 1.0) for zone in zones):
        raise place.refuse("at least one multiplier must be above 0", name)


def _shock_price(values: _PriceArguments, place: Place) -> AnyCommand:
    zones = place.config.zones
    if values.zone is not None and values.zone not in zones:
        raise place.refuse(f"unknown zone '{values.zone}'", "zone", hint=closest(values.zone, zones))
    return ShockPrice(change=values.change, zone=values.zone)


def _default_on_call(values: _PartnerArguments, place: Place) -> AnyCommand:
    partners = list(place.config.fund.limited_partners)
    if values.partner not in partners or len(partners) < 2:
        there = f"fund.limited_partners has {', '.join(partners)}" if partners else "fund.limited_partners is empty"
        hint = closest(values.partner, partners)
        raise place.refuse(f"partner '{values.partner}' can't default; {there}", hint=hint)
    return DefaultOnCall(partner=values.partner)


def _facility(values: _FacilityArguments, place: Place) -> str:
    lines = list(place.config.leverage.lines())
    if values.facility not in lines:
        there = f"allowed: {', '.join(lines)}" if lines else "leverage is not enabled"
        hint = closest(values.facility, lines)
        raise place.refuse(f"unknown facility '{values.facility}'; {there}", "facility", hint=hint)
    return values.facility


def _draw(values: _FacilityArguments, place: Place) -> AnyCommand:
    return RequestDraw(facility=_facility(values, place), amount_cents=to_cents(values.amount))


def _repay(values: _FacilityArguments, place: Place) -> AnyCommand:
    return RequestRepayment(facility=_facility(values, place), amount_cents=to_cents(values.amount))


def _set(values: _Settings, place: Place) -> SetConfig:
    """One command for all settings of an entry; mappings are taken apart into their single settings."""
    changes: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, value in values.root.items():
        for leaf, inner in leaves(key, value).items():
            message = why_not_changeable(leaf)
            hint = None
            if message is None:
                try:
                    value_of(place.config, leaf)
                except KeyError:
                    hint = closest(leaf, leaves("", place.config.model_dump(mode="json")))
                    message = f"unknown setting {leaf}"
            if message is not None:
                problems.append(place.document.problem((*place.path, key), message, hint))
            changes[leaf] = _json(inner)
    if problems:
        raise InvalidInput(problems)
    return SetConfig(changes=changes)


class ScriptCommand(NamedTuple):
    """What a command of scripts takes, what it becomes, and what a bare value after its name means."""

    arguments: type[BaseModel]
    becomes: type[Command]
    make: Callable[[Any, Place], AnyCommand]
    bare: str | None = None


COMMANDS: dict[str, ScriptCommand] = {
    "reinvest": ScriptCommand(_ReinvestArguments, Reinvest, _reinvest),
    "set": ScriptCommand(_Settings, SetConfig, _set),
    "shock_price": ScriptCommand(_PriceArguments, ShockPrice, _shock_price, "change"),
    "shock_rate": ScriptCommand(_RateArguments, ShockRate, lambda values, _: ShockRate(change=values.change), "change"),
    "shock_nav": ScriptCommand(_LevelArguments, ShockNav, lambda values, _: ShockNav(change=values.change), "change"),
    "shock_liquidity": ScriptCommand(
        _LevelArguments, ShockLiquidity, lambda values, _: ShockLiquidity(change=values.change), "change"
    ),
    "call_capital": ScriptCommand(
        _CallArguments, CallCapital, lambda values, _: CallCapital(amount_cents=to_cents(values.amount)), "amount"
    ),
    "draw": ScriptCommand(_FacilityArguments, RequestDraw, _draw, "amount"),
    "repay": ScriptCommand(_FacilityArguments, RequestRepayment, _repay, "amount"),
    "trip_breaker": ScriptCommand(_Nothing, TripBreaker, lambda *_: TripBreaker()),
    "reset_breaker": ScriptCommand(_Nothing, ClearBreaker, lambda *_: ClearBreaker()),
    "set_volatility": ScriptCommand(
        _VolatilityArguments,
        SetVolatility,
        lambda values, _: SetVolatility(state=None if values.state == "market" else values.state),
        "state",
    ),
    "set_transaction_cost": ScriptCommand(
        _CostArguments, SetTransactionCost, lambda values, _: SetTransactionCost(level=values.level), "level"
    ),
    "default_on_call": ScriptCommand(_PartnerArguments, DefaultOnCall, _default_on_call),
    "suspend_reinvestment": ScriptCommand(_Nothing, SuspendReinvestment, lambda *_: SuspendReinvestment()),
    "resume_reinvestment": ScriptCommand(_Nothing, ResumeReinvestment, lambda *_: ResumeReinvestment()),
}
"""All commands of scripts by name; each happens in the phase of what it becomes."""


def command_of(do: dict[str, Any], path: Path, config: ScenarioConfig, document: Document) -> AnyCommand:
    """The command of one ``do:``; ``{NAME: ARGUMENTS}`` and ``{command: NAME, ARGUMENT: …}`` mean the same.

    Settings of a ``set`` are only looked up, not validated: see ``settled``. Raises InvalidInput.
    """
    if "command" in do:
        name, arguments = do["command"], {key: value for key, value in do.items() if key != "command"}
    elif len(do) == 1:
        name, arguments = next(iter(do.items()))
        path = (*path, name)
    else:
        raise InvalidInput([document.problem(path, f"expected one command, got {', '.join(map(str, do)) or 'none'}")])
    place = Place(path, config, document)
    if not isinstance(name, str) or name not in COMMANDS:
        hint = closest(str(name), COMMANDS)
        allowed = "" if hint else f"; allowed: {', '.join(COMMANDS)}"
        raise place.refuse(f"unknown command '{name}'{allowed}", hint=hint)
    row = COMMANDS[name]
    if arguments is None:
        arguments = {}
    elif not isinstance(arguments, dict) and row.bare is not None:
        arguments = {row.bare: arguments}
    return row.make(arguments_of(name, arguments, path, document), place)


def arguments_of(name: str, arguments: Any, path: Path, document: Document) -> Any:
    """What a command takes, checked. Raises InvalidInput with every problem found."""
    model = COMMANDS[name].arguments
    try:
        return model.model_validate(arguments)
    except ValidationError as error:
        raise InvalidInput(
            document.problem((*path, *inner), message, hint)
            for inner, message, hint in explain_validation(error, model, arguments)
        ) from None


def settled(
    command: AnyCommand, do: Mapping[str, Any], path: Path, config: ScenarioConfig, document: Document
) -> ScenarioConfig:
    """The settings after the command of a ``do:``; only a ``set`` changes them.

    Raises InvalidInput if the result is invalid.
    """
    if not isinstance(command, SetConfig):
        return config
    path = path if "command" in do else (*path, "set")
    try:
        return changed(config, command.changes)
    except InvalidInput as error:
        raise InvalidInput(
            document.problem(path, f"{item.key}: {item.message}", item.suggestion) for item in error.problems
        ) from None


def _json(value: Any) -> Any:
    if isinstance(value, list):
        return [_json(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime.date) else value
