"""Where the dollar-days go: a fund on paper, and identities over random funds."""

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fundclock import InvalidInput, Scenario, audit
from fundclock.events.dates import Calendar
from fundclock.events.state import State
from fundclock.scenarios.timing.cash_stays import CashStays
from fundclock.scenarios.timing.dollar_days import dollar_days
from fundclock.scenarios.timing.idle_cash import CALLED, DRAWN, OTHER, REASONS
from funds import day, fund, interrupted, of, quiet
from random_funds import ACTS, LEVERED, UNLEVERED

ROWS = [
    "A,green,1000000,2500000,0,30,2026-03-10,sale,1000000",
    "B,green,600000,1500000,0,30,2026-05-20,sale,50000",
    "C,green,400000,1000000,0,30,2026-09-15,sale,400000",
]
THREE = {
    "fund__term_years": 2,
    "fund__reinvestment_period_years": 1,
    "loans__size": {"mean": 500e3, "sd": 0, "min": 100e3, "max": 1e6},
    "reinvestment_engine__min_reinvestment_amount": 100_000,
    "exits__age_years": {"mean": 60, "sd": 0.1},
}
"""Three loans; checks at quarters' ends, a month's delay, nothing below 100,000 is lent, no loan is smaller."""


def in_dollars(run):
    return {reason: cents / 100 for reason, cents in dollar_days(run).by_reason().items()}


def test_three_loans_on_paper(tmp_path):
    """A: 10 Mar + a month = 10 Apr, lent 30 Jun. B: 20 May + a month = 20 Jun, seen on 30 Jun and left over (a loan of
    50,000 is too small), seen on 30 Sep and below the minimum, lent with C on 31 Dec. C: 15 Sep + a month = 15 Oct."""
    run = fund(tmp_path, ROWS, market__breaker__nav_fall=1, **THREE)
    assert in_dollars(run) == {
        "delay": 31 * 1_000_000 + 31 * 50_000 + 30 * 400_000,
        "awaiting_check": 81 * 1_000_000 + 10 * 50_000 + 77 * 400_000,
        "below_minimum": 92 * 50_000,
        "indivisible_remainder": 92 * 50_000,
    }
    assert dollar_days(run).total == run.state.ledger.cent_days(run.state.day) == 166_050_000_00


def test_three_loans_under_a_breaker_on_paper(tmp_path):
    """B's loss of 27.5 % trips the breaker on the evening of 30 Jun; it resets on 30 Dec. A reason comes from the state
    of the night: what the breaker holds is the breaker's, also while C's delay runs."""
    run = fund(tmp_path, ROWS, **THREE)
    assert [record.day for record in of(run, "breaker.tripped/1")] == [day("2026-06-30")]
    assert in_dollars(run) == {
        "breaker": 183 * 50_000 + 106 * 400_000,
        "delay": 31 * 1_000_000 + 31 * 50_000,
        "awaiting_check": 81 * 1_000_000 + 10 * 50_000 + 1 * 50_000 + 1 * 400_000,
    }


def test_sources_and_uses_on_paper(tmp_path):
    run = fund(tmp_path, ROWS, market__breaker__nav_fall=1, **THREE)
    found = audit(run).as_json()["dollar_days_by"]
    assert {(row["source"], row["use"]) for row in found} == {("exit", "loans")}
    (first, *_) = [stay for stay in dollar_days(run).stays if stay.cents == 1_000_000_00]
    assert (first.reason, first.first, first.last) == ("delay", day("2026-03-10"), day("2026-04-10"))
    by_seq = {record.seq: record for record in run.log}
    assert by_seq[first.origin].payload.loan_id == "A"
    assert by_seq[first.taker].kind == "capital.reinvested/1"


def test_what_waits_for_a_payment_day_waits_for_the_partners(tmp_path):
    """After the period a loan that pays on 10 Feb waits until the quarter's payment day, 31 Mar (a Wednesday)."""
    rows = ["A,green,1000000,2500000,0,30,2027-02-10,sale,1000000"]
    run = fund(tmp_path, rows, fund__term_years=2, fund__reinvestment_period_years=1)
    assert in_dollars(run) == {"awaiting_distribution": 49 * 1_000_000}
    assert dollar_days(run).table == {("exit", "awaiting_distribution", "distribution"): 49 * 1_000_000_00}


def test_reserve_and_suspension_are_reasons(tmp_path):
    script = [{"at": "2026-06-15", "do": {"suspend_reinvestment": {}}}]
    run = fund(tmp_path, ROWS, market__breaker__nav_fall=1, script=script, **THREE)
    found = in_dollars(run)
    assert found["declined"] > 90 * 1_000_000  # seen on 30 June and refused, until the period ends
    reserved = fund(
        tmp_path, ROWS, market__breaker__nav_fall=1, reinvestment_engine__enable_cash_reserve=True,
        reinvestment_engine__cash_reserve_min=0, **THREE,
    )  # fmt: skip
    assert in_dollars(reserved)["reserve"] > 0
    assert dollar_days(reserved).total == reserved.state.ledger.cent_days(reserved.state.day)


def test_a_check_marks_what_it_left_and_nothing_else():
    """A manual reinvestment leaves 2,279.90; the millions beside it wait for the annual check as before."""
    script = [{"at": "2029-03-20", "do": {"reinvest": {"amount": 469_000}}}]
    changes = {"reinvestment_engine.reinvestment_frequency": "annual", "script": script}
    run = Scenario.load("base").with_(seed=1, set=changes).run()
    (carried,) = [r for r in of(run, "proceeds.carried/1") if r.day == day("2029-03-20")]
    left = [
        stay for stay in dollar_days(run).stays
        if stay.reason == "indivisible_remainder" and stay.first == carried.day
    ]  # fmt: skip
    assert sum(stay.cents for stay in left) == carried.payload.amount_cents
    levered = Scenario.load("levered").with_(seed=7).run()
    assert "declined" not in dollar_days(levered).by_reason()  # no check refused anything


def test_what_was_refused_waits_again_when_lending_resumes(tmp_path):
    script = [
        {"at": "2026-06-15", "do": {"suspend_reinvestment": {}}},
        {"at": "2026-07-15", "do": {"resume_reinvestment": {}}},
    ]
    run = fund(tmp_path, ROWS, market__breaker__nav_fall=1, script=script, **THREE)
    assert in_dollars(run)["declined"] == 15 * 1_050_000  # from 30 June until 15 July, by the state of the night


def test_no_room_by_the_market_is_a_refusal():
    changes = {
        "capital_allocation.strategy": "risk_parity",
        "script": [{"at": "2028-01-03", "do": {"set_volatility": "extreme"}}],
    }
    run = Scenario.load("base").with_(seed=7, set=changes).run()
    found = in_dollars(run)
    assert found["declined"] > 0
    cut = [record for record in of(run, "capital.reinvested/1") if record.payload.refused_cents]
    refused = [record for record in of(run, "reinvestment.declined/1") if record.payload.reason == "risk_multiplier"]
    assert cut or refused


def test_coupons_calls_and_yield_are_lots_too():
    run = Scenario.load("base").with_(seed=4, set={"loans.interest_payment": "cash"}).run()
    sources = {source for source, _, _ in dollar_days(run).table}
    assert {"exit", "coupon", "yield", "origination_fee"} <= sources


def check_evening(book, state):
    """Reasons are those of the evening's state: what lenders keep, hold back, what the breaker and the reserve hold."""
    by_reason = defaultdict(int)
    for part in book.all():
        by_reason[part.spans[-1][0]] += part.cents
    lendable = book.cents[OTHER] + book.cents["proceeds"] - state.ledger.reserve_cents
    assert by_reason["reserve"] == state.ledger.reserve_cents
    kept = min(state.facilities.kept_cents, book.cents[OTHER] + book.cents["proceeds"])
    assert by_reason["debt_service_buffer"] <= kept
    assert by_reason["debt_service_buffer"] >= min(kept - state.ledger.reserve_cents, lendable)
    holding, tripped = state.facilities.holds_cash_back, state.conditions.tripped
    if not holding:
        assert by_reason["sweep"] == 0
    else:
        assert by_reason["awaiting_distribution"] <= book.cents[CALLED]
        assert by_reason["delay"] == by_reason["awaiting_check"] == by_reason["uninvested_draw"] == 0
    if not tripped:
        assert by_reason["breaker"] == 0
    elif not holding:
        assert by_reason["delay"] == by_reason["awaiting_check"] == by_reason["uninvested_call"] == 0


def check_run(run):
    """The identity, and that pools stay what the state says they are."""
    found = dollar_days(run)
    assert found.total == found.cash_integral
    assert sum(found.by_reason().values()) == found.total == sum(found.table.values())
    assert set(found.by_reason()) <= set(REASONS)
    fold, state = CashStays(run.manifest.scenario), State()
    nightly = defaultdict(int)
    for stay in found.stays:
        assert stay.cents > 0
        assert stay.first < stay.last
        nightly[stay.first] += stay.cents
        nightly[stay.last] -= stay.cents
    level, evening = 0, 0
    records = list(run.log)
    for place, record in enumerate(records):
        fold.apply(record)
        state.fold([record])
        over = place + 1 == len(records) or records[place + 1].day > record.day
        if over:
            level += sum(nightly.pop(today, 0) for today in range(evening, record.day + 1))
            evening = record.day + 1
            if record.day < run.state.day:
                assert level == state.ledger.cash_cents + state.ledger.reserve_cents
                fold._close()
                assert fold.book.cents["proceeds"] == state.lots.cents
                assert fold.book.cents[DRAWN] == max(0, state.facilities.unlent_cents)
                called = max(0, state.capital.undeployed_cents) + state.capital.returning_cents
                assert fold.book.cents[CALLED] == called
                held = state.ledger.cash_cents + state.ledger.reserve_cents
                assert fold.book.cents[OTHER] == held - called - state.lots.cents - fold.book.cents[DRAWN]
                check_evening(fold.book, state)
    data = audit(run).as_json()
    for table in data["waits"].values():
        assert table["dollar_days"] == table["integral"]
    promised = sum(row["promises"] for row in data["promises"].values())
    assert promised == len(of(run, "command.scheduled/1"))


@given(UNLEVERED, st.integers(0, 2**32))
@settings(max_examples=40)
def test_dollar_days_are_the_cash_integral_exactly(changes, seed):
    check_run(Scenario.load("base").with_(seed=seed, set=changes).run())


@given(LEVERED, ACTS, st.integers(0, 2**32))
@settings(max_examples=40)
def test_so_they_are_with_debt_and_scripts(changes, script, seed):
    start = Scenario.from_dict({}).with_(set={"fund.start_date": changes["fund.start_date"]}).resolve().fund.start_date
    calendar = Calendar(start)
    entries = [{"at": calendar.date(when).isoformat(), "do": do} for when, do in script]
    changes = {**changes, "leverage.enabled": True, "script": entries}
    try:
        run = Scenario.from_dict({}).with_(seed=seed, set=changes).run()
    except InvalidInput:  # the script contradicts itself
        return
    check_run(run)


@pytest.mark.parametrize("name", ["base", "levered", "crash", "instant"])
def test_so_they_are_in_the_shipped_funds(name):
    check_run(Scenario.load(name).with_(seed=7).run())


def test_an_unfinished_log_adds_up_as_far_as_it_goes(store):

    run = interrupted(store, Scenario.load("base").with_(seed=7), 900)
    found = dollar_days(run)
    assert found.total == found.cash_integral
    assert "held" in {use for _, _, use in found.table}


def test_indicative_carry_on_paper(tmp_path):
    """One loan of 1 m at 5 %; 1 m of proceeds waits 31 + 81 nights while 1 m is lent at 5 %: 112/365 of 50,000."""
    rows = [
        "A,green,1000000,2500000,0.05,30,2026-03-10,sale,1000000",
        "B,green,1000000,2500000,0.05,30,,,",
    ]
    settings_ = {**THREE, "exits__age_years": {"mean": 60, "sd": 0.1}, "market__breaker__nav_fall": 1}
    run = fund(tmp_path, rows, **settings_)
    found = audit(run)
    waited = found.dollar_days.by_reason()
    assert waited["delay"] + waited["awaiting_check"] == 112 * 1_000_000_00
    assert found.carry["delay"] == round(31 * 1_000_000_00 * 0.05 / 365)
    assert found.carry["awaiting_check"] == pytest.approx(81 * 1_000_000_00 * 0.05 / 365, abs=1)


def test_carry_of_what_waits_for_a_payment_day_is_the_hurdle(tmp_path):
    """1 m waits 49 nights for 31 March at a hurdle of 8 %; the fund's cash earns 4 % (ACT/365)."""
    rows = ["A,green,1000000,2500000,0.05,30,2027-02-10,sale,1000000"]
    rate = {"model": "constant", "initial": 0.04, "floor": 0}
    run = fund(
        tmp_path, rows, fund__term_years=2, fund__reinvestment_period_years=1, waterfall__hurdle=0.08,
        market__base_rate=rate, fund__cash_yield_spread_bps=0,
    )  # fmt: skip
    found = audit(run)
    assert found.dollar_days.by_reason()["awaiting_distribution"] >= 49 * 1_000_000_00
    assert found.carry["awaiting_distribution"] == pytest.approx(49 * 1_000_000_00 * (0.08 - 0.04) / 365, rel=2e-3)


def test_carry_is_less_what_cash_earned():
    run = quiet(
        fund__cash_yield_spread_bps=0,
        market__base_rate={"model": "constant", "initial": 0.04},
        zones__green__series=None,
    ).run()
    found = audit(run)
    earned = sum(record.payload.amount_cents for record in of(run, "cash_interest.received/1"))
    lay = found.dollar_days.total
    assert earned == pytest.approx(lay * 0.04 / 365, rel=1e-3)
