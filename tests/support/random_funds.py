"""Funds, with and without facilities, and acts of scripts, for property tests: strategies of Hypothesis."""

from hypothesis import strategies as st

ALLOCATION = [
    {"enabled": False},
    {"enabled": False},
    {"strategy": "risk_parity", "rebalance_threshold": 0.02, "sell_loans": {"enabled": True}},
    {"strategy": "kelly_criterion", "risk_constraints": {"max_protocol_exposure_pct": 40}},
    {"strategy": "multi_objective", "optimization_frequency": "monthly", "costs": {"green": 0.01}},
]

UNLEVERED = st.fixed_dictionaries(
    {
        "fund.size": st.sampled_from([3e6, 2e7]),
        "fund.term_years": st.sampled_from([3, 5]),
        "fund.reinvestment_period_years": st.sampled_from([0, 1, 3]),
        "fund.deployment_months": st.sampled_from([1, 6, 12]),
        "fund.start_date": st.sampled_from(["2026-01-01", "2027-02-28", "2028-02-29", "2026-05-17"]),
        "fund.wind_down_discount": st.sampled_from([0, 0.2]),
        "loans.interest_payment": st.sampled_from(["capitalise", "cash"]),
        "capital_allocation": st.sampled_from(ALLOCATION),
        "loans.selling_cost": st.sampled_from([0.02, 0.5]),
        "exits.age_years": st.sampled_from([{"mean": 1, "sd": 1}, {"mean": 4, "sd": 1.5}]),
        "exits.min_hold_years": st.sampled_from([0, 0.25]),
        "exits.foreclosure_months": st.sampled_from([0, 3, 24]),
        "zones.red.default_rate": st.sampled_from([0.025, 1.0]),
        "calls.notice_business_days": st.sampled_from([0, 10, 60]),
        "reinvestment_engine.reinvestment_delay": st.sampled_from([0, 0.5, 1, 7]),
        "reinvestment_engine.reinvestment_frequency": st.sampled_from(
            ["on_exit", "monthly", "quarterly", "semi_annual", "annual"]
        ),
        "reinvestment_engine.min_reinvestment_amount": st.sampled_from([0, 100_000, 1_000_000]),
        "reinvestment_engine.reinvestment_batch_size": st.sampled_from([1, 50]),
        "reinvestment_engine.reinvestment_strategy": st.sampled_from(
            ["rebalance", "maintain_allocation", "opportunistic", "custom"]
        ),
        "reinvestment_engine.rebalance_threshold": st.sampled_from([0, 0.02, 0.5]),
        "reinvestment_engine.opportunistic_threshold": st.sampled_from([-0.1, 0.05]),
        "reinvestment_engine.zone_preference_multipliers.red": st.sampled_from([0, 3]),
        "reinvestment_engine.reinvestment_size_adjustment": st.sampled_from([0, 0.5]),
        "reinvestment_engine.enable_dynamic_allocation": st.booleans(),
        "reinvestment_engine.enable_cash_reserve": st.booleans(),
        "reinvestment_engine.cash_reserve_max": st.sampled_from([0.05, 0.07, 1]),
        "fees.origination_payer": st.sampled_from(["borrower", "fund"]),
        "fund.recycle": st.sampled_from(["all", "principal"]),
    }
)

LINE, RAMP, OPTIMISER = "leverage.green_sleeve.", "leverage.ramp_line.", "leverage.optimization."

LEVERED = st.fixed_dictionaries(
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
ACTS = st.lists(
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
