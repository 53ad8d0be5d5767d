"""A whole scenario: its sections, and what must hold between them."""

import datetime
from typing import Annotated, Any, Self

import numpy as np
from pydantic import BeforeValidator, Field, StrictBool, StrictStr, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from fundclock.events.config import Config
from fundclock.events.dates import Calendar
from fundclock.handlers.settings.allocation import AllocationConfig
from fundclock.handlers.settings.fund import CallsConfig, FeesConfig, FundConfig, WaterfallConfig
from fundclock.handlers.settings.leverage import InterestRateModelConfig, LeverageConfig
from fundclock.handlers.settings.loans import ExitsConfig, LoansConfig, ZoneConfig
from fundclock.handlers.settings.reinvestment import ReinvestmentConfig
from fundclock.sim.config import BaseRateConfig, MarketConfig

DEFAULT_ZONES: dict[str, dict[str, float]] = {
    "green": {
        "target_allocation": 0.45,
        "appreciation": 0.06,
        "volatility": 0.12,
        "default_rate": 0.005,
        "recovery_rate": 0.95,
    },
    "orange": {
        "target_allocation": 0.35,
        "appreciation": 0.05,
        "volatility": 0.15,
        "default_rate": 0.015,
        "recovery_rate": 0.85,
    },
    "red": {
        "target_allocation": 0.20,
        "appreciation": 0.04,
        "volatility": 0.18,
        "default_rate": 0.025,
        "recovery_rate": 0.75,
    },
}

DEFAULT_CORRELATION = {"green-orange": 0.7, "green-red": 0.5, "orange-red": 0.8}

ZoneName = Annotated[StrictStr, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,31}$")]


def _with_defaults(value: Any) -> Any:
    """A zone of the standard three takes what it leaves out from the standard."""
    if not isinstance(value, dict):
        return value
    return {
        name: {**DEFAULT_ZONES.get(name, {}), **zone} if isinstance(zone, dict) else zone
        for name, zone in value.items()
    }


def manual_body(do: dict[str, Any]) -> dict[str, Any] | None:
    """The body of a ``do:`` that asks for a manual reinvestment, in either spelling; else None."""
    body = {key: value for key, value in do.items() if key != "command"}
    if do.get("command") != "reinvest":
        body = do.get("reinvest")  # type: ignore[assignment]
    return body if isinstance(body, dict) else None


class ScriptEntry(Config):
    """An entry of the script: a command on a date, or on the day after a condition is met."""

    at: Annotated[
        datetime.date | None,
        Field(
            description="ISO date, within the fund's life, on which the command is carried out. A manual reinvestment"
            " may give `year` in its body instead.",
        ),
    ] = None
    when: Annotated[
        StrictStr | None,
        Field(
            description="Condition such as `cash > 5m`, given in place of a date and looked at every evening; the"
            " command follows on the next day.",
        ),
    ] = None
    repeat: Annotated[
        StrictBool,
        Field(description="Whether the entry fires each time that its condition becomes true, not just the first."),
    ] = False
    do: Annotated[
        dict[str, Any],
        Field(
            description="Command by name with its arguments, such as `{shock_price: {zone: red, change: -15%}}`; one"
            " per entry.",
        ),
    ]

    @model_validator(mode="after")
    def _one_trigger(self) -> Self:
        year = (manual_body(self.do) or {}).get("year")
        if self.when is not None and (self.at is not None or year is not None):
            raise ValueError(
                f"has both a condition (when:) and a date ({'at:' if self.at else 'year:'}); give one of them"
            )
        if self.repeat and self.when is None:
            raise ValueError("repeat: needs when:")
        if self.at is None and self.when is None and year is None:
            other = " (or year: in its body)" if manual_body(self.do) is not None else ""
            raise ValueError(f"needs at: with a date or when: with a condition{other}")
        return self


class ScenarioConfig(Config):
    """A fund and its market: everything that, with a seed, decides a run."""

    name: Annotated[
        Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")] | None,
        Field(description="Name that runs of this scenario carry; null takes the name of the file."),
    ] = None
    description: Annotated[
        StrictStr,
        Field(description="One line on what the scenario is about, for its readers; no result depends on it."),
    ] = ""
    fund: Annotated[
        FundConfig,
        Field(description="Size, life and partners of the fund, and the terms of its cash."),
    ] = FundConfig()
    market: Annotated[
        MarketConfig,
        Field(description="Base rate, property prices, the files that they may come from, and the circuit breaker."),
    ] = MarketConfig()
    zones: Annotated[
        dict[ZoneName, ZoneConfig],
        Field(
            min_length=1,
            max_length=50,
            description="Zones, keyed by name (a letter, then letters, digits or `_`), each a market to lend in."
            " `green`, `orange` and `red` need not give what stays at its default.",
        ),
        BeforeValidator(_with_defaults),
    ] = Field(default_factory=lambda: {name: ZoneConfig.model_validate(zone) for name, zone in DEFAULT_ZONES.items()})
    loans: Annotated[
        LoansConfig,
        Field(description="Terms of new loans, and the tape of loans that the fund opens with."),
    ] = LoansConfig()
    exits: Annotated[
        ExitsConfig,
        Field(description="When loans exit or default, and what a default recovers."),
    ] = ExitsConfig()
    calls: Annotated[
        CallsConfig,
        Field(description="Notice of capital calls, and what follows when a limited partner defaults on one."),
    ] = CallsConfig()
    fees: Annotated[
        FeesConfig,
        Field(
            description="Fees and expenses that the fund pays, and the origination fee that borrowers may pay to it."
        ),
    ] = FeesConfig()
    waterfall: Annotated[
        WaterfallConfig,
        Field(description="How distributions are shared between the limited partners and the carry."),
    ] = WaterfallConfig()
    reinvestment_engine: Annotated[
        ReinvestmentConfig,
        Field(description="When proceeds are lent again, how much of them, and in which zones."),
    ] = ReinvestmentConfig()
    leverage: Annotated[
        LeverageConfig,
        Field(description="NAV line and subscription line that the fund may borrow on, and how much debt it aims for."),
    ] = LeverageConfig()
    capital_allocation: Annotated[
        AllocationConfig,
        Field(description="Target weights of the zones by a strategy, found anew at intervals."),
    ] = AllocationConfig()
    script: Annotated[
        list[ScriptEntry],
        Field(
            max_length=10_000,
            description="Entries that act during the run, each with `at` a date or `when` a condition, and `do` a"
            " command. They may change settings, shock the market, draw, repay or call.",
        ),
    ] = Field(default_factory=list)
    sweep: Annotated[
        dict[str, Any],
        Field(
            description="Axes of `fundclock sweep`, keyed by dotted setting, `seed` or `replication`; each is a list"
            " of values or a range like `1:500`.",
        ),
    ] = Field(default_factory=dict)

    def calendar(self) -> Calendar:
        """The fund's calendar."""
        return Calendar(self.fund.start_date, self.fund.calendar)

    def last_day(self) -> int:
        """The last day of the fund: its term after day 0."""
        return self.calendar().add_months(0, self.fund.term_years * 12)

    def correlation(self) -> "np.ndarray[Any, np.dtype[np.float64]]":
        """Correlation of the zones' prices, in the order of the zones; pairs that are not named are 0."""
        names = list(self.zones)
        matrix = np.eye(len(names))
        for pair, value in self.market.correlation.items():
            i, j = map(names.index, pair.split("-"))
            matrix[i, j] = matrix[j, i] = value
        return matrix

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_zones(cls, values: Any) -> Any:
        """What is given by zone or pair of zones defaults to the zones that there are."""
        if not isinstance(values, dict):
            return values
        zones = values.get("zones", DEFAULT_ZONES)
        if not isinstance(zones, dict):
            return values
        pairs = {pair: value for pair, value in DEFAULT_CORRELATION.items() if set(pair.split("-")) <= set(zones)}
        values = _with_rate_model(_filled(values, "market", "correlation", pairs))
        return _filled(values, "reinvestment_engine", "zone_preference_multipliers", dict.fromkeys(zones, 1.0))

    @model_validator(mode="after")
    def _shares_sum(self) -> Self:
        total = sum(zone.target_allocation for zone in self.zones.values())
        if abs(total - 1) > 1e-9:
            _at("zones", f"target_allocation of all zones must sum to 1, got {total:.6g}")
        return self

    @model_validator(mode="after")
    def _zones_named(self) -> Self:
        for pair in self.market.correlation:
            parts = pair.split("-")
            if len(parts) != 2 or parts[0] == parts[1] or not set(parts) <= set(self.zones):
                _at(
                    f"market.correlation.{pair}",
                    f"expected a pair of zones like 'green-red', from {_names(self.zones)}",
                )
            if f"{parts[1]}-{parts[0]}" in self.market.correlation:
                _at(f"market.correlation.{pair}", f"is given twice, also as '{parts[1]}-{parts[0]}'")
        multipliers = self.reinvestment_engine.zone_preference_multipliers
        if not any(zone.target_allocation * multipliers.get(name, 1.0) for name, zone in self.zones.items()):
            _at(
                "reinvestment_engine.zone_preference_multipliers",
                "at least one multiplier must be above 0, of a zone that has a target_allocation",
            )
        for name in multipliers:
            if name not in self.zones:
                _at(
                    f"reinvestment_engine.zone_preference_multipliers.{name}",
                    f"unknown zone; allowed: {_names(self.zones)}",
                )
        return self

    @model_validator(mode="after")
    def _allocated_zones_named(self) -> Self:
        allocation = self.capital_allocation
        for key, values in (
            ("views", allocation.views),
            ("costs", allocation.costs),
            ("risk_budgets", allocation.risk_budgets),
        ):
            for name in values:
                if name not in self.zones:
                    _at(f"capital_allocation.{key}.{name}", f"unknown zone; allowed: {_names(self.zones)}")
        floor, most = allocation.min_protocol_allocation, allocation.max_protocols
        caps = [
            allocation.risk_constraints.max_protocol_exposure_pct,
            allocation.risk_constraints.max_asset_concentration_pct,
        ]
        least = min([cap / 100 for cap in caps if cap is not None], default=1.0)
        if allocation.enabled and floor > least:
            _at(
                "capital_allocation.min_protocol_allocation",
                f"{floor:g} is above the cap of {least:g} in risk_constraints",
            )
        if allocation.enabled and allocation.infeasible == "raise" and least * min(most, len(self.zones)) < 1 - 1e-9:
            _at("capital_allocation.infeasible", f"raise: caps of {least:g} for each zone do not reach 1")
        if allocation.enabled and floor * min(most, len(self.zones)) > 1 + 1e-9:
            _at("capital_allocation.min_protocol_allocation", f"{floor:g} for each zone is more than there is")
        return self

    @model_validator(mode="after")
    def _reserve_can_be_called(self) -> Self:
        engine, deployable = self.reinvestment_engine, 1 - self.fund.fee_reserve
        if engine.enable_cash_reserve and engine.cash_reserve_min > deployable:
            _at(
                "reinvestment_engine.cash_reserve_min",
                f"{engine.cash_reserve_min:g} is more than can be called for it, 1 − fund.fee_reserve ({deployable:g})",
            )
        return self

    @model_validator(mode="after")
    def _correlation_possible(self) -> Self:
        smallest = float(np.linalg.eigvalsh(self.correlation())[0])
        if smallest < -1e-10:
            _at(
                "market.correlation",
                f"is not a valid correlation matrix: not positive semi-definite, smallest eigenvalue {smallest:.6g}",
            )
        return self

    @model_validator(mode="after")
    def _files_fit(self) -> Self:
        if self.market.base_rate.model == "file" and self.market.rate_file is None:
            _at(
                "market.rate_file",
                "is required when market.base_rate.model is 'file' (see docs/data.md for where to get it)",
            )
        missing = [name for name, zone in self.zones.items() if zone.series is None]
        if self.market.index_file is not None and missing:
            _at("zones", f"market.index_file needs zones.<name>.series; missing for {_names(missing)}")
        named = [name for name, zone in self.zones.items() if zone.series is not None]
        if self.market.index_file is None and named:
            _at(
                "market.index_file",
                f"is required by zones.<name>.series, which is set for {_names(named)} "
                "(see docs/data.md for where to get it)",
            )
        return self

    @model_validator(mode="after")
    def _inside_the_life(self) -> Self:
        calendar, last = self.calendar(), self.last_day()
        for place, entry in enumerate(self.script):
            if entry.at is not None and not 0 <= calendar.day(entry.at) < last:
                _at(
                    f"script.{place}.at",
                    f"{entry.at} is outside the fund's life, {self.fund.start_date} to {calendar.date(last - 1)}",
                )
        last_call = calendar.add_months(0, self.fund.deployment_months - 1)
        notice = self.calls.notice_business_days
        if calendar.add_business_days(0, notice) >= last:
            _at("calls.notice_business_days", f"{notice} is longer than the fund's life")
        if calendar.add_business_days(last_call, notice) >= last:
            _at("calls.notice_business_days", f"{notice}: the last call would be due after the fund's end")
        return self


def _with_rate_model(values: dict[str, Any]) -> dict[str, Any]:
    """``leverage.interest_rate_model`` is ``market.base_rate`` by another name: what it gives is moved there."""
    leverage, market = values.get("leverage"), values.get("market", {})
    given = leverage.get("interest_rate_model") if isinstance(leverage, dict) else None
    rates = market.get("base_rate", {}) if isinstance(market, dict) else None
    if not isinstance(given, dict) or not isinstance(rates, dict):
        return values
    try:
        wanted = InterestRateModelConfig.model_validate(given).model_dump(include=set(given))
        present = BaseRateConfig.model_validate(rates).model_dump(include=set(rates))
    except ValidationError:
        return values  # said with its place when the sections themselves are checked
    for name, value in wanted.items():
        other = RATE_NAMES.get(name, name)
        if present.get(other, value) != value:
            _at(
                f"leverage.interest_rate_model.{name}",
                f"is {value:g} here but {present[other]:g} as market.base_rate.{other}; both set the same rate",
            )
    wanted = {RATE_NAMES.get(name, name): value for name, value in wanted.items()}
    rest = {name: value for name, value in leverage.items() if name != "interest_rate_model"}  # type: ignore[union-attr]
    return {**values, "leverage": rest, "market": {**market, "base_rate": {**wanted, **rates}}}


RATE_NAMES = {"base_rate_initial": "initial"}
"""Keys of ``leverage.interest_rate_model`` that have another name in ``market.base_rate``."""


def _filled(values: dict[str, Any], section: str, key: str, default: Any) -> dict[str, Any]:
    """The values with a section's key filled in where it is left out."""
    inner = values.get(section, {})
    if not isinstance(inner, dict) or key in inner:
        return values
    return {**values, section: {**inner, key: default}}


def _names(names: Any) -> str:
    return ", ".join(names)


def _at(path: str, message: str) -> None:
    """Raise an error that names the key it is about; the loader moves it there."""
    raise PydanticCustomError("between_sections", "{message}", {"message": message, "path": path})


CHANGEABLE = (
    "reinvestment_engine",
    "exits",
    "calls",
    "loans",
    "zones",
    "fund.wind_down_discount",
    "fund.cash_yield_spread_bps",
    "leverage.optimization",
    "capital_allocation",
)
"""Sections and keys that may change during a run."""

FIXED = (
    "capital_allocation.enabled",
    "loans.tape",
    "loans.appreciation_share",
    "zones.*.appreciation",
    "zones.*.volatility",
    "zones.*.series",
)
"""What may not, inside those: it made the paths or the opening book, or is part of loans already made."""
