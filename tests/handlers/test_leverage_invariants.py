"""What must hold after every record of any fund with facilities."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from fundclock import Scenario
from fundclock.events.dates import Calendar
from fundclock.events.postings import POSTINGS
from fundclock.events.state import State
from fundclock.handlers.fund.purse import own_cash
from fundclock.handlers.leverage.interest import Segment, simple_interest
from funds import CALENDAR
from random_funds import ACTS, LEVERED, LINE


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
            points = (
                fact.amount_cents == fact.undeployed_cents
            )  # of a purchase with called capital, not the lenders' cash
            assert points or not facilities.in_default
        case "nav.reported/1" if record.day < run.state.day:
            for name, reason in facilities.sweeps.items():
                assert facilities.by_name[name].balance_cents + facilities.by_name[name].overdue_cents > 0
                nav = state.ledger.nav_cents()
                assert reason != "deleveraging" or facilities.debt_cents > 0.65 * nav - 1
        case "capital.reinvested/1":
            assert not facilities.holds_cash_back


@given(LEVERED, ACTS, st.integers(0, 2**32))
@settings(max_examples=40)
def test_every_record_leaves_a_fund_with_debt_that_can_be(changes, script, seed):
    start = Scenario.from_dict({}).with_(set={"fund.start_date": changes["fund.start_date"]}).resolve().fund.start_date
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
