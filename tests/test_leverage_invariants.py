"""What must hold after every record of any fund with facilities."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from events.dates import Calendar
from events.postings import POSTINGS
from events.state import State
from funds import CALENDAR
from handlers.fund.purse import own_cash
from handlers.leverage.interest import Segment, simple_interest
from scenarios import Scenario

LINE, RAMP, OPTIMISER = "leverage.green_sleeve.", "leverage.ramp_line.", "leverage.optimization."

funds = st.fixed_dictionaries(
    {
        "fund.size": st.sampled_from([3e6, 2e7]),
        "fund.term_years": st.sampled_from([3, 5]),
        "fund.reinvestment_period_years": st.sampled_from([0, 1, 3]),
        "fund.start_date": st.sampled_from(["2026-01-01", "2028-02-29", "2026-05-17"]),
        "fund.wind_down_discount": st.sampled_from([0, 0.9]),
        "fund.fee_reserve": st.sampled_from([0, 0.08, 0.3]),
        "fund.recycle": st.sampled_from(["all", "principal"]),
        "loans.interest_payment": st.sampled_from(["capitalise", "cash"]),
        "loans.ltv": st.sampled_from([{"mean": 0.4}, {"mean": 0.7, "max": 0.85}]),
        "exits.age_years": st.sampled_from([{"mean": 1, "sd": 1}, {"mean": 4, "sd": 1.5}]),
        "zones.red.default_rate": st.sampled_from([0.025, 1.0]),
        "calls.notice_business_days": st.sampled_from([0, 10, 60]),
        "fees.origination_payer": st.sampled_from(["borrower", "fund"]),
        "waterfall.pref_clock": st.sampled_from(["contribution", "facility_draw"]),
        "reinvestment_engine.reinvestment_frequency": st.sampled_from(["on_exit", "quarterly"]),
        "reinvestment_engine.enable_cash_reserve": st.booleans(),
        "capital_allocation": st.sampled_from(
            [
                {"enabled": False},
                {"strategy": "risk_parity", "rebalance_threshold": 0.02, "sell_loans": {"enabled": True}},
            ]
        ),
        LINE + "enabled": st.booleans(),
        LINE + "min_loans": st.sampled_from([0, 20]),
        LINE + "advance_rate": st.sampled_from([0.3, 0.9]),
        LINE + "max_ltv": st.sampled_from([0.3, 0.65]),
        LINE + "min_dscr": st.sampled_from([1.2, 5]),
        LINE + "dscr_test_from_months": st.sampled_from([0, 24]),
        LINE + "cure_business_days": st.sampled_from([3, 30]),
        LINE + "extensions": st.sampled_from([0, 2]),
        LINE + "draw_end_months": st.sampled_from([6, 24]),
        LINE + "term_months": st.sampled_from([24, 60]),
        LINE + "interest": st.sampled_from(["simple", "compounded"]),
        LINE + "day_count": st.sampled_from(["ACT/360", "30/360"]),
        LINE + "lookback_business_days": st.sampled_from([0, 5]),
        LINE + "valuation_lag_days": st.sampled_from([0, 45]),
        LINE + "prepayment_lockout_months": st.sampled_from([0, 24]),
        RAMP + "limit_pct_commit": st.sampled_from([0.15, 1]),
        RAMP + "clean_down_days": st.sampled_from([5, 180]),
        OPTIMISER + "enabled": st.booleans(),
        OPTIMISER + "min_cash_buffer": st.sampled_from([0, 1.5, 10]),
    }
)
acts = st.lists(
    st.tuples(
        st.integers(40, 900),
        st.sampled_from(
            [
                {"shock_price": -0.3},
                {"shock_rate": 0.05},
                {"shock_nav": -0.3},
                {"trip_breaker": {}},
                {"set_volatility": "high"},
                {"shock_liquidity": -0.8},
                {"call_capital": 1e5},
                {"draw": {"amount": 1e5, "facility": "ramp_line"}},
                {"repay": {"amount": 1e5, "facility": "ramp_line"}},
                {"set": {"reinvestment_engine.enable_cash_reserve": True}},
            ]
        ),
    ),
    max_size=3,
)


def check_fact(record, state, calendar, changes, run):
    """What a record says, against the state that it leaves."""
    fact, facilities, lots = record.payload, state.facilities, state.lots
    match record.kind:
        case "facility.drawn/1":
            assert 0 < fact.amount_cents <= fact.available_cents
            assert fact.balance_cents <= facilities.by_name[fact.facility].commitment_cents
        case "facility.repaid/1" | "debt_service.paid/1":
            assert calendar.is_business_day(record.day) or record.day == run.state.day
            if fact.kind == "facility.repaid/1" and fact.reason == "sweep":
                low = int(0.65 * max(0, state.ledger.nav_cents()))
                assert facilities.sweeps[fact.facility] != "deleveraging" or facilities.debt_cents >= low
        case "covenant.tested/1" if fact.facility == "green_sleeve":
            excess = fact.base["loan_excess_cents"] + fact.base["zone_excess_cents"]
            counted = int(changes[LINE + "advance_rate"] * (fact.base["eligible_cents"] - excess))
            enough = fact.base["loans"] >= changes[LINE + "min_loans"]
            assert fact.terms["base_cents"] == (counted if enough else 0)
        case "covenant.tested/1":
            least = min(int(0.9 * fact.base["uncalled_cents"]), fact.base["commitment_cents"])
            assert fact.terms["base_cents"] == least
        case "capital.distributed/1" if record.day < run.state.day:
            assert not facilities.holds_cash_back
            returned = fact.amount_cents == fact.undeployed_cents  # called, never lent: not the lenders' either
            assert returned or own_cash(state) + lots.cents >= facilities.kept_cents
        case "fees.paid/1" if record.day < run.state.day:
            assert not facilities.in_default
        case "nav.reported/1" if record.day < run.state.day:
            for name, reason in facilities.sweeps.items():
                assert facilities.by_name[name].balance_cents + facilities.by_name[name].overdue_cents > 0
                nav = state.ledger.nav_cents()
                assert reason != "deleveraging" or facilities.debt_cents > 0.65 * nav - 1
        case "capital.reinvested/1":
            assert not facilities.holds_cash_back


@given(funds, acts, st.integers(0, 2**32))
@settings(max_examples=40)
def test_every_record_leaves_a_fund_with_debt_that_can_be(changes, script, seed):
    start = Scenario.from_dict({}).with_(set={"fund.start_date": changes["fund.start_date"]}).config.fund.start_date
    calendar = Calendar(start)
    entries = [{"at": calendar.date(day).isoformat(), "do": do} for day, do in script]
    changes = {**changes, "leverage.enabled": True, "script": entries}
    run = Scenario.from_dict({}).with_(seed=seed, set=changes).run()
    state = State()
    lots_in = lots_out = 0
    for record in run.log:
        fact = record.payload
        held = state.lots.cents
        state.apply(record)
        facilities, lots, cash = state.facilities, state.lots, state.ledger.cash_cents
        legs = POSTINGS[type(fact)](fact) if type(fact) in POSTINGS else ()
        assert sum(cents for _, cents in legs) == 0
        assert sum(state.ledger.balances.values()) == 0
        assert cash >= 0
        assert state.ledger.reserve_cents == lots.reserved_cents
        assert 0 <= facilities.unlent_cents <= cash
        assert lots.in_cash_cents <= cash
        for name, line in facilities.by_name.items():
            assert sum(cents for _, cents in line.draws) == line.balance_cents >= 0
            assert 0 <= line.overdue_cents <= line.owed_cents
            root = "".join(part.capitalize() for part in name.split("_"))
            assert state.ledger.balances[f"Liabilities:Facility:{root}"] == -line.balance_cents
            assert state.ledger.balances[f"Liabilities:FacilityPayable:{root}"] == -line.owed_cents
        check_fact(record, state, calendar, changes, run)
        if record.kind in ("facility.repaid/1", "debt_service.paid/1"):
            lots_in, lots_out = lots_in + held - lots.cents, lots_out + sum(cents for _, cents in fact.lots)
    assert lots_in == lots_out
    assert not state.agenda.pending
    owed = {a: c for a, c in state.ledger.balances.items() if a.startswith(("Assets:", "Liabilities:"))}
    assert not any(owed.values())
    assert state.digest() == run.state.digest()


@given(st.integers(0, 2**32))
@settings(max_examples=5)
def test_leverage_that_is_off_leaves_no_trace(seed):
    base = Scenario.load("base").with_(seed=seed).run()
    off = {
        "leverage": {
            "enabled": False,
            "green_sleeve": {"spread_bps": 1, "advance_rate": 0.1},
            "optimization": {"target_leverage": 0.1},
        }
    }
    none = {"leverage.green_sleeve.enabled": False, "leverage.ramp_line.enabled": False}
    assert Scenario.load("base").with_(seed=seed, set=off).run().head_hash == base.head_hash
    bare = Scenario.load("base").with_(seed=seed, set=none).run()
    assert bare.head_hash == base.head_hash


@given(
    st.lists(st.tuples(st.integers(0, 10**10), st.integers(-50, 2000)), min_size=1, max_size=6),
    st.lists(st.integers(1, 400), min_size=1, max_size=6),
    st.sampled_from(["ACT/360", "ACT/365F", "30/360"]),
    st.randoms(use_true_random=False),
)
def test_interest_over_any_split_of_a_period_sums_to_the_whole(steps, spans, day_count, random):
    segments, day = [], 0
    for (balance, bps), span in zip(steps, spans, strict=False):
        segments.append(Segment(day, day + span, balance, bps / 10_000))
        day += span
    whole = simple_interest(segments, CALENDAR, day_count)
    parts: list[Fraction] = []
    for first, last, balance, rate in segments:
        cut = random.randint(first, last)
        for part in ((first, cut), (cut, last)):
            parts.append(simple_interest([Segment(*part, balance, rate)], CALENDAR, day_count))
    assert sum(parts) == whole
