"""One import name, and what is said of the names that there were."""

import subprocess
import sys
from pathlib import Path

import pytest

import fundclock

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("floor", ["events", "handlers", "sim", "scenarios", "app"])
def test_a_floor_is_not_imported_from_the_checkout_under_its_old_name(floor):
    done = subprocess.run(
        [sys.executable, "-c", f"import {floor}"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 1
    assert f"import this package as fundclock.{floor}" in done.stderr


def test_public_names_are_those_of_fundclock():
    from fundclock.scenarios.scenario import Scenario

    assert fundclock.Scenario is Scenario
    assert set(fundclock.__all__) <= set(dir(fundclock))
    for name in fundclock.__all__:
        assert getattr(fundclock, name) is not None
    with pytest.raises(ImportError, match="'Scenario' is a public name: from fundclock import Scenario"):
        from fundclock.scenarios import Scenario as _elsewhere  # noqa: F401
    with pytest.raises(AttributeError, match="fundclock has no 'Scenery'; public names are Audit, "):
        _ = fundclock.Scenery


def test_what_type_checkers_read_is_what_is_loaded():
    text = (ROOT / "fundclock" / "__init__.py").read_text()
    written = text[text.index("if TYPE_CHECKING:") : text.index("__all__ = [")]
    for home, names in fundclock._HOMES.items():
        assert f"from fundclock.{home} import" in written
        for name in names:
            assert name in written
    assert sorted(fundclock._HOME_OF) == sorted(fundclock.__all__)
