"""Settings that change while a fund is played: which may, and a config with some of them changed."""

from collections.abc import Iterable, Mapping
from typing import Any

from fundclock.scenarios.files.documents import Document, lay_on, validate
from fundclock.scenarios.files.schema import CHANGEABLE, FIXED, ScenarioConfig


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


def changed(config: ScenarioConfig, changes: Mapping[str, Any]) -> ScenarioConfig:
    """The config with these settings changed, all at once. Raises InvalidInput where that can't be."""
    document = Document("", config.model_dump(mode="json", exclude={"script"}))
    for key, value in changes.items():
        lay_on(document, key, value, "")
    return validate(document).model_copy(update={"script": config.script})


def current(config: ScenarioConfig, keys: Iterable[str]) -> dict[str, Any]:
    """The values of settings, as JSON values."""
    known = leaves("", config.model_dump(mode="json"))
    return {key: known.get(key) for key in keys}


def leaves(key: str, value: Any) -> dict[str, Any]:
    """Settings by dotted key: mappings taken apart, all else as it is."""
    if not isinstance(value, dict):
        return {key: value}
    found: dict[str, Any] = {}
    for name, inner in value.items():
        found |= leaves(f"{key}.{name}" if key else str(name), inner)
    return found
