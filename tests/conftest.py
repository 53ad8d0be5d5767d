"""What tests share: small funds, and the real series where they are at hand."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

from fundclock import Run, Scenario
from fundclock.app.cli import main as cli
from fundclock.events.stores.sqlite import SqliteStore

settings.register_profile(
    "fundclock", deadline=None, derandomize=True, max_examples=25, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("fundclock")

REAL_SERIES = Path(__file__).resolve().parent.parent.parent / "shared" / "data"

SEEDS = REAL_SERIES.parent / "seeds"


@pytest.fixture(autouse=True)
def log_of_its_own():
    """The operators' log as before any command: a test of a command has sent it to a stream that is closed."""
    structlog.reset_defaults()


@pytest.fixture
def seed_documents() -> list[str]:
    """The documents that first described the engines; the test skips where they are not there."""
    if not SEEDS.is_dir():
        pytest.skip("the seed documents are not at hand")
    return [path.read_text() for path in sorted(SEEDS.iterdir())]


@pytest.fixture(scope="session")
def base_run() -> Run:
    """The shipped base fund with seed 7."""
    return Scenario.load("base").with_(seed=7).run()


@pytest.fixture(scope="session")
def levered_run() -> Run:
    """The shipped fund with debt, seed 7."""
    return Scenario.load("levered").with_(seed=7).run()


@pytest.fixture
def store(tmp_path) -> Iterator[SqliteStore]:
    """An empty store, ``store.db`` in the test's folder."""
    with SqliteStore(tmp_path / "store.db") as opened:
        yield opened


@pytest.fixture
def real_series() -> Path:
    """The folder of published series; the test skips where it is not there."""
    if not REAL_SERIES.is_dir():
        pytest.skip("the published series are not at hand")
    return REAL_SERIES


@pytest.fixture
def fundclock(tmp_path, monkeypatch, capfd):
    """Runs a command in an empty folder; returns exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FUNDCLOCK_STORE", raising=False)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["fundclock", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capfd.readouterr()
        return code, out, err

    return run


MEASURED: list[str] = []


@pytest.fixture
def record_measure(record_property):
    """Takes what a test has measured; the test report and the summary at the end say it. Nothing is asserted of it."""

    def record(name, value, unit):
        record_property(name, f"{value:.0f} {unit}")
        MEASURED.append(f"{name}: {value:,.0f} {unit}")

    return record


def pytest_terminal_summary(terminalreporter):
    if MEASURED:
        terminalreporter.section("measured in the browser")
        for line in MEASURED:
            terminalreporter.line(line)
