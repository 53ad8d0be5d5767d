"""Every setting says what it does: in the schema of scenarios, on the page of settings, and in an editor."""

import datetime
import runpy
from collections import defaultdict
from pathlib import Path

import jsonschema_rs
import pytest

from fundclock import shipped
from fundclock.app.cli.scenario_files import STARTER
from fundclock.handlers.settings.leverage import LineConfig
from fundclock.scenarios.files.documents import parse
from fundclock.scenarios.files.schema import ScenarioConfig

ROOT = Path(__file__).parents[2]
SCHEMA = ScenarioConfig.model_json_schema()


def settings(node, key=""):
    """Dotted key and schema of each setting below a node: through unions, lists, mappings and references."""
    if "$ref" in node:
        yield from settings(SCHEMA["$defs"][node["$ref"].rpartition("/")[2]], key)
    for name, inner in node.get("properties", {}).items():
        below = f"{key}.{name}" if key else name
        yield below, inner
        yield from settings(inner, below)
    for inner in [alternative for kind in ("anyOf", "oneOf", "allOf") for alternative in node.get(kind, ())]:
        yield from settings(inner, key)
    for name, place in (("items", "[]"), ("additionalProperties", ".<name>"), ("patternProperties", ".<name>")):
        inner = node.get(name)
        for each in inner.values() if name == "patternProperties" and inner else [inner]:
            if isinstance(each, dict):
                yield from settings(each, f"{key}{place}")


SETTINGS = dict(settings(SCHEMA))


def test_the_walk_finds_settings_of_every_kind():
    assert {
        "fund.size",
        "market.base_rate.floor",
        "zones.<name>.series",
        "loans.appreciation_share.shares",
        "leverage.green_sleeve.concentration.loan",
        "leverage.interest_rate_model.volatility",
        "capital_allocation.sell_loans.haircut",
        "script[].do",
        "sweep",
    } <= set(SETTINGS)
    assert len(SETTINGS) > 150


@pytest.mark.parametrize("key", SETTINGS)
def test_a_setting_is_described(key):
    description = SETTINGS[key].get("description")
    assert description is not None, f"{key} has no description"
    assert len(description) >= 20, f"{key}: {description!r} says too little"
    assert description[0].isupper(), f"{key}: {description!r} begins without a capital letter"
    assert description.endswith("."), f"{key}: {description!r} ends without a period"
    assert description.count("`") % 2 == 0, f"{key}: {description!r} leaves a quotation open"


def test_no_two_settings_have_the_same_description():
    keys = defaultdict(list)
    for key, described in SETTINGS.items():
        section, _, name = key.rpartition(".")
        of_a_line = section in ("leverage.green_sleeve", "leverage.ramp_line") and name in LineConfig.model_fields
        keys[described["description"]].append(f"leverage.<line>.{name}" if of_a_line else key)
    assert [sorted(set(same)) for same in keys.values() if len(set(same)) > 1] == []


def test_every_section_and_every_named_type_is_described():
    assert [name for name, described in SCHEMA["$defs"].items() if not described.get("description")] == []
    assert SCHEMA["description"]


def test_the_settings_that_descriptions_name_exist():
    names = {key.partition(".")[0] for key in SETTINGS}
    for key, described in SETTINGS.items():
        for quoted in described["description"].split("`")[1::2]:
            named = quoted.partition(":")[0]
            if "." in named and named.partition(".")[0] in names:
                assert named in SETTINGS, f"{key} names {named}"


def test_the_page_of_settings_is_as_the_schema_makes_it():
    made = runpy.run_path(str(ROOT / "docs" / "settings.py"))["page"]()
    written = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert written == made, "python -m docs.settings writes it anew"
    for key in SETTINGS:
        assert f"\n| `{key}` |" in written or f"\n## `{key}`\n" in written, key


@pytest.mark.parametrize("file", [*(ROOT / "scenarios" / "library" / f"{name}.yaml" for name in shipped()), STARTER])
def test_an_editor_finds_no_mistake_in_what_is_shipped(file):
    def plain(value):
        if isinstance(value, dict):
            return {key: plain(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return list(map(plain, value))
        return value.isoformat() if isinstance(value, datetime.date) else value

    found = jsonschema_rs.validator_for(SCHEMA).iter_errors(plain(parse(file.read_bytes(), file.name).values))
    assert [(error.instance_path, error.message) for error in found] == []
