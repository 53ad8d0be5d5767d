"""What can be played: shipped scenarios, the schema of scenario files, versions; and what figures are called."""

import asyncio
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Path

from fundclock.app.labels import SECTIONS, as_json
from fundclock.app.service.problems import ServiceProblem
from fundclock.app.service.routes.described import fields
from fundclock.scenarios.charts.figures import GROUPS
from fundclock.scenarios.files.changes import leaves
from fundclock.scenarios.files.problems import InvalidInput
from fundclock.scenarios.files.schema import ScenarioConfig
from fundclock.scenarios.runs.manifest import versions
from fundclock.scenarios.scenario import Scenario, shipped

STARTER = files("fundclock.app") / "starter.yaml"

router = APIRouter(tags=["scenarios"])


@cache
def described(name: str) -> dict[str, Any]:
    """A shipped scenario with all its settings by dotted key; one that needs files can't be played over HTTP."""
    try:
        config = Scenario.load(name).resolve()
    except InvalidInput as error:
        return {"name": name, "description": str(error), "playable": False, "settings": {}}
    sections = config.model_dump(mode="json", exclude={"script", "sweep", "name", "description"})
    return {"name": name, "description": config.description, "playable": True, "settings": leaves("", sections)}


@cache
def schema_of_files() -> dict[str, Any]:
    """The JSON Schema of scenario files."""
    return ScenarioConfig.model_json_schema()


@router.get("/scenarios", responses=fields(scenarios="list", starter="text"))
async def scenarios() -> dict[str, Any]:
    """The shipped scenarios, and the text of a scenario file to start from."""
    found = [await asyncio.to_thread(described, name) for name in shipped()]
    shown = [{key: one[key] for key in ("name", "description", "playable")} for one in found]
    return {"scenarios": shown, "starter": STARTER.read_text(encoding="utf-8")}


@router.get("/scenarios/{name}", responses=fields(name="text", description="text", playable="any", settings="object"))
async def scenario(name: str = Path(max_length=200)) -> dict[str, Any]:
    """A shipped scenario with its settings."""
    if name not in shipped():
        raise ServiceProblem(404, f"there is no scenario '{name}'; there are {', '.join(shipped())}")
    return await asyncio.to_thread(described, name)


@router.get("/schema", responses=fields(properties="object"))
async def schema() -> dict[str, Any]:
    """The JSON Schema of scenario files."""
    return await asyncio.to_thread(schema_of_files)


@router.get("/labels", tags=["service"], responses=fields(labels="object", units="object", sections="list"))
async def labels() -> dict[str, Any]:
    """What people call figures and names, how values of each unit are written, and figures by section."""
    sections = [{"title": SECTIONS[name], "names": names} for name, names in GROUPS.items()]
    return {**as_json(), "sections": sections}


@router.get("/version", tags=["service"], responses=fields(versions="object"))
async def version() -> dict[str, Any]:
    """Versions of Fundclock and of what results depend on."""
    return {"versions": versions()}
