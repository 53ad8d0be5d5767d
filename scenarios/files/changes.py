"""Settings that change while a fund is played: which may, and a config with some of them changed."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from fundclock.scenarios.files.problems import InvalidInput, Path, Problem, explain_validation
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
    return f"{key} can't change during a run; these can: {', '.join(CHANGEABLE)}"


def changed(config: ScenarioConfig, changes: Mapping[str, Any]) -> ScenarioConfig:
    """The config with these settings changed, all at once; keys are dotted.

    Only the changed settings and the conditions between sections are checked again. Raises InvalidInput.
    """
    sections: dict[str, Any] = {}
    for key, value in changes.items():
        _put(sections, key.split("."), value)
    problems: list[Problem] = []
    made: dict[str, Any] = {}
    for name in (field for field in ScenarioConfig.model_fields if field in sections):
        try:
            made[name] = _replaced(getattr(config, name), sections[name], (name,))
        except InvalidInput as error:
            problems += error.problems
    if problems:
        raise InvalidInput(problems)
    values = {**dict(config), **made, "script": []}
    try:
        return ScenarioConfig.model_validate(values).model_copy(update={"script": config.script})
    except ValidationError as error:
        raise InvalidInput(_problems(error, ScenarioConfig, values, ())) from None


def _put(tree: dict[str, Any], parts: list[str], value: Any) -> None:
    for part in parts[:-1]:
        tree = tree.setdefault(part, {})
    tree[parts[-1]] = value


def _replaced(node: Any, new: Any, path: Path) -> Any:
    """A setting or a section with something else in it: a section takes on what is named, all else is replaced."""
    if isinstance(node, BaseModel) and isinstance(new, dict):
        fields = dict(node)
        values = {**fields, **{key: _replaced(fields.get(key), inner, (*path, key)) for key, inner in new.items()}}
        try:
            return type(node).model_validate(values)
        except ValidationError as error:
            raise InvalidInput(_problems(error, type(node), values, path)) from None
    if isinstance(node, dict) and isinstance(new, dict):
        return {**node, **{key: _replaced(node.get(key), inner, (*path, key)) for key, inner in new.items()}}
    return new


def _problems(error: ValidationError, model: type[BaseModel], values: Any, path: Path) -> list[Problem]:
    return [
        Problem(".".join(map(str, (*path, *inner))), message, suggestion=hint)
        for inner, message, hint in explain_validation(error, model, values)
    ]


def current(config: ScenarioConfig, keys: Iterable[str]) -> dict[str, Any]:
    """The values of settings, as JSON values."""
    return {key: value_of(config, key) for key in keys}


def value_of(config: ScenarioConfig, key: str) -> Any:
    """The value of a setting as a JSON value. Raises KeyError where there is no such setting."""
    node: Any = config
    for part in key.split("."):
        parent = node
        if isinstance(node, BaseModel) and part in type(node).model_fields:
            node = getattr(node, part)
        elif isinstance(node, dict) and part in node:
            node = node[part]
        else:
            raise KeyError(key)
    return parent.model_dump(mode="json", include={part})[part] if isinstance(parent, BaseModel) else node


def leaves(key: str, value: Any) -> dict[str, Any]:
    """Settings by dotted key: mappings taken apart, all else as it is."""
    if not isinstance(value, dict):
        return {key: value}
    found: dict[str, Any] = {}
    for name, inner in value.items():
        found |= leaves(f"{key}.{name}" if key else str(name), inner)
    return found
