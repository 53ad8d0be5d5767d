"""Sweeps: the same rows from any number of workers, common draws, and a journal to go on from."""

import csv
import json
import sqlite3
import statistics
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from decimal import Decimal

import pytest
from pyarrow import parquet

from fundclock import InvalidInput, Scenario, sweep
from fundclock.scenarios.ensembles.sweep_files import save
from fundclock.scenarios.ensembles.sweep_summary import QUANTILES
from fundclock.scenarios.ensembles.sweeps import worker_context
from fundclock.scenarios.files.axes import axis_values, parse_axis
from fundclock.scenarios.runs.planning import warnings_of
from serving import until

DELAY = "reinvestment_engine.reinvestment_delay"
SHORT = {"fund.term_years": 4, "fund.reinvestment_period_years": 2, "fund.size": "20m"}


@pytest.fixture
def short():
    return Scenario.load("base").with_(set=SHORT)


def test_a_row_is_the_run_that_it_names(short):
    found = sweep(short, {DELAY: [0, 3], "seed": [5, 6]}, workers=1)
    assert [(row["cell"], row[DELAY], row["seed"]) for row in found.rows] == [
        (0, 0, 5),
        (1, 0, 6),
        (2, 3, 5),
        (3, 3, 6),
    ]
    for row in found.rows:
        run = short.with_(seed=row["seed"], set={DELAY: row[DELAY]}).run()
        assert row["head_hash"] == run.head_hash
        assert row["records"] == len(run.log)
        assert {name: row[name] for name in ("net_irr", "distributed")} == {
            name: run.metrics[name] for name in ("net_irr", "distributed")
        }


def test_rows_do_not_depend_on_who_plays_them(short):
    axes = {DELAY: [0, 2], "seed": "1:6"}
    alone = sweep(short, axes, workers=1)
    assert sweep(short, axes, workers=2).as_json() == alone.as_json()
    assert sweep(short, axes, workers=3).rows == alone.rows
    with ThreadPoolExecutor(1) as executor:
        assert sweep(short, axes, executor=executor).rows == alone.rows


def test_workers_that_begin_anew_find_the_same_rows(short, monkeypatch):
    """As on Windows, which has no fork server."""
    monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["spawn"])
    assert worker_context().get_start_method() == "spawn"
    axes = {"seed": [1, 2]}
    assert sweep(short, axes, workers=2).rows == sweep(short, axes, workers=1).rows


def test_any_key_can_be_swept(short):
    axes = {"zones.red.default_rate": ["1%", "5%"], "exits.age_years": [{"mean": 2}], "replication": [0, 1]}
    found = sweep(short, axes, workers=1)
    assert len(found.rows) == 4
    assert len({row["head_hash"] for row in found.rows}) == 4
    assert found.rows[0]["exits.age_years"] == {"mean": 2}
    one = short.with_(replication=1, set={"zones.red.default_rate": "1%", "exits.age_years": {"mean": 2}}).run()
    assert found.rows[1]["head_hash"] == one.head_hash
    strategies = sweep(short, {"reinvestment_engine.reinvestment_strategy": ["rebalance", "custom"]}, workers=1)
    assert len({row["head_hash"] for row in strategies.rows}) == 2


def test_a_sweep_goes_on_where_it_stopped(short, store):
    axes = {DELAY: [0, 1, 2], "seed": "1:4"}

    def stop(done, cells):
        if done >= 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(short, axes, workers=1, store=store, on_cell=stop)
    seen = []
    found = sweep(short, axes, workers=1, store=store, on_cell=lambda done, cells: seen.append(done))
    assert found.reused >= 5
    assert seen[0] > 5
    assert found.rows == sweep(short, axes, workers=1).rows
    again = sweep(short, axes, workers=1, store=store.path)
    assert again.reused == 12
    assert again.rows == found.rows
    more = sweep(short, {DELAY: [0, 1, 2], "seed": "1:5"}, workers=1, store=store)
    assert more.reused == 12  # a cell is a cell, whatever sweep it is in
    assert sweep(short, axes, workers=1, store=store, fresh=True).reused == 0
    other = sweep(short.with_(set={"fund.size": "21m"}), axes, workers=1, store=store)
    assert other.reused == 0  # another scenario's cells are others


def test_rows_that_are_kept_are_read_back_as_they_were(short, tmp_path):
    found = sweep(short, {"seed": [1]}, workers=1, store=tmp_path / "store.db")
    again = sweep(short, {"seed": [1]}, workers=1, store=tmp_path / "store.db")
    assert json.dumps(again.rows) == json.dumps(found.rows)


def test_quantiles_over_draws(short):
    found = sweep(short, {DELAY: [0, 6], "seed": "1:9"}, workers=1)
    first, second = found.summary
    assert (first["settings"], first["draws"]) == ({DELAY: 0}, 9)
    rates = {delay: [row["gross_irr"] for row in found.rows if row[DELAY] == delay] for delay in (0, 6)}
    figures = second["figures"]["gross_irr"]
    assert figures["mean"] == pytest.approx(statistics.fmean(rates[6]))
    assert figures["deviation"] == pytest.approx(statistics.stdev(rates[6]))
    assert figures["quantiles"]["0.5"] == pytest.approx(statistics.median(rates[6]))
    assert list(figures["quantiles"]) == [str(quantile) for quantile in QUANTILES]
    deltas = [b - a for a, b in zip(rates[0], rates[6], strict=True)]
    assert figures["paired"]["mean"] == pytest.approx(statistics.fmean(deltas))
    assert figures["paired"]["error"] == pytest.approx(statistics.stdev(deltas) / 3)
    assert first["figures"]["gross_irr"]["paired"] is None


def test_common_draws_take_the_noise_out_of_a_difference(short):
    """The variance of a paired difference is at least a hundred times below that of independent seeds."""
    found = sweep(short, {DELAY: [0, 1], "seed": "1:40"}, workers=2)
    for figure in ("gross_irr", "moic"):
        values = {delay: [row[figure] for row in found.rows if row[DELAY] == delay] for delay in (0, 1)}
        paired = [b - a for a, b in zip(values[0], values[1], strict=True)]
        independent = [b - a for a, b in zip(values[0], values[1][20:] + values[1][:20], strict=True)]
        assert statistics.variance(independent) > 100 * statistics.variance(paired), figure


def test_files(short, tmp_path):
    found = sweep(short, {DELAY: [0, 1], "seed": [1, 2]}, workers=1)
    found.save(tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open() as text:
        rows = list(csv.DictReader(text))
    assert [row["distributed"] for row in rows] == [row["distributed"] for row in found.rows]
    assert [float(row["net_irr"]) for row in rows] == [row["net_irr"] for row in found.rows]
    found.save(tmp_path / "it's.parquet")
    names = ["seed", "net_irr", "distributed", "head_hash", "min_dscr"]
    read = parquet.read_table(tmp_path / "it's.parquet", columns=names).to_pylist()
    assert [{**row, "distributed": str(row["distributed"])} for row in read] == [
        {name: row[name] for name in names} for row in found.rows
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["it's.parquet", "rows.csv"]
    with pytest.raises(InvalidInput, match="ending in .csv or .parquet"):
        found.save(tmp_path / "rows.xlsx")
    with pytest.raises(InvalidInput, match="its parent directory is missing or not writable"):
        found.save(tmp_path / "nowhere" / "rows.csv")


def test_the_fan_is_of_the_quantiles(short):
    found = sweep(short, {DELAY: [0, 6], "seed": "1:5"}, workers=1)
    chart = found.figure("sweep_fan")
    assert [series["name"] for series in chart["series"]] == [f"{quantile:.0%} quantile" for quantile in QUANTILES]
    assert chart["series"][2]["x"] == ["reinvestment_delay 0", "reinvestment_delay 6"]
    assert chart["series"][2]["y"][1] == found.summary[1]["figures"]["net_irr"]["quantiles"]["0.5"]
    with pytest.raises(InvalidInput, match="a sweep has sweep_fan"):
        found.figure("nav")


def test_the_scenario_can_name_its_own_sweep(short):
    scenario = short.with_(set={"sweep": {DELAY: [0, 1], "seed": "1:2"}})
    assert len(sweep(scenario, workers=1).rows) == 4
    assert warnings_of(scenario.plan()) == []
    with pytest.raises(InvalidInput, match="has no axis"):
        sweep(short, workers=1)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a.b=0,1,3,6", [0, 1, 3, 6]),
        ("a.b=0.5", [0.5]),
        ("seed=1:4", [1, 2, 3, 4]),
        ("a.b=0:10:5", [0, 5, 10]),
        ("a.b=monthly,quarterly", ["monthly", "quarterly"]),
        ("a.b=true,false", [True, False]),
        ("a.b={mean: 2},{mean: 3}", [{"mean": 2}, {"mean": 3}]),
        ("a.b=1%,2%", ["1%", "2%"]),
    ],
)
def test_axes_are_read(text, values):
    key, found = parse_axis(text)
    assert (key, found) == (text.partition("=")[0], values)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.b", "expected KEY=VALUES like"),
        ("a.b=", "expected KEY=VALUES like"),
        ("=1", "expected KEY=VALUES like"),
        ("a.b=5:1", "expected a range like 1:500, got 5:1"),
        ("a.b=1:9000000", "has more than 1,000,000 values"),
        ("a.b=1,1", "lists 1 twice"),
        ("seed=1,x", "must be whole numbers from 0"),
        ("seed=-1,2", "must be whole numbers from 0"),
        ("a.b=[1", "is not valid YAML"),
    ],
)
def test_bad_axes_are_refused(text, message):
    with pytest.raises(InvalidInput) as caught:
        parse_axis(text)
    assert message in str(caught.value)


def test_bad_cells_are_refused_before_anything_is_played(short, tmp_path):
    played = []
    with pytest.raises(InvalidInput) as caught:
        sweep(short, {DELAY: [0, -1], "seed": [1]}, store=tmp_path / "s.db", on_cell=lambda *done: played.append(done))
    assert "--sweep reinvestment_engine.reinvestment_delay" in str(caught.value)
    assert "greater than or equal to 0" in str(caught.value)
    assert played == []
    with pytest.raises(InvalidInput, match="did you mean"):
        sweep(short, {"reinvestment_engine.reinvestment_dely": [0]})
    with pytest.raises(InvalidInput, match="at most 1,000,000"):
        sweep(short, {"seed": "1:2000", "replication": "1:2000"})
    with pytest.raises(InvalidInput, match="expected values like"):
        axis_values("a.b", [])


def test_a_cell_that_fails_is_an_error_and_the_others_are_kept(short, tmp_path, monkeypatch):
    from fundclock.scenarios.ensembles import sweeps

    real = sweeps.play_cells

    def play(task):
        if task.cells[0].seed == 3:
            raise RuntimeError("a machine broke")
        return real(task)

    monkeypatch.setattr(sweeps, "play_cells", play)
    with pytest.raises(RuntimeError, match="a machine broke"):
        sweep(short, {"seed": "1:4"}, workers=1, store=tmp_path / "s.db")
    monkeypatch.setattr(sweeps, "play_cells", real)
    assert sweep(short, {"seed": "1:4"}, workers=1, store=tmp_path / "s.db").reused == 2


def test_many_draws_are_read_at_once():
    assert len(axis_values("seed", "1:300000")) == 300_000


def test_dates_can_be_swept(short):
    found = sweep(short, dict([parse_axis("fund.start_date=2026-01-01,2027-01-01")]), workers=1)
    assert json.loads(json.dumps(found.as_json()))["rows"][1]["fund.start_date"] == "2027-01-01"


def test_columns_of_a_file_have_the_types_of_their_values(tmp_path):
    rows = [
        {"a": True, "b": -1, "c": None, "d": 1, "e": "-1.50", "f": True, "g": 2, "h": "1.50", "i": {"mean": 2}},
        {"a": 2, "b": 2**63, "c": None, "d": 0.5, "e": None, "f": None, "g": 2**63 - 1, "h": "x", "i": None},
    ]
    save(rows, tmp_path / "a*.PARQUET")
    table = parquet.read_table(tmp_path / "a*.PARQUET")
    assert {field.name: str(field.type) for field in table.schema} == {
        "a": "string",
        "b": "decimal128(38, 0)",
        "c": "double",
        "d": "double",
        "e": "decimal128(38, 2)",
        "f": "bool",
        "g": "int64",
        "h": "string",
        "i": "string",
    }
    assert table.to_pylist() == [
        {**rows[0], "a": "True", "e": Decimal("-1.50"), "i": "{'mean': 2}"},
        {**rows[1], "a": "2"},
    ]
    for value in (10**38, -(10**38), f"{10**36}.00"):
        save([{"a": value}], tmp_path / "long.parquet")
        assert parquet.read_table(tmp_path / "long.parquet").to_pylist() == [{"a": str(value)}]


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    (tmp_path / "rows.parquet").write_bytes(b"before")
    monkeypatch.setattr(parquet, "write_table", lambda table, path: path.write_bytes(b"half") / 0)
    with pytest.raises(ZeroDivisionError):
        save([{"a": 1}], tmp_path / "rows.parquet")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("rows.parquet", b"before")]


def test_a_sweep_that_is_killed_leaves_no_worker_behind(tmp_path):
    import os
    import signal
    import subprocess
    import sys
    from pathlib import Path

    if not Path("/proc/self/stat").exists():
        pytest.skip("processes are looked up in /proc")
    program = "from fundclock.app.cli.main import main; main()"
    words = ["sweep", "base", "--sweep", "seed=1:400", "--workers", "2", "--store", str(tmp_path / "s.db")]
    root = Path(__file__).resolve().parents[2]
    started = subprocess.Popen(
        [sys.executable, "-c", program, *words], cwd=root, start_new_session=True, stderr=subprocess.DEVNULL
    )

    def family():
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == started.pid and fields[0] != "Z":
                found.append(int(stat.parent.name))
        return found

    def has_rows():
        try:
            with closing(sqlite3.connect(f"file:{tmp_path / 's.db'}?mode=ro", uri=True)) as raw:
                return raw.execute("SELECT count(*) FROM cells").fetchone()[0]
        except sqlite3.OperationalError:  # there is no such file or table yet
            return 0

    try:
        until(lambda: len(family()) >= 5, "there are the sweep, its fork server and tracker, and two workers")
        until(has_rows, "they have played some cells")
        started.kill()
        started.wait()
        until(lambda: family() == [], "they have all ended")
    finally:
        for pid in family():
            os.kill(pid, signal.SIGKILL)
