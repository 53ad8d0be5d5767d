"""Verification, resumption and determinism of whole runs."""

import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fundclock import Scenario
from fundclock.events.stores.sqlite import BATCH, SqliteStore
from fundclock.events.stores.store import StoreError
from fundclock.scenarios.runs.rerun import Mismatch
from fundclock.scenarios.runs.stored import load_run
from fundclock.scenarios.runs.verify import resume, verify
from funds import quiet
from serving import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
SMALL = {"fund.size": 4e6, "fund.term_years": 3, "fund.reinvestment_period_years": 2}


def small(**changes):
    return Scenario.load("base").with_(seed=5, set={**SMALL, **changes})


def edit(path, *statements):
    raw = sqlite3.connect(path)
    raw.execute("DROP TRIGGER IF EXISTS records_are_never_updated")
    raw.execute("DROP TRIGGER IF EXISTS records_are_never_deleted")
    raw.execute("DROP TRIGGER IF EXISTS inputs_are_never_updated")
    for statement in statements:
        raw.execute(statement)
    raw.commit()
    raw.close()


def cut(path, run, keep, status="running"):
    """Leave the first records of a run, as a crash would."""
    raw = sqlite3.connect(path)
    head = raw.execute("SELECT hash FROM records WHERE run = ? AND seq = ?", (run, keep)).fetchone()[0]
    raw.close()
    edit(
        path,
        f"DELETE FROM records WHERE run = '{run}' AND seq > {keep}",
        f"UPDATE runs SET records = {keep}, head_hash = '{head}', status = '{status}' WHERE run = '{run}'",
    )


def test_a_stored_run_has_the_bytes_of_one_in_memory_and_verifies(store):
    kept = small().run(store)
    assert kept.head_hash == small().run().head_hash
    verdict = verify(store, store.find("last"))
    assert verdict.status == "ok"
    assert set(verdict.checks.values()) == {"ok"}
    assert set(verdict.checks) == {"chain", "manifest", "file", "folds", "rerun"}
    loaded = load_run(store, store.find("last"))
    assert loaded.metrics == kept.metrics
    assert loaded.state.digest() == kept.state.digest()


def test_another_seed_gives_another_log():
    assert small().run().head_hash != small().with_(seed=6).run().head_hash
    assert small().run().head_hash != small().with_(replication=1).run().head_hash


@pytest.mark.parametrize(
    ("statement", "seq", "check"),
    [
        ("UPDATE records SET payload = replace(payload, '\"entity\":0', '\"entity\":1') WHERE seq = 20", 20, "chain"),
        ("UPDATE runs SET seed = 6", 1, "manifest"),
        ("UPDATE runs SET scenario = 'other'", 1, "manifest"),
    ],
)
def test_an_altered_store_is_found_and_the_record_named(store, statement, seq, check):
    small().run(store)
    row = store._db.execute("SELECT seq FROM records WHERE payload LIKE '%\"entity\":0%' LIMIT 1").fetchone()
    edit(store.path, statement.replace("seq = 20", f"seq = {row[0]}"))
    verdict = verify(store, store.find("last"))
    assert verdict.status == "mismatch"
    assert verdict.checks[check] == "failed"
    assert verdict.bad_seq == (row[0] if seq == 20 else seq or store.find("last").records)


def test_a_log_that_was_rewritten_whole_fails_the_re_run(store):
    """Whoever recomputes every hash still can't make the re-run agree."""
    from fundclock.events.record import FIRST_HASH, canonical_line, chain

    small().run(store)
    run = store.find("last").run
    rows = list(store.rows(run))
    victim = next(row for row in rows if row.kind == "loan.exited/1")
    changed = re.sub(rb'"held_days":\d+', b'"held_days":1', victim.payload)
    statements, head = [], FIRST_HASH
    for row in rows:
        payload = changed if row.seq == victim.seq else row.payload
        head = chain(head, canonical_line(row.seq, row.day, row.phase, row.kind, row.cause, row.correlation, payload))
        if row.seq >= victim.seq:
            statements.append(
                f"UPDATE records SET payload = '{payload.decode()}', hash = '{head}' WHERE seq = {row.seq}"
            )
    edit(store.path, *statements, f"UPDATE runs SET head_hash = '{head}'")
    verdict = verify(store, store.find("last"))
    assert (verdict.bad_seq, verdict.checks["chain"], verdict.checks["rerun"]) == (victim.seq, "ok", "failed")
    assert "held_days is 1 in the log" in verdict.problem


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """The file of a small run, and its rows."""
    path = tmp_path_factory.mktemp("stored") / "runs.db"
    with SqliteStore(path) as store:
        quiet(fund__size=1e6, fund__term_years=1, fund__reinvestment_period_years=0, fund__deployment_months=1).run(
            store
        )
        rows = list(store.rows(store.find("last").run))
    return path, rows


@given(st.data())
@settings(max_examples=60)
def test_any_byte_of_a_record_that_is_altered_is_found(stored, data):
    """One byte anywhere in the stored rows of a run: the chain, the file or the rows' types betray it."""
    import tempfile

    whole, rows = stored
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.db"
        row = data.draw(st.sampled_from(rows))
        field = data.draw(st.sampled_from(["payload", "hash", "kind", "phase"]))
        value = getattr(row, field)
        needle = value if isinstance(value, bytes) else value.encode()
        content = bytearray(whole.read_bytes())
        start = content.find(needle) if field in ("payload", "hash") else content.find(row.payload) - len(needle)
        if start < 0 or len(needle) > 1000:
            return
        place = start + data.draw(st.integers(0, len(needle) - 1))
        content[place] ^= 1 << data.draw(st.integers(0, 7))
        path.write_bytes(bytes(content))
        try:
            with SqliteStore(path) as opened:
                verdict = verify(opened, opened.find("last"))
        except StoreError as error:
            assert str(path) in str(error)
            return
        assert verdict.status == "mismatch"
        assert verdict.bad_seq or verdict.problem


def test_a_prefix_is_incomplete_and_resumes_to_the_same_bytes(store):
    whole = small().run(store)
    run, total = whole.name, len(whole.log)
    for keep in (1, 2, total // 2, total - 1):
        cut(store.path, run, keep)
        verdict = verify(store, store.find(run))
        assert (verdict.status, verdict.bad_seq) == ("incomplete", None)
        assert f"run --resume {run}" in verdict.problem
        resumed = resume(store, store.find(run))
        assert (resumed.head_hash, len(resumed.log)) == (whole.head_hash, total)
        assert verify(store, store.find(run)).status == "ok"


def test_a_finished_run_has_nothing_to_resume(store):
    small().run(store)
    with pytest.raises(StoreError, match="nothing to resume"):
        resume(store, store.find("last"))


def test_a_prefix_that_was_altered_is_not_resumed(store):
    run = small().run(store).name
    cut(store.path, run, 50)
    edit(store.path, "UPDATE records SET day = day + 1 WHERE seq = 40")
    with pytest.raises(Exception, match="record 40"):
        resume(store, store.find(run))
    assert store.find(run).records == 50


def test_a_prefix_from_other_code_is_named_and_left_as_it_is(store, monkeypatch):
    run = small().run(store).name
    cut(store.path, run, 80)
    monkeypatch.setattr("fundclock.handlers.loans.claims.sale_weights", lambda a, ltv: (1, 0))
    monkeypatch.setattr("fundclock.handlers.loans.purchases.round", lambda x: round(x) + 1, raising=False)
    with pytest.raises(Mismatch, match="in the log but .* in the re-run"):
        resume(store, store.find(run))
    assert store.find(run).records == 80


def test_inputs_are_kept_so_that_a_run_verifies_after_its_files_have_moved(store, tmp_path):
    tape = tmp_path / "tape.csv"
    tape.write_text("loan_id,zone,principal,property_value,coupon,term_years\nA,green,100000,250000,0.05,10\n")
    small(**{"loans.tape": str(tape)}).run(store)
    tape.unlink()
    assert verify(store, store.find("last")).status == "ok"
    edit(store.path, "UPDATE inputs SET content = CAST('x' AS BLOB)")
    with pytest.raises(StoreError, match="the input 'tape.csv' is not what was kept"):
        verify(store, store.find("last"))


def test_the_log_does_not_depend_on_where_the_files_are(tmp_path):
    heads = set()
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        tape = tmp_path / folder / "tape.csv"
        tape.write_text("loan_id,zone,principal,property_value,coupon,term_years\nA,green,100000,250000,0.05,10\n")
        heads.add(small(**{"loans.tape": str(tape)}).run().head_hash)
    assert len(heads) == 1


def python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, timeout=PATIENCE,
        env={**os.environ, **environment},
    ).stdout.strip()  # fmt: skip


def test_the_head_hash_is_the_same_under_any_hash_seed():
    code = "from fundclock import Scenario; print(Scenario.load('base').with_(seed=7).run().head_hash)"
    heads = {python(code, PYTHONHASHSEED=seed) for seed in ("0", "1", "4242")}
    assert heads == {Scenario.load("base").with_(seed=7).run().head_hash}


SIZES = {"mean": 50e3, "sd": 10e3, "min": 20e3, "max": 100e3}
WRITE = f"""
import sys
from fundclock import Scenario

def month_by_month(day, last):
    print(day, flush=True)
    sys.stdin.readline()

Scenario.load("base").with_(seed=5, set={{"loans.size": {SIZES}}}).run(sys.argv[1], month_by_month)
"""


@pytest.fixture(scope="module")
def uninterrupted():
    return Scenario.load("base").with_(seed=5, set={"loans.size": SIZES}).run()


@pytest.mark.parametrize("months", [14, 40, 75])
def test_a_killed_run_leaves_a_valid_prefix_that_resumes_to_the_same_bytes(tmp_path, uninterrupted, months):
    path = tmp_path / "runs.db"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", WRITE, str(path)], stdin=pipe, stdout=pipe, cwd=ROOT) as process:
        for _ in range(months - 1):
            process.stdout.readline()
            process.stdin.write(b"\n")
            process.stdin.flush()
        process.stdout.readline()
        process.kill()  # it waits to be told to go on
    with SqliteStore(path) as store:
        info = store.find("last")
        assert info.status == "running"
        assert BATCH <= info.records < len(uninterrupted.log)
        assert verify(store, info).status == "incomplete"
        resumed = resume(store, info)
        assert resumed.head_hash == uninterrupted.head_hash
        assert verify(store, store.find("last")).status == "ok"


BANNED = re.compile(
    r"datetime\.(now|utcnow|today)|date\.today|\btime\.(time|monotonic|perf_counter)\(|uuid|^\s*(import|from) random\b"
    r"|np\.random\.(seed|rand|normal|random|default_rng|uniform)|\bfor \w+ in (set\(|\{[^:}]*\})",
    re.MULTILINE,
)


def test_nothing_below_app_reads_a_clock_or_draws_without_a_key():
    for folder in ("events", "handlers", "sim", "scenarios"):
        for path in (ROOT / folder).rglob("*.py"):
            found = BANNED.search(path.read_text())
            assert not found, f"{path.relative_to(ROOT)}: {found and found[0]}"


def test_an_interrupt_keeps_what_was_recorded(store):
    def stop(day, last):
        if day > 300:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small().run(store, stop)
    info = store.find("last")
    assert info.status == "interrupted"
    assert verify(store, info).status == "incomplete"
    assert resume(store, info).head_hash == small().run().head_hash


def test_a_run_does_not_touch_the_collector_for_longer_than_it_lasts():
    import gc

    before = gc.get_threshold()
    small().run()
    assert gc.get_threshold() == before
