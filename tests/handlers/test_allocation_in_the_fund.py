"""Capital allocation inside a fund: checks, drift, triggers, tilted reinvestment, sales, settings."""

import json
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest

from fundclock import InvalidInput, Scenario
from fundclock.events.state import State
from fundclock.handlers.allocation import CapitalAllocator
from fundclock.scenarios.reports import allocation_report
from fundclock.scenarios.runs.manifest import calendar_of
from fundclock.scenarios.runs.planning import plan_again, warnings_of
from fundclock.scenarios.runs.playing import play_in_memory
from funds import day, of, two_zones

CALM = [{"at": "2026-01-02", "do": {"set_volatility": "low"}}]


def played(strategy="risk_parity", seed=7, name="base", script=CALM, **settings):
    changes = {f"capital_allocation.{key}": value for key, value in settings.items()}
    scenario = Scenario.load(name).with_(seed=seed, set={"script": list(script)})
    return scenario.with_(set={"capital_allocation.strategy": strategy, **changes}).run()


@pytest.fixture(scope="module")
def parity():
    return played(rebalance_threshold=0.03)


def test_off_means_off():
    base = Scenario.load("base").with_(seed=3).run()
    off = {"capital_allocation": {"enabled": False, "strategy": "kelly_criterion", "rebalance_threshold": 0.5}}
    assert Scenario.load("base").with_(seed=3, set=off).run().head_hash == base.head_hash
    assert played("equal_weight", seed=3).head_hash != base.head_hash
    assert warnings_of(Scenario.load("base").with_(set=off).plan()) == [
        "capital_allocation: has no effect because enabled is false"
    ]


def test_a_check_knows_what_the_market_has_shown(parity):
    """From the twelfth month on the covariance is that of the monthly returns; a loan moves by share/LTV of its zone."""
    moved = of(parity, "market.moved/1")[1:]
    checks = of(parity, "allocation.optimized/1")
    zones = list(checks[0].payload.weights)
    lever = 0.4 / 0.4
    first = checks[0].payload
    assert [first.deviations[zone] for zone in zones] == pytest.approx([0.12 * lever, 0.15 * lever, 0.18 * lever])
    assert first.correlations == pytest.approx({"green-orange": 0.7, "green-red": 0.5, "orange-red": 0.8})
    covariance = np.outer([0.12, 0.15, 0.18], [0.12, 0.15, 0.18]) * [[1, 0.7, 0.5], [0.7, 1, 0.8], [0.5, 0.8, 1]]
    weights = np.array([first.weights[zone] for zone in zones])
    contributions = weights * (covariance @ weights)
    assert contributions == pytest.approx(np.full(3, contributions.mean()))
    for record in checks[-3:]:
        levels = [r.payload.indices for r in moved if r.day <= record.day][-25:]
        returns = np.array([[now[z] / then[z] - 1 for z in zones] for then, now in pairwise(levels)])
        covariance = 12 * np.cov(returns, rowvar=False, ddof=1) * lever**2
        found = record.payload
        assert [found.deviations[z] for z in zones] == pytest.approx(np.sqrt(covariance.diagonal()), abs=1e-9)
        by_hand = np.corrcoef(returns, rowvar=False)
        assert found.correlations["green-red"] == pytest.approx(by_hand[0, 2])
        trailing = next(r.payload.appreciation_12m for r in reversed(moved) if r.day <= record.day)
        losses = {"green": 0.005 * 0.05, "orange": 0.015 * 0.15, "red": 0.025 * 0.25}
        expected = [0.05 + lever * max(0, trailing[z]) - losses[z] for z in zones]
        assert [found.expected_returns[z] for z in zones] == pytest.approx(expected, abs=1e-9)
        alone = CapitalAllocator({"strategy": "risk_parity"}).optimize_portfolio(zones, covariance=covariance)
        assert [found.weights[z] for z in zones] == pytest.approx([float(alone[z]) for z in zones], abs=1e-8)


def test_drift_triggers_orders(parity):
    checks = {r.day: r.payload for r in of(parity, "allocation.optimized/1")}
    triggers = of(parity, "rebalance.triggered/1")
    assert triggers
    assert {r.day for r in triggers} == {when for when, fact in checks.items() if fact.max_drift >= 0.03}
    for fact in checks.values():
        if any(fact.current.values()):
            assert sum(fact.current.values()) == pytest.approx(1)
            invested = sum(fact.weights.values())
            assert fact.drift == pytest.approx({z: fact.current[z] - fact.weights[z] / invested for z in fact.drift})
    for record in triggers:
        check = checks[record.day]
        assert record.payload.max_drift == check.max_drift
        sizes = [cents for _, _, cents, _ in record.payload.orders]
        assert sizes == sorted(sizes, reverse=True)
        assert [priority for *_, priority in record.payload.orders] == list(range(1, len(sizes) + 1))
        for zone, action, _, _ in record.payload.orders:
            assert (action == "decrease") == (check.drift[zone] > 0)
            assert abs(check.drift[zone]) >= 0.03


def test_a_trigger_closes_gaps_in_the_reinvestment_of_its_day(tmp_path):
    """.4 green and .6 red of 1,000,000; 1,205,000 come in. Risk parity at equal risk wants halves."""
    settings = {"capital_allocation__strategy": "equal_weight", "reinvestment_engine__reinvestment_strategy": "custom"}
    settings["script"] = CALM
    calm = two_zones(tmp_path, **settings, capital_allocation__rebalance_threshold=0.5)
    run = two_zones(tmp_path, **settings, capital_allocation__rebalance_threshold=0.05)
    lent = {name: of(each, "capital.reinvested/1")[0] for name, each in (("calm", calm), ("off", run))}
    assert lent["calm"].payload.target == pytest.approx({"green": 0.5, "red": 0.5})
    [trigger] = [r for r in of(run, "rebalance.triggered/1") if r.day == lent["off"].day]
    assert trigger.payload.orders[0][:2] == ("increase", "green")[::-1] or trigger.payload.orders[0][0] in (
        "green",
        "red",
    )
    # 100,000 are missing in green of 1,000,000; the rest of 1,200,000 goes half and half
    assert lent["off"].payload.target["green"] == pytest.approx((0.1e6 + 0.5 * 1.105e6) / 1.205e6, rel=1e-6)


def test_zones_with_too_much_are_sold():
    sales = {"enabled": True, "haircut": 0.1, "settlement_business_days": 10}
    run = played(rebalance_threshold=0.03, sell_loans=sales)
    triggers = {r.day: r.payload for r in of(run, "rebalance.triggered/1")}
    agreed = of(run, "loan_sale.agreed/1")
    sold = {r.payload.loan_id: r for r in of(run, "loan.exited/1") if r.payload.exit_kind == "secondary_sale"}
    assert len(agreed) > len(sold) - 1 > 5
    calendar = calendar_of(run.manifest)
    for record in agreed:
        assert record.payload.settlement_day == calendar.add_business_days(record.day, 10)
        if record.payload.loan_id in sold:
            exited = sold[record.payload.loan_id]
            fact = exited.payload
            assert exited.day == record.payload.settlement_day
            assert fact.proceeds_cents == pytest.approx(
                0.9 * min(fact.claim_cents, 0.98 * fact.property_value_cents), abs=1
            )
    for when, trigger in triggers.items():
        wanted = {zone: cents for zone, action, cents, _ in trigger.orders if action == "decrease"}
        given = {}
        for record in agreed:
            if record.day == when:
                given[record.payload.zone] = given.get(record.payload.zone, 0) + record.payload.principal_cents
        assert all(cents <= wanted[zone] for zone, cents in given.items())
    assert len(of(run, "loan.exited/1")) == len({r.payload.loan_id for r in of(run, "loan.exited/1")})


def test_a_loan_that_ends_before_its_sale_is_settled_is_not_sold():
    run = played(seed=7, rebalance_threshold=0.03, sell_loans={"enabled": True, "settlement_business_days": 120})
    agreed = {r.payload.loan_id for r in of(run, "loan_sale.agreed/1")}
    rejected = [r for r in of(run, "command.rejected/1") if r.payload.command.kind == "loan.sell/1"]
    assert rejected
    for record in rejected:
        assert record.payload.command.loan_id in agreed
        assert "does not pay any more" in record.payload.reason
    assert not run.refused


def test_idle_weights_stay_idle():
    run = played("equal_weight", risk_constraints={"max_protocol_exposure_pct": 20})
    check = of(run, "allocation.optimized/1")[0].payload
    assert (check.idle, check.idle_reason) == (pytest.approx(0.4), "the caps sum to 0.6")
    late = of(run, "allocation.optimized/1")[8].payload
    assert late.drift["green"] == pytest.approx(late.current["green"] - 1 / 3)  # of what is invested
    cost = sum(r.payload.principal_cents for r in of(run, "loan.originated/1") if r.payload.source == "deployment")
    called = sum(r.payload.amount_cents for r in of(run, "capital.contributed/1") if r.payload.purpose == "deployment")
    assert 0.5 < cost / called < 0.65


def test_volatility_scales_back_and_a_calm_market_deploys_what_waited():
    script = [
        {"at": "2026-01-02", "do": {"set_volatility": "high"}},
        {"at": "2026-10-01", "do": {"set_volatility": "low"}},
    ]
    run = played("equal_weight", script=script)
    lent = {}
    for record in of(run, "loan.originated/1"):
        lent[record.day] = lent.get(record.day, 0) + record.payload.principal_cents
    by_october = sum(cents for when, cents in lent.items() if when < day("2026-10-01"))
    by_january = sum(cents for when, cents in lent.items() if when <= day("2026-12-31"))
    assert by_october < 0.62 * 90e8 * 9 / 12
    assert by_january > 0.95 * 92e8 * 11 / 12


def test_with_debt_what_is_drawn_can_be_lent():
    script = [
        {"at": "2026-01-02", "do": {"set_volatility": "high"}},
        {"at": "2027-01-04", "do": {"set_volatility": "low"}},
    ]
    run = played("equal_weight", name="levered", script=script)
    lent = {r.day: r.payload for r in of(run, "draw.lent/1")}
    drawn = [r for r in of(run, "facility.drawn/1") if r.payload.purpose == "target"]
    assert drawn
    for record in drawn:
        fact = lent[record.day]
        assert fact.amount_cents + fact.kept_cents > 0.9 * record.payload.amount_cents


MOVES = [
    ("strategy", "mean_variance", {}),
    ("rebalance_threshold", 0.01, {}),
    ("max_protocols", 2, {}),
    ("optimization_frequency", "annual", {}),
    ("min_protocol_allocation", 0.3, {}),
    ("max_protocol_allocation", 0.35, {}),
    ("risk_free_rate", 0.075, {"strategy": "kelly_criterion"}),
    ("risk_aversion", 30, {"strategy": "mean_variance"}),
    ("tau", 1, {"strategy": "black_litterman", "views": {"red": 0.12}, "risk_aversion": 10}),
    ("infeasible", "scale_caps", {"max_protocol_allocation": 0.2}),
    ("return_weight", 0, {"strategy": "multi_objective", "risk_aversion": 10}),
    ("risk_score_weight", 0, {"strategy": "multi_objective", "risk_aversion": 10}),
    (
        "turnover_weight",
        100,
        {"strategy": "multi_objective", "risk_aversion": 10, "costs": {"green": 0.01, "red": 0.02}},
    ),
    ("risk_constraints.max_protocol_exposure_pct", 35, {}),
    ("risk_constraints.max_asset_concentration_pct", 34, {}),
    ("risk_constraints.max_transaction_size_pct", 1, {"rebalance_threshold": 0.02}),
    ("risk_budgets", {"red": 3}, {}),
    ("views", {"red": 0.5}, {"strategy": "black_litterman", "views": {"red": 0.01}}),
    ("costs", {"green": 1, "orange": 1, "red": 1}, {"rebalance_threshold": 0.02}),
    ("lookback_months", 12, {}),
    ("sell_loans.enabled", True, {"rebalance_threshold": 0.02}),
    ("sell_loans.haircut", 0.3, {"rebalance_threshold": 0.02, "sell_loans.enabled": True}),
    ("sell_loans.settlement_business_days", 40, {"rebalance_threshold": 0.02, "sell_loans.enabled": True}),
]


@pytest.mark.parametrize(("key", "value", "beside"), MOVES, ids=[key for key, _, _ in MOVES])
def test_a_parameter_moves_a_result(key, value, beside):
    beside = {"rebalance_threshold": 0.05, **beside}
    strategy = beside.pop("strategy", "risk_parity")
    plain = played(strategy, seed=11, **beside)
    moved = played(**{"strategy": strategy, **beside, key: value}, seed=11)
    assert any(a.payload != b.payload for a, b in zip(list(plain.log)[1:], list(moved.log)[1:], strict=False)) or len(
        plain.log
    ) != len(moved.log)


def test_every_setting_has_a_line_above():
    from fundclock.handlers.settings.allocation import AllocationConfig

    names = set()
    for name, field in AllocationConfig.model_fields.items():
        inner = getattr(field.annotation, "model_fields", None)
        names |= {f"{name}.{key}" for key in inner} if inner else {name}
    assert names - {key for key, _, _ in MOVES} == {"enabled"}


def test_variables_are_read_once_and_kept_in_the_manifest(monkeypatch):
    monkeypatch.setenv("CAPITAL_REBALANCE_THRESHOLD", "0.03")
    monkeypatch.setenv("CAPITAL_OPTIMIZATION_FREQUENCY", "annual")
    monkeypatch.setenv("CAPITAL_STRATEGY", "equal_weight")
    run = played("risk_parity")
    section = run.manifest.scenario["capital_allocation"]
    assert (section["rebalance_threshold"], section["optimization_frequency"]) == (0.03, "annual")
    assert section["strategy"] == "risk_parity"  # what the scenario says stands
    monkeypatch.setenv("CAPITAL_REBALANCE_THRESHOLD", "0.5")
    again = play_in_memory(plan_again(run.manifest, run.kept))
    assert again.head_hash == run.head_hash
    plain = Scenario.load("base").with_(seed=3).run()
    assert plain.manifest.scenario["capital_allocation"] is None
    monkeypatch.setenv("CAPITAL_STRATEGY", "magic")
    with pytest.raises(InvalidInput, match="CAPITAL_STRATEGY"):
        Scenario.load("base").with_(set={"capital_allocation.enabled": True}).run()


def test_a_script_may_change_the_strategy():
    script = [*CALM, {"at": "2028-01-03", "do": {"set": {"capital_allocation.strategy": "equal_weight"}}}]
    run = played("risk_parity", script=script)
    checks = of(run, "allocation.optimized/1")
    assert {r.payload.strategy for r in checks if r.day < day("2028-01-03")} == {"risk_parity"}
    assert {r.payload.strategy for r in checks if r.day > day("2028-01-03")} == {"equal_weight"}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"capital_allocation.strategy": "black_litterman"}, "needs views"),
        ({"capital_allocation.views.blue": 0.1}, r"capital_allocation.views.blue: unknown zone; allowed: green"),
        ({"capital_allocation.costs.red": -0.1}, "greater than or equal to 0"),
        ({"capital_allocation.strategi": "x"}, "did you mean 'strategy'"),
        (
            {"capital_allocation": {"strategy": "equal_weight", "min_protocol_allocation": 0.5}},
            "0.5 for each zone is more",
        ),
        ({"capital_allocation.risk_constraints.max_protocol_exposure_pct": 120}, "less than or equal to 100"),
        (
            {
                "capital_allocation": {
                    "strategy": "equal_weight",
                    "min_protocol_allocation": 0.2,
                    "risk_constraints": {"max_protocol_exposure_pct": 10},
                }
            },
            "0.2 is above the cap of 0.1",
        ),
        (
            {
                "capital_allocation": {
                    "strategy": "equal_weight",
                    "infeasible": "raise",
                    "risk_constraints": {"max_protocol_exposure_pct": 10},
                }
            },
            "do not reach 1",
        ),
    ],
)
def test_a_wrong_setting_is_refused(settings, says):
    with pytest.raises(InvalidInput, match=says):
        Scenario.load("base").with_(set=settings).plan()


def test_the_report_and_the_figure(parity):
    report = allocation_report(parity)
    assert len(report["checks"]) == len(of(parity, "allocation.optimized/1"))
    chart = report["visualization"]["charts"]["allocation_drift"]
    assert chart == parity.figure("allocation_drift")
    names = [series["name"] for series in chart["series"]]
    assert names == [
        "green share",
        "green target",
        "orange share",
        "orange target",
        "red share",
        "red target",
        "largest drift",
    ]
    shares = {series["name"]: series["y"] for series in chart["series"]}
    assert shares["green share"][0] is None
    assert shares["green share"][5] + shares["orange share"][5] + shares["red share"][5] == pytest.approx(1)
    assert chart["thresholds"][0]["y"] == [0.03]
    json.dumps(report)
    with pytest.raises(InvalidInput, match="is not enabled"):
        allocation_report(Scenario.load("base").with_(seed=1, set={"fund.size": 3e6}).run())


def test_the_log_folds_to_the_state(parity):
    state = State()
    for record in parity.log:
        state.apply(record)
    assert state.digest() == parity.state.digest()
    assert state.allocation.triggers == len(of(parity, "rebalance.triggered/1"))


def test_the_command_line(fundclock):
    code, out, _ = fundclock("run", "base", "--seed", 7, "--set", "capital_allocation.strategy=risk_parity")
    assert code == 0
    code, out, _ = fundclock("show", "last", "--allocation")
    assert "Allocation: share of the book (target)" in out
    assert "Market conditions" in out
    code, out, _ = fundclock("show", "last", "--allocation", "--json")
    assert json.loads(out)["allocation"]["checks"][0]["strategy"] == "risk_parity"
    assert fundclock("verify", "last")[0] == 0
    fundclock("run", "base", "--set", "fund.size=3m")
    code, _, err = fundclock("show", "last", "--allocation")
    assert (code, "capital_allocation: is not enabled in this run" in err) == (2, True)


def test_decimals_of_the_allocator_are_what_the_log_holds(parity):
    fact = of(parity, "allocation.optimized/1")[0].payload
    assert sum(Decimal(repr(weight)) for weight in fact.weights.values()) <= 1


@pytest.mark.parametrize("strategy", ["risk_parity", "multi_objective", "mean_variance", "kelly_criterion"])
@pytest.mark.parametrize("seed", [1, 29])
def test_few_returns_do_not_stop_a_run(strategy, seed):
    run = played(strategy, seed=seed, lookback_months=4, optimization_frequency="monthly", costs={"green": 0.01})
    assert run.state.results.finished
    assert len(of(run, "allocation.optimized/1")) > 50


def test_a_check_without_an_answer_leaves_the_targets_as_they_were():
    still = {"zones.green.volatility": 0, "capital_allocation.strategy": "risk_parity"}
    run = Scenario.load("base").with_(seed=7, set=still).run()
    failed = of(run, "allocation.failed/1")
    assert failed
    assert "covariance: a bucket without any risk" in failed[0].payload.reason
    assert run.state.allocation.checks == len(of(run, "allocation.optimized/1"))
    assert run.metrics["loans_originated"] > 300


def test_views_and_few_zones():
    run = played("black_litterman", views={"red": 0.2}, max_protocols=1)
    assert {sum(weight > 0 for weight in r.payload.weights.values()) for r in of(run, "allocation.optimized/1")} == {1}
