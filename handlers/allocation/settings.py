"""Settings of the allocator: what a config says, else ``CAPITAL_*`` variables, else defaults."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from fundclock.handlers.settings.allocation import AllocatorFields


class CapitalSettings(AllocatorFields, BaseSettings):
    """Settings of an allocator; what is not given comes from ``CAPITAL_*`` variables."""

    model_config = SettingsConfigDict(env_prefix="CAPITAL_", extra="forbid", frozen=True)


OF_A_FUND = (
    "enabled",
    "risk_constraints",
    "risk_budgets",
    "views",
    "costs",
    "lookback_months",
    "sell_loans",
)
"""Keys of a scenario's section that say what a fund does with the allocator, not how it allocates."""


def resolved(config: Mapping[str, Any] | None) -> CapitalSettings:
    """Settings of a flat config or of its section ``capital_allocation``. Raises ValueError that names the key."""
    given: Any = {} if config is None else config
    if isinstance(given, Mapping) and "capital_allocation" in given:
        given = given["capital_allocation"]
        if isinstance(given, Mapping):
            given = {key: value for key, value in given.items() if key not in OF_A_FUND}
    if not isinstance(given, Mapping):
        raise TypeError(f"config must be a mapping, got {type(given).__name__}")
    for key in given:
        if key not in CapitalSettings.model_fields:
            close = get_close_matches(str(key), CapitalSettings.model_fields, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else f"; allowed: {', '.join(CapitalSettings.model_fields)}"
            raise ValueError(f"config: unknown key {key!r}{hint}")
    try:
        return CapitalSettings(**given)
    except ValidationError as error:
        found = error.errors()[0]
        place = ".".join(map(str, found["loc"])) or "config"
        what = found["msg"].removeprefix("Value error, ")
        raise ValueError(f"config: {place}: {what}, got {found['input']!r}" if found["loc"] else what) from None
