"""The command line as a user meets it: words in, text and exit codes out."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from serving import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
SMALL = ["--set", "fund.size=4m", "--set", "fund.term_years=3", "--set", "fund.reinvestment_period_years=2"]


def test_run_prints_every_metric_and_keeps_the_log(fundclock):
    code, out, _ = fundclock("run", "base", "--seed", 7, *SMALL, "--json")
    assert code == 0
    found = json.loads(out)
    assert list(found)[0] == "schema"
    assert found["schema"] == "fundclock.run/1"
    assert {"run", "scenario", "seed", "head_hash", "records", "days", "metrics", "warnings"} <= set(found)
    assert set(found["metrics"]) >= {
        "net_irr", "gross_irr", "tvpi", "dpi", "rvpi", "moic", "net_irr_without_line", "committed", "contributed",
        "distributed", "nav", "loans_originated", "loans_exited", "loans_defaulted", "reinvested",
        "reinvestment_count", "mean_days_to_reinvest", "idle_dollar_days", "interest_paid", "commitment_fees_paid",
        "peak_debt", "max_leverage_ratio", "min_dscr", "covenant_breaches", "management_fees", "carry", "zones",
    }  # fmt: skip
    for name, value in found["metrics"].items():
        if value is None:
            assert any(line.startswith(f"{name} is null: ") for line in found["warnings"]), name
    assert found["metrics"]["committed"] == "4000000.00"
    assert set(found["metrics"]["zones"]["green"]) == {
        "originated",
        "exited",
        "defaulted",
        "proceeds",
        "gain",
        "return",
    }
    code, out, _ = fundclock("runs", "--json")
    [listed] = json.loads(out)["runs"]
    assert (listed["run"], listed["head_hash"], listed["status"]) == (found["run"], found["head_hash"], "finished")
    assert listed["parent"] is None
    code, out, _ = fundclock("show", found["run"], "--json")
    shown = json.loads(out)
    assert shown["metrics"] == found["metrics"]
    assert shown["status"] == "finished"


def test_events_prints_a_record_a_line(fundclock):
    fundclock("run", "base", *SMALL)
    code, out, _ = fundclock("events", "last", "--json", "--after", 10, "--limit", 5)
    records = [json.loads(line) for line in out.splitlines()]
    assert (code, [record["seq"] for record in records]) == (0, [11, 12, 13, 14, 15])
    assert set(records[0]) == {"seq", "day", "phase", "kind", "cause", "correlation", "payload"}
    _, out, _ = fundclock("events", "last", "--json", "--kind", "loan.originated/1", "--kind", "loan.exited/1")
    assert {json.loads(line)["kind"] for line in out.splitlines()} == {"loan.originated/1", "loan.exited/1"}
    code, out, _ = fundclock("events", "last", "--limit", 3)
    assert "run.started/1" in out
    code, _, err = fundclock("events", "last", "--kind", "loan.exitted/1")
    assert (code, "did you mean 'loan.exited/1'?" in err) == (2, True)


def test_replay_folds_to_a_day(fundclock):
    fundclock("run", "base", *SMALL)
    code, out, _ = fundclock("replay", "last", "--as-of", "2027-03-31", "--json")
    found = json.loads(out)
    assert code == 0
    assert list(found)[0] == "schema"
    keys = {"state_digest", "day", "date", "cash", "reserve", "nav", "loans", "facilities", "ledger"}
    assert keys <= set(found)
    assert (found["day"], found["date"]) == (454, "2027-03-31")
    assert found["ledger"]["Assets:Cash"] == found["cash"]
    _, out, _ = fundclock("replay", "last", "--json")
    assert json.loads(out)["nav"] == "0.00"
    code, out, _ = fundclock("replay", "last", "--as-of", "2027-03-31")
    assert "Equity:LP:Contributions" in out
    for bad, says in (("March", "expected a date like 2028-03-31"), ("2020-01-01", "before the fund's start")):
        code, _, err = fundclock("replay", "last", "--as-of", bad)
        assert (code, says in err) == (2, True)


def test_verify_and_the_exit_codes_of_a_damaged_store(fundclock):
    import sqlite3

    fundclock("run", "base", *SMALL)
    code, out, _ = fundclock("verify", "last")
    assert (code, "records verified" in out) == (0, True)
    raw = sqlite3.connect("fundclock.db")
    raw.execute("DROP TRIGGER records_are_never_updated")
    raw.execute("UPDATE records SET day = day + 1 WHERE seq = 31")
    raw.commit()
    raw.close()
    code, out, _ = fundclock("verify", "last")
    assert (code, "first bad record 31" in out) == (4, True)
    code, out, _ = fundclock("verify", "last", "--json")
    assert (code, json.loads(out)["bad_seq"]) == (4, 31)


def test_why_goes_up_to_the_root_and_down_to_the_effects(fundclock):
    fundclock("run", "base")
    _, out, _ = fundclock("events", "last", "--json", "--kind", "proceeds.released/1", "--limit", 1)
    released = json.loads(out)
    code, out, _ = fundclock("why", "last", released["seq"], "--json")
    found = json.loads(out)
    assert code == 0
    assert [cause["kind"] for cause in found["causes"]] == ["loan.exited/1", "command.scheduled/1"]
    exit_seq = found["causes"][0]["seq"]
    _, out, _ = fundclock("why", "last", exit_seq, "--json")
    below = json.loads(out)["record"]["effects"]
    assert below[0]["kind"] == "command.scheduled/1"
    assert below[0]["effects"][0]["seq"] == released["seq"]
    _, out, _ = fundclock("events", "last", "--json", "--kind", "capital.reinvested/1", "--limit", 1)
    reinvested = json.loads(out)
    _, out, _ = fundclock("why", "last", reinvested["seq"], "--json")
    assert json.loads(out)["lots"] == [lot for lot, _ in reinvested["payload"]["lots"]]
    code, out, _ = fundclock("why", "last", reinvested["seq"])
    assert "paid for by" in out
    code, _, err = fundclock("why", "last", 999999)
    assert (code, "there is no record 999999" in err) == (2, True)


def test_exports_hold_every_record(fundclock, tmp_path):
    _, out, _ = fundclock("run", "base", *SMALL, "--json")
    records = json.loads(out)["records"]
    assert fundclock("export", "last", "--to", "jsonl", "-o", "log.jsonl")[0] == 0
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert len(lines) == records
    assert json.loads(lines[0])["kind"] == "run.started/1"
    assert fundclock("export", "last", "--to", "csv", "-o", "log.csv")[0] == 0
    with (tmp_path / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == records
    assert rows[-1]["kind"] == "run.finished/1"
    assert rows[-1]["date"] == "2029-01-01"
    assert json.loads(rows[3]["payload"])["kind"] == rows[3]["kind"]
    assert fundclock("export", "last", "--to", "csv", "-o", "log.csv")[0] == 2
    assert fundclock("export", "last", "--to", "csv", "-o", "log.csv", "--force")[0] == 0
    assert fundclock("export", "last", "--to", "csv", "-o", "fundclock.db", "--force")[0] == 2
    assert fundclock("export", "last", "--to", "csv", "-o", ".")[0] == 2
    code, _, err = fundclock("export", "last", "--to", "parquet", "-o", "x")
    assert (code, "not available yet" in err) == (2, True)
    assert fundclock("export", "last", "--to", "csv", "-o", "no/such/folder.csv")[0] == 5
    assert not list(tmp_path.glob("*.part"))


def test_bad_input_is_refused_whole_with_nothing_written(fundclock, tmp_path):
    (tmp_path / "bad.yaml").write_text("fund:\n  sze: 5m\n")
    code, out, err = fundclock("run", "bad.yaml")
    assert (code, out) == (2, "")
    assert "bad.yaml:2:3: fund.sze: unknown key; did you mean 'size'?" in err
    assert not (tmp_path / "fundclock.db").exists()
    code, _, err = fundclock("run", "base", "--set", "reinvestment_engine.reinvestmnt_delay=3")
    assert (code, "did you mean 'reinvestment_delay'?" in err) == (2, True)
    assert fundclock("run", "base", "--seed", "-1")[0] == 2
    assert fundclock("run", "base", "--sead", "1")[0] == 2
    assert fundclock("run")[0] == 2
    assert fundclock("run", "base", "--log-level", "loud")[0] == 2
    assert fundclock("run", "base", "--store", "postgresql://x")[0] == 2
    code, _, err = fundclock("run", "base", "--loans", "nowhere.csv")
    assert (code, "can't read nowhere.csv" in err) == (2, True)
    assert not (tmp_path / "fundclock.db").exists()


def test_stores_that_can_t_be_used_are_exit_code_5(fundclock, tmp_path):
    code, _, err = fundclock("runs")
    assert (code, "there is no store at fundclock.db" in err) == (5, True)
    (tmp_path / "x.db").write_text("words " * 500)
    code, _, err = fundclock("runs", "--store", "x.db")
    assert (code, "file is not a database" in err) == (5, True)
    fundclock("run", "base", *SMALL)
    code, _, err = fundclock("show", "nope")
    assert (code, "no run has this name" in err) == (5, True)
    code, _, err = fundclock("run", "--resume", "last")
    assert (code, "nothing to resume" in err) == (5, True)


def test_validate_lists_problems_and_warnings(fundclock, tmp_path):
    assert fundclock("validate", "base")[1] == "base is valid\n"
    (tmp_path / "bad.yaml").write_text("fund: {sze: 5m}\ncalls: {notice: 3}\n")
    code, out, _ = fundclock("validate", "bad.yaml", "--json")
    found = json.loads(out)
    assert (code, found["valid"]) == (2, False)
    assert [(p["line"], p["key"], p["suggestion"]) for p in found["problems"]] == [
        (1, "fund.sze", "size"),
        (2, "calls.notice", "notice_business_days"),
    ]
    _, _, err = fundclock("validate", "base", "--set", "fees.carry=1")
    assert "fees.carry: unknown key" in err
    _, _, err = fundclock("validate", "base", "--set", "waterfall.pref_clock=facility_draw")
    assert "waterfall.pref_clock: has no effect without leverage.ramp_line" in err


def test_init_explain_schema_and_version(fundclock, tmp_path):
    code, out, _ = fundclock("init", "mine.yaml")
    assert (code, "fundclock run mine.yaml" in out) == (0, True)
    assert fundclock("init", "mine.yaml")[0] == 2
    assert fundclock("run", "mine.yaml")[0] == 0
    code, out, _ = fundclock("explain", "mine.yaml")
    assert "size: 50000000.0  # default: 100000000.0" in out
    (tmp_path / "again.yaml").write_text(out)
    assert fundclock("validate", "again.yaml")[0] == 0
    described = json.loads(fundclock("schema")[1])
    assert described["additionalProperties"] is False
    assert "reinvestment_engine" in described["properties"]
    assert json.loads(fundclock("version", "--json")[1])["versions"]["fundclock"]


def test_the_demo_compares_two_runs(fundclock):
    code, out, _ = fundclock("demo")
    assert code == 0
    assert "Mean days to reinvest" in out
    code, out, _ = fundclock("demo", "--json")
    found = json.loads(out)
    rows = {row["metric"]: row for row in found["comparison"]}
    assert rows["mean_days_to_reinvest"]["first"] > 30 > rows["mean_days_to_reinvest"]["second"]
    assert float(rows["idle_dollar_days"]["delta"]) < 0


def test_what_is_announced_and_not_built_says_so(fundclock):
    for name in ("ensemble",):
        code, _, err = fundclock(name, "last", "--at", "2028-03-31")
        assert (code, err) == (2, f"fundclock {name} is not available yet\n")


def test_the_operators_log_is_json_on_stderr_when_asked_for(fundclock):
    _, out, err = fundclock("run", "base", *SMALL, "--json", "--log-level", "info")
    json.loads(out)
    lines = [json.loads(line) for line in err.splitlines()]
    assert [line["event"] for line in lines] == ["run.starting", "run.finished"]
    assert lines[1]["records"] > 0


def test_help_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['fundclock', '--help']\n"
        "from fundclock.app.cli import main as cli\n"
        "try:\n    cli.main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'scipy', 'pydantic', 'simpy', 'ruamel', 'structlog', 'holidays', 'pyxirr', 'sqlite3'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, timeout=PATIENCE
    )
    assert done.stderr.strip() == "[]"
    assert "verify" in done.stdout


def test_a_closed_pipe_ends_quietly(tmp_path):
    environment = {**os.environ, "FUNDCLOCK_STORE": str(tmp_path / "f.db")}
    program = Path(sys.executable).with_name("fundclock")
    subprocess.run([program, "run", "base", *SMALL], env=environment, capture_output=True, check=True, timeout=PATIENCE)
    listing = subprocess.run(
        f"{program} events last --json | head -1",
        shell=True,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert json.loads(listing.stdout)["seq"] == 1
    assert listing.stderr == ""


def test_the_ledger_leaves_for_beancount_and_its_checker_agrees(fundclock, tmp_path):
    fundclock("run", "base", *SMALL)
    assert fundclock("export", "last", "--to", "beancount", "-o", "fund.beancount")[0] == 0
    checker = Path(sys.executable).with_name("bean-check")
    done = subprocess.run([checker, tmp_path / "fund.beancount"], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    text = (tmp_path / "fund.beancount").read_text()
    ledger = json.loads(fundclock("replay", "last", "--json")[1])["ledger"]
    for account, balance in ledger.items():
        assert f"balance {account}  {balance} ~ 0 USD" in text
    broken = text.replace("balance Assets:Cash  0.00", "balance Assets:Cash  0.01")
    (tmp_path / "broken.beancount").write_text(broken)
    assert (
        subprocess.run([checker, tmp_path / "broken.beancount"], capture_output=True, timeout=PATIENCE).returncode != 0
    )


def test_figures_by_quarter_and_cash_flows_reconcile(fundclock):
    fundclock("run", "base")
    code, out, _ = fundclock("show", "last", "--quarters")
    assert (code, "Net IRR" in out) == (0, True)
    shown = json.loads(fundclock("show", "last", "--quarters", "--flows", "quarter", "--json")[1])
    assert len(shown["quarters"]) == 41  # forty quarter ends, and the fund's last day
    last = shown["quarters"][-1]
    for name in ("tvpi", "dpi", "pic", "net_irr", "contributed", "distributed"):
        assert last[name] == shown["metrics"][name]
    from decimal import Decimal

    sums = {}
    for by in ("day", "month", "quarter", "year"):
        rows = json.loads(fundclock("show", "last", "--flows", by, "--json")[1])["cash_flows"]
        closing = Decimal(0)
        for row in rows:
            amounts = [Decimal(value) for name, value in row.items() if name not in ("period", "opening", "closing")]
            assert Decimal(row["opening"]) == closing
            closing = closing + sum(amounts)
            assert Decimal(row["closing"]) == closing
        assert closing == 0
        sums[by] = {
            name: sum(Decimal(row[name]) for row in rows)
            for name in rows[0]
            if name not in ("period", "opening", "closing")
        }
    assert sums["day"] == sums["month"] == sums["quarter"] == sums["year"]
    assert fundclock("show", "last", "--flows", "week")[0] == 2


def test_reinvestment_is_drawn_and_printed_as_json(fundclock):
    life = ["--set", "fund.term_years=6", "--set", "fund.reinvestment_period_years=5"]
    fundclock("run", "base", "--seed", 7, *life, "--set", "reinvestment_engine.enable_cash_reserve=true")
    code, out, _ = fundclock("show", "last", "--reinvestment")
    assert code == 0
    for part in ("Shares that zones got", "Risk of the book", "Declined", "Cash reserve"):
        assert part in out
    code, out, _ = fundclock("show", "last", "--reinvestment", "--chart", "cash_reserve", "--json")
    found = json.loads(out)
    assert found["reinvestment"]["summary"]["total_reinvested"] == found["metrics"]["reinvested"]
    assert (found["chart"]["schema"], found["chart"]["name"]) == ("fundclock.chart/1", "cash_reserve")
    code, out, _ = fundclock("show", "last", "--chart", "reinvestment_summary_table")
    assert code == 0
    assert "Years of reinvestment" in out
    assert "Net IRR" not in out
    code, out, err = fundclock("show", "last", "--chart", "cush")
    assert (code, out) == (2, "")
    assert "there is no 'cush'; did you mean 'cash'?" in err


def test_a_run_that_reinvested_nothing_says_so(fundclock):
    fundclock("run", "base", "--seed", 7, *SMALL, "--set", "fund.reinvestment_period_years=0")
    code, out, _ = fundclock("show", "last", "--reinvestment")
    assert code == 0
    assert "Nothing was reinvested." in out


@pytest.mark.parametrize("strategy", ["maintain_allocation", "rebalance", "opportunistic", "custom"])
def test_each_strategy_runs_and_verifies(fundclock, strategy):
    code, out, _ = fundclock(
        "run", "base", "--seed", 5, "--set", f"reinvestment_engine.reinvestment_strategy={strategy}", "--json"
    )
    assert code == 0
    assert json.loads(out)["metrics"]["reinvestment_count"] > 10
    code, out, _ = fundclock("show", "last", "--reinvestment", "--json")
    assert list(json.loads(out)["reinvestment"]["summary"]["reinvestment_by_strategy"]) == [strategy]
    assert fundclock("verify", "last")[0] == 0


def test_a_manual_reinvestment_that_was_declined_is_said(fundclock, tmp_path):
    (tmp_path / "m.yaml").write_text(
        "script:\n"
        "  - {at: 2028-06-15, do: {reinvest: {amount: 90m}}}\n"
        "  - {at: 2033-06-15, do: {reinvest: {amount: 1m}}}\n"
        "  - {do: {reinvest: {amount: 1m, year: 6}}}\n"
    )
    _, _, err = fundclock("validate", "m.yaml")
    assert "script[1]: will be declined: 2033-06-15 is after the reinvestment period, which ends on 2030-12-31" in err
    assert "script[2]: will be declined: 2032-01-01" in err
    _, _, err = fundclock("run", "m.yaml", "--seed", 5)
    assert "the manual reinvestment of 90000000.00 on 2028-06-15 was declined: insufficient_cash" in err
    _, out, _ = fundclock("show", "last", "--reinvestment")
    assert "Manual reinvestments that were declined" in out
    assert "2028-06-15" in out


def test_a_setting_without_its_section_is_found(fundclock):
    code, _, err = fundclock("run", "base", "--set", "reinvestment_strategy=custom")
    assert code == 2
    assert "did you mean 'reinvestment_engine.reinvestment_strategy'?" in err
    code, _, err = fundclock("run", "base", "--set", "reinvestment_engine.cash_reserve_min=0.2")
    assert code == 2
    assert err.startswith("error: --set reinvestment_engine.cash_reserve_min: ")


DELAY = "reinvestment_engine.reinvestment_delay"


def test_fork_diff_and_audit_from_the_command_line(fundclock):
    _, out, _ = fundclock("run", "base", *SMALL, "--seed", 3, "--json")
    parent = json.loads(out)
    code, out, _ = fundclock("fork", "last", "--at", "2027-03-31", "--set", f"{DELAY}=3", "--json")
    made = json.loads(out)
    assert code == 0
    assert (made["parent"], made["divergence_seq"] > 1) == (parent["run"], True)
    assert made["head_hash"] != parent["head_hash"]
    _, out, _ = fundclock("runs", "--json")
    assert [row["parent"] for row in json.loads(out)["runs"]] == [None, parent["run"]]
    for words in ((), (made["run"],), (parent["run"], made["run"])):
        code, out, _ = fundclock("diff", *words, "--json")
        found = json.loads(out)
        assert (code, found["schema"], found["first"], found["second"]) == (
            0, "fundclock.diff/1", parent["run"], made["run"],
        )  # fmt: skip
        assert found["first_difference"]["seq"] == made["divergence_seq"]
    code, out, _ = fundclock("audit", "last", "--ladder", "--json")
    found = json.loads(out)
    assert (code, next(iter(found.items()))) == (0, ("schema", "fundclock.audit/1"))
    assert {"dollar_days", "dollar_days_total", "cash_integral", "promises", "latencies", "steps", "residual"} <= set(
        found
    )
    assert found["dollar_days_total"] == found["cash_integral"]
    assert found["residual"] == "0.00"
    assert {"name", "net_irr", "net_cash", "delta_net_cash", "delta_irr"} <= set(found["steps"][1])
    code, out, _ = fundclock("verify", "last")
    assert code == 0
    assert "parent     ok" in out


def test_a_fork_that_changes_nothing_says_so(fundclock):
    fundclock("run", "base", *SMALL, "--seed", 3)
    code, out, _ = fundclock("fork", "last", "--at", "2027-03-31")
    assert code == 0
    assert "nothing is changed, the records are the same" in out
    code, out, _ = fundclock("diff")
    assert (code, "are the same, byte for byte" in out) == (0, True)


def test_a_file_of_acts(fundclock, tmp_path):
    fundclock("run", "base", *SMALL, "--seed", 3)
    (tmp_path / "acts.yaml").write_text("- shock_price: -20%\n- {when: cash > 1m, do: {suspend_reinvestment: {}}}\n")
    code, out, _ = fundclock("fork", "last", "--at", "2027-03-31", "--do", "acts.yaml", "--json")
    assert code == 0
    _, out, _ = fundclock("events", "last", "--kind", "price.shocked/1", "--json")
    assert json.loads(out)["payload"]["change"] == -0.2


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("fork", "last", "--at", "2050-01-01"), 2, "at: 2050-01-01 is outside the fund's life"),
        (("fork", "last", "--at", "tomorrow"), 2, "at: expected a date like 2028-03-31, got 'tomorrow'"),
        (("fork", "nothing", "--at", "2027-01-01"), 5, "no run has this name: 'nothing'"),
        (("fork", "last", "--at", "2027-01-01", "--set", "fund.size=5"), 2, "fund.size can't change during a run"),
        (("fork", "last", "--at", "2027-01-01", "--do", "missing.yaml"), 2, "missing.yaml: No such file"),
        (("diff",), 2, "is not a fork; name the run to compare it with"),
        (("diff", "last", "nothing"), 5, "no run has this name: 'nothing'"),
        (("audit", "nothing"), 5, "no run has this name: 'nothing'"),
        (("stress", "last", "--headroom"), 2, "leverage: is not enabled in this run"),
        (("sweep", "base", "--sweep", "a.b=1"), 2, "a.b"),
        (("sweep", "base", "--sweep", "seed"), 2, "expected KEY=VALUES like"),
        (("sweep", "base"), 2, "has no axis"),
        (("sweep", "base", "--sweep", "seed=1:3", "--sweep", "seed=4"), 2, "duplicate key; give"),
        (("sweep", "base", "--seed", 5, "--sweep", "seed=1:3"), 2, "--sweep: seed is also given by another option"),
        (
            ("fork", "last", "--at", "2027-01-01", "--set", f"{DELAY}=1", "--set", f"{DELAY}=2"),
            2,
            "duplicate key; give",
        ),
        (("sweep", "base", "--sweep", "seed=1:3", "-o", "rows.xls"), 2, "ending in .csv or .parquet"),
    ],
)
def test_what_is_wrong_with_timing_commands_is_said(fundclock, words, code, message):
    fundclock("run", "base", *SMALL, "--seed", 3)
    found, out, err = fundclock(*words)
    assert (found, out) == (code, "")
    assert message in err


def test_sweep_from_the_command_line(fundclock, tmp_path):
    words = ("sweep", "base", *SMALL, "--sweep", f"{DELAY}=0,3", "--sweep", "seed=1:3", "--workers", 1)
    code, out, _ = fundclock(*words, "--json")
    found = json.loads(out)
    assert (code, found["schema"], found["cells"], found["reused"]) == (0, "fundclock.sweep/1", 6, 0)
    assert [row["cell"] for row in found["rows"]] == list(range(6))
    code, out, _ = fundclock(*words, "-o", "rows.csv")
    assert code == 0
    assert "6 of 6 cells were already in fundclock.db" in out
    assert "wrote 6 rows to rows.csv" in out
    assert len((tmp_path / "rows.csv").read_text().splitlines()) == 7
    code, _, err = fundclock(*words, "-o", "rows.csv")
    assert code == 2
    assert "already exists; use --force to overwrite it" in err
    row = found["rows"][4]
    _, out, _ = fundclock("run", "base", *SMALL, "--seed", row["seed"], "--set", f"{DELAY}={row[DELAY]}", "--json")
    assert json.loads(out)["head_hash"] == row["head_hash"]


def test_a_page_of_the_audit_has_every_table(fundclock):
    fundclock("run", "levered", "--seed", 7, *SMALL)
    code, out, _ = fundclock("audit", "last", "--shapley", "--ties")
    assert code == 0
    for title in ("where the dollar-days went", "source and final use", "Waits that are not cash", "Promised and kept",
                  "When did we know?", "What timing cost", "in every order (Shapley)", "Other orders of a day"):  # fmt: skip
        assert title in out
    larger = ["--set", "fund.size=50m", "--set", "fund.term_years=4", "--set", "fund.reinvestment_period_years=3"]
    fundclock("run", "levered", "--seed", 7, *larger)
    code, out, _ = fundclock("stress", "last", "--headroom", "--json")
    assert [row["name"] for row in json.loads(out)["headroom"]] == [
        "longest_delay",
        "largest_price_fall",
        "latest_call",
    ]
