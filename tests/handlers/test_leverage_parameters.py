"""Every parameter of leverage moves a result."""

import pytest

from fundclock import Scenario

SMALL = {
    "fund.size": 2e7,
    "fund.term_years": 7,
    "fund.reinvestment_period_years": 4,
    "exits.age_years": {"mean": 2, "sd": 1},
}
FALL = [{"at": "2028-02-01", "do": {"shock_price": "-35%"}}]
RAMP_BY_HAND = [
    {"at": "2026-11-02", "do": {"draw": {"facility": "ramp_line", "amount": 50_000}}},
    {"at": "2026-12-01", "do": {"repay": {"facility": "ramp_line", "amount": 10_000}}},
]
"""A draw and an early repayment, which may be locked out."""

HIGH = {"loans.ltv": {"mean": 0.65, "sd": 0.05, "min": 0.5, "max": 0.85}, "script": FALL}
"""Loans at .65 of the house, and prices that fall by a third: tests fail."""

MOVES = [
    ("green_sleeve.enabled", False, {}),
    (
        "green_sleeve.max_mult",
        0.61,
        {"optimization.target_leverage": 1, "optimization.max_leverage": 1, "optimization.deleveraging_threshold": 1},
    ),
    ("green_sleeve.spread_bps", 400, {}),
    ("green_sleeve.commitment_fee_bps", 100, {}),
    ("green_sleeve.advance_rate", 0.3, {}),
    ("green_sleeve.min_dscr", 20, {}),
    ("green_sleeve.max_ltv", 0.2, {}),
    ("green_sleeve.initial_commitment_mult", 0.2, {}),
    ("green_sleeve.term_months", 50, {}),
    ("green_sleeve.draw_end_months", 18, {}),
    ("green_sleeve.extensions", 0, {"green_sleeve.term_months": 24, "green_sleeve.draw_end_months": 24}),
    ("green_sleeve.extension_months", 3, {"green_sleeve.term_months": 24, "green_sleeve.draw_end_months": 24}),
    ("green_sleeve.upfront_fee_bps", 0, {}),
    ("green_sleeve.eligible_loan_ltv", 0.4, {"green_sleeve.advance_rate": 0.4}),
    ("green_sleeve.concentration.zone", 0.2, {"green_sleeve.advance_rate": 0.4}),
    ("green_sleeve.concentration.loan", 0.01, {"green_sleeve.advance_rate": 0.4}),
    ("green_sleeve.min_loans", 60, {}),
    ("green_sleeve.draw_notice_business_days", 30, {}),
    ("green_sleeve.cure_business_days", 2, "high"),
    ("green_sleeve.dscr_test_from_months", 6, {}),
    ("green_sleeve.valuation_lag_days", 45, "high"),
    ("green_sleeve.day_count", "ACT/365F", {}),
    ("green_sleeve.interest", "compounded", {}),
    ("green_sleeve.lookback_business_days", 5, {}),
    ("green_sleeve.rate_floor", 0.06, {}),
    ("green_sleeve.prepayment_lockout_months", 60, "above"),
    ("ramp_line.enabled", False, {}),
    ("ramp_line.limit_pct_commit", 0.05, {}),
    ("ramp_line.spread_bps", 500, {}),
    ("ramp_line.commitment_fee_bps", 100, {}),
    ("ramp_line.draw_period_months", 4, {}),
    ("ramp_line.term_months", 24, {}),
    ("ramp_line.advance_rate", 0.05, {}),
    ("ramp_line.clean_down_days", 20, {}),
    ("ramp_line.draw_notice_business_days", 10, {}),
    ("ramp_line.cure_business_days", 2, "late"),
    ("ramp_line.day_count", "ACT/365F", {}),
    ("ramp_line.interest", "compounded", {}),
    ("ramp_line.lookback_business_days", 5, {}),
    ("ramp_line.rate_floor", 0.06, {}),
    ("ramp_line.prepayment_lockout_months", 60, "by hand"),
    ("optimization.enabled", False, {}),
    ("optimization.target_leverage", 0.3, {}),
    ("optimization.max_leverage", 0.5, "above"),
    ("optimization.deleveraging_threshold", 2, "above"),
    ("optimization.min_cash_buffer", 6, {}),
]
LATE = {
    "calls.notice_business_days": 60,
    "leverage.ramp_line.clean_down_days": 20,
    "leverage.green_sleeve.enabled": False,
}
"""Draws that must be paid back before a call for them can come in."""


ABOVE = {
    "leverage.green_sleeve.max_ltv": 1,
    "leverage.green_sleeve.advance_rate": 1,
    "script": [{"at": "2028-02-15", "do": {"shock_nav": -0.35}}],
}
"""Leverage jumps above its threshold, and no test fails."""


def results(settings):
    run = Scenario.load("levered").with_(seed=11, set=settings).run()
    told = (
        "capital.distributed/1",
        "facility_interest.accrued/1",
        "event_of_default.declared/1",
        "facility.extended/1",
    )
    facts = [(record.day, record.kind, record.payload.to_json()) for record in run.log.read(kinds=told)]
    return {**run.metrics, "facts": facts}


@pytest.mark.parametrize(("key", "value", "beside"), MOVES, ids=[key for key, _, _ in MOVES])
def test_a_parameter_moves_a_result(key, value, beside):
    settings = dict(SMALL)
    if beside == "high":
        settings |= HIGH
    elif beside == "above":
        settings |= ABOVE
    elif beside == "late":
        settings |= LATE
    elif beside == "by hand":
        settings |= {"script": RAMP_BY_HAND}
    else:
        settings |= {f"leverage.{name}": other for name, other in beside.items()}
    plain, moved = results(settings), results({**settings, f"leverage.{key}": value})
    assert moved != plain


@pytest.mark.parametrize("key", ["interest_rate_shock", "nav_shock", "liquidity_shock"])
def test_a_shock_moves_the_stress_test(key):
    from fundclock.scenarios.views.stress import stress

    rows = [
        stress(Scenario.load("levered").with_(seed=11, set={**SMALL, f"leverage.stress_testing.{key}": size}).run())
        for size in (0.02, 0.3)
    ]
    assert rows[0].rows["combined"].terms != rows[1].rows["combined"].terms
    assert rows[0].rows["none"].terms == rows[1].rows["none"].terms


def test_stress_at_each_quarter_can_be_switched_off():
    run = Scenario.load("levered").with_(seed=11, set={**SMALL, "leverage.stress_testing.enabled": False}).run()
    assert not list(run.log.read(kinds=["leverage.stressed/1"]))


@pytest.mark.parametrize("key", ["base_rate_initial", "volatility", "mean_reversion", "long_term_mean"])
def test_the_rate_model_moves_interest(key):
    values = {"base_rate_initial": 0.06, "volatility": 0.02, "mean_reversion": 0.9, "long_term_mean": 0.08}
    plain = Scenario.load("levered").with_(seed=11, set=SMALL).run()
    moved = Scenario.load("levered").with_(seed=11, set={**SMALL, f"leverage.interest_rate_model.{key}": values[key]})
    assert moved.run().metrics["interest_paid"] != plain.metrics["interest_paid"]
