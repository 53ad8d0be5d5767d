"""Commands that only look import what they need and no more: the packages that play stay out."""

import subprocess
import sys

import pytest

from fundclock import Scenario

PLAY = {"simpy", "scipy", "holidays", "ruamel", "daqp", "plotly", "fastapi", "structlog", "pyarrow"}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("light") / "runs.db"
    small = {"fund.size": "5m", "fund.term_years": 3, "fund.reinvestment_period_years": 2}
    Scenario.load("base").with_(set=small).run(path)
    return path


@pytest.mark.parametrize(
    ("words", "besides"),
    [
        (["runs"], {"numpy", "pyxirr"}),
        (["show", "last"], set()),
        (["events", "last", "--limit", "5"], set()),
        (["why", "last", "20"], set()),
        (["replay", "last"], set()),
        (["export", "last", "--to", "jsonl", "-o", "log.jsonl"], set()),
    ],
)
def test_a_look_loads_nothing_that_plays(store, tmp_path, words, besides):
    code = (
        f"import sys; sys.argv = ['fundclock', *{words!r}, '--store', {str(store)!r}]\n"
        "from fundclock.app.cli import main as cli\n"
        "try:\n    cli.main()\nexcept SystemExit as stop:\n    assert not stop.code\n"
        f"print(sorted({PLAY | besides!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip() == "[]"
