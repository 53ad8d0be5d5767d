"""Two runs against each other."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fundclock import Scenario
from fundclock.scenarios.comparisons.diff import CHANGES, diff
from funds import day, interrupted, of

DELAY = "reinvestment_engine.reinvestment_delay"


@pytest.fixture(scope="module")
def late(base_run):
    return base_run.fork("2028-03-31", set={DELAY: 3})


def test_a_run_and_itself_are_the_same(base_run):
    found = diff(base_run, base_run.fork("2030-01-01"))
    assert found.same
    assert found.first_difference is None
    assert found.settings == []
    assert found.kinds() == {}
    assert all(Decimal(row["delta"]) == 0 for row in found.money() + found.timing())


def test_a_fork_differs_from_its_first_record_on(base_run, late):
    found = diff(base_run, late)
    first, second = found.first_difference
    assert first.seq == second.seq == late.divergence_seq
    assert (first.kind, second.kind) == ("market.moved/1", "script.added/1")
    assert found.settings == []  # the same scenario: the intervention is in the log
    assert found.as_json()["same_scenario"] is True


def test_records_are_held_against_each_other_by_what_they_are_about(base_run, late):
    found = diff(base_run, late)
    exits = [{record.payload.loan_id: record.day for record in of(run, "loan.exited/1")} for run in (base_run, late)]
    pairs = {pair.key: pair for pair in found.pairs if pair.kind == "loan.exited/1"}
    assert pairs.keys() == exits[0].keys() | exits[1].keys()
    for key, pair in pairs.items():
        assert (pair.first and pair.first.day) == exits[0].get(key)
        assert (pair.second and pair.second.day) == exits[1].get(key)
        if pair.first and pair.second and pair.first.day != pair.second.day:
            assert pair.change == "moved"
    counts = found.kinds()["loan.exited/1"]
    both = exits[0].keys() & exits[1].keys()
    assert counts["moved"] == sum(exits[0][key] != exits[1][key] for key in both) > 50
    quarters = [pair for pair in found.pairs if pair.kind == "nav.reported/1"]
    assert all(pair.first.day == pair.second.day for pair in quarters)
    releases = {pair.key: pair for pair in found.pairs if pair.kind == "proceeds.released/1"}
    by_seq = {record.seq: record for record in base_run.log}
    for record in of(base_run, "proceeds.released/1"):
        origin = by_seq[record.payload.lot]
        pair = releases[f"{origin.kind} {origin.payload.loan_id}"]
        assert pair.first == record
        if record.day > day("2028-05-01") and pair.second is not None:
            assert pair.second.day > record.day  # two months later, for the same loan


def test_every_record_is_in_one_pair(base_run, late):
    found = diff(base_run, late)
    for side, run in (("first", base_run), ("second", late)):
        seqs = [record.seq for pair in found.pairs if (record := getattr(pair, side)) is not None]
        assert sorted(seqs) == list(range(1, len(run.log) + 1))
    counts = found.kinds()
    for kind, counted in counts.items():
        assert counted["same"] + counted["moved"] + counted["changed"] + counted["only_first"] == len(
            of(base_run, kind)
        )
        assert counted["same"] + counted["moved"] + counted["changed"] + counted["only_second"] == len(of(late, kind))
    assert set(next(iter(counts.values()))) == set(CHANGES)


@given(st.integers(0, 2**31), st.sampled_from([0, 2, 6]))
@settings(max_examples=10)
def test_money_differs_by_as_much_as_it_does(seed, delay):
    first = Scenario.load("base").with_(seed=seed).run()
    second = Scenario.load("base").with_(seed=seed, set={DELAY: delay}).run()
    found = diff(first, second)
    assert sum(Decimal(row["delta"]) for row in found.money()) == 0  # double entry, on both sides
    rows = {row["account"]: row for row in found.money()}
    assert Decimal(rows["Equity:LP:Distributions"]["first"]) == Decimal(first.metrics["distributed"])
    assert Decimal(rows["Equity:LP:Distributions"]["second"]) == Decimal(second.metrics["distributed"])
    timing = sum(Decimal(row["delta"]) for row in found.timing())
    idle = [Decimal(run.metrics["idle_dollar_days"]) for run in (first, second)]
    assert timing == idle[1] - idle[0]


def test_runs_of_different_scenarios_can_be_held_against_each_other(base_run):
    other = Scenario.load("levered").with_(seed=3, set={"fund.size": "60m"}).run()
    found = diff(base_run, other).as_json(5)
    assert found["same_scenario"] is False
    keys = {row["key"] for row in found["settings"]}
    assert {"name", "seed", "fund.size"} <= keys
    assert found["only_in_one_total"] > 5
    assert len(found["only_in_one"]) == 5
    assert {"facility.drawn/1"} <= set(found["kinds"])


def test_quarters_that_one_run_lacks_do_not_shift_the_others():
    """With facilities from the second year on there are quarters in one run only; the others are held by their day."""
    first = Scenario.load("base").with_(seed=3, set={"fund.distribution_frequency": "annual"}).run()
    second = Scenario.load("base").with_(seed=3, set={"fund.cash_yield_spread_bps": -10_000}).run()
    found = diff(first, second)  # no interest on cash in the second
    interest = [pair for pair in found.pairs if pair.kind == "cash_interest.received/1"]
    assert interest
    assert all(pair.change == "only_first" for pair in interest)
    third = Scenario.load("base").with_(seed=3, set={"market.base_rate.initial": "0.3%"}).run()
    for pair in diff(first, third).pairs:
        if pair.kind in ("cash_interest.received/1", "fee.accrued/1", "book.valued/1") and pair.first and pair.second:
            assert pair.first.day == pair.second.day


def test_one_log_may_go_on_where_the_other_ends(base_run, store):

    stopped = interrupted(store, Scenario.load("base").with_(seed=7), 900)
    found = diff(stopped, base_run)
    first, second = found.first_difference
    assert first is None
    assert second.seq == len(stopped.log) + 1
    assert all(pair.change in ("same", "only_second") for pair in found.pairs)


def test_numbers_of_records_are_no_difference(base_run):
    """An intervention that does nothing shifts all seqs that follow it; the promises of lots are the same all the same."""
    late = base_run.fork("2026-04-02", set={"reinvestment_engine.reinvestment_batch_size": 60})
    counts = diff(base_run, late).kinds()
    assert counts.get("command.scheduled/1", {}).get("changed", 0) == 0
    assert set(counts) == {"script.added/1", "command.scheduled/1", "config.changed/1"}
