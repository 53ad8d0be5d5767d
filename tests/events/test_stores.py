import gc
import hashlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from fundclock.events.facts import ProceedsReleased, ReinvestmentResumed
from fundclock.events.integrity import check_chain
from fundclock.events.record import FIRST_HASH, Record, chain
from fundclock.events.stores.memory import MemoryLog
from fundclock.events.stores.sqlite import BATCH, SqliteStore
from fundclock.events.stores.store import DamagedLog, InputFile, StoreError, UnknownRun

TAPE = b"loan_id\n"
INPUT = InputFile(hashlib.sha256(TAPE).hexdigest(), "tape.csv", TAPE)


def batch(first, count, head=FIRST_HASH):
    records, payloads, hashes = [], [], []
    for seq in range(first, first + count):
        fact = ProceedsReleased(lot=seq, amount_cents=seq * 100) if seq % 2 else ReinvestmentResumed()
        record = Record(
            seq=seq, day=seq // 3, phase="market", kind=fact.kind, cause=seq - 1 or None, correlation=1, payload=fact
        )
        head = chain(head, record.line())
        records.append(record)
        payloads.append(fact.to_json())
        hashes.append(head)
    return records, payloads, hashes


def filled(store, count=10, status="finished", name="base-1"):
    writer = store.begin(name, "base", 7, [INPUT])
    made = batch(1, count)
    writer.append(made[0])
    writer.close(status)
    return writer.run, made


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_what_goes_in_comes_out(store, kind):
    records, _, hashes = batch(1, 25)
    if kind == "memory":
        log = MemoryLog()
        log.append(records)
    else:
        log = store.log(filled(store, 25)[0])
    assert [row.hash for row in store.rows("base-1")] in ([], hashes)
    assert len(log) == 25
    assert list(log) == records
    assert list(log.read(after=20)) == records[20:]
    assert [r.seq for r in log.read(kinds=["proceeds.released/1"], limit=3)] == [1, 3, 5]
    assert list(log.read(limit=0)) == []
    assert [r.seq for r in log.read(after=4, kinds=["proceeds.released/1", "reinvestment.resumed/1"], limit=2)] == [
        5,
        6,
    ]


def test_records_wait_for_a_full_transaction_and_the_head_moves_with_them(store):
    writer = store.begin("base-1", "base", 7, [])
    first = batch(1, 300)
    writer.append(first[0])
    assert store.find("last").records == 300  # the first batch is on disk at once
    made = batch(301, BATCH - 1, first[2][-1])
    writer.append(made[0])
    assert store.find("last").records == 300
    more = batch(300 + BATCH, 1, made[2][-1])
    writer.append(more[0])
    writer.seal()
    info = store.find("last")
    assert (info.records, info.head_hash, info.status) == (300 + BATCH, more[2][-1], "running")
    writer.close("finished")
    assert store.find("last").status == "finished"
    check_chain(store.rows("base-1"), store.find("last"))


def test_the_log_and_the_inputs_refuse_update_and_delete(store):
    run, _ = filled(store)
    raw = sqlite3.connect(store.path)
    for statement in (
        "UPDATE records SET day = 5 WHERE seq = 2",
        "DELETE FROM records WHERE seq = 2",
        "UPDATE inputs SET name = 'x'",
        "DELETE FROM inputs",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            raw.execute(statement)
    with pytest.raises(sqlite3.IntegrityError):
        raw.execute("INSERT INTO records SELECT * FROM records WHERE run = ?", (run,))
    raw.close()


def test_the_tables_are_strict_and_wal(store):
    filled(store)
    raw = sqlite3.connect(store.path)
    assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    with pytest.raises(sqlite3.IntegrityError, match="cannot store TEXT value in INTEGER column"):
        raw.execute("INSERT INTO records VALUES ('x', 'one', 0, '', '', NULL, 1, '', '')")
    columns = [row[1] for row in raw.execute("PRAGMA table_info(records)")]
    assert columns == ["run", "seq", "day", "phase", "kind", "cause", "correlation", "payload", "hash"]
    assert raw.execute("SELECT payload ->> 'amount_cents' FROM records WHERE seq = 3").fetchone() == (300,)
    raw.close()


def test_several_runs_share_a_file_and_names_stay_unique(store):
    names = [filled(store, 3)[0] for _ in range(3)]
    assert names == ["base-1", "base-1-2", "base-1-3"]
    assert [info.run for info in store.runs()] == names
    assert store.find("last").run == "base-1-3"
    assert store.find("base-1").run == "base-1"
    assert store.find("base-1-2").run == "base-1-2"
    filled(store, 3, name="other")
    assert store.find("oth").run == "other"
    with pytest.raises(UnknownRun, match="3 runs start with this: 'base'"):
        store.find("base")
    with pytest.raises(UnknownRun, match="no run has this name: 'nope'"):
        store.find("nope")


def test_a_run_has_one_writer(store):
    writer = store.begin("base-1", "base", 7, [])
    made = batch(1, 10)
    writer.append(made[0])
    writer.close("interrupted")
    with SqliteStore(store.path) as beside:
        first, second = store.resume("base-1"), beside.resume("base-1")
        more = batch(11, 5, made[2][-1])
        first.append(more[0])
        first.close("finished")
        other = batch(11, 6, made[2][-1])
        second.append(other[0])
        with pytest.raises(StoreError, match="another process is writing run base-1"):
            second.close("finished")
    assert store.find("base-1").records == 15


def test_inputs_are_kept_once_and_found_by_digest(store):
    filled(store)
    filled(store)
    assert store.input(INPUT.digest).content == TAPE
    with pytest.raises(StoreError, match="is missing"):
        store.input("f" * 64)


def test_a_store_of_a_newer_version_another_file_and_a_lock_are_told_apart(tmp_path, store):
    filled(store)
    raw = sqlite3.connect(store.path, isolation_level=None)
    raw.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="has version 99, this Fundclock reads up to 1"):
        SqliteStore(store.path)
    raw.execute("PRAGMA user_version = 1")
    raw.execute("BEGIN EXCLUSIVE")
    impatient = SqliteStore.__new__(SqliteStore)
    with pytest.raises(StoreError, match="another process holds it locked"):
        impatient.__init__(store.path, wait_seconds=0.05)
        impatient.begin("x", "x", 1, [])
    raw.execute("ROLLBACK")
    raw.close()
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as raw:
        raw.execute("CREATE TABLE t (x)")
    with pytest.raises(StoreError, match="is not a Fundclock store"):
        SqliteStore(other)
    words = tmp_path / "words.txt"
    words.write_text("not a database at all, but long enough to be looked at" * 20)
    with pytest.raises(StoreError, match="file is not a database"):
        SqliteStore(words)
    with pytest.raises(StoreError, match="there is no store at"):
        SqliteStore(tmp_path / "none.db", create=False)
    with pytest.raises(StoreError, match="unable to open"):
        SqliteStore(tmp_path / "no" / "folder.db")


def is_closed(connection):
    try:
        connection.execute("SELECT 1")
    except sqlite3.ProgrammingError as error:
        return "closed" in str(error)
    return False


def test_whoever_opens_a_store_closes_it(tmp_path):
    with SqliteStore(tmp_path / "runs.db") as store:
        filled(store)
        connection = store._db
        assert not is_closed(connection)
    assert is_closed(connection)
    store.close()  # once more is no matter
    with pytest.raises(StoreError, match="closed"):
        store.runs()


def test_one_that_can_not_be_opened_is_not_left_open(tmp_path, monkeypatch):
    made = []
    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *words, **more: made.append(real(*words, **more)) or made[-1])
    (tmp_path / "words.txt").write_text("not a database at all, but long enough to be looked at" * 20)
    with pytest.raises(StoreError, match="file is not a database"):
        SqliteStore(tmp_path / "words.txt")
    assert [is_closed(connection) for connection in made] == [True]


def test_a_store_that_was_handed_on_is_closed_when_nobody_holds_it_any_more(tmp_path):
    def run_of():
        store = SqliteStore(tmp_path / "runs.db")
        return store.log(filled(store)[0])

    gc.disable()  # no cycle may keep it
    try:
        log = run_of()
        connection = log.store._db
        first = next(iter(log))
        assert (first.seq, is_closed(connection)) == (1, False)
        reading = iter(log)
        next(reading)
        del log
        assert not is_closed(connection)  # who reads holds it too
        del reading
        assert is_closed(connection)
    finally:
        gc.enable()


def test_it_is_closed_in_whichever_thread_lets_go_of_it(tmp_path):
    with ThreadPoolExecutor(1) as thread:
        held = [thread.submit(SqliteStore, tmp_path / "runs.db").result()]
        connection = held[0]._db
        run, made = filled(held[0])
        assert list(held[0].log(run)) == made[0]
        held.clear()
        assert thread.submit(is_closed, connection).result()


def test_a_full_disk_keeps_what_was_recorded(store):
    writer = store.begin("base-1", "base", 7, [])
    made = batch(1, BATCH)
    writer.append(made[0])
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="the disk is full"):
        for _ in range(5):
            made = batch(made[0][-1].seq + 1, BATCH, made[2][-1])
            writer.append(made[0])
    info = store.find("base-1")
    check_chain(store.rows("base-1"), info)
    assert info.records >= BATCH


def raw_edit(path, statement, *values):
    raw = sqlite3.connect(path)
    raw.execute("DROP TRIGGER records_are_never_updated")
    raw.execute("DROP TRIGGER records_are_never_deleted")
    raw.execute(statement, values)
    raw.commit()
    raw.close()


@pytest.mark.parametrize(
    ("statement", "seq", "says"),
    [
        (
            "UPDATE records SET payload = replace(payload, '500', '501') WHERE seq = 5",
            5,
            "does not match its stored hash",
        ),
        ("UPDATE records SET day = day + 1 WHERE seq = 4", 4, "does not match its stored hash"),
        ("UPDATE records SET phase = 'exits' WHERE seq = 4", 4, "does not match its stored hash"),
        ("UPDATE records SET kind = 'loan.exited/1' WHERE seq = 4", 4, "does not match its stored hash"),
        ("UPDATE records SET cause = NULL WHERE seq = 7", 7, "does not match its stored hash"),
        ("UPDATE records SET correlation = 2 WHERE seq = 7", 7, "does not match its stored hash"),
        ("UPDATE records SET hash = replace(hash, 'a', 'b') WHERE seq = 6", 6, "does not match its stored hash"),
        ("DELETE FROM records WHERE seq = 6", 6, "is missing; the next one stored is 7"),
        ("DELETE FROM records WHERE seq >= 8", 8, "is missing: 10 records were written, 7 are stored"),
        ("UPDATE records SET run = 'x' WHERE seq = 3", 3, "is missing; the next one stored is 4"),
        ("UPDATE runs SET head_hash = 'x'", 10, "does not match the head hash in the run's row"),
        ("UPDATE runs SET records = 12", 11, "is missing: 12 records were written"),
    ],
)
def test_every_alteration_names_the_first_bad_record(store, statement, seq, says):
    run, _ = filled(store)
    raw_edit(store.path, statement)
    with pytest.raises(DamagedLog, match=says) as caught:
        check_chain(store.rows(run), store.find(run))
    assert caught.value.seq == seq
