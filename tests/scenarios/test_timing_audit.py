"""The audit's other questions: what timing cost, promises, when anyone knew, the order of a day, headroom."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fundclock import InvalidInput, Scenario, audit
from fundclock.events.units import to_cents
from fundclock.scenarios.runs.playing import play_in_memory
from fundclock.scenarios.timing.counterfactual import counterfactual
from fundclock.scenarios.timing.headroom import headroom
from fundclock.scenarios.timing.ladder import RUNGS, ladder
from fundclock.scenarios.timing.shadow import shadow_tests
from fundclock.scenarios.timing.ties import PERMUTABLE, tie_order
from funds import day, interrupted, of
from random_funds import UNLEVERED

DELAY = "reinvestment_engine.reinvestment_delay"
LINE = "leverage.green_sleeve."


def test_the_ladder_climbs_runs_of_the_same_fund(base_run):
    found = ladder(base_run)
    scenario = Scenario.load("base").with_(seed=7)
    for count, name in enumerate(("no_delay", "continuous_checks", "no_minimum", "no_batch_limit"), start=1):
        changes = {key: value for rung in list(RUNGS)[:count] for key, value in RUNGS[rung].items()}
        again = scenario.with_(set=changes).run()
        rung = found.rungs[count - 1]
        assert (rung.name, rung.reason) == (name, None)
        capital = again.state.capital
        assert rung.value.net_cash_cents == capital.lp_distributed_cents - capital.lp_contributed_cents
        assert rung.value.net_irr == again.metrics["net_irr"]
    reasons = {rung.name: rung.reason for rung in found.rungs if rung.reason}
    assert reasons == {"no_reserve": "the run already has these settings", "no_draw_notice": "the run has no facility"}
    assert [rung.name for rung in found.rungs] == list(RUNGS)


def test_future_value_on_paper(base_run):
    rate = 0.05
    found = ladder(base_run, rate=rate)
    flows = base_run.state.capital.lp_flows
    expected = sum(cents * 1.05 ** ((base_run.state.day - when) / 365) for when, cents in flows.items())
    assert found.actual.future_value_cents == pytest.approx(expected, abs=1)
    assert (found.rate, found.end_date) == (rate, "2036-01-01")


def cents(text):
    return 0 if text is None else to_cents(float(text)) if abs(float(text)) < 1e9 else int(text.replace(".", ""))


@given(UNLEVERED, st.integers(0, 2**32), st.booleans())
@settings(max_examples=12)
def test_the_steps_leave_no_residual(changes, seed, all_orders):
    run = Scenario.load("base").with_(seed=seed, set=changes).run()
    found = audit(run, ladder=True, shadow=False, shapley=all_orders and changes["fund.size"] == 3e6)
    data = found.as_json()
    steps = data["steps"]
    whole = cents(steps[-1]["net_cash"]) - cents(steps[0]["net_cash"])
    assert data["residual"] == "0.00"
    assert sum(cents(step["delta_net_cash"]) for step in steps[1:]) == whole
    later = cents(steps[-1]["future_value"]) - cents(steps[0]["future_value"])
    assert sum(cents(step["delta_future_value"]) for step in steps[1:]) == later
    if "shapley" in data:
        assert sum(cents(row["net_cash"]) for row in data["shapley"].values()) == whole
        assert sum(cents(row["future_value"]) for row in data["shapley"].values()) == later


def test_shapley_values_do_not_depend_on_the_order():
    """Two rungs: each one's mean over both orders, by runs of its own."""
    short = {"fund.term_years": 4, "fund.reinvestment_period_years": 2, "fund.size": "20m"}
    run = Scenario.load("base").with_(seed=7, set=short).run()
    found = audit(run, shapley=True, shadow=False)
    assert found.ladder is not None
    values = found.ladder.shapley
    assert values is not None
    names = list(values)
    assert names == ["no_delay", "continuous_checks", "no_minimum", "no_batch_limit", "no_call_notice"]

    def net(rungs):
        settings_ = {key: value for rung in rungs for key, value in RUNGS[rung].items()}
        capital = play_in_memory(counterfactual(run, settings_)).state.capital
        return capital.lp_distributed_cents - capital.lp_contributed_cents

    from fractions import Fraction
    from math import factorial

    others = [name for name in names if name != "no_delay"]
    expected = Fraction(0)
    for size in range(len(others) + 1):
        weight = Fraction(factorial(size) * factorial(len(names) - size - 1), factorial(len(names)))
        for subset in combinations(others, size):
            expected += weight * (net([*subset, "no_delay"]) - net(subset))
    assert abs(values["no_delay"].net_cash_cents - expected) < 1
    whole = found.ladder.rungs[-1].value
    assert (
        sum(share.net_cash_cents for share in values.values())
        == whole.net_cash_cents - found.ladder.actual.net_cash_cents
    )
    assert sum(share.net_irr or 0 for share in values.values()) == pytest.approx(
        (whole.net_irr or 0) - (found.ladder.actual.net_irr or 0), abs=1e-12
    )


def test_no_script_undoes_a_rung():
    script = [{"at": "2028-03-31", "do": {"set": {DELAY: 6, "reinvestment_engine.min_reinvestment_amount": 5}}}]
    run = Scenario.load("base").with_(seed=7, set={"script": script}).run()
    again = play_in_memory(counterfactual(run, {DELAY: 0}))
    changed = of(again, "config.changed/1")[0].payload.changes
    assert changed == {"reinvestment_engine.min_reinvestment_amount": 5}
    fork = Scenario.load("base").with_(seed=7).run().fork("2028-03-31", set={DELAY: 6})
    instead = play_in_memory(counterfactual(fork, {DELAY: 0}))
    plain = Scenario.load("base").with_(seed=7, set={DELAY: 0}).run()
    assert instead.metrics["net_irr"] == plain.metrics["net_irr"]


def test_conditions_fire_again_or_are_frozen():
    script = [{"when": "eligible_proceeds > 3m", "do": {"suspend_reinvestment": {}}}]
    run = Scenario.load("base").with_(seed=7, set={"script": script}).run()
    on = of(run, "reinvestment.suspended/1")[0].day
    again = play_in_memory(counterfactual(run, {DELAY: 6}))
    frozen = play_in_memory(counterfactual(run, {DELAY: 6}, frozen=True))
    assert of(again, "reinvestment.suspended/1")[0].day != on
    assert of(frozen, "reinvestment.suspended/1")[0].day == on
    assert audit(run, ladder=True, shadow=False, frozen=True).as_json()["conditions"] == "frozen"
    assert play_in_memory(counterfactual(run, {}, frozen=True)).metrics == run.metrics


def test_promises_and_what_came_of_them(tmp_path):
    script = [
        {"at": "2027-06-01", "do": {"reinvest": {"amount": "500m"}}},
        {"at": "2027-06-01", "do": {"resume_reinvestment": {}}},
    ]
    run = Scenario.load("levered").with_(seed=7, set={"script": script}).run()
    found = audit(run).as_json()["promises"]
    assert found["capital.reinvest/1"]["declined"] == 1
    assert found["reinvestment.resume/1"]["rejected"] == 1
    calls = of(run, "capital.called/1")
    ahead = [call.payload.due_day - call.day for call in calls]
    assert found["call.pay/1"]["mean_days_ahead"] == pytest.approx(sum(ahead) / len(ahead))
    assert found["facility.clean_down/1"]["cancelled"] == found["facility.clean_down/1"]["promises"]
    assert all(row["mean_lag_days"] in (0, None) for row in found.values())


def test_recoveries_calls_and_draws_wait_by_the_log():
    run = Scenario.load("levered").with_(seed=7).run()
    waits = audit(run).as_json()["waits"]
    recovered = {record.payload.loan_id: record.day for record in of(run, "loan.recovered/1")}
    defaulted = of(run, "loan.defaulted/1")
    expected = sum(r.payload.principal_cents * (recovered[r.payload.loan_id] - r.day) for r in defaulted)
    assert cents(waits["recovery_wait"]["dollar_days"]) == expected
    assert waits["recovery_wait"]["items"] == len(defaulted)
    calls = sum(call.payload.amount_cents * (call.payload.due_day - call.day) for call in of(run, "capital.called/1"))
    assert cents(waits["call_notice"]["dollar_days"]) == calls
    asked = [r for r in of(run, "command.scheduled/1") if r.payload.command.kind == "facility.draw/1"]
    draws = sum(r.payload.command.amount_cents * (r.payload.due_day - r.day) for r in asked)
    assert cents(waits["draw_notice"]["dollar_days"]) == draws
    assert set(waits["draw_notice"]["by"]) == {"green_sleeve", "ramp_line"}


def test_a_draw_that_is_cut_is_cut():
    script = [
        {"at": "2026-12-28", "do": {"draw": {"amount": "3m", "facility": "green_sleeve"}}},
        {"at": "2026-12-29", "do": {"shock_price": -0.6}},
    ]
    run = Scenario.load("levered").with_(seed=7, set={"script": script, LINE + "draw_notice_business_days": 5}).run()
    fates = {promise.fate for promise in audit(run).promises.kept if promise.kind == "facility.draw/1"}
    assert fates & {"cut", "declined"}


@pytest.fixture(scope="module")
def breached():
    """Prices fall by two fifths on 10 May 2028, in the middle of a quarter; the line's test fails at its end."""
    script = [{"at": "2028-05-10", "do": {"shock_price": -0.42}}]
    changes = {"script": script, "market.breaker.nav_fall": 0.1}
    return Scenario.load("levered").with_(seed=7, set=changes).run()


def test_shadow_tests_know_before_the_quarter_does(breached):
    found = audit(breached, shadow=True).as_json()["latencies"]
    assert found["shadow_tests"] is True
    trips = [row for row in found["events"] if row["condition"] == "nav_fall"]
    assert trips[0]["true_since"] == "2028-05-10"
    assert trips[0]["seen"] == "2028-06-30"
    assert trips[0]["days_to_see"] == 51
    seen = [row for row in found["events"] if row["condition"] in ("covenant base", "covenant ltv") and row["seen"]]
    assert (seen[0]["true_since"], seen[0]["seen"], seen[0]["over"]) == ("2028-05-10", "2028-06-30", "2028-06-30")
    assert (seen[0]["days_to_see"], seen[0]["days_to_cure"]) == (51, 0)
    assert {row["days_to_see"] for row in seen[1:]} == {0}  # a loan that leaves the base is followed by its tests
    for row in seen:
        assert row["true_since"] is not None
        assert row["true_since"] <= row["seen"]
        breach = next(record for record in breached.log if record.seq == row["seq"])
        assert breach.kind == "covenant.breached/1"
    without = audit(breached).as_json()["latencies"]
    assert without["shadow_tests"] is False
    assert all(row["true_since"] is None for row in without["events"])


def test_a_shadow_test_of_a_tested_evening_is_the_test(breached):
    """On a quarter's end nobody is ahead of the valuation: what fails there fails in the shadow, and the reverse."""
    spans = shadow_tests(breached)
    failing = {}
    for record in of(breached, "covenant.tested/1"):
        if record.payload.trigger == "quarter_end" and record.payload.terms["balance_cents"]:
            for test in ("base", "ltv"):
                if test in record.payload.passed:
                    failing[record.day, record.payload.facility, test] = not record.payload.passed[test]
    assert len(failing) > 10
    later = {record.day for kind in ("facility.repaid/1", "loan.originated/1") for record in of(breached, kind)}
    for (when, facility, test), failed in failing.items():
        if when in later:
            continue  # what came after the test has moved it by the evening
        shadowed = any(
            span.what == f"covenant {test}" and span.about == facility and span.first <= when < span.last
            for span in spans
        )
        assert shadowed == failed, (when, facility, test)


def test_the_minimum_is_reached_before_a_check_sees_it(base_run):
    """The first lot of at least 100,000 that may be lent, and the quarter's end that lends it."""
    rows = [row for row in audit(base_run).latencies if row.what == "minimum_reached"]
    assert len(rows) == base_run.metrics["reinvestment_count"]
    released = of(base_run, "proceeds.released/1")[0]
    assert rows[0].since == released.day
    assert rows[0].seen == of(base_run, "capital.reinvested/1")[0].day
    instant = Scenario.load("instant").with_(seed=7).run()
    assert max(row.days_to_see for row in audit(instant).latencies if row.what == "minimum_reached") <= 31


def test_the_order_of_a_day_can_be_swapped(base_run):
    found = tie_order(base_run)
    assert not found.failed
    assert len(found.variants) == len(PERMUTABLE) + 1
    data = found.as_json()
    low, high = map(float, data["net_cash"])
    assert low <= found.actual.net_cash_cents / 100 <= high


def test_ties_turned_round_turn_loans_round():
    """Loans that exit on one day do so by name, or in the opposite order; promises of a day too."""
    run = Scenario.load("instant").with_(seed=7).run()
    from fundclock.scenarios.runs.rerun import plan_of

    again = play_in_memory(plan_of(run.manifest, run.log, run.kept)._replace(backwards=True))

    def together(played, kind, key):
        days = {}
        for record in of(played, kind):
            days.setdefault(record.day, []).append(key(record))
        return [names for names in days.values() if len(names) > 1]

    exits = together(run, "loan.exited/1", lambda record: record.payload.loan_id)[0]
    assert exits == sorted(exits)
    turned = together(again, "loan.exited/1", lambda record: record.payload.loan_id)[0]
    assert turned == exits[::-1]
    released = together(again, "proceeds.released/1", lambda record: record.payload.lot)[0]
    assert released == sorted(released, reverse=True)


@pytest.mark.parametrize("seed", [3, 7])
def test_tie_order_with_debt(seed):
    run = Scenario.load("levered").with_(seed=seed).run()
    found = tie_order(run)
    assert not found.failed
    moved = [name for name, value in found.variants.items() if value.net_cash_cents != found.actual.net_cash_cents]
    assert "reinvestment before rebalance" in moved  # the optimiser draws for what proceeds have not lent yet


def test_headroom_is_the_last_value_without_a_breach():
    run = Scenario.load("levered").with_(seed=7).run()
    limits = {limit.name: limit for limit in headroom(run)}
    fall = limits["largest_price_fall"]
    assert fall.fails == pytest.approx(fall.holds + 0.001)
    from fundclock.scenarios.views.stress import stress

    at = stress(run).date
    kinds = ["covenant.breached/1", "payment.defaulted/1"]
    for size, breaches in ((fall.holds, False), (fall.fails, True)):
        fork = run.fork(at, do=[{"shock_price": -size}])
        assert any(record.day >= day(at) for record in fork.log.read(kinds=kinds)) is breaches
    assert fall.breach is not None
    assert fall.breach.facility == "green_sleeve"
    assert limits["longest_delay"].holds == 120
    assert limits["latest_call"].fails is None


def test_headroom_needs_something_to_breach(base_run, breached):
    with pytest.raises(InvalidInput, match="is not enabled in this run"):
        headroom(base_run)
    from datetime import date

    with pytest.raises(InvalidInput, match="already has a covenant.breached of green_sleeve"):
        headroom(breached, date(2027, 1, 1))


def test_an_audit_changes_nothing(base_run):
    before = base_run.state.digest(), base_run.head_hash
    audit(base_run, ladder=True, ties=True)
    assert (base_run.state.digest(), base_run.head_hash) == before


def test_the_figures_of_timing_sum_to_what_they_are_of(base_run):
    from decimal import Decimal

    found = audit(base_run)
    days = base_run.figure("dollar_days")
    by_reason = {series["name"]: sum(series["y"]) for series in days["series"]}
    expected = {reason: cents / 100 for reason, cents in found.dollar_days.by_reason().items()}
    assert by_reason == pytest.approx(expected)
    quarters = [sum(series["y"][place] for series in days["series"]) for place in range(len(days["series"][0]["x"]))]
    ends = [0, *(record.day + 1 for record in of(base_run, "nav.reported/1"))]
    from fundclock.events.replay import replay

    lay = [replay(base_run.log, end - 1).ledger.cent_days(end) / 100 for end in ends[1:4]]
    assert quarters[:3] == pytest.approx([lay[0], lay[1] - lay[0], lay[2] - lay[1]])
    waterfall = base_run.figure("timing_waterfall")["series"][0]
    assert sum(waterfall["y"][:-1]) == pytest.approx(waterfall["y"][-1])
    flows = base_run.figure("cash_sankey")["rows"]
    by_use = {use: sum(Decimal(amount) for _, to, amount in flows if to == use) for _, use, _ in flows}
    lent = sum(record.payload.principal_cents for record in of(base_run, "loan.originated/1"))
    assert by_use["loans"] == Decimal(lent) / 100
    paid = sum(record.payload.amount_cents for record in of(base_run, "capital.distributed/1"))
    assert by_use["distribution"] == Decimal(paid) / 100
    cash = base_run.figure("cash")["series"]
    assert (cash[0]["y"][-1], cash[1]["y"][-1]) == (0, 0)
    report = of(base_run, "nav.reported/1")[5]
    nav = base_run.figure("nav")["series"]
    assert nav[0]["y"][5] == report.payload.nav_cents / 100
    assert nav[0]["y"][5] == pytest.approx(sum(series["y"][5] for series in nav[1:]))


def test_acts_of_forks_of_forks_keep_their_days_when_frozen(base_run):
    once = base_run.fork("2027-06-01", do=[{"when": "date >= 2027-07-02", "do": {"shock_price": -0.1}}])
    twice = once.fork("2029-06-01", do=[{"shock_price": -0.05}])
    again = play_in_memory(counterfactual(twice, {}, frozen=True))
    assert [record.day for record in of(again, "price.shocked/1")] == [
        record.day for record in of(twice, "price.shocked/1")
    ]
    assert again.metrics == twice.metrics
    thrice = twice.fork("2029-06-01", do=[{"when": "date >= 2029-08-02", "do": {"shock_price": -0.02}}])
    assert play_in_memory(counterfactual(thrice, {}, frozen=True)).metrics == thrice.metrics
    assert audit(thrice, ladder=True, shadow=False, frozen=True).as_json()["residual"] == "0.00"


def test_a_rung_that_a_script_may_undo_later_is_pinned_from_where_it_stands():
    reserve = "reinvestment_engine.enable_cash_reserve"
    when = "eligible_proceeds < 1 and waiting_proceeds < 1 and day > 800 and day < 1700"
    script = [{"when": when, "do": {"set": {reserve: True}}}]
    run = Scenario.load("base").with_(seed=1, set={"script": script}).run()
    assert of(run, "config.changed/1") == []  # it never fires in the run
    found = {rung.name: rung for rung in ladder(run).rungs}
    assert found["no_reserve"].reason is None
    plain = Scenario.load("base").with_(seed=1).run()
    last = {rung.name: rung for rung in ladder(plain).rungs}["no_call_notice"]
    assert found["no_call_notice"].value == last.value


def test_an_unfinished_run_is_not_held_against_whole_ones(tmp_path):
    from fundclock.events.stores.sqlite import SqliteStore

    with SqliteStore(tmp_path / "store.db") as store:
        run = interrupted(store, Scenario.load("levered").with_(seed=7), 900)
        for question in (lambda: audit(run, ladder=True), lambda: audit(run, ties=True), lambda: headroom(run)):
            with pytest.raises(InvalidInput, match="is not finished"):
                question()
        assert audit(run, shadow=True).shadowed


def test_the_minimum_is_reached_in_the_reserve_too():
    run = Scenario.load("base").with_(seed=1, set={"reinvestment_engine.enable_cash_reserve": True}).run()
    rows = [row for row in audit(run).latencies if row.what == "minimum_reached"]
    assert max(row.days_to_see for row in rows) > 10
    from fundclock.events.replay import replay

    for row in rows[:4]:  # on the evening before it was not enough, from then on it was
        target = to_cents(100e6 * 0.05)
        before = replay(run.log, row.since - 1).lots.reserved_cents if row.since else 0
        assert before - target < 100_000_00
        assert row.since == row.seen or replay(run.log, row.since).lots.reserved_cents - target >= 100_000_00
