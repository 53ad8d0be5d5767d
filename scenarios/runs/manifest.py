"""The manifest: what a byte-identical re-run needs to know, as the first record of a log."""

import hashlib
import platform
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fundclock.events.dates import Calendar, parse_iso
from fundclock.events.facts import RunStarted
from fundclock.events.phases import PHASES
from fundclock.events.stores.store import InputFile
from fundclock.scenarios.files.inputs import by_digest
from fundclock.scenarios.files.schema import ScenarioConfig

PACKAGES = ("fundclock", "simpy", "pydantic", "numpy", "scipy")
LOCK_FILE = Path(__file__).resolve().parents[2] / "requirements" / "run.txt"


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Versions of Python and of the packages that results depend on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


@lru_cache(maxsize=1)
def lock_digest() -> str | None:
    """SHA-256 of the lock file; None where the package runs without its checkout."""
    try:
        return hashlib.sha256(LOCK_FILE.read_bytes()).hexdigest()
    except OSError:
        return None


def make_manifest(
    name: str, config: ScenarioConfig, seed: int, replication: int, inputs: dict[str, InputFile]
) -> RunStarted:
    """The first record of a run. Engines that are disabled are null in it."""
    resolved = by_digest(config, inputs).model_dump(mode="json", exclude={"name", "description", "sweep"})
    for engine in ("leverage", "capital_allocation"):
        if not resolved[engine]["enabled"]:
            resolved[engine] = None
    return RunStarted(
        name=name,
        seed=seed,
        replication=replication,
        start_date=config.fund.start_date.isoformat(),
        end_date=config.calendar().date(config.last_day()).isoformat(),
        scenario=resolved,
        inputs={key: item.digest for key, item in inputs.items()},
        phases=list(PHASES),
        versions=versions(),
        lock_digest=lock_digest(),
    )


def calendar_of(manifest: RunStarted) -> Calendar:
    """The calendar of a run."""
    fund = manifest.scenario["fund"]
    assert isinstance(fund, dict)
    return Calendar(parse_iso(manifest.start_date), str(fund["calendar"]))


def currency_of(manifest: RunStarted) -> str:
    """The currency of a run's fund."""
    fund = manifest.scenario["fund"]
    assert isinstance(fund, dict)
    return str(fund["currency"])
