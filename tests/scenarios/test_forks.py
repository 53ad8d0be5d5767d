"""Forks: the same bytes before the day, the same draws after it, and the intervention in between."""

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fundclock import InvalidInput, Run, Scenario
from fundclock.events.stores.sqlite import SqliteStore
from fundclock.scenarios.runs.forks import read_file
from fundclock.scenarios.runs.rerun import Mismatch
from fundclock.scenarios.runs.verify import resume, verify
from funds import day, interrupted, of

DELAY = "reinvestment_engine.reinvestment_delay"
AT = "2028-03-31"


@given(st.integers(0, 3000), st.integers(0, 2**31))
def test_a_fork_that_changes_nothing_is_its_parent(when, seed):
    run = Scenario.load("base").with_(seed=seed).run()
    same = run.fork(run_date(when))
    assert same.head_hash == run.head_hash
    assert same.divergence_seq is None
    assert [record.line() for record in same.log] == [record.line() for record in run.log]


def run_date(number):
    from funds import CALENDAR

    return CALENDAR.date(number)


@pytest.mark.parametrize("name", ["levered", "crash"])
def test_so_it_is_with_debt_and_scripts(name):
    run = Scenario.load(name).with_(seed=7).run()
    assert run.fork("2027-05-03").head_hash == run.head_hash


def test_settings_that_stand_so_already_change_nothing(base_run):
    assert base_run.fork(AT, set={DELAY: 1}).head_hash == base_run.head_hash
    assert base_run.fork(AT, set={"reinvestment_engine": {"reinvestment_delay": 1}}).head_hash == base_run.head_hash


def test_a_fork_shares_what_was_before_and_intervenes_in_the_morning(base_run):
    late = base_run.fork(AT, set={DELAY: 3})
    seq = late.divergence_seq
    mine, theirs = list(late.log), list(base_run.log)
    assert [record.line() for record in mine[: seq - 1]] == [record.line() for record in theirs[: seq - 1]]
    assert theirs[seq - 2].day < day(AT) <= theirs[seq - 1].day
    joined, promised, changed = mine[seq - 1 : seq + 2]
    assert (joined.kind, joined.day, joined.cause) == ("script.added/1", day(AT), None)
    assert (promised.kind, promised.cause, promised.payload.source) == ("command.scheduled/1", joined.seq, "fork1[0]")
    assert (changed.kind, changed.payload.previous, changed.day) == ("config.changed/1", {DELAY: 1}, day(AT))
    kept = {record.seq for record in theirs[: seq - 1] if record.kind == "command.scheduled/1"}
    due = {record.cause: record.day for record in mine if record.cause in kept and record.kind == "proceeds.released/1"}
    assert all(day_ == theirs[cause - 1].payload.due_day for cause, day_ in due.items())  # promises stand


def test_draws_of_what_exists_in_both_are_equal(base_run):
    late = base_run.fork("2027-01-15", set={DELAY: 4})
    loans = [
        {record.payload.loan_id: record.payload for record in of(run, "loan.originated/1")} for run in (base_run, late)
    ]
    both = loans[0].keys() & loans[1].keys()
    assert len(both) > 300
    for loan in both:
        first, second = loans[0][loan], loans[1][loan]
        for name in ("exit_threshold", "default_threshold", "kind_draw", "coupon"):
            assert first[name] == second[name]
        ltv = [one.principal_cents / one.property_value_cents for one in (first, second)]
        assert ltv[0] == pytest.approx(ltv[1], rel=1e-6)  # the last loan of a purchase is cut to the cash


def test_a_loan_that_has_nothing_to_do_with_it_keeps_its_exit_day(base_run):
    slow = Scenario.load("base").with_(seed=7, set={DELAY: 6}).run()
    first = {record.payload.loan_id: record.day for record in of(base_run, "loan.originated/1")}
    exits = [{record.payload.loan_id: record.day for record in of(run, "loan.exited/1")} for run in (base_run, slow)]
    deployed = [loan for loan in exits[0] if first[loan] < 300 and loan in exits[1]]
    assert len(deployed) > 150
    assert all(exits[0][loan] == exits[1][loan] for loan in deployed)


def test_forks_verify_and_fork_again(store):
    run = Scenario.load("levered").with_(seed=7).run(store)
    first = run.fork(
        AT, do=[{"shock_price": -0.1}, {"when": "cash > 3m", "do": {"suspend_reinvestment": {}}}], store=store
    )
    second = first.fork("2027-06-30", set={"reinvestment_engine.min_reinvestment_amount": "1m"}, store=store)
    for fork, parent in ((first, run), (second, first)):
        info = store.info(fork.name)
        assert (info.parent, info.divergence_seq) == (parent.name, fork.divergence_seq)
        verdict = verify(store, info)
        assert (verdict.status, verdict.checks["parent"], verdict.checks["rerun"]) == ("ok", "ok", "ok")
    assert [record.payload.entries for record in of(second, "script.added/1")][1] == of(first, "script.added/1")[
        0
    ].payload.entries
    again = Run.open(store, second.name).fork("2030-01-01", store=store)
    assert again.head_hash == second.head_hash
    assert store.info(again.name).divergence_seq is None


def test_a_fork_in_memory_is_the_fork_in_a_store(store):
    scenario = Scenario.load("base").with_(seed=3)
    assert (
        scenario.run().fork(AT, set={DELAY: 3}).head_hash
        == scenario.run(store).fork(AT, set={DELAY: 3}, store=store).head_hash
        == scenario.run(store).fork(AT, set={DELAY: 3}).head_hash
    )


def test_an_interrupted_fork_is_completed_by_resume(store, monkeypatch):
    run = Scenario.load("base").with_(seed=7).run(store)
    whole = run.fork(AT, set={DELAY: 3})

    def stop(today, last):
        if today > day("2030-01-01"):
            raise KeyboardInterrupt

    from fundclock.scenarios.runs.forks import fork

    with pytest.raises(KeyboardInterrupt):
        fork(run, AT, {DELAY: 3}, store=store, on_day=stop)
    info = store.find("last")
    assert (info.status, info.parent) == ("interrupted", run.name)
    assert resume(store, info).head_hash == whole.head_hash


def test_a_fork_interrupted_before_its_day_leaves_nothing(store):
    run = Scenario.load("base").with_(seed=7).run(store)

    def stop(today, last):
        raise KeyboardInterrupt

    from fundclock.scenarios.runs.forks import fork

    with pytest.raises(KeyboardInterrupt):
        fork(run, AT, {DELAY: 3}, store=store, on_day=stop)
    assert [info.run for info in store.runs()] == [run.name]


def test_a_parent_that_is_not_what_a_rerun_gives_is_refused_whole(store):
    run = Scenario.load("base").with_(seed=7).run(store)
    with closing(sqlite3.connect(store.path)) as raw, raw:
        raw.execute("DROP TRIGGER records_are_never_updated")
        raw.execute("UPDATE records SET hash = ? WHERE seq = 100", ("0" * 64,))
    with pytest.raises(Mismatch) as caught:
        run.fork(AT, set={DELAY: 3}, store=store)
    assert caught.value.seq == 100
    assert len(store.runs()) == 1


def test_a_lost_parent_is_named_and_the_fork_is_still_whole(store):
    run = Scenario.load("base").with_(seed=7).run(store)
    late = run.fork(AT, set={DELAY: 3}, store=store)
    with closing(sqlite3.connect(store.path)) as raw, raw:
        raw.execute("DROP TRIGGER records_are_never_deleted")
        raw.execute("DELETE FROM records WHERE run = ?", (run.name,))
        raw.execute("DELETE FROM runs WHERE run = ?", (run.name,))
    verdict = verify(store, store.info(late.name))
    assert verdict.status == "ok"
    assert verdict.checks["parent"] == f"{run.name} is not in this store; the run itself is complete"
    assert verdict.checks["rerun"] == "ok"


def test_a_parent_that_was_replaced_is_noticed(store):
    run = Scenario.load("base").with_(seed=7).run(store)
    late = run.fork(AT, set={DELAY: 3}, store=store)
    other = Scenario.load("base").with_(seed=8).run(store)
    with closing(sqlite3.connect(store.path)) as raw, raw:
        raw.execute("UPDATE runs SET parent = ? WHERE run = ?", (other.name, late.name))
    verdict = verify(store, store.info(late.name))
    assert (verdict.status, verdict.checks["parent"], verdict.bad_seq) == (
        "mismatch",
        "failed",
        late.divergence_seq - 1,
    )


@pytest.mark.parametrize(
    ("at", "changes", "do", "message"),
    [
        ("2036-01-01", {DELAY: 3}, [], "2036-01-01 is outside the fund's life, 2026-01-01 to 2035-12-31"),
        ("2025-12-31", {DELAY: 3}, [], "is outside the fund's life"),
        ("31.03.2028", {DELAY: 3}, [], "expected a date like 2028-03-31, got '31.03.2028'"),
        (AT, {"fund.size": 5}, [], "fund.size can't change during a run"),
        (AT, {"reinvestment_engine.reinvestment_dely": 5}, [], "unknown setting"),
        (AT, {DELAY: -1}, [], "greater than or equal to 0"),
        (AT, {}, [{"shock_prise": 5}], "unknown command 'shock_prise'; did you mean 'shock_price'?"),
        (AT, {}, [{"at": "2027-01-01", "do": {"shock_price": 0.1}}], "2027-01-01 is before the fork's day"),
        (AT, {}, [{"when": "nva > 1", "do": {"shock_price": 0.1}}], "unknown name 'nva'"),
        (AT, {DELAY: 3}, [{"set": {DELAY: 4}}], "contradicts do[0] on the same day"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_fork_is_said(base_run, at, changes, do, message):
    with pytest.raises(InvalidInput) as caught:
        base_run.fork(at, set=changes, do=do)
    assert message in str(caught.value)


def test_a_fork_may_not_contradict_the_script_of_its_day():
    script = [{"at": AT, "do": {"set": {DELAY: 2}}}]
    run = Scenario.load("base").with_(seed=7, set={"script": script}).run()
    with pytest.raises(InvalidInput) as caught:
        run.fork(AT, set={DELAY: 3})
    assert "contradicts script[0] on the same day" in str(caught.value)
    assert run.fork("2028-04-01", set={DELAY: 3}).divergence_seq is not None


def test_an_unfinished_run_can_be_forked_up_to_where_it_stops(store):

    stopped = interrupted(store, Scenario.load("base").with_(seed=7), day("2028-01-01"))
    with pytest.raises(InvalidInput) as caught:
        stopped.fork("2030-01-01", set={DELAY: 3})
    assert "is after the run's end; its log stops on" in str(caught.value)
    whole = Scenario.load("base").with_(seed=7).run().fork("2027-01-01", set={DELAY: 3})
    assert stopped.fork("2027-01-01", set={DELAY: 3}).head_hash == whole.head_hash


def test_files_of_entries_are_read_with_their_places(tmp_path):
    path = tmp_path / "acts.yaml"
    path.write_text("- shock_price: -20%\n- at: 2029-01-01\n  do: {suspend_reinvestment: {}}\n- shock_prise: 5%\n")
    document = read_file(path)
    run = Scenario.load("base").with_(seed=7).run()
    from fundclock.scenarios.runs.forks import fork

    with pytest.raises(InvalidInput) as caught:
        fork(run, AT, do=document)
    assert "acts.yaml:4:3: do.2" in str(caught.value)
    path.write_text("do: {shock_price: -20%}\n")
    assert of(fork(run, AT, do=read_file(path)), "price.shocked/1")[0].day == day(AT)


def first_difference(first, second):
    pairs = zip(first.log, second.log, strict=False)
    return next((a.seq for a, b in pairs if a.line() != b.line()), min(len(first.log), len(second.log)) + 1)


def test_the_divergence_is_the_first_record_that_differs(store):
    run = Scenario.load("base").with_(seed=7).run(store)
    once = run.fork(AT, set={DELAY: 3}, store=store)
    twice = once.fork(AT, set={"reinvestment_engine.min_reinvestment_amount": 5}, store=store)
    first = run.fork("2026-01-01", set={DELAY: 3}, store=store)
    for fork, parent in ((once, run), (twice, once), (first, run)):
        assert fork.divergence_seq == store.info(fork.name).divergence_seq == first_difference(parent, fork)
        assert verify(store, store.info(fork.name)).status == "ok"
    assert [record.payload.source for record in of(twice, "command.scheduled/1") if record.payload.source] == [
        "fork1[0]", "fork2[0]",
    ]  # fmt: skip


def test_setting_what_an_earlier_fork_of_the_day_has_set_changes_nothing(base_run):
    once = base_run.fork(AT, set={DELAY: 3})
    again = once.fork(AT, set={DELAY: 3})
    assert (again.divergence_seq, again.head_hash) == (None, once.head_hash)


def test_a_fork_of_an_unfinished_run_that_changes_nothing_goes_on_where_it_stops(store):

    stopped = interrupted(store, Scenario.load("base").with_(seed=7), 900)
    whole = stopped.fork("2027-01-01", store=store)
    assert whole.divergence_seq == len(stopped.log) + 1
    assert verify(store, store.info(whole.name)).status == "ok"
    assert whole.head_hash == Scenario.load("base").with_(seed=7).run().head_hash


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("suspend_reinvestment", 'do.0.do: expected a mapping of keys, got "suspend_reinvestment"'),
        ([1, 2], "do.0.do: expected a mapping of keys"),
        (None, "do.0.do: expected a mapping of keys, got null"),
        ({"do": 5}, "do.0.do: expected a mapping of keys, got 5"),
        ({"do": None}, "do.0.do: expected a mapping of keys, got null"),
        ({"when": "cash > 5m"}, "do.0.do: is missing"),
        ({"do": {"command": [1]}}, "unknown command '[1]'"),
        ({"reinvest": {"amount": "1m", "year": 1}}, "2027-01-01 is before the fork's day 2028-03-31"),
        ({"set": {}}, "expected settings like"),
    ],
)
def test_entries_that_can_not_be_are_refused(base_run, entry, message):
    with pytest.raises(InvalidInput) as caught:
        base_run.fork(AT, do=[entry])
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["", "5", "shock_price", "# nothing\n"])
def test_a_file_that_is_no_list_says_what_is_expected(tmp_path, text):
    path = tmp_path / "acts.yaml"
    path.write_text(text)
    with pytest.raises(InvalidInput, match="expected a list of script entries or commands"):
        read_file(path)


def test_settings_are_named_as_they_were_given(base_run):
    with pytest.raises(InvalidInput) as caught:
        base_run.fork(AT, set={DELAY: -1})
    assert "--set: reinvestment_engine.reinvestment_delay: input should be greater" in str(caught.value)


def test_what_comes_before_the_first_commit_of_a_fork_is_in_it(store, monkeypatch):
    """The first batch of a fork is on disk at once, with the prefix and the intervention."""
    from fundclock.events.stores.sqlite import SqliteStore as Store

    run = Scenario.load("base").with_(seed=7).run(store)
    written = []
    real = Store.commit

    def commit(self, run_, rows, before, head, status):
        written.append((before, len(rows)))
        return real(self, run_, rows, before, head, status)

    monkeypatch.setattr(Store, "commit", commit)
    late = run.fork("2027-01-15", set={DELAY: 3}, store=store)
    assert written[0][0] == 0
    assert written[0][1] > late.divergence_seq


def test_an_interrupt_while_a_fork_begins_is_an_interrupt(store, monkeypatch):
    run = Scenario.load("base").with_(seed=7).run(store)

    def begin(*words):
        raise KeyboardInterrupt

    monkeypatch.setattr(SqliteStore, "begin", begin)
    with pytest.raises(KeyboardInterrupt):
        run.fork(AT, set={DELAY: 3}, store=store)


def test_a_fork_is_written_while_others_write_to_the_same_store(store):
    from fundclock.scenarios.runs.forks import fork

    parent = Scenario.load("base").with_(seed=7).run(store)
    others = iter(range(1000))

    def on_day(_day, _last):  # somebody else's commit makes what the reader of the parent sees an older state
        with SqliteStore(store.path) as other:
            other.keep_cells([(f"cell{next(others)}", "{}")])

    made = fork(parent, "2028-03-31", {"reinvestment_engine.reinvestment_delay": 3}, store=store, on_day=on_day)
    assert len(made.log) == store.info(made.name).records
    assert next(others) > 50
