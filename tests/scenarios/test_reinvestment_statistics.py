"""Statistics, risk and chart data of reinvestment, against the log and a fund worked by hand."""

import json
import math
from datetime import date
from decimal import Decimal

import pytest

from fundclock import (
    InvalidInput,
    Scenario,
    calculate_reinvestment_statistics,
    chart_data,
    reinvestment_risk,
)
from fundclock.events.dates import Calendar
from fundclock.scenarios.charts.chart import Series
from fundclock.scenarios.charts.reinvestment import CHARTS, TABLES
from fundclock.scenarios.reports import generate_reinvestment_visualization, reinvestment_report
from fundclock.scenarios.views.reinvestment import years_and_months
from funds import day, of, two_zones

RESPONSE = {
    "event": "event_id timestamp year month amount source source_details strategy_used target_allocations"
    " actual_allocations num_loans_generated loan_ids performance_adjustments cash_reserve_before cash_reserve_after",
    "summary": "total_reinvested num_reinvestment_events avg_reinvestment_amount reinvestment_by_year"
    " reinvestment_by_zone reinvestment_by_strategy reinvestment_by_source reinvestment_efficiency"
    " reinvestment_performance reinvestment_timing cash_reserve_history cash_reserve_metrics",
    "efficiency": "reinvestment_ratio avg_time_to_reinvest reinvestment_portfolio_impact",
    "performance": "roi avg_hold_period exit_type_distribution",
    "kpis": "total_reinvested num_reinvestment_events avg_reinvestment_amount reinvestment_ratio avg_time_to_reinvest"
    " reinvestment_roi num_reinvestment_loans reinvestment_portfolio_impact risk_metrics",
    "comparison": "event_id year zone target actual gap",
}
"""Fields that clients know."""


def missing(name, row):
    return set(RESPONSE[name].split()) - set(row)


@pytest.fixture(scope="module")
def lively():
    """The base fund with reserve, dynamic allocation and a manual reinvestment."""
    script = [{"at": "2029-05-05", "do": {"reinvest": {"amount": 700_000, "strategy": "opportunistic"}}}]
    changes = {
        "reinvestment_engine.enable_cash_reserve": True,
        "reinvestment_engine.enable_dynamic_allocation": True,
        "script": script,
    }
    return Scenario.load("base").with_(seed=5, set=changes).run()


def test_the_summary_of_a_small_fund_by_hand(tmp_path):
    run = two_zones(tmp_path)
    found = calculate_reinvestment_statistics(run)
    # on 30 June twelve loans for 1,200,000 of the 1,205,000 that came on 15 May; 5,000 are left until the period ends
    assert found["total_reinvested"] == found["avg_reinvestment_amount"] == "1200000.00"
    assert (found["num_reinvestment_events"], found["num_reinvestment_loans"]) == (1, 12)
    assert found["reinvestment_by_year"] == {"2026": "1200000.00"}
    assert found["reinvestment_by_period"] == [{"period": "2026-06", "amount": "1200000.00", "events": 1, "loans": 12}]
    assert found["reinvestment_by_zone"] == {"green": "800000.00", "red": "400000.00"}
    assert found["reinvestment_by_strategy"] == {"rebalance": "1200000.00"}
    assert found["reinvestment_by_source"] == {"exit": "1200000.00"}
    assert found["reinvestment_timing"] == {"2026": {"q1": "0.00", "q2": "1200000.00", "q3": "0.00", "q4": "0.00"}}
    efficiency = found["reinvestment_efficiency"]
    assert efficiency["reinvestment_ratio"] == pytest.approx(1200 / 1205)
    assert efficiency["avg_time_to_reinvest"] == day("2026-06-30") - day("2026-05-15")
    assert efficiency["reinvestment_portfolio_impact"] == pytest.approx(1200 / 3300)
    # the new loans mature with the fund, ten years less 180 days after they were made, at 5 % simple on average
    performance = found["reinvestment_performance"]
    bought = [r.payload for r in of(run, "loan.originated/1") if r.payload.source == "reinvestment"]
    held = day("2036-01-01") - day("2026-06-30")
    interest = sum(round(loan.principal_cents * loan.coupon * held / 365) for loan in bought)
    assert performance["roi"] == pytest.approx(interest / 120_000_000)
    assert performance["avg_hold_period"] == pytest.approx(held / 365)
    assert performance["exit_type_distribution"] == {"fund_end": 1.0}
    assert found["declined"] == {"below_minimum": {"times": 18, "amount": "90000.00"}}
    assert found["cash_reserve_history"] == []


def test_the_fields_that_clients_know_are_there(lively):
    report = reinvestment_report(lively)
    assert set(report) == {"events", "summary", "risk", "visualization"}
    assert not missing("event", report["events"][0])
    assert not missing("summary", report["summary"])
    assert not missing("efficiency", report["summary"]["reinvestment_efficiency"])
    assert not missing("performance", report["summary"]["reinvestment_performance"])
    assert not missing("kpis", report["visualization"]["kpis"])
    assert not missing("comparison", report["summary"]["allocation_comparison"][0])
    assert set(report["visualization"]) == {"charts", "tables", "kpis"}
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert generate_reinvestment_visualization(lively) == report["visualization"]


def test_sums_agree_with_each_other_and_with_the_metrics(lively):
    found = calculate_reinvestment_statistics(lively)
    metrics = lively.metrics
    total = Decimal(found["total_reinvested"])
    assert found["total_reinvested"] == metrics["reinvested"]
    assert found["num_reinvestment_events"] == metrics["reinvestment_count"]
    assert found["reinvestment_efficiency"]["avg_time_to_reinvest"] == pytest.approx(metrics["mean_days_to_reinvest"])
    for name in ("by_year", "by_zone", "by_strategy", "by_source"):
        assert sum(map(Decimal, found[f"reinvestment_{name}"].values())) == total, name
    assert sum(Decimal(row["amount"]) for row in found["reinvestment_by_period"]) == total
    assert sum(Decimal(q) for year in found["reinvestment_timing"].values() for q in year.values()) == total
    assert set(found["reinvestment_by_strategy"]) == {"rebalance", "opportunistic"}
    assert set(found["reinvestment_by_source"]) >= {"exit", "call"}
    history = found["cash_reserve_history"]
    assert history[-1]["balance"] == "0.00"
    balance = Decimal(0)
    for row in history:
        balance += Decimal(row["change"])
        assert balance == Decimal(row["balance"])
    assert Decimal(found["cash_reserve_metrics"]["peak"]) <= Decimal(found["cash_reserve_metrics"]["max"])


def test_an_event_says_what_stood_around_it(lively):
    events = reinvestment_report(lively)["events"]
    manual = next(event for event in events if event["trigger"] == "manual")
    assert (manual["timestamp"], manual["year"], manual["month"]) == ("2029-05-05", 3.3333, 4)
    assert (manual["amount"], manual["strategy_used"]) == ("700000.00", "opportunistic")
    before, after = Decimal(manual["cash_reserve_before"]), Decimal(manual["cash_reserve_after"])
    assert before - after == Decimal("700000.00")
    records = {record.seq: record for record in lively.log}
    for event in events:
        fact = records[event["seq"]].payload
        assert event["loan_ids"] == fact.loan_ids
        assert sum(Decimal(lot["amount"]) for lot in event["lots"]) == Decimal(event["amount"])
        adjustments = [
            r.payload.adjustments
            for r in records.values()
            if r.seq in range(event["seq"] - 2, event["seq"]) and r.kind == "allocation.adjusted/1"
        ]
        assert event["performance_adjustments"] == (adjustments[0] if adjustments else {})
    assert any(event["performance_adjustments"] for event in events)


def test_risk_has_a_row_for_each_reinvestment_and_a_trend(lively):
    risk = reinvestment_risk(lively)
    assert len(risk["events"]) == lively.metrics["reinvestment_count"]
    first, last = risk["events"][0], risk["events"][-1]
    assert risk["latest"] == last["after"]
    for name, change in risk["trend"].items():
        assert change == pytest.approx(last["after"][name] - first["before"][name])
    for row in risk["events"]:
        assert math.fsum(row["zones_after"].values()) == pytest.approx(1)
        for name, change in row["change"].items():
            assert change == pytest.approx(row["after"][name] - row["before"][name])


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_names_units_and_the_records_behind_each_point(lively, name):
    chart = chart_data(lively, name)
    kinds = {record.seq: record.kind for record in lively.log}
    expected = {"cash_reserve": "reserve.", "risk": "risk.assessed/1"}.get(
        "risk" if name.startswith("risk") else name, "capital.reinvested/1"
    )
    assert (chart["schema"], chart["name"]) == ("fundclock.chart/1", name)
    assert chart["series"]
    for series in chart["series"]:
        assert series["unit"] in ("USD", "share", "index", "number")
        assert len(series["x"]) == len(series["y"]) == len(series["records"]) > 0
        source = "risk.assessed/1" if series["name"].endswith("in the book") else expected
        assert all(kinds[seq].startswith(source) for point in series["records"] for seq in point)
        assert any(value for value in series["y"]), series["name"]


def series_of(run, name):
    return {series["name"]: series for series in chart_data(run, name)["series"]}


def test_the_timeline_adds_up(lively):
    found = series_of(lively, "reinvestment_timeline")
    total = float(lively.metrics["reinvested"])
    assert math.fsum(found["reinvested"]["y"]) == pytest.approx(total)
    assert found["cumulative"]["y"][-1] == pytest.approx(total)
    by_seq = {record.seq: record.payload.amount_cents / 100 for record in of(lively, "capital.reinvested/1")}
    for value, seqs in zip(found["reinvested"]["y"], found["reinvested"]["records"], strict=True):
        assert value == pytest.approx(sum(by_seq[seq] for seq in seqs))


def test_zones_and_years_add_up(lively):
    total = float(lively.metrics["reinvested"])
    zones, years = series_of(lively, "reinvestment_by_zone"), series_of(lively, "reinvestment_by_year")
    assert math.fsum(zones["reinvested"]["y"]) == pytest.approx(total)
    assert math.fsum(zones["share"]["y"]) == pytest.approx(1)
    assert math.fsum(years["reinvested"]["y"]) == pytest.approx(total)
    assert math.fsum(years["reinvestments"]["y"]) == lively.metrics["reinvestment_count"]


def test_the_reserve_is_drawn_with_its_band(lively):
    chart = chart_data(lively, "cash_reserve")
    [balance] = chart["series"]
    assert balance["kind"] == "step"
    assert {level["name"]: level["y"] for level in chart["thresholds"]} == {"min": [2e6], "target": [5e6], "max": [1e7]}
    assert 2e6 < max(balance["y"]) <= 1e7
    assert balance["y"][-1] == 0


def test_a_band_that_a_script_moves_moves_in_the_chart():
    change = {"reinvestment_engine.cash_reserve_target": 0.08}
    script = [{"at": "2028-01-01", "do": {"set": change}}]
    run = (
        Scenario.load("base")
        .with_(seed=5, set={"reinvestment_engine.enable_cash_reserve": True, "script": script})
        .run()
    )
    levels = {level["name"]: level for level in chart_data(run, "cash_reserve")["thresholds"]}
    assert levels["target"]["x"] == ["2026-01-01", "2028-01-01"]
    assert levels["target"]["y"] == [5e6, 8e6]


def test_a_granularity_that_a_script_sets_holds_for_the_statistics():
    change = {"reinvestment_engine.reinvestment_tracking_granularity": "annual"}
    run = Scenario.load("base").with_(seed=5, set={"script": [{"at": "2027-01-01", "do": {"set": change}}]}).run()
    assert [row["period"] for row in calculate_reinvestment_statistics(run)["reinvestment_by_period"]] == [
        "2026", "2027", "2028", "2029", "2030",
    ]  # fmt: skip


def test_without_a_reserve_its_chart_is_empty():
    chart = chart_data(Scenario.load("base").with_(seed=5).run(), "cash_reserve")
    assert (chart["series"][0]["x"], chart["thresholds"]) == ([], [])


def test_details_of_a_manual_reinvestment_do_not_hide_what_was_used(tmp_path):
    body = {"amount": 300_000, "source_details": {"exit": "0.01", "note": "x"}}
    run = two_zones(tmp_path, script=[{"at": "2026-06-20", "do": {"reinvest": body}}])
    event = reinvestment_report(run)["events"][0]
    assert event["source_details"] == {"exit": "300000.00", "note": "x"}
    assert event["details"] == {"exit": "0.01", "note": "x"}


def test_what_a_script_asked_for_and_did_not_get_is_said(tmp_path):
    run = two_zones(tmp_path, script=[{"at": "2026-06-20", "do": {"reinvest": {"amount": 1_300_000}}}])
    [declined] = calculate_reinvestment_statistics(run)["declined_by_hand"]
    assert (declined["date"], declined["reason"]) == ("2026-06-20", "insufficient_cash")
    assert (declined["available"], declined["shortfall"]) == ("1205000.00", "95000.00")
    assert any(
        "the manual reinvestment of 1300000.00 on 2026-06-20 was declined: insufficient_cash, 1205000.00 available"
        in line
        for line in run.warnings
    )


def test_the_figures_of_risk_are_the_rows_of_risk(lively):
    rows = reinvestment_risk(lively)["events"]
    for figure, part in (("risk_before_after", "before"), ("risk_before_after", "after"), ("risk_impact", "change")):
        for name in rows[0]["change"]:
            label = name if part == "change" else f"{name} {part}"
            if label in series_of(lively, figure):
                assert series_of(lively, figure)[label]["y"] == [row[part][name] for row in rows]
    for name in ("diversification_impact", "risk_adjusted_return_impact"):
        assert series_of(lively, "risk_impact")[name]["y"] == [row[name] for row in rows]
    trend = series_of(lively, "risk_trend")
    assert trend["expected_return"]["y"] == [row["after"]["expected_return"] for row in rows]
    for zone in ("green", "orange", "red"):
        assert trend[f"{zone} share"]["y"] == [row["zones_after"][zone] for row in rows]
    assert len(series_of(lively, "risk_before_after")) >= 6


def test_gaps_are_actual_less_target(lively):
    found = series_of(lively, "allocation_comparison")
    for zone in ("green", "orange", "red"):
        rows = zip(*(found[f"{zone} {name}"]["y"] for name in ("target", "actual", "gap")), strict=True)
        assert all(gap == pytest.approx(actual - target) for target, actual, gap in rows)


def test_tables_have_a_row_a_year_and_a_row_an_event(lively):
    summary, events = (chart_data(lively, name) for name in TABLES)
    assert [row[0] for row in summary["rows"]] == ["2027", "2028", "2029", "2030"]
    assert sum(row[1] for row in summary["rows"]) == len(events["rows"]) == lively.metrics["reinvestment_count"]
    for row in summary["rows"]:
        assert Decimal(row[3]) == sum(map(Decimal, row[4:]))
    assert all(len(row) == len(events["columns"]) for row in events["rows"])


def test_a_run_without_reinvestment_has_empty_figures(tmp_path):
    run = two_zones(tmp_path, fund__reinvestment_period_years=0)
    report = reinvestment_report(run)
    assert report["events"] == []
    assert report["summary"]["avg_reinvestment_amount"] is None
    assert report["summary"]["reinvestment_efficiency"]["avg_time_to_reinvest"] is None
    assert report["summary"]["reinvestment_performance"]["roi"] is None
    assert report["risk"] == {"events": [], "latest": None, "trend": None, "by_reinvestment": None}
    assert json.dumps(report, allow_nan=False)


def test_a_name_that_is_no_chart_is_answered_with_a_suggestion(lively):
    with pytest.raises(InvalidInput, match="there is no 'cash_reserv'; did you mean 'cash_reserve'"):
        chart_data(lively, "cash_reserv")


def test_a_series_needs_a_record_list_for_each_point():
    with pytest.raises(ValueError, match="2 x, 1 y, 1 records"):
        Series("a", "USD", ["x", "y"], [1.0], [[1]])


def test_years_and_months_are_counted_as_a_manual_reinvestment_gives_them():
    for start in (date(2026, 1, 1), date(2026, 1, 31), date(2028, 2, 29)):
        calendar = Calendar(start)
        for months, expected in ((0, (0.0, 0)), (1, (0.0833, 1)), (13, (1.0833, 1)), (30, (2.5, 6)), (25, (2.0833, 1))):
            assert years_and_months(calendar, calendar.add_months(0, months)) == expected
    assert years_and_months(Calendar(date(2026, 1, 1)), day("2026-12-31")) == (0.9167, 11)
