"""A scenario with all its keys, as YAML for people."""

import io
from textwrap import wrap
from typing import Any

from pydantic import BaseModel
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from fundclock.scenarios.files.schema import ScenarioConfig

WIDTH = 110
"""Columns that a description fills at most."""


def resolved_yaml(config: ScenarioConfig) -> str:
    """A scenario with all its keys, each below its description; what differs from its default has that beside it."""
    defaults = ScenarioConfig().model_dump(mode="json")
    out = io.StringIO()
    yaml = YAML()
    yaml.width = 160
    yaml.dump(_build(config.model_dump(mode="json"), defaults, config, 0), out)
    return out.getvalue()


def _build(values: dict[str, Any], defaults: Any, source: Any, indent: int) -> CommentedMap:
    """Values with their comments. ``source`` is what they were dumped from: a model, which describes them, or not."""
    made = CommentedMap()
    for key, value in values.items():
        default = defaults.get(key) if isinstance(defaults, dict) else None
        if isinstance(value, dict) and value:
            made[key] = _build(value, default, _inner(source, key), indent + 2)
            continue
        made[key] = value
        if isinstance(defaults, dict) and key in defaults and default != value and key != "script":
            made.yaml_add_eol_comment(f"default: {default}", key)
    if isinstance(source, BaseModel):
        for key in values:
            lines = wrap(type(source).model_fields[key].description or "", WIDTH - indent - 2)
            apart = [""] if indent == 0 and key != next(iter(values)) else []  # sections stand apart from each other
            made.yaml_set_comment_before_after_key(key, before="\n".join(apart + lines), indent=indent)
    return made


def _inner(source: Any, key: str) -> Any:
    """What a model or mapping holds at a key; of a mapping of models only the first describes its keys for all."""
    if isinstance(source, BaseModel):
        return getattr(source, key)
    return source[key] if isinstance(source, dict) and key == next(iter(source)) else None
