"""What must hold after every record of any fund."""

import gc
import math
import weakref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fundclock import Scenario
from fundclock.events.facts import LoanExited, LoanOriginated, LoanRecovered
from fundclock.events.postings import POSTINGS
from fundclock.events.replay import replay
from fundclock.events.state import State
from fundclock.events.units import to_cents
from random_funds import UNLEVERED


@given(UNLEVERED, st.integers(0, 2**32))
@settings(max_examples=40)
def test_every_record_leaves_a_fund_that_can_be(changes, seed):
    run = Scenario.from_dict({}).with_(seed=seed, set=changes).run()
    state = State()
    nights = 0
    idle, last_day, bought = 0, 0, {}
    period_end = run.state.lots.period_over
    for record in run.log:
        assert record.day >= last_day
        nights += idle * (record.day - last_day)
        state.apply(record)
        fact = record.payload
        legs = POSTINGS[type(fact)](fact) if type(fact) in POSTINGS else ()
        assert sum(cents for _, cents in legs) == 0
        assert sum(state.ledger.balances.values()) == 0
        assert state.ledger.cash_cents >= 0
        assert state.ledger.reserve_cents >= 0
        lots = state.lots
        assert lots.eligible_cents + lots.waiting_cents == sum(lot.cents for lot in lots.lots.values())
        assert lots.eligible_cents <= state.ledger.cash_cents + state.ledger.reserve_cents
        assert lots.in_cash_cents <= state.ledger.cash_cents
        called = state.capital.called
        assert called["fees"] + called["reserve"] <= round(changes["fund.size"] * 0.08) * 100
        assert sum(called.values()) <= changes["fund.size"] * 100
        assert lots.reserved_cents == state.ledger.reserve_cents <= lots.eligible_cents
        if isinstance(fact, LoanOriginated):
            bought[fact.loan_id] = record.day
        elif isinstance(fact, LoanExited | LoanRecovered):
            assert fact.held_days == record.day - bought.pop(fact.loan_id)
            assert fact.proceeds_cents == fact.principal_cents + fact.interest_cents + fact.gain_cents
            assert 0 <= fact.proceeds_cents <= fact.claim_cents
        idle, last_day = state.ledger.cash_cents + state.ledger.reserve_cents, record.day
    assert period_end
    assert not bought
    assert state.ledger.reserve_cents == 0
    assert nights == state.ledger.cent_days(last_day)
    assert not state.agenda.pending
    zero = {a: c for a, c in state.ledger.balances.items() if a.startswith(("Assets:", "Liabilities:"))}
    assert not any(zero.values())
    assert state.digest() == run.state.digest()


@given(UNLEVERED, st.integers(0, 2**32))
@settings(max_examples=25)
def test_no_proceeds_are_lent_before_their_delay_or_after_the_period(changes, seed):
    scenario = Scenario.from_dict({}).with_(seed=seed, set=changes)
    run = scenario.run()
    calendar, fund = scenario.resolve().calendar(), scenario.resolve().fund
    period_end = calendar.add_months(0, fund.reinvestment_period_years * 12)
    delay = scenario.resolve().reinvestment_engine.reinvestment_delay
    received, given_out = {}, {}
    for record in run.log:
        fact = record.payload
        cents = getattr(fact, "proceeds_cents", None) or (
            fact.amount_cents if record.kind == "loan_interest.paid/1" else 0
        )
        if cents:
            received[record.seq] = (calendar.add_months(record.day, delay), cents)
        if record.kind == "reserve.filled/1" and fact.source == "call":
            received[record.seq] = (record.day, fact.amount_cents)
        if record.kind == "capital.reinvested/1":
            assert record.day < period_end
            assert sum(cents for _, cents in fact.lots) == sum(fact.by_source.values()) == fact.amount_cents
            fee = round(0.03 * fact.amount_cents) if changes["fees.origination_payer"] == "fund" else 0
            assert fact.amount_cents + fee + fact.carried_cents == fact.offered_cents
            assert math.fsum(fact.actual.values()) == pytest.approx(1)
            assert math.fsum(fact.target.values()) == pytest.approx(1)
            assert min(fact.target.values()) >= 0
            assert all(fact.actual[zone] == 0 for zone, share in fact.target.items() if share == 0)
            for lot, part in fact.lots:
                day, whole = received[lot]
                assert record.day >= day
                given_out[lot] = given_out.get(lot, 0) + part
                assert given_out[lot] <= whole


@given(UNLEVERED, st.integers(0, 2**32))
@settings(max_examples=25)
def test_lots_in_are_lots_out_and_lots_held(changes, seed):
    """Every cent of every lot is lent, paid for fees, given to the partners, or still there: after every record."""
    run = Scenario.from_dict({}).with_(seed=seed, set=changes).run()
    state = State()
    came = went = recycled = 0
    for record in run.log:
        fact = record.payload
        held = {seq: lot.cents for seq, lot in state.lots.lots.items()}
        state.apply(record)
        match record.kind:
            case "loan.exited/1" | "loan.recovered/1":
                came += 0 if state.lots.period_over else fact.proceeds_cents
            case "loan_interest.paid/1":
                came += 0 if state.lots.period_over else fact.amount_cents
            case "reserve.filled/1":
                came += fact.amount_cents if fact.source == "call" else 0
            case "capital.reinvested/1" | "fees.paid/1":
                went += sum(cents for _, cents in fact.lots)
            case "reserve.released/1":
                went += fact.amount_cents if fact.purpose == "distribution" else 0
            case "reinvestment.declined/1":
                went += fact.amount_cents if fact.lot is not None else 0
            case "reinvestment_period.ended/1":
                assert fact.amount_cents == sum(held.values())
                went += fact.amount_cents
        if record.kind == "capital.reinvested/1":
            recycled += sum(cents for source, cents in fact.by_source.items() if source != "call")
        if not state.lots.period_over:
            waiting = sum(lot.cents for lot in state.lots.lots.values() if lot.source != "call")
            assert state.lots.accepted_cents == recycled + waiting
        assert came == went + state.lots.cents == went + sum(lot.cents for lot in state.lots.lots.values())
    assert came == went


@given(UNLEVERED, st.integers(0, 2**32))
@settings(max_examples=25)
def test_the_reserve_keeps_its_band(changes, seed):
    """Never above its maximum at a day's end; nothing is lent that would take it below its target."""
    changes = {**changes, "reinvestment_engine.enable_cash_reserve": True}
    scenario = Scenario.from_dict({}).with_(seed=seed, set=changes)
    run = scenario.run()
    engine, size = scenario.resolve().reinvestment_engine, scenario.resolve().fund.size
    target, most = (to_cents(size * share) for share in (engine.cash_reserve_target, engine.cash_reserve_max))
    state = State()
    day = 0
    for record in run.log:
        if record.day > day:
            assert state.ledger.reserve_cents <= most
            day = record.day
        state.apply(record)
        fact = record.payload
        if record.kind.startswith("reserve."):
            assert fact.reserve_cents == state.ledger.reserve_cents
            if fact.kind == "reserve.released/1" and fact.purpose == "reinvestment":
                assert fact.reserve_cents >= target
            if fact.kind == "reserve.released/1" and fact.purpose == "distribution":
                assert fact.reserve_cents == most


def test_a_replay_reaches_the_state_of_the_run(base_run):
    assert replay(base_run.log).digest() == base_run.state.digest()


def test_a_replay_as_of_a_day_is_the_state_at_its_end(base_run):
    day = 1000
    early = replay(base_run.log, day)
    by_hand = State()
    for record in base_run.log:
        if record.day <= day:
            by_hand.apply(record)
    assert early.digest() == by_hand.digest()
    assert early.digest() != base_run.state.digest()


def test_the_book_counts_what_the_log_counts(base_run):
    kinds = [record.kind for record in base_run.log]
    assert base_run.metrics["loans_originated"] == kinds.count("loan.originated/1")
    assert base_run.metrics["loans_exited"] == kinds.count("loan.exited/1")
    assert base_run.metrics["loans_defaulted"] == kinds.count("loan.defaulted/1")


def test_net_asset_value_moves_only_by_income_and_by_partners(base_run):
    """Assets less liabilities equal what partners put in less what they took, plus income, after every record."""
    state = State()
    for record in base_run.log:
        state.apply(record)
        others = sum(c for a, c in state.ledger.balances.items() if a.startswith(("Equity:", "Income:", "Expenses:")))
        assert state.ledger.nav_cents() == -others


def test_the_valuation_of_every_quarter_is_the_sum_over_living_loans(base_run):
    state = State()
    for record in base_run.log:
        state.apply(record)
        if record.kind == "book.valued/1":
            fact = record.payload
            assert sum(fact.loans.values()) == state.book.performing + state.book.in_recovery
            book = {a: c for a, c in state.ledger.balances.items() if a.startswith("Assets:Loans:")}
            assert sum(book.values()) == sum(fact.value_cents.values())
            assert book["Assets:Loans:Cost"] == sum(fact.principal_cents.values())


def test_a_policy_moves_no_draw_of_a_loan_that_exists_in_both_runs(base_run):
    slow = Scenario.load("base").with_(seed=7, set={"reinvestment_engine.reinvestment_delay": 6}).run()

    def drawn(run):
        return {
            r.payload.loan_id: (
                r.payload.coupon,
                r.payload.exit_threshold,
                r.payload.default_threshold,
                r.payload.kind_draw,
            )
            for r in run.log.read(kinds=["loan.originated/1"])
        }

    fast, late = drawn(base_run), drawn(slow)
    both = fast.keys() & late.keys()
    assert len(both) > 300
    assert all(fast[loan] == late[loan] for loan in both)


def test_an_unrelated_loan_exits_on_the_same_day_whatever_the_delay(base_run):
    slow = Scenario.load("base").with_(seed=7, set={"reinvestment_engine.reinvestment_delay": 6}).run()

    def ends(run):
        deployed = {
            r.payload.loan_id for r in run.log.read(kinds=["loan.originated/1"]) if r.payload.source == "deployment"
        }
        return {
            r.payload.loan_id: r.day for r in run.log.read(kinds=["loan.exited/1"]) if r.payload.loan_id in deployed
        }

    assert ends(base_run) == ends(slow)


def test_small_checks_keep_to_the_target_shares_over_time():
    run = Scenario.load("instant").with_(seed=7).run()
    bought = dict.fromkeys(("green", "orange", "red"), 0)
    for record in run.log.read(kinds=["loan.originated/1"]):
        if record.payload.source == "reinvestment":
            bought[record.payload.zone] += record.payload.principal_cents
    total = sum(bought.values())
    for zone, target in (("green", 0.45), ("orange", 0.35), ("red", 0.2)):
        assert bought[zone] / total == pytest.approx(target, abs=0.01)


def test_a_decision_does_not_know_the_next_knot(tmp_path):
    """Two index files that agree until June 2005 give the same records until then."""

    def until_june(level):
        quarters = [(2003, 1), (2003, 2), (2003, 3), (2003, 4), (2004, 1), (2004, 2), (2004, 3), (2004, 4), (2005, 1)]
        rows = [f"XX,{year},{quarter},100,100" for year, quarter in quarters]
        rows += [
            f"XX,{year},{quarter},{level},100" for year in range(2005, 2009) for quarter in range(1 + (year == 2005), 5)
        ]
        path = tmp_path / f"{level}.csv"
        path.write_text("state,yr,qtr,index_nsa,index_sa\n" + "\n".join(rows) + "\n")
        changes = {
            "fund": {
                "start_date": "2005-04-01",
                "term_years": 3,
                "reinvestment_period_years": 1,
                "deployment_months": 2,
            },
            "market.index_file": str(path),
            "zones": {name: {"series": "XX", "default_rate": 2} for name in ("green", "orange", "red")},
            "loans.ltv": {"mean": 0.9, "sd": 0.01, "min": 0.5, "max": 1},
        }
        run = Scenario.from_dict({}).with_(seed=3, set=changes).run()
        # money follows the valuation, which interpolates; who ends when, and what is known, may not
        ends = [
            (r.day, r.kind, r.payload.loan_id)
            for r in run.log
            if r.kind in ("loan.defaulted/1", "loan.exited/1") and r.day < 90
        ]
        moved = [r.payload for r in run.log.read(kinds=["market.moved/1"]) if r.day < 90]
        return ends, moved

    low, high = until_june(100), until_june(300)
    assert low[0]
    assert low == high


def test_a_minimum_hold_is_a_minimum(tmp_path):
    changes = {"exits": {"age_years": {"mean": 1, "sd": 0.05}, "min_hold_years": 1}}
    run = Scenario.load("base").with_(seed=7, set=changes).run()
    held = [r.payload.held_days for r in run.log.read(kinds=["loan.exited/1"]) if r.payload.exit_kind != "fund_end"]
    assert min(held) >= 365
    assert len(held) > 500


@pytest.mark.parametrize("name", ["base", "levered"])
def test_a_run_is_freed_when_nobody_holds_it(name):
    """Thousands of paths are played in one process; Python looks for cycles too seldom to find theirs."""
    gc.collect()
    gc.disable()
    try:
        run = Scenario.load(name).with_(seed=7, set={"fund.size": 3e6, "fund.term_years": 5}).run()
        held = [weakref.ref(part) for part in (run.log, run.state, run.state.book, run.state.facilities)]
        del run
        assert [ref() for ref in held] == [None] * len(held)
    finally:
        gc.enable()
