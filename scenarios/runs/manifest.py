"""The manifest, the first record of a log: what it says of a run, and of the versions that made it."""

import hashlib
import platform
from functools import lru_cache
from pathlib import Path

from fundclock.events.dates import Calendar, parse_iso
from fundclock.events.facts import RunStarted

PACKAGES = ("fundclock", "simpy", "pydantic", "numpy", "scipy")
LOCK_FILE = Path(__file__).resolve().parents[2] / "requirements" / "run.txt"


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Versions of Python and of the packages that results depend on."""
    from importlib.metadata import PackageNotFoundError, version  # costs as much as all else here

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
