"""The circuit breaker, the volatility state and transaction costs inside a fund."""

import math
from datetime import date
from itertools import pairwise
from statistics import stdev

import numpy as np
import pytest

from fundclock import Scenario
from fundclock.events.state import State
from fundclock.scenarios.views.why import why
from funds import day, of


def played(script=(), name="base", seed=7, **settings):
    changes = {key.replace("__", "."): value for key, value in settings.items()}
    return Scenario.load(name).with_(seed=seed, set={**changes, "script": list(script)}).run()


def act(at, name, **arguments):
    return {"at": at, "do": {name: arguments}}


@pytest.fixture(scope="module")
def tripped_for_two_quarters():
    return played(
        [act("2028-03-01", "trip_breaker"), act("2028-09-02", "reset_breaker")], market__breaker__reset_months=9
    )


def test_a_tripped_breaker_stops_reinvestment_and_the_log_says_so(tripped_for_two_quarters):
    run = tripped_for_two_quarters
    [tripped] = of(run, "breaker.tripped/1")
    [reset] = of(run, "breaker.reset/1")
    assert (tripped.day, tripped.phase) == (day("2028-03-01"), "market")
    assert (reset.day, reset.payload.reason, reset.payload.held_days) == (day("2028-09-02"), "script", 185)
    held = range(tripped.day, reset.day)
    assert not [r for r in of(run, "loan.originated/1") if r.day in held]
    declined = [r for r in of(run, "reinvestment.declined/1") if r.payload.reason == "circuit_breaker"]
    assert [r.day for r in declined] == [day("2028-03-31"), day("2028-06-30")]
    assert declined[0].payload.amount_cents < declined[1].payload.amount_cents  # what waits grows
    lent = next(r for r in of(run, "capital.reinvested/1") if r.day > reset.day)
    assert lent.day == day("2028-09-30")
    # the cash of the exits before waited through both checks
    assert {lot for lot, _ in lent.payload.lots} & {r.seq for r in of(run, "loan.exited/1") if r.day < tripped.day}


def test_called_capital_waits_and_is_lent_on_the_day_of_the_reset():
    run = played([act("2026-03-02", "trip_breaker")], market__breaker__reset_months=3)
    [tripped], [reset] = of(run, "breaker.tripped/1"), of(run, "breaker.reset/1")
    assert (reset.day, reset.payload.reason) == (tripped.payload.reset_due_day, "time") == (day("2026-06-02"), "time")
    deferred = of(run, "deployment.deferred/1")
    assert [r.payload.reason for r in deferred] == ["circuit_breaker"] * 3
    assert all(tripped.day <= r.day < reset.day for r in deferred)
    first = next(r for r in of(run, "capital.deployed/1") if r.day >= tripped.day)
    assert first.day == reset.day
    assert first.payload.offered_cents >= deferred[-1].payload.amount_cents
    assert [record.kind for record in why(run.log, first.seq).causes][-2:] == ["breaker.reset/1", "command.scheduled/1"]


def test_a_breaker_that_trips_again_holds_longer():
    run = played(
        [act("2028-03-01", "trip_breaker"), act("2028-05-01", "trip_breaker")], market__breaker__reset_months=6
    )
    [reset] = of(run, "breaker.reset/1")
    assert (reset.day, reset.payload.held_days) == (day("2028-11-01"), day("2028-11-01") - day("2028-03-01"))


def test_a_fall_of_net_asset_value_trips_it():
    run = played([act("2028-02-01", "shock_nav", change=-0.25)])
    [tripped] = of(run, "breaker.tripped/1")
    reports = [r for r in of(run, "nav.reported/1") if r.day <= tripped.day]
    before, now = reports[-2], reports[-1]
    assert tripped.cause == now.seq
    flows = sum(
        r.payload.amount_cents * (1 if r.kind == "capital.contributed/1" else -1)
        for r in of(run, "capital.contributed/1") + of(run, "capital.distributed/1")
        if before.day < r.day <= now.day
    )
    fall = 1 - (now.payload.nav_cents - flows) / before.payload.nav_cents
    assert tripped.payload.nav_fall == pytest.approx(fall)
    assert 0.15 < fall < 0.3
    assert not of(
        played([act("2028-02-01", "shock_nav", change=-0.25)], market__breaker__nav_fall=0.3), "breaker.tripped/1"
    )


def test_partners_getting_money_back_is_no_fall():
    run = played()
    assert not of(run, "breaker.tripped/1")
    navs = [r.payload.nav_cents for r in of(run, "nav.reported/1")]
    assert min(after / before for before, after in pairwise(navs[:-1]) if before) < 0.85


def test_debt_is_not_drawn_for_loans_while_it_is_tripped():
    run = played([act("2027-01-04", "trip_breaker")], "levered", market__breaker__reset_months=12)
    [tripped], [reset] = of(run, "breaker.tripped/1"), of(run, "breaker.reset/1")
    held = range(tripped.day, reset.day)
    asked = [r.payload for r in of(run, "leverage.optimized/1") if r.day in held]
    assert {fact.reason for fact in asked if fact.asked_cents} == {"the circuit breaker is tripped"}
    assert not [r for r in of(run, "loan.originated/1") if r.day in held]


def test_a_manual_reinvestment_is_declined_too():
    manual = {"at": "2028-04-03", "do": {"reinvest": {"amount": 1000}}}
    run = played([act("2028-03-01", "trip_breaker"), manual])
    [declined] = [r.payload for r in of(run, "reinvestment.declined/1") if r.payload.trigger == "manual"]
    assert declined.reason == "circuit_breaker"
    assert any("was declined: circuit_breaker" in line for line in run.warnings)


def test_a_reset_of_nothing_is_a_warning():
    assert any(
        "the circuit breaker is not tripped" in line for line in played([act("2028-03-01", "reset_breaker")]).warnings
    )


ON = {"capital_allocation__strategy": "equal_weight"}


def test_the_volatility_state_is_that_of_the_last_twelve_monthly_returns():
    run = played(**ON)
    shares = {"green": 0.45, "orange": 0.35, "red": 0.2}
    moved = [r for r in of(run, "market.moved/1") if r.day < run.state.day]
    states = {r.day: r.payload for r in of(run, "volatility_state.changed/1")}
    assert len(states) > 2
    current = "low"
    for place in range(13, len(moved)):  # the first record is of the first day, not of a month's end
        levels = [record.payload.indices for record in moved[place - 12 : place + 1]]
        returns = [
            sum(share * (after[zone] / before[zone] - 1) for zone, share in shares.items())
            for before, after in pairwise(levels)
        ]
        found = stdev(returns)
        if moved[place].day in states:
            fact = states[moved[place].day]
            assert fact.deviation == pytest.approx(found)
            current = fact.state
        else:
            current = next((r.payload.state for r in reversed(of(run, "volatility_state.changed/1"))
                            if r.day <= moved[place].day), "low")  # fmt: skip
        expected = "extreme" if found >= 0.15 else "high" if found >= 0.05 else "medium" if found >= 0.02 else "low"
        assert current == expected


def test_quarterly_prices_have_quarterly_returns(tmp_path):
    """Prices from a file move by quarters: twelve quarterly returns, as of a month; covariances from four a year."""
    rng = np.random.default_rng(4)
    rows, levels = ["state,yr,qtr,index_nsa,index_sa"], {}
    for state in ("AA", "BB", "CC"):
        level = 100.0
        for year in range(2020, 2033):
            for quarter in range(1, 5):
                level *= float(np.exp(rng.normal(0.01, 0.08)))
                rows.append(f"{state},{year},{quarter},{level},{level}")
                levels[state, f"{year}-{3 * quarter:02d}"] = level
    path = tmp_path / "index.csv"
    path.write_text("\n".join(rows) + "\n")
    zones = {"green": {"series": "AA"}, "orange": {"series": "BB"}, "red": {"series": "CC"}}
    run = played(zones=zones, market__index_file=str(path), fund__term_years=6, **ON)
    shares = {"AA": 0.45, "BB": 0.35, "CC": 0.2}
    months = [f"{year}-{month:02d}" for year in range(2020, 2033) for month in (3, 6, 9, 12)]

    def returns(record, count):
        last = months.index(max(month for month in months if day_of(month) <= record.day))
        window = months[last - count : last + 1]
        return [{s: levels[s, b] / levels[s, a] - 1 for s in shares} for a, b in pairwise(window)]

    changed = [r for r in of(run, "volatility_state.changed/1") if r.day > day("2029-01-01")]
    assert changed
    for record in changed:
        found = [sum(shares[s] * change for s, change in row.items()) for row in returns(record, 12)]
        assert record.payload.deviation == pytest.approx(stdev(found) / math.sqrt(3))
    check = next(r for r in of(run, "allocation.optimized/1") if r.day >= day("2029-03-31"))
    moves = np.array([[row[s] for s in shares] for row in returns(check, 8)])
    spread = np.sqrt(4 * np.diag(np.cov(moves, rowvar=False, ddof=1)))
    assert list(check.payload.deviations.values()) == pytest.approx(spread, abs=1e-9)


def day_of(month):
    """The last day of a quarter's last month."""
    ends = {"03": "31", "06": "30", "09": "30", "12": "31"}
    return (date.fromisoformat(f"{month}-{ends[month[5:]]}") - date(2026, 1, 1)).days


def test_a_script_holds_the_state_until_it_gives_it_back():
    script = [
        {"at": "2027-01-04", "do": {"set_volatility": "extreme"}},
        act("2028-01-03", "set_volatility", state="market"),
    ]
    run = played(script, **ON)
    held = range(day("2027-01-04"), day("2028-01-03"))
    checks = [r.payload for r in of(run, "allocation.optimized/1") if r.day in held]
    assert {(fact.volatility_state, fact.multiplier) for fact in checks} == {("extreme", 0.3)}
    changes = [r for r in of(run, "volatility_state.changed/1") if r.day in held]
    assert [r.payload.deviation for r in changes] == [None]
    back = next(r for r in of(run, "volatility_state.changed/1") if r.day >= day("2028-01-03"))
    assert back.payload.deviation is not None


def test_transaction_costs_scale_what_is_deployed():
    script = [
        {"at": "2027-01-04", "do": {"set_transaction_cost": 75}},
        act("2028-01-03", "set_transaction_cost", level=150),
    ]
    run = played([*script, {"at": "2026-01-02", "do": {"set_volatility": "low"}}], **ON)
    found = [(r.day, r.payload.multiplier) for r in of(run, "allocation.optimized/1")]
    assert {multiplier for when, multiplier in found if day("2027-01-04") < when < day("2028-01-03")} == {0.9}
    assert {multiplier for when, multiplier in found if when > day("2028-01-03")} == {0.7}


def test_no_more_is_lent_than_the_state_lets_be():
    run = played([{"at": "2026-01-02", "do": {"set_volatility": "extreme"}}], **ON)
    state = State()
    deployed_on, parts = -1, []
    for record in run.log:
        if 0 <= deployed_on < record.day:
            cost = state.ledger.balances["Assets:Loans:Cost"]
            parts.append(cost / (cost + state.ledger.cash_cents))
            deployed_on = -1
        state.apply(record)
        if record.kind == "capital.deployed/1":
            deployed_on = record.day
    assert len(parts) > 5
    assert max(parts) < 0.301
    assert min(parts) > 0.27
    assert any(r.payload.reason == "risk_multiplier" for r in of(run, "deployment.deferred/1"))


def test_a_fund_that_winds_down_has_no_breaker():
    run = played(seed=1, fund__term_years=20)
    assert not of(run, "breaker.tripped/1")


def test_a_reset_after_the_reinvestment_period_lends_nothing():
    script = [
        act("2026-03-02", "trip_breaker"),
        act("2030-03-01", "trip_breaker"),
        act("2031-01-20", "reset_breaker"),
    ]
    run = played(script, market__breaker__reset_months=60, market__breaker__nav_fall=0.99)
    assert not [r for r in of(run, "capital.deployed/1") if r.day > day("2026-03-02")]
    assert run.state.ledger.cash_cents == 0


def test_a_draw_that_waits_says_why():
    script = [act("2026-04-02", "trip_breaker")]
    run = played(script, "levered", market__breaker__reset_months=12, market__breaker__nav_fall=0.99)
    waiting = [r.payload for r in of(run, "draw.lent/1") if r.payload.carried_cents > 50_000_00]
    assert waiting
    assert {fact.reason for fact in waiting} <= {"circuit_breaker"}
