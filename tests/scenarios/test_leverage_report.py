"""What is said about facilities: figures, the stress table, the paired run, the command line."""

import json

import pytest

from fundclock import InvalidInput, Scenario
from fundclock.handlers.leverage.covenants import Terms
from fundclock.handlers.leverage.stress import Shock, apply, smallest, stressed, table
from fundclock.handlers.settings.leverage import GreenSleeveConfig, StressTestingConfig
from fundclock.scenarios.charts.leverage import CHARTS
from fundclock.scenarios.reports import leverage_report
from fundclock.scenarios.runs.manifest import calendar_of
from fundclock.scenarios.views.debt_impact import value_at_risk, without_debt
from fundclock.scenarios.views.stress import stress
from fundclock.scenarios.views.why import why
from funds import of

TERMS = Terms(
    debt_cents=40_000_00,
    balance_cents=40_000_00,
    nav_cents=60_000_00,
    worth_cents=95_000_00,
    claims_cents=100_000_00,
    base_cents=50_000_00,
    collected_cents=6_000_00,
    cash_income_cents=2_000_00,
    service_cents=3_000_00,
    liquidity_cents=1_500_00,
    liquidity_needed_cents=800_00,
)
LINE, SIZES = GreenSleeveConfig(), StressTestingConfig()


@pytest.fixture(scope="module")
def levered():
    return Scenario.load("levered").with_(seed=7).run()


def test_shocks_by_hand():
    after = apply(TERMS, Shock(rate=0.02, nav=0.2, liquidity=0.5))
    assert after.service_cents == 3_800_00  # 2 % of 40,000 more in a year
    assert after.liquidity_needed_cents == 1_000_00  # and 200 more in a quarter
    assert (after.worth_cents, after.claims_cents, after.base_cents) == (76_000_00, 80_000_00, 40_000_00)
    assert after.nav_cents == 41_000_00  # a fifth of 95,000 less
    assert (after.collected_cents, after.liquidity_cents) == (3_000_00, 750_00)
    assert (after.debt_cents, after.balance_cents) == (40_000_00, 40_000_00)


def test_the_smallest_shock_of_each_kind_is_the_one_at_which_a_test_just_fails():
    found = smallest(TERMS, LINE, 36, SIZES)
    # liquidity: 800 + 40,000·x/4 > 1,500 at x = 7 %; DSCR: 6,000 / (3,000 + 40,000·x) < 1.2 at x = 5 %
    assert (found["interest_rate"].test, found["interest_rate"].size) == ("dscr", pytest.approx(0.05, rel=1e-5))
    # base: 50,000·(1 − x) < 40,000 at 20 %; LTV: .65 × 100,000·(1 − x) < 40,000 at 38 %
    assert (found["nav"].test, found["nav"].size) == ("base", pytest.approx(0.2, rel=1e-5))
    # DSCR: 6,000·(1 − x) < 3,600 at 40 %; liquidity: 1,500·(1 − x) < 800 at 47 %
    assert (found["liquidity"].test, found["liquidity"].size) == ("dscr", pytest.approx(0.4, rel=1e-5))
    for name, least in found.items():
        made = {
            "interest_rate": Shock(rate=1),
            "nav": Shock(nav=1),
            "liquidity": Shock(liquidity=1),
            "combined": Shock(0.02, 0.2, 0.5),
        }[name]
        just = Shock(*(part * least.size for part in made))
        below = Shock(*(part * least.size * 0.9999 for part in made))
        assert stressed(TERMS, LINE, 36, just).failed == [least.test]
        assert stressed(TERMS, LINE, 36, below).failed == []


def test_what_fails_already_needs_no_shock_and_what_never_fails_has_none():
    failing = smallest(TERMS._replace(base_cents=39_999_00), LINE, 36, SIZES)
    assert {(least.size, least.test) for least in failing.values()} == {(0.0, "base")}
    none = TERMS._replace(debt_cents=0, balance_cents=0, service_cents=0, liquidity_needed_cents=0)
    assert {(least.size, least.test) for least in smallest(none, LINE, 36, SIZES).values()} == {(None, None)}


def test_the_table_has_every_shock_before_and_after():
    rows = table(TERMS, LINE, 36, SIZES)
    assert list(rows) == ["none", "interest_rate", "nav", "liquidity", "combined"]
    assert rows["none"].terms == TERMS
    assert rows["nav"].ratios.leverage_ratio == pytest.approx(40 / 41)
    assert rows["combined"].failed == ["dscr", "liquidity"]


def test_stress_touches_nothing_of_the_run(levered):
    digest, head = levered.state.digest(), levered.head_hash
    report = stress(levered)
    assert (levered.state.digest(), levered.head_hash) == (digest, head)
    tested = next(r for r in levered.log if r.seq == report.record.seq).payload
    assert report.rows["none"].terms._asdict() == tested.terms
    assert not report.rows["none"].failed
    early = stress(levered, at=400)
    assert early.record.day <= 400 < report.record.day


def test_the_stress_of_a_quarter_in_the_log_is_that_of_its_test(levered):
    for record in of(levered, "leverage.stressed/1"):
        report = stress(levered, at=record.day)
        if report.record.payload.terms["debt_cents"] == of_day(levered, record.day).debt_cents:
            assert {name: row.failed for name, row in report.rows.items()} == record.payload.failed


def of_day(run, day):
    return next(r.payload for r in of(run, "leverage.measured/1") if r.day == day)


@pytest.mark.parametrize("name", list(CHARTS))
def test_every_figure_is_made_of_records(levered, name):
    chart = levered.figure(name)
    assert chart["schema"] == "fundclock.chart/1"
    assert chart["series"]
    seqs = range(1, len(levered.log) + 1)
    for series in chart["series"]:
        assert len(series["x"]) == len(series["y"]) == len(series["records"])
        assert any(value is not None for value in series["y"])
        assert all(seq in seqs for records in series["records"] for seq in records)
    json.dumps(chart)


@pytest.mark.parametrize(("seed", "lag"), [(3, 0), (3, 45), (1, 0)])
def test_each_loan_that_does_not_count_has_its_reason(seed, lag):
    few = {"fund.size": 3e6, "fund.term_years": 5, "loans.ltv": {"mean": 0.7, "max": 0.85}}
    line = {"leverage.green_sleeve.min_loans": 0, "leverage.green_sleeve.valuation_lag_days": lag}
    run = Scenario.load("levered").with_(seed=seed, set={**few, **line}).run()
    alive: dict[str, str] = {}
    counted = 0
    for record in run.log:
        fact = record.payload
        match record.kind:
            case "loan.originated/1":
                alive[fact.loan_id] = "pays"
            case "loan.defaulted/1":
                alive[fact.loan_id] = "defaulted"
            case "loan.exited/1" | "loan.recovered/1":
                del alive[fact.loan_id]
            case "leverage.measured/1":
                assert set(fact.ineligible) == {"defaulted", "ltv"}
                assert set(fact.ineligible["defaulted"]) == {name for name, how in alive.items() if how != "pays"}
                assert all(alive[name] == "pays" for name in fact.ineligible["ltv"])
                counted += sum(map(len, fact.ineligible.values()))
    assert counted > 10


def test_figures_say_what_the_records_say(levered):
    measured = of(levered, "leverage.measured/1")
    series = {one["name"]: one for one in levered.figure("debt_structure")["series"]}
    assert series["green_sleeve"]["y"] == [r.payload.balance_cents["green_sleeve"] / 100 for r in measured]
    interest = {one["name"]: one for one in levered.figure("interest_expenses")["series"]}
    total = sum(sum(interest[f"{name} interest"]["y"]) for name in ("green_sleeve", "ramp_line"))
    assert f"{total:.2f}" == levered.metrics["interest_paid"]
    drawn = sum(r.payload.amount_cents for r in of(levered, "leverage.optimized/1") if r.payload.action == "draw")
    activity = {one["name"]: one for one in levered.figure("optimization_activity")["series"]}
    assert sum(activity["draw"]["y"]) == pytest.approx(drawn / 100)


def by_name(run, figure, part="series"):
    return {one["name"]: one for one in run.figure(figure)[part]}


def test_utilization_and_covenants_are_those_of_the_records(levered):
    measured = of(levered, "leverage.measured/1")
    series, levels = by_name(levered, "leverage_utilization"), by_name(levered, "leverage_utilization", "thresholds")
    for name in ("green_sleeve", "ramp_line"):
        for label, column in (
            ("drawn", "balance_cents"),
            ("available", "available_cents"),
            ("borrowing base", "base_cents"),
        ):
            assert series[f"{name} {label}"]["y"] == [record.payload[column][name] / 100 for record in measured]
        assert levels[f"{name} commitment"]["y"] == [record.payload.commitment_cents[name] / 100 for record in measured]
    tests = [
        record for record in of(levered, "covenant.tested/1")
        if record.payload.trigger == "quarter_end" or not all(record.payload.passed.values())
    ]  # fmt: skip
    values, limits = by_name(levered, "covenant_compliance"), by_name(levered, "covenant_compliance", "thresholds")
    points = 0
    for name, found in values.items():
        facility, test = name.rsplit(" ", 1)
        mine = [
            record.payload for record in tests if record.payload.facility == facility and test in record.payload.value
        ]
        assert found["y"] == [fact.value[test] for fact in mine]
        assert limits[f"{name} limit"]["y"] == [fact.limit[test] for fact in mine]
        points += len(found["y"])
    assert points == sum(len(record.payload.value) for record in tests) > 50


def test_the_impact_and_the_stress_are_those_of_the_twin_and_the_shocks(levered):
    series, twin = by_name(levered, "leverage_impact"), without_debt(levered)
    for label, run in (("with debt", levered), ("without debt", twin)):
        assert series[f"TVPI {label}"]["y"][-1] == run.metrics["tvpi"]
        assert series[f"net IRR {label}"]["y"][-1] == run.metrics["net_irr"]
        reported = [record.payload.nav_cents / 100 for record in of(run, "nav.reported/1")]
        assert series[f"NAV {label}"]["y"] == pytest.approx(reported)
    shocks, report = by_name(levered, "stress_results"), stress(levered).as_json()["stress_test_results"]
    for ratio in ("leverage_ratio", "loan_to_value_ratio", "debt_service_coverage_ratio", "interest_coverage_ratio"):
        assert shocks[ratio]["x"] == list(report)
        assert shocks[ratio]["y"] == [row["details"][ratio] for row in report.values()]
    assert shocks["tests that fail"]["y"] == [len(row["details"]["failed"]) for row in report.values()]


def test_the_report_has_the_fields_that_clients_know(levered):
    report = leverage_report(levered)
    for row in report["facilities"]:
        assert {
            "facility_id", "facility_type", "max_amount", "interest_rate", "commitment_fee_bps", "term_years",
            "advance_rate", "current_balance", "available_amount", "inception_date", "maturity_date",
        } <= set(row)  # fmt: skip
    assert {
        "total_debt", "total_available", "total_interest_paid", "total_commitment_fees_paid",
        "weighted_avg_interest_rate", "leverage_ratio", "debt_service_coverage_ratio", "interest_coverage_ratio",
        "loan_to_value_ratio",
    } <= set(report["metrics"])  # fmt: skip
    for event in report["events"]:
        assert set(event) - {"seq"} == {
            "facility_id", "date", "amount", "year", "month", "event_type", "details",
        }  # fmt: skip
    assert {row["is_compliant"] for row in report["stress_test_results"].values()} <= {True, False}
    paid = sum(
        float(event["amount"])
        for event in report["events"]
        if event["event_type"] in ("interest_payment", "fee_payment")
    )
    assert paid == pytest.approx(
        float(levered.metrics["interest_paid"]) + float(levered.metrics["commitment_fees_paid"])
    )
    json.dumps(report)


def test_the_twin_without_debt_is_the_same_fund(levered):
    twin = without_debt(levered)
    base = Scenario.load("base").with_(seed=7).run()
    assert twin.metrics == base.metrics
    loans = {r.payload.loan_id: r.payload for r in of(twin, "loan.originated/1") if r.payload.source == "deployment"}
    same = [r.payload for r in of(levered, "loan.originated/1") if r.payload.loan_id in loans]
    assert len(same) > 150
    assert sum(fact.coupon == loans[fact.loan_id].coupon for fact in same) == len(same)


def test_value_at_risk_by_hand():
    returns = [*(value / 100 for value in range(-10, 30)), None]
    # 40 returns: the worst two are −10 % and −9 %
    found = value_at_risk(returns)
    assert found.value_at_risk == pytest.approx(0.09)
    assert found.conditional_value_at_risk == pytest.approx(0.095)
    assert found.returns == 40
    assert value_at_risk([]).value_at_risk is None


def test_a_run_without_facilities_has_nothing_to_say():
    run = Scenario.load("base").with_(seed=7, set={"fund.size": 3e6, "fund.term_years": 5}).run()
    with pytest.raises(InvalidInput, match="leverage: is not enabled in this run"):
        leverage_report(run)
    with pytest.raises(InvalidInput, match="is not enabled"):
        run.figure("debt_structure")
    metrics = run.metrics
    assert (metrics["interest_paid"], metrics["peak_debt"], metrics["covenant_breaches"]) == ("0.00", "0.00", 0)
    assert metrics["min_dscr"] is None
    assert any("min_dscr is null" in warning for warning in run.warnings)


def test_gross_levered_returns_count_what_lenders_pay_and_get(levered):
    from fundclock.scenarios.runs.returns import irr

    flows = {}
    for record in levered.log:
        fact = record.payload
        cents = {
            "loan.originated/1": lambda f: -f.principal_cents,
            "loan.exited/1": lambda f: f.proceeds_cents,
            "loan.recovered/1": lambda f: f.proceeds_cents,
            "facility.drawn/1": lambda f: f.amount_cents,
            "facility.repaid/1": lambda f: -f.amount_cents,
            "debt_service.paid/1": lambda f: -f.interest_cents - f.fee_cents,
        }.get(record.kind, lambda f: 0)(fact)
        flows[record.day] = flows.get(record.day, 0) + cents
    assert levered.metrics["gross_levered_irr"] == pytest.approx(irr(flows).rate, abs=1e-9)


def test_the_command_line(fundclock):
    code, out, _ = fundclock("run", "levered", "--seed", 7, "--json", "--fail-on-breach")
    found = json.loads(out)
    assert code == (3 if found["metrics"]["covenant_breaches"] else 0)
    assert float(found["metrics"]["peak_debt"]) > 4e7
    code, out, _ = fundclock("replay", "last", "--as-of", "2029-12-31", "--json")
    lines, ledger = json.loads(out)["facilities"], json.loads(out)["ledger"]
    assert (lines["green_sleeve"]["status"], lines["ramp_line"]["status"]) == ("drawn", "matured")
    assert lines["green_sleeve"]["balance"] == ledger["Liabilities:Facility:GreenSleeve"].removeprefix("-")
    assert lines["green_sleeve"]["owed"] == ledger["Liabilities:FacilityPayable:GreenSleeve"].removeprefix("-")
    assert (lines["ramp_line"]["balance"], lines["green_sleeve"]["maturity_date"]) == ("0.00", "2031-01-01")
    code, out, _ = fundclock("show", "last", "--flows", "year")
    assert "…" not in out
    code, out, _ = fundclock("stress", "last", "--json")
    report = json.loads(out)
    assert (code, report["schema"]) == (0, "fundclock.stress/1")
    assert list(report["stress_test_results"]) == ["none", "interest_rate", "nav", "liquidity", "combined"]
    code, out, _ = fundclock("stress", "last", "--at", "2028-06-30")
    assert "Shocks on 2028-06-30" in out
    assert "Smallest shock that breaks a test" in out
    _, _, err = fundclock("stress", "last", "--at", "2025-01-01")
    assert "--at: 2025-01-01 is before the fund's start" in err
    code, out, _ = fundclock("show", "last", "--leverage")
    assert "Debt by quarter" in out
    assert "With debt and without" in out
    fundclock("run", "base", "--set", "fund.size=3m")
    code, _, err = fundclock("stress", "last")
    assert (code, "leverage: is not enabled in this run" in err) == (2, True)


def test_a_breach_can_fail_a_run(fundclock):
    tight = ("--set", "leverage.green_sleeve.max_ltv=0.2", "--set", "fund.size=20m")
    code, _, _ = fundclock("run", "levered", "--seed", 3, *tight)
    assert code == 0
    code, out, _ = fundclock("run", "levered", "--seed", 3, *tight, "--fail-on-breach")
    assert code == 3
    assert "Covenant breaches" in out
    assert fundclock("verify", "last")[0] == 0


@pytest.mark.parametrize("seed", [1, 7])
def test_the_fall_of_prices_from_2007_on_breaches_tests_that_cure_or_default(real_series, seed):
    files = {
        "market.index_file": str(real_series / "fhfa_hpi_state.csv"),
        "market.rate_file": str(real_series / "fedfunds_monthly.csv"),
    }
    run = Scenario.load("historical-levered").with_(seed=seed, set=files).run()
    calendar = calendar_of(run.manifest)
    breached = of(run, "covenant.breached/1")
    assert breached
    assert all(calendar.date(record.day).year >= 2007 for record in breached)
    ends = of(run, "covenant.cured/1") + of(run, "event_of_default.declared/1")
    for record in breached:
        tests = [
            r.payload.tests if r.kind.startswith("event") else [r.payload.test] for r in ends if r.day >= record.day
        ]
        assert any(record.payload.test in names for names in tests) or record.day > run.state.day - 60
    chain = [record.kind for record in why(run.log, breached[0].seq).causes]
    assert chain[0] in ("market.moved/1", "loan.exited/1", "loan.defaulted/1")
    for repaid in of(run, "facility.repaid/1"):
        if repaid.payload.reason in ("cure", "default"):
            causes = [record.kind for record in why(run.log, repaid.seq).causes]
            assert causes[:4] == ["market.moved/1", "book.valued/1", "covenant.tested/1", "covenant.breached/1"]
    assert seed != 7 or any(r.payload.reason == "cure" for r in of(run, "facility.repaid/1"))
