"""Figures drawn from their data, and the report that holds them."""

import json
import re
from pathlib import Path

import pytest

from fundclock import Scenario, sweep
from fundclock.app.drawing import draw, numbers
from fundclock.app.report.report import report_html
from fundclock.scenarios.charts.figures import NAMES
from fundclock.scenarios.charts.timing import CHARTS as TIMING
from funds import interrupted

FULL = {"capital_allocation.strategy": "risk_parity", "reinvestment_engine.enable_cash_reserve": True}


@pytest.fixture(scope="module")
def full_run():
    """A run that has every figure."""
    return Scenario.load("levered").with_(seed=7, set=FULL).run()


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_draws_all_its_numbers(full_run, name):
    data = full_run.figure(name)
    figure = json.loads(draw(data).to_json())
    traces = figure["data"]
    assert figure["layout"]["title"]["text"] == data["title"]
    if name == "cash_sankey":
        assert len(traces[0]["link"]["value"]) == len(data["rows"])
        return
    if data["schema"] == "fundclock.table/1":
        assert len(traces[0]["cells"]["values"]) == len(data["columns"])
        assert len(traces[0]["cells"]["values"][0]) == len(data["rows"])
        return
    drawn = {}
    for trace in traces:
        drawn.setdefault(trace["name"], trace)  # thresholds come last
    for series in data["series"]:
        trace = drawn[series["name"].replace("_", " ") if name != "timing_waterfall" else series["name"]]
        assert len(trace["x"]) == len(series["x"])
        if name != "timing_waterfall":
            assert trace["customdata"] == series["records"]  # what a click leads to
    names = {series["name"] for series in data["series"]}  # a level that is a series too is drawn as that
    levels = [line for line in data["thresholds"] if line["y"] and line["name"] not in names]
    assert len(traces) == len(data["series"]) + len(levels)


def test_the_waterfall_stands_on_the_run_and_ends_without_any_wait(full_run):
    data = full_run.figure("timing_waterfall")
    bars = draw(data).data[0]
    assert (bars.measure[0], bars.measure[-1]) == ("absolute", "total")
    assert sum(bars.y[:-1]) == pytest.approx(data["series"][0]["y"][-1])


def test_the_fan_has_a_band_for_each_pair_of_quantiles():
    found = sweep(
        Scenario.load("base").with_(
            set={"fund.term_years": 3, "fund.reinvestment_period_years": 2, "fund.size": "10m"}
        ),
        {"reinvestment_engine.reinvestment_delay": [0, 3], "seed": "1:3"},
        workers=1,
    )
    traces = draw(found.figure("sweep_fan")).data
    assert [trace.name for trace in traces if trace.showlegend is not False] == ["5% to 95%", "25% to 75%", "median"]


@pytest.mark.parametrize("name", ["cash", "reinvestment_by_zone", "reinvestment_summary_table"])
def test_the_numbers_of_a_figure_are_a_table(full_run, name):
    data = full_run.figure(name)
    heads, rows = numbers(data)
    assert all(len(row) == len(heads) for row in rows)
    if "series" in data:
        series = data["series"][0]
        by_x = {row[0]: row[1] for row in rows}
        assert by_x == dict(zip(series["x"], series["y"], strict=True))
    else:
        assert rows == data["rows"]


def test_the_report_has_everything_and_needs_nothing(full_run):
    page = report_html(full_run)
    for name in (*NAMES, *TIMING):
        assert f'id="chart-{name}"' in page, name
    for heading in ("Summary", "Cash and time", "Reinvestment", "Risk", "Leverage", "Allocation", "Covenants",
                    "Timing audit", "Manifest", "Where the dollar-days went", "What timing cost"):  # fmt: skip
        assert f">{heading}<" in page
    assert full_run.head_hash in page
    outside = page.replace(page[page.index("<script>") : page.index("</script>")], "")  # but for the library itself
    assert not re.findall(r'(?:src|href)="(?!#)', outside)
    assert "http" not in re.sub(r"https?://www\.w3\.org/\S+", "", outside)


def test_names_can_not_break_the_page():
    act = {"reinvest": {"amount": 5, "source_details": {"why": "</script><b>x"}}}
    changes = {"fund.term_years": 3, "fund.reinvestment_period_years": 2, "fund.size": "5m"}
    script = [{"at": "2026-06-01", "do": act}]
    run = Scenario.load("base").with_(seed=1, set={**changes, "script": script}).run()
    page = report_html(run)
    assert "</script><b>" not in page
    assert "&lt;/script&gt;&lt;b&gt;x" in page
    assert page.count("<script>") == page.count("</script>") == 2


def test_a_report_of_an_unfinished_run_says_so(tmp_path):
    from fundclock.events.stores.sqlite import SqliteStore

    store = SqliteStore(tmp_path / "store.db")

    stopped = interrupted(store, Scenario.load("base").with_(seed=7), 900)
    page = report_html(stopped)
    assert "The run is not finished" in page
    assert 'id="chart-timing_waterfall"' not in page


def test_reports_from_the_command_line(fundclock, tmp_path):
    small = ["--set", "fund.size=4m", "--set", "fund.term_years=3", "--set", "fund.reinvestment_period_years=2"]
    code, _, err = fundclock("run", "base", *small, "--report", "one.html")
    assert (code, "the report is in one.html" in err) == (0, True)
    code, out, _ = fundclock("report", "last", "-o", "two.html")
    assert (code, "wrote the report of" in out) == (0, True)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()
    code, _, err = fundclock("report", "last", "-o", "two.html")
    assert (code, "already exists; use --force to overwrite it" in err) == (2, True)
    code, out, err = fundclock("run", "base", *small, "--report", "nowhere/one.html")
    assert (code, out, "parent directory does not exist" in err) == (2, "", True)


def test_the_page_of_figures_names_them_all_and_tests_that_are_there():
    page = (Path(__file__).resolve().parents[2] / "docs" / "figures.md").read_text()
    rows = re.findall(r"^\| `(\w+)` .*`(test_\w+\.py)::(test_\w+)` \|$", page, re.M)
    assert {name for name, _, _ in rows} == {*NAMES, "sweep_fan", "net_cash_bridge", "dollar_days_bridge"}
    texts = {path.name: path.read_text() for path in Path(__file__).resolve().parents[1].glob("*/test_*.py")}
    for file, test in re.findall(r"`(test_\w+\.py)::(test_\w+)`", page):
        assert f"def {test}(" in texts[file]
