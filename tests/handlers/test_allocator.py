"""The allocator as its users call it: examples, settings, amounts, orders, metrics, and what it refuses."""

import json
import re
import subprocess
import sys
from decimal import Decimal
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fundclock.handlers import allocation
from fundclock.handlers.allocation import (
    AllocationError,
    AllocationStrategy,
    AllocationTarget,
    CapitalAllocator,
    RiskMetrics,
    VolatilityState,
    risk_multiplier,
)

NAMES = ["scroll", "zksync", "eigenlayer"]
RETURNS = {"scroll": 0.06, "zksync": 0.05, "eigenlayer": 0.04}
RISKS = {"scroll": 0.3, "zksync": 0.2, "eigenlayer": 0.1}
COVARIANCE = np.diag([0.09, 0.04, 0.01])


def test_every_example_of_the_document_that_describes_it_runs(seed_documents, monkeypatch):
    """In order and in one namespace, with the names that they take from their surroundings."""
    [text] = [text for text in seed_documents if text.startswith("# Capital Allocation Engine")]
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 6
    package = ModuleType("airdrops")
    monkeypatch.setitem(sys.modules, "airdrops", package)
    monkeypatch.setitem(sys.modules, "airdrops.capital_allocation", allocation)
    names: dict = {"Decimal": Decimal, "CapitalAllocator": CapitalAllocator}
    for block in blocks:
        exec(compile(block, "<example>", "exec"), names)
    assert sum(names["allocation"].values()) == Decimal("0.6")
    assert names["capital_amounts"]["scroll"] == 100_000 * Decimal("0.2") * Decimal("0.8") * Decimal("0.9")
    assert [(order.action, order.protocol, order.amount) for order in names["orders"]] == [
        ("decrease", "scroll", 10_000),
        ("increase", "zksync", 10_000),
    ]
    assert names["metrics"].total_return == Decimal("1.02") * Decimal("1.01") * Decimal("0.995") - 1


def test_settings_come_from_the_config_then_the_environment_then_defaults(monkeypatch):
    plain = CapitalAllocator()
    assert (plain.allocation_strategy, plain.risk_free_rate) == (AllocationStrategy.EQUAL_WEIGHT, Decimal("0.02"))
    assert (plain.rebalance_threshold, plain.max_protocols) == (Decimal("0.1"), 10)
    monkeypatch.setenv("CAPITAL_STRATEGY", "risk_parity")
    monkeypatch.setenv("CAPITAL_RISK_FREE_RATE", "0.03")
    monkeypatch.setenv("CAPITAL_REBALANCE_THRESHOLD", "0.05")
    monkeypatch.setenv("CAPITAL_MAX_PROTOCOLS", "4")
    monkeypatch.setenv("CAPITAL_OPTIMIZATION_FREQUENCY", "monthly")
    set_ = CapitalAllocator()
    assert (set_.allocation_strategy, set_.risk_free_rate) == (AllocationStrategy.RISK_PARITY, Decimal("0.03"))
    assert (set_.rebalance_threshold, set_.max_protocols) == (Decimal("0.05"), 4)
    assert set_.settings.optimization_frequency == "monthly"
    for config in ({"strategy": "mean_variance"}, {"capital_allocation": {"strategy": "mean_variance"}, "other": 1}):
        assert CapitalAllocator(config).allocation_strategy is AllocationStrategy.MEAN_VARIANCE
        assert CapitalAllocator(config).max_protocols == 4


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"strategi": "equal_weight"}, "unknown key 'strategi'; did you mean 'strategy'"),
        ({"strategy": "magic"}, "strategy: .*'magic'"),
        ({"rebalance_threshold": 2}, "rebalance_threshold: .*less than or equal to 1"),
        ({"max_protocols": 0}, "max_protocols"),
        ({"infeasible": "hope"}, "infeasible"),
        ({"risk_aversion": float("nan")}, "risk_aversion"),
        ({"min_protocol_allocation": 0.5, "max_protocol_allocation": 0.2}, "is above max_protocol_allocation 0.2"),
    ],
)
def test_a_wrong_setting_is_named(config, says):
    with pytest.raises(ValueError, match=says):
        CapitalAllocator(config)


def test_a_config_that_is_no_mapping_is_a_type_error():
    with pytest.raises(TypeError, match="config must be a mapping, got str"):
        CapitalAllocator("equal_weight")


def given_for(strategy):
    """What a strategy needs."""
    return {
        "equal_weight": {},
        "risk_parity": {"covariance": COVARIANCE},
        "mean_variance": {"expected_returns": RETURNS, "covariance": COVARIANCE},
        "kelly_criterion": {"expected_returns": RETURNS, "risk_scores": RISKS},
        "black_litterman": {"covariance": COVARIANCE, "views": {"scroll": 0.1}},
        "multi_objective": {"expected_returns": RETURNS, "covariance": COVARIANCE, "costs": {"scroll": 0.01}},
    }[strategy]


@pytest.mark.parametrize("strategy", list(AllocationStrategy))
def test_every_strategy_gives_decimals_inside_its_caps(strategy):
    allocator = CapitalAllocator({"strategy": strategy})
    weights = allocator.optimize_portfolio(NAMES, {"max_protocol_exposure_pct": Decimal(40)}, **given_for(strategy))
    assert list(weights) == NAMES
    assert all(type(weight) is Decimal and 0 <= weight <= Decimal("0.4") for weight in weights.values())
    assert sum(weights.values()) + weights.idle == 1
    assert allocator.optimize_portfolio([]) == {}


def test_what_stays_idle_is_said_and_why():
    weights = CapitalAllocator().optimize_portfolio(NAMES, {"max_protocol_exposure_pct": 20})
    assert (weights.idle, weights.idle_reason) == (Decimal("0.4"), "the caps sum to 0.6")
    raised = CapitalAllocator({"infeasible": "scale_caps"}).optimize_portfolio(NAMES, {"max_protocol_exposure_pct": 20})
    assert (raised.idle < Decimal("1e-11"), raised.idle_reason) == (True, None)
    with pytest.raises(AllocationError, match=r"the caps sum to 0\.6: not all can be invested"):
        CapitalAllocator({"infeasible": "raise"}).optimize_portfolio(NAMES, {"max_protocol_exposure_pct": 20})
    kelly = CapitalAllocator({"strategy": "kelly_criterion"})
    cautious = kelly.optimize_portfolio(["a"], expected_returns={"a": 0.03}, risk_scores={"a": 0.5})
    assert cautious["a"] == Decimal("0.04")  # (.03 − .02)/.25
    assert "would earn less than it risks" in cautious.idle_reason


def test_caps_by_bucket_by_asset_and_floors():
    by_bucket = CapitalAllocator().optimize_portfolio(NAMES, {"max_protocol_exposure_pct": {"scroll": 10}})
    assert by_bucket["scroll"] == Decimal("0.1")
    assert by_bucket["zksync"] == by_bucket["eigenlayer"] == Decimal("0.45")
    assets = {"max_asset_concentration_pct": 40, "assets": {"scroll": "ETH", "zksync": "ETH"}}
    shared = CapitalAllocator().optimize_portfolio(NAMES, assets)
    assert (shared["scroll"], shared["zksync"], shared["eigenlayer"]) == (
        Decimal("0.2"),
        Decimal("0.2"),
        Decimal("0.4"),
    )
    assert shared.idle == Decimal("0.2")
    floors = CapitalAllocator({"strategy": "mean_variance", "min_protocol_allocation": 0.25, "risk_aversion": 0.01})
    found = floors.optimize_portfolio(NAMES, expected_returns=RETURNS, covariance=COVARIANCE)
    assert (found["zksync"], found["eigenlayer"], found["scroll"]) == (Decimal("0.25"), Decimal("0.25"), Decimal("0.5"))
    with pytest.raises(AllocationError, match="min_protocol_allocation is too high"):
        CapitalAllocator({"min_protocol_allocation": 0.4}).optimize_portfolio(NAMES)


def test_the_best_of_too_many():
    two = {"max_protocols": 2}
    assert list(CapitalAllocator(two).optimize_portfolio(NAMES)) == NAMES[:2]
    by_return = CapitalAllocator(two).optimize_portfolio(NAMES, expected_returns={**RETURNS, "eigenlayer": 0.5})
    assert list(by_return) == ["scroll", "eigenlayer"]
    by_merit = CapitalAllocator({**two, "strategy": "mean_variance"}).optimize_portfolio(
        NAMES, expected_returns=RETURNS, covariance=COVARIANCE
    )
    assert list(by_merit) == ["zksync", "eigenlayer"]  # .05/.2 and .04/.1 a unit of risk, against .06/.3
    by_risk = CapitalAllocator({**two, "strategy": "risk_parity"}).optimize_portfolio(NAMES, risk_scores=RISKS)
    assert list(by_risk) == ["zksync", "eigenlayer"]


def test_expected_returns_may_come_from_a_model():
    allocator = CapitalAllocator({"strategy": "mean_variance"})
    by_model = allocator.optimize_portfolio(
        NAMES, expected_returns=lambda names: {name: RETURNS[name] for name in names}, covariance=COVARIANCE
    )
    assert by_model == allocator.optimize_portfolio(NAMES, expected_returns=RETURNS, covariance=COVARIANCE)


def bad(*pairs):
    return pytest.mark.parametrize(("strategy", "change", "says"), pairs)


@bad(
    ("equal_weight", {"protocols": "scroll"}, "protocols must be a list of names, got str"),
    ("equal_weight", {"protocols": ["a", "b", "a"]}, "protocols has duplicates: a"),
    ("equal_weight", {"protocols": ["a", 1]}, "protocols must be names, got 1"),
    ("equal_weight", {"risk_constraints": {"max_exposure": 3}}, "risk_constraints: unknown key 'max_exposure'"),
    ("equal_weight", {"risk_constraints": [1]}, "risk_constraints must be a mapping, got list"),
    (
        "equal_weight",
        {"risk_constraints": {"max_protocol_exposure_pct": 120}},
        "max_protocol_exposure_pct must be between 0 and 100 per cent, got 120",
    ),
    (
        "equal_weight",
        {"risk_constraints": {"max_protocol_exposure_pct": {"scrol": 20}}},
        "max_protocol_exposure_pct: unknown bucket 'scrol'; did you mean 'scroll'",
    ),
    ("equal_weight", {"risk_constraints": {"assets": {"x": "ETH"}}}, "assets: unknown bucket 'x'"),
    ("risk_parity", {"covariance": None}, "risk_scores or covariance: required by strategy risk_parity"),
    ("risk_parity", {"covariance": None, "risk_scores": {**RISKS, "scroll": float("nan")}}, r"risk_scores\['scroll'\]"),
    ("risk_parity", {"covariance": None, "risk_scores": {**RISKS, "scroll": -1}}, "must be at least 0, got -1"),
    ("risk_parity", {"covariance": None, "risk_scores": {**RISKS, "scroll": 0}}, "must be above 0 for risk_parity"),
    ("risk_parity", {"covariance": None, "risk_scores": {"scroll": 1}}, "risk_scores has no value for 'zksync'"),
    ("risk_parity", {"risk_budgets": {**RISKS, "other": 1}}, "risk_budgets: unknown bucket 'other'"),
    ("risk_parity", {"covariance": np.zeros((3, 3))}, "covariance has no risk to budget"),
    ("mean_variance", {"expected_returns": None}, "expected_returns: required by strategy mean_variance"),
    (
        "mean_variance",
        {"expected_returns": {**RETURNS, "scroll": "high"}},
        r"expected_returns\['scroll'\] must be a number",
    ),
    ("mean_variance", {"expected_returns": {**RETURNS, "scroll": True}}, "must be a number, got bool"),
    ("mean_variance", {"covariance": None}, "covariance or risk_scores: required by strategy mean_variance"),
    ("mean_variance", {"covariance": np.eye(2)}, r"shape \(3, 3\) of the protocols, got \(2, 2\)"),
    ("mean_variance", {"covariance": COVARIANCE * np.nan}, "covariance must be finite"),
    ("mean_variance", {"covariance": [[1, 0, 0], [1, 1, 0], [0, 0, 1]]}, "covariance must be symmetric"),
    (
        "mean_variance",
        {"covariance": [[1, 2, 0], [2, 1, 0], [0, 0, 1]]},
        "positive semidefinite, its smallest eigenvalue is -1",
    ),
    ("mean_variance", {"risk_constraints": {"min_expected_return": 0.5}}, "no weights meet all limits"),
    ("kelly_criterion", {"scenarios": [[0.1, 0.1]]}, r"scenarios must have the shape \(scenarios, 3\), got \(1, 2\)"),
    ("kelly_criterion", {"scenarios": [[0.1, 0.1, -2]]}, "a return can't be below -1, got -2"),
    ("black_litterman", {"views": None}, "views: strategy black_litterman requires at least one"),
    ("black_litterman", {"views": {"other": 0.1}}, "views: unknown bucket 'other'"),
    ("black_litterman", {"views": [({"scroll": 1},)]}, r"views\[0\] must be"),
    ("black_litterman", {"current": {"scroll": 0.9, "zksync": 0.3}}, "current sums to 1.2, above 1"),
    ("multi_objective", {"costs": {"scroll": -0.1}}, r"costs\['scroll'\] must be at least 0"),
)
def test_a_wrong_argument_is_named(strategy, change, says):
    call = {"protocols": NAMES, **given_for(strategy), **change}
    with pytest.raises((ValueError, TypeError), match=says):
        CapitalAllocator({"strategy": strategy}).optimize_portfolio(**call)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda x, lam: (x * 0 + 1 / 3, lam), "fails its check: .* from optimal"),
        (lambda x, lam: (x * 2, lam), "fails its check: .* outside"),
        (lambda x, lam: (x * np.nan, lam), "is not finite"),
    ],
)
def test_no_answer_of_the_solver_is_given_unchecked(monkeypatch, wrong, says):
    from fundclock.handlers.allocation import qp

    honest = qp.daqp.solve

    def lying(*problem, **options):
        x, value, flag, info = honest(*problem, **options)
        x, duals = wrong(x, info["lam"])
        return x, value, flag, {**info, "lam": duals}

    monkeypatch.setattr(qp.daqp, "solve", lying)
    with pytest.raises(AllocationError, match=says):
        CapitalAllocator({"strategy": "mean_variance"}).optimize_portfolio(NAMES, **given_for("mean_variance"))


def test_multipliers():
    def of(**state):
        return risk_multiplier(RiskMetrics(**state))

    assert [of(volatility_state=state) for state in VolatilityState] == [
        Decimal(1), Decimal("0.8"), Decimal("0.6"), Decimal("0.3"),
    ]  # fmt: skip
    assert [of(gas_price_gwei=level) for level in (50, 51, 100, 101)] == [
        Decimal(1), Decimal("0.9"), Decimal("0.9"), Decimal("0.7"),
    ]  # fmt: skip
    assert of(volatility_state="high", gas_price_gwei=75) == Decimal("0.54")
    assert of(circuit_breaker_triggered=True) == 0


def test_capital_takes_a_mapping_or_a_model():
    allocator = CapitalAllocator()
    weights = {"a": Decimal("0.25"), "b": Decimal("0.5")}
    for metrics in (
        RiskMetrics(volatility_state=VolatilityState.HIGH),
        {"volatility_state": "high", "gas_price_gwei": Decimal(10), "circuit_breaker_triggered": False},
    ):
        amounts = allocator.allocate_risk_adjusted_capital(Decimal(1000), weights, metrics)
        assert amounts == {"a": Decimal(150), "b": Decimal(300)}
    assert set(allocator.allocate_risk_adjusted_capital(1, weights, {"circuit_breaker_triggered": True}).values()) == {
        0
    }


@pytest.mark.parametrize(
    ("total", "weights", "metrics", "says"),
    [
        (0, {"a": 1}, {}, "Total capital must be positive"),
        (Decimal(-5), {"a": 1}, {}, "Total capital must be positive"),
        ("x", {"a": 1}, {}, "total_capital must be a number"),
        (float("inf"), {"a": 1}, {}, "total_capital must be finite"),
        (1, {"a": 0.6, "b": 0.6}, {}, r"allocation sums to 1\.2, above 1"),
        (1, {"a": -0.1}, {}, r"allocation\['a'\] must be at least 0"),
        (1, {"a": 1}, {"volatility_state": "wild"}, "risk_metrics: volatility_state: .*'wild'"),
        (1, {"a": 1}, {"circuit_braker": True}, "risk_metrics: circuit_braker"),
        (1, {"a": 1}, {"gas_price_gwei": -1}, "risk_metrics: gas_price_gwei"),
        (1, {"a": 1}, 3, "risk_metrics must be a mapping, got int"),
    ],
)
def test_wrong_capital_is_refused(total, weights, metrics, says):
    with pytest.raises((ValueError, TypeError), match=says):
        CapitalAllocator().allocate_risk_adjusted_capital(total, weights, metrics)


def test_orders_by_deviation_and_then_name():
    allocator = CapitalAllocator({"rebalance_threshold": 0.05})
    current = {"d": Decimal("0.3"), "a": Decimal("0.3"), "b": Decimal("0.2"), "c": Decimal("0.2")}
    target = {"d": Decimal("0.4"), "a": Decimal("0.4"), "b": Decimal("0.04"), "c": Decimal("0.16")}
    found = allocator.rebalance_portfolio(current, target, 1000)
    assert [(o.protocol, o.action, o.amount, o.priority) for o in found] == [
        ("b", "decrease", Decimal(160), 1),
        ("a", "increase", Decimal(100), 2),
        ("d", "increase", Decimal(100), 3),
    ]
    assert found.net == 40
    assert allocator.rebalance_portfolio(current, current, 1000) == []


def test_an_order_above_the_limit_of_a_transaction_is_split():
    found = CapitalAllocator().rebalance_portfolio(
        {"a": 1}, {"a": 0.8, "b": 0.2}, 1000, risk_constraints={"max_transaction_size_pct": Decimal("7.5")}
    )
    assert [(o.protocol, o.part, o.parts) for o in found] == [
        ("a", 1, 3), ("a", 2, 3), ("a", 3, 3), ("b", 1, 3), ("b", 2, 3), ("b", 3, 3),
    ]  # fmt: skip
    assert [order.amount for order in found] == [75, 75, 50, 75, 75, 50]
    assert found.net == 0


def test_an_order_that_costs_more_than_it_brings_is_dropped():
    """Off by .1 costs γ/2 · .01 of the whole to leave, rate · .1 to correct: even at a rate of .125 for γ = 2.5."""
    at = {"a": Decimal("0.6"), "b": Decimal("0.4")}
    to = {"a": Decimal("0.5"), "b": Decimal("0.5")}
    found = CapitalAllocator().rebalance_portfolio(at, to, 1000, costs={"a": Decimal("0.124"), "b": Decimal("0.126")})
    assert [order.protocol for order in found] == ["a"]
    assert [order.protocol for order in found.dropped] == ["b"]
    assert found.net == -100


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"total": 0}, "total must be positive"),
        ({"current": {"a": 1.2}}, "current sums to 1.2"),
        ({"target": {"a": -1}}, r"target\['a'\] must be at least 0"),
        ({"costs": {"x": 1}}, "costs: unknown bucket 'x'"),
        ({"costs": {"a": -1}}, "costs must be at least 0"),
        ({"risk_constraints": {"max_transaction_size_pct": 0}}, "must be above 0 per cent"),
    ],
)
def test_a_wrong_rebalancing_is_refused(change, says):
    call = {"current": {"a": 1}, "target": {"a": 0.5}, "total": 100, **change}
    with pytest.raises(ValueError, match=says):
        CapitalAllocator().rebalance_portfolio(**call)


def test_efficiency_by_hand():
    metrics = CapitalAllocator().calculate_efficiency_metrics(
        [Decimal("-0.1"), Decimal("0.2"), Decimal("0.05")], utilization=[Decimal("0.4"), Decimal("0.6")]
    )
    assert metrics.total_return == Decimal("0.9") * Decimal("1.2") * Decimal("1.05") - 1 == Decimal("0.134")
    # mean .05, sample variance (.0225 + .0225 + 0)/2
    assert float(metrics.sharpe_ratio) == pytest.approx((0.05 - 0.02) / 0.15)
    assert float(metrics.max_drawdown) == pytest.approx(0.1)  # from the starting value
    assert float(metrics.volatility) == pytest.approx(0.15)
    assert metrics.capital_utilization == Decimal("0.5")
    assert metrics.roi == Decimal("0.268")
    assert float(metrics.value_at_risk) == pytest.approx(0.1)
    yearly = CapitalAllocator().calculate_efficiency_metrics([-0.1, 0.2, 0.05], periods_per_year=4)
    assert float(yearly.sharpe_ratio) == pytest.approx((0.05 - 0.005) / 0.15 * 2)
    assert CapitalAllocator().calculate_efficiency_metrics([0.01, 0.01]).sharpe_ratio == 0


@pytest.mark.parametrize(
    ("returns", "more", "says"),
    [
        ([0.01], {}, "a Sharpe ratio needs at least two, got 1"),
        ([], {}, "needs at least two, got 0"),
        ([0.1, float("nan")], {}, r"returns\[1\] must be finite"),
        ([0.1, -1.5], {}, "can't be below -1"),
        ("0.1", {}, "returns must be a list"),
        ([0.1, 0.2], {"utilization": 2}, "utilization must be between 0 and 1, got 2"),
        ([0.1, 0.2], {"confidence": 1}, "confidence must be between 0 and 1"),
        ([0.1, 0.2], {"periods_per_year": 0}, "periods_per_year must be above 0"),
    ],
)
def test_wrong_returns_are_refused(returns, more, says):
    with pytest.raises((ValueError, TypeError), match=says):
        CapitalAllocator().calculate_efficiency_metrics(returns, **more)


def test_targets_beside_what_is_held():
    [first, second] = CapitalAllocator().targets({"a": Decimal("0.4")}, {"b": Decimal("0.1")}, {"a": 2}, {"a": 0.05})
    assert first == AllocationTarget("a", Decimal("0.4"), Decimal(0), Decimal(2), Decimal("0.05"))
    assert (second.deviation, second.risk_score) == (Decimal("-0.1"), None)


numbers = st.floats(-0.2, 0.3, allow_subnormal=False)


@given(
    st.sampled_from(list(AllocationStrategy)),
    st.integers(1, 8),
    st.sampled_from(["leave_cash", "scale_caps"]),
    st.floats(1, 100),
    st.floats(0, 0.1),
    st.data(),
)
@settings(max_examples=150)
def test_weights_are_always_inside_their_limits(strategy, n, infeasible, cap, floor, data):
    names = [f"b{row}" for row in range(n)]
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    factors = rng.normal(size=(n, n + 1)) * 0.1
    covariance = factors @ factors.T + 1e-6 * np.eye(n)
    returns = dict(zip(names, data.draw(st.lists(numbers, min_size=n, max_size=n)), strict=True))
    config = {"strategy": strategy, "infeasible": infeasible, "min_protocol_allocation": floor}
    limits = {"max_protocol_exposure_pct": cap}
    if n > 1 and data.draw(st.booleans()):
        limits |= {"max_asset_concentration_pct": cap, "assets": {names[0]: "x", names[1]: "x"}}
    try:
        weights = CapitalAllocator(config).optimize_portfolio(
            names, limits, expected_returns=returns, covariance=covariance, views={names[0]: 0.05},
            costs=dict.fromkeys(names, 0.01),
        )  # fmt: skip
    except AllocationError as error:
        assert "min_protocol_allocation" in str(error) or "least weights" in str(error)
        return
    assert all(weight >= 0 for weight in weights.values())
    assert sum(weights.values()) <= 1
    assert 0 <= weights.idle <= 1
    assert weights.idle < Decimal("1e-8") or weights.idle_reason
    if infeasible == "leave_cash":
        share = Decimal(cap) / 100 + Decimal("1e-12")
        assert all(weight <= share for weight in weights.values())
        assert "assets" not in limits or weights[names[0]] + weights[names[1]] <= share
    assert all(weight >= Decimal(floor) - Decimal("1e-9") for weight in weights.values())


HASH_PROGRAM = """
import json, numpy as np
from fundclock.handlers.allocation import AllocationStrategy, CapitalAllocator
names = {"scroll", "zksync", "eigenlayer", "linea", "base"}
found = {}
for strategy in AllocationStrategy:
    allocator = CapitalAllocator({"strategy": strategy, "max_protocols": 4})
    ordered = sorted(names)
    returns = {name: 0.05 for name in names}
    weights = allocator.optimize_portfolio(
        names, {"max_protocol_exposure_pct": 40}, expected_returns=returns, risk_scores={name: 0.2 for name in names},
        covariance=np.eye(5) * 0.04 + 0.01, views={"linea": 0.06}, costs={name: 0.01 for name in names})
    orders = allocator.rebalance_portfolio({name: 0.2 for name in names}, weights, 100, costs={"base": 0.001})
    found[strategy] = [list(map(str, weights.items())), [str(order) for order in orders], str(orders.net)]
print(json.dumps(found))
"""


def test_answers_do_not_depend_on_the_hash_seed():
    printed = {
        subprocess.run(
            [sys.executable, "-c", HASH_PROGRAM],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "12345")
    }
    assert len(printed) == 1
    assert len(json.loads(printed.pop())) == len(AllocationStrategy)


def weights_of(strategy, covariance, constraints=None, config=None, **given):
    names = list("abcdefghijkl")[: len(covariance)]
    allocator = CapitalAllocator({"strategy": strategy, "max_protocols": 12, **(config or {})})
    return list(allocator.optimize_portfolio(names, constraints, covariance=covariance, **given).values())


def test_risk_parity_where_floors_leave_no_choice():
    """The least variance inside the floors is above 1; what is left is the least variance that sums to 1."""
    found = weights_of("risk_parity", [[9, -2.7], [-2.7, 1]], config={"min_protocol_allocation": 0.4})
    assert found == [Decimal("0.4"), Decimal("0.6")]


@pytest.mark.parametrize("n", [2, 3, 6, 9, 12])
@pytest.mark.parametrize("above", [0, 1e-9, 1e-7, 1e-5, 1e-3])
def test_risk_parity_where_caps_just_reach_one(n, above):
    rng = np.random.default_rng(n)
    factors = rng.normal(size=(n, n + 3))
    found = weights_of("risk_parity", factors @ factors.T, {"max_protocol_exposure_pct": 100 / n + above})
    assert float(sum(found)) == pytest.approx(1, abs=1e-9)


def test_risk_parity_leaves_out_what_may_hold_nothing():
    found = weights_of("risk_parity", np.diag([1.0, 4.0, 9.0]), {"max_protocol_exposure_pct": {"a": 0}})
    assert [float(weight) for weight in found] == pytest.approx([0, 0.6, 0.4])


@pytest.mark.parametrize(
    ("covariance", "says"),
    [
        ([[1, -1, 0], [-1, 1, 0], [0, 0, 1]], "covariance: .*"),
        ([[0, 0], [0, 1]], "covariance: a bucket without any risk"),
    ],
)
def test_what_has_no_risk_to_budget_is_said(covariance, says):
    with pytest.raises(AllocationError, match=says):
        weights_of("risk_parity", covariance)


@pytest.mark.parametrize("seed", range(25))
def test_singular_covariances_have_answers(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 9))
    factors = rng.normal(size=(n, n - 1)) * 0.2
    returns = dict(zip("abcdefghijkl", rng.uniform(0, 0.3, n), strict=False))
    for strategy in ("mean_variance", "kelly_criterion"):
        found = weights_of(strategy, factors @ factors.T, expected_returns=returns)
        assert sum(found) <= 1
    two = np.outer([0.26, 0.22], [0.26, 0.22])
    pair = weights_of("mean_variance", two, expected_returns={"a": 0.25, "b": 0.16})
    assert 1 - Decimal("1e-11") <= sum(pair) <= 1


def test_views_on_what_is_left_out_still_inform():
    found = CapitalAllocator({"strategy": "black_litterman", "max_protocols": 2}).optimize_portfolio(
        list("abc"), covariance=np.diag([1, 2, 0.3]), views={"a": 0.1, "b": 5}
    )
    assert len(found) == 2
    assert "b" in found


def test_views_that_contradict_each_other_are_named():
    certain = [({"a": 1}, 0.1, 0), ({"a": 1}, 0.2, 0)]
    with pytest.raises(AllocationError, match="views: they contradict"):
        weights_of("black_litterman", np.eye(2), views=certain)
    with pytest.raises(TypeError, match="views must be a mapping or a list, got int"):
        weights_of("black_litterman", np.eye(2), views=5)


def test_numbers_and_names_of_any_kind():
    allocator = CapitalAllocator()
    found = allocator.optimize_portfolio(
        (name for name in "ab"), {"assets": {"a": "x", "b": "x"}, "max_asset_concentration_pct": np.float64(50)}
    )
    assert sum(found.values()) == Decimal("0.5")
    metrics = allocator.calculate_efficiency_metrics(
        [0.02, 0.01, -0.005], confidence=Decimal("0.9999999999"), periods_per_year=Decimal(12)
    )
    assert float(metrics.conditional_value_at_risk) == pytest.approx(0.005)
    with pytest.raises(ValueError, match=r"returns\[0\] must be at most 1e\+30 in size"):
        allocator.calculate_efficiency_metrics(["1e400", "0.1"])
    with pytest.raises(ValueError, match="max_transaction_size_pct would split"):
        allocator.rebalance_portfolio({"a": 1}, {"a": 0}, 1, risk_constraints={"max_transaction_size_pct": "0.0001"})
    section = {"enabled": True, "strategy": "risk_parity", "lookback_months": 12}
    assert CapitalAllocator({"capital_allocation": section}).allocation_strategy is AllocationStrategy.RISK_PARITY


def test_stress_by_hand():
    weights = {"a": Decimal("0.6"), "b": Decimal("0.3")}
    covariance = [[0.04, 0.0], [0.0, 0.09]]
    found = CapitalAllocator().stress_test(weights, {"crash": {"a": -0.5, "b": -0.1}, "only b": {"b": -1}}, covariance)
    assert float(found["crash"]) == pytest.approx(0.6 * 0.5 + 0.3 * 0.1)
    assert float(found["only b"]) == pytest.approx(0.3)
    # standard deviation √(.36·.04 + .09·.09) = .15, × 1.644854 at 95 %
    assert float(found["value_at_risk"]) == pytest.approx(0.15 * 1.6448536, rel=1e-6)
    together = CapitalAllocator().stress_test(weights, None, covariance, correlation_shift=1)
    assert float(together["value_at_risk"]) == pytest.approx((0.12 + 0.09) * 1.6448536, rel=1e-6)
    half = CapitalAllocator().stress_test(weights, None, covariance, correlation_shift=Decimal("0.5"))
    assert found["value_at_risk"] < half["value_at_risk"] < together["value_at_risk"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"shocks": {"crash": {"c": -0.5}}}, r"shocks\['crash'\]: unknown bucket 'c'"),
        ({"shocks": {"crash": {"a": -1.5}}}, "must be at least -1"),
        ({"allocation": {"a": 0.8, "b": 0.4}}, "above 1"),
        ({"covariance": np.eye(2), "correlation_shift": 2}, "correlation_shift must be between 0 and 1, got 2"),
        ({"covariance": np.eye(3)}, "covariance must have the shape"),
    ],
)
def test_a_wrong_stress_is_refused(change, says):
    with pytest.raises(ValueError, match=says):
        CapitalAllocator().stress_test(**{"allocation": {"a": 0.5, "b": 0.5}, **change})


def test_rolling_correlations():
    rows = [[9.0, 0.0], [0.01, 0.02], [0.03, 0.06], [-0.01, -0.02]]
    found = CapitalAllocator().rolling_correlations(rows, ["a", "b"], 3)
    assert found == {("a", "b"): pytest.approx(1)}
    rng = np.random.default_rng(1)
    many = rng.normal(size=(50, 3)) * 0.01
    by_hand = np.corrcoef(many[-20:], rowvar=False)
    found = CapitalAllocator().rolling_correlations(many, ["a", "b", "c"], 20)
    assert list(found.values()) == pytest.approx([by_hand[0, 1], by_hand[0, 2], by_hand[1, 2]])
    with pytest.raises(ValueError, match="a covariance needs two returns or more"):
        CapitalAllocator().rolling_correlations(many, ["a", "b", "c"], 1)
    with pytest.raises(ValueError, match=r"returns must have the shape"):
        CapitalAllocator().rolling_correlations(many, ["a", "b"], 20)
