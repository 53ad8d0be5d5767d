"""A scenario with all its keys, as YAML for people."""

import io
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from fundclock.scenarios.files.schema import ScenarioConfig


def resolved_yaml(config: ScenarioConfig) -> str:
    """A scenario with all its keys; what differs from the default has the default beside it."""

    def build(values: dict[str, Any], defaults: Any) -> CommentedMap:
        made = CommentedMap()
        for key, value in values.items():
            default = defaults.get(key) if isinstance(defaults, dict) else None
            if isinstance(value, dict) and value:
                made[key] = build(value, default)
                continue
            made[key] = value
            if isinstance(defaults, dict) and key in defaults and default != value and key != "script":
                made.yaml_add_eol_comment(f"default: {default}", key)
        return made

    out = io.StringIO()
    yaml = YAML()
    yaml.width = 160
    yaml.dump(build(config.model_dump(mode="json"), ScenarioConfig().model_dump(mode="json")), out)
    return out.getvalue()
