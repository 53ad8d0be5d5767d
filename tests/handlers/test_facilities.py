"""Facilities on real dates, by hand: draws, interest, fees, payment days, bridges, maturities."""

import pytest

from fundclock import Scenario
from fundclock.scenarios.runs.manifest import calendar_of
from fundclock.scenarios.runs.metrics import without_line
from funds import day, of
from lines import LOAN, draw, drawn, repay


def test_a_quarter_of_a_line_by_hand(tmp_path):
    # 2m × .6 are committed, with 50 bp upfront. 200,000 are asked for on Monday 2 February, drawn on Thursday the 5th.
    run = drawn(tmp_path, [draw("2026-02-02", 200_000)])
    [opened] = of(run, "facility.opened/1")
    assert (opened.payload.commitment_cents, opened.payload.ceiling_cents) == (1_200_000_00, 3_000_000_00)
    assert opened.payload.upfront_fee_cents == 6_000_00
    [paid_out] = of(run, "facility.drawn/1")
    assert (paid_out.day, paid_out.phase) == (day("2026-02-05"), "receipts")
    first = of(run, "facility_interest.accrued/1")[0].payload
    # [5 February, 31 March) has 54 days: 200,000 × 6.75 % × 54/360
    assert first.interest_cents == 2_025_00
    # 35 days on 1,200,000 and 54 on 1,000,000, at 50 bp: 583.33… + 750.00
    assert first.fee_cents == 1_333_33
    assert first.segments == [
        (0, 35, 0, 1_200_000_00, pytest.approx(0.0675)),
        (35, 89, 200_000_00, 1_000_000_00, pytest.approx(0.0675)),
    ]
    assert (first.to_day, first.due_day) == (day("2026-03-31"), day("2026-04-01"))
    paid = of(run, "debt_service.paid/1")[0]
    assert (paid.day, paid.phase) == (day("2026-04-01"), "debt_service")
    assert (paid.payload.interest_cents, paid.payload.fee_cents) == (2_025_00, 7_333_33)


def test_payment_days_are_business_days_and_accrual_days_stay(tmp_path):
    run = drawn(tmp_path, [draw("2026-02-02", 200_000)])
    dates = {(fact.to_day, fact.due_day) for fact in (r.payload for r in of(run, "facility_interest.accrued/1"))}
    # 31 December 2027 is a Friday: the next year begins on a Saturday
    assert (day("2027-12-31"), day("2028-01-03")) in dates
    paid = {r.day for r in of(run, "debt_service.paid/1")}
    assert day("2028-01-03") in paid


def test_interest_and_fees_in_the_ledger_are_those_of_the_facts(tmp_path):
    run = drawn(tmp_path, [draw("2026-02-02", 200_000), repay("2027-05-03", 80_000), draw("2028-02-28", 50_000)])
    accrued = [r.payload for r in of(run, "facility_interest.accrued/1")]
    paid = [r.payload for r in of(run, "debt_service.paid/1")]
    balances = run.state.ledger.balances
    assert balances["Expenses:FacilityInterest"] == sum(fact.interest_cents for fact in accrued)
    assert balances["Expenses:FacilityFees"] == 6_000_00 + sum(fact.fee_cents for fact in accrued)
    assert sum(fact.interest_cents for fact in paid) == sum(fact.interest_cents for fact in accrued)
    assert not any(balances.get(f"Liabilities:{name}:GreenSleeve") for name in ("Facility", "FacilityPayable"))
    for fact in accrued:
        whole = sum(balance * rate * (last - first) for first, last, balance, _, rate in fact.segments) / 360
        assert fact.interest_cents == pytest.approx(whole, abs=1)


def test_a_year_that_leaps_has_a_day_more_of_interest(tmp_path):
    run = drawn(tmp_path, [draw("2026-02-02", 200_000)], fund__term_years=4, fund__reinvestment_period_years=4)
    accrued = {r.payload.to_day: r.payload.interest_cents for r in of(run, "facility_interest.accrued/1")}
    assert accrued[day("2027-03-31")] == 3_375_00  # 90 days: 200,000 × .0675 × 90/360
    assert accrued[day("2028-03-31")] == 3_412_50  # 91


def test_a_line_that_opens_on_29_february(tmp_path):
    run = drawn(tmp_path, [], fund__start_date="2028-02-29", fund__term_years=8, leverage__green_sleeve__extensions=0)
    [opened] = of(run, "facility.opened/1")
    calendar = calendar_of(run.manifest)
    assert calendar.date(opened.payload.draw_end_day).isoformat() == "2032-02-29"
    assert calendar.date(opened.payload.maturity_day).isoformat() == "2033-02-28"
    first = of(run, "facility_interest.accrued/1")[0].payload
    assert first.fee_cents == 51_667  # 31 days to 31 March on 1,200,000 at 50 bp: 516.666…


@pytest.mark.parametrize(
    ("settings", "interest_cents"),
    [
        ({"day_count": "ACT/365F"}, 199_726),  # 54 days: 200,000 × .0675 × 54/365 = 1,997.26
        ({"day_count": "30/360"}, 206_250),  # 5 February to 30 March: 55 days of months of 30
        ({"rate_floor": 0.05}, 232_500),  # 200,000 × .0775 × 54/360
        ({"spread_bps": 0}, 120_000),
    ],
)
def test_terms_of_interest(tmp_path, settings, interest_cents):
    changes = {f"leverage__green_sleeve__{name}": value for name, value in settings.items()}
    run = drawn(tmp_path, [draw("2026-02-02", 200_000)], **changes)
    assert of(run, "facility_interest.accrued/1")[0].payload.interest_cents == interest_cents


def test_compounded_interest_compounds_the_base_rate_from_business_day_to_business_day(tmp_path):
    run = drawn(tmp_path, [draw("2026-02-02", 200_000)], leverage__green_sleeve__interest="compounded")
    factor = 1.0
    thursday, last = day("2026-02-05"), day("2026-03-31")
    today = thursday
    while today < last:
        step = min(3 if (today - thursday) % 7 == 1 else 1, last - today)  # Fridays stand for the weekend
        factor *= 1 + 0.04 * step / 360
        today += step
    expected = 200_000_00 * (factor - 1 + 0.0275 * 54 / 360)
    assert of(run, "facility_interest.accrued/1")[0].payload.interest_cents == round(expected)


def test_a_lookback_reads_earlier_fixings(tmp_path):
    """The rate moves by a point on Monday 2 March; five business days later it is felt."""
    script = [draw("2026-02-02", 200_000), {"at": "2026-03-02", "do": {"shock_rate": 0.01}}]
    plain = drawn(tmp_path, script)
    late = drawn(tmp_path, script, leverage__green_sleeve__lookback_business_days=5)
    interest = [of(run, "facility_interest.accrued/1")[0].payload.interest_cents for run in (plain, late)]
    assert interest[0] == 2_025_00 + 161_11  # 200,000 × 1 % × 29/360
    assert interest[1] == 2_025_00 + 122_22  # the fixing of 2 March is looked up from 9 March on: 22 days


def test_a_draw_above_what_is_available_is_refused_and_says_why(tmp_path):
    # .75 × the book of 1,000,000
    run = drawn(tmp_path, [draw("2026-02-02", 750_001)])
    refused = of(run, "command.rejected/1")[0]
    assert "only 750000.00" in refused.payload.reason
    assert not of(run, "facility.drawn/1")
    [warning] = [line for line in run.warnings if "refused" in line]
    assert warning.endswith("on 2026-02-02: " + refused.payload.reason)


def test_what_a_script_asked_for_and_did_not_get_is_a_warning(tmp_path):
    rows = ["G,green,500000,1250000,0,30,,,", "H,green,500000,1250000,0,30,2026-02-04,sale,500000"]
    script = [draw("2026-02-02", 700_000), repay("2026-03-02", 1)]
    call = {"at": "2026-03-02", "do": {"call_capital": {"amount": "1bn"}}}
    run = drawn(tmp_path, [*script, call], rows, leverage__green_sleeve__min_loans=2)
    found = sorted(line.split(" on ")[1] for line in run.refused)
    assert found == [
        "2026-02-05: green_sleeve does not pay the draw: nothing_available",
        "2026-03-02: only 991750.00 is left to call",
        "2026-03-05: nothing is owed",
    ]


def test_what_was_asked_for_is_cut_to_what_is_available_on_the_day(tmp_path):
    """Half the book leaves between the notice and the draw."""
    rows = ["G,green,500000,1250000,0,30,,,", "H,green,500000,1250000,0,30,2026-02-04,sale,500000"]
    run = drawn(tmp_path, [draw("2026-02-02", 700_000)], rows)
    [paid_out] = of(run, "facility.drawn/1")
    assert (paid_out.payload.asked_cents, paid_out.payload.amount_cents) == (700_000_00, 375_000_00)


def test_a_draw_funds_loans_on_its_day(tmp_path):
    run = drawn(tmp_path, [draw("2026-02-02", 600_000)])
    [lent] = of(run, "draw.lent/1")
    assert lent.day == day("2026-02-05")
    fact = lent.payload
    assert fact.offered_cents == 600_000_00 == fact.kept_cents + fact.amount_cents + fact.carried_cents
    bought = [r.payload for r in of(run, "loan.originated/1") if r.payload.source == "leverage"]
    assert len(bought) == fact.loans > 0
    assert sum(loan.principal_cents for loan in bought) == fact.amount_cents


def test_early_repayment_is_locked_out_until_it_may_be_made(tmp_path):
    script = [draw("2026-02-02", 200_000), repay("2026-12-28", 10_000), repay("2027-06-01", 10_000)]
    rows = [LOAN, "H,green,100000,250000,0,30,2027-05-10,sale,100000"]
    run = drawn(tmp_path, script, rows, leverage__green_sleeve__prepayment_lockout_months=12)
    refused = of(run, "command.rejected/1")[0]
    assert refused.day == day("2026-12-28")
    assert "may not be paid back early yet" in refused.payload.reason
    assert of(run, "facility.repaid/1")[0].day == day("2027-06-04")


def test_a_payment_day_without_cash_is_a_payment_default(tmp_path):
    """Nothing can be called any more: what is unpaid stays owed, is a breach, and then an event of default."""
    changes = {"fund__size": 1_000_000, "fund__fee_reserve": 0, "leverage__green_sleeve__cure_business_days": 5}
    run = drawn(tmp_path, [], **changes)
    [first, *_] = of(run, "payment.defaulted/1")
    assert (first.day, first.payload.unpaid_cents) == (day("2026-04-01"), 3_000_00 + 741_67)  # 89 days on 600,000
    [breached] = [r for r in of(run, "covenant.breached/1") if r.payload.test == "payment"]
    assert breached.day == first.day
    [declared] = of(run, "event_of_default.declared/1")
    assert declared.payload.tests == ["liquidity"]  # that failed a day earlier, at the quarter's end
    assert declared.day == breached.payload.cure_due_day - 1 == day("2026-04-07")


def test_maturity_is_extended_while_options_last_and_all_is_due_at_its_end(tmp_path):
    changes = {"leverage__green_sleeve__term_months": 24, "leverage__green_sleeve__draw_end_months": 12}
    changes |= {"leverage__green_sleeve__min_dscr": 0, "exits__age_years": {"mean": 60, "sd": 0.1}}
    run = drawn(tmp_path, [draw("2026-02-02", 600_000)], **changes)
    extended = [(r.day, r.payload.maturity_day) for r in of(run, "facility.extended/1")]
    assert extended == [
        (day("2028-01-03"), day("2029-01-01")),  # New Year's Day of 2028 is a Saturday
        (day("2029-01-01"), day("2030-01-01")),
    ]
    [matured] = of(run, "facility.matured/1")
    assert matured.day == day("2030-01-01")
    [begun] = [r for r in of(run, "sweep.begun/1") if r.payload.reason == "draw_period_over"]
    assert begun.day == day("2027-01-01")
    breached = of(run, "covenant.breached/1")
    assert {r.payload.test for r in breached if r.day == matured.day} == {"maturity"}
    assert run.state.facilities.by_name["green_sleeve"].balance_cents == 0


def bridged(**settings):
    changes = {
        "fund.size": 2e7,
        "leverage.enabled": True,
        "leverage.green_sleeve.enabled": False,
        "leverage.ramp_line.limit_pct_commit": 0.15,
        **settings,
    }
    return Scenario.load("base").with_(seed=3, set=changes).run()


def test_every_other_tranche_is_drawn_and_a_call_pays_for_two():
    run = bridged()
    draws, calls = of(run, "facility.drawn/1"), of(run, "capital.contributed/1")
    lent = [r for r in calls if r.payload.purpose == "deployment"]
    assert len(draws) == len(lent) == 6
    repaid = of(run, "facility.repaid/1")
    for drew, call, back in zip(draws, lent, repaid, strict=True):
        assert drew.payload.purpose == "bridge"
        assert call.payload.amount_cents - 2 * drew.payload.amount_cents in (0, 1, -1)
        assert (back.day, back.payload.reason) == (call.day, "call")
        assert back.payload.amount_cents == drew.payload.amount_cents
        assert back.payload.balance_cents == 0
    same = Scenario.load("base").with_(seed=3, set={"fund.size": 2e7}).run()
    assert sum(r.payload.amount_cents for r in of(run, "capital.deployed/1")) == pytest.approx(
        sum(r.payload.amount_cents for r in of(same, "capital.deployed/1")), rel=0.01
    )


def test_returns_without_the_line_move_contributions_to_the_draws_and_give_its_costs_back():
    run = bridged()
    flows = without_line(run.state)
    moved = {day: flows[day] - run.state.capital.lp_flows.get(day, 0) for day in flows}
    costs = sum(run.state.facilities.line_costs.values())
    share = run.state.capital.lp_contributed_cents / (
        run.state.capital.lp_contributed_cents + run.state.capital.gp_contributed_cents
    )
    assert sum(moved.values()) == pytest.approx(share * costs, abs=20)
    first = of(run, "facility.drawn/1")[0]
    assert moved[first.day] == pytest.approx(-share * first.payload.amount_cents, abs=1)
    assert run.metrics["net_irr_without_line"] != run.metrics["net_irr"]
    base = Scenario.load("base").with_(seed=3).run()
    assert base.metrics["net_irr_without_line"] == base.metrics["net_irr"]


def test_preferred_return_may_run_from_the_draws():
    by_call, by_draw = (bridged(**{"waterfall.pref_clock": clock}) for clock in ("contribution", "facility_draw"))

    def preferred(run):
        return sum(r.payload.preferred_cents for r in of(run, "capital.distributed/1"))

    assert preferred(by_draw) >= preferred(by_call) > 0
    assert preferred(by_draw) > preferred(by_call) or by_draw.metrics["carry"] == "0.00"


def test_a_draw_is_cleaned_down_by_a_call_of_its_own():
    """One tranche alone: no later call pays it back, so one is made in time."""
    run = bridged(**{"fund.deployment_months": 1, "leverage.ramp_line.limit_pct_commit": 1.0, "fund.fee_reserve": 0.5})
    [drew] = of(run, "facility.drawn/1")
    [call] = [r for r in of(run, "capital.called/1") if r.payload.purpose == "clean_down"]
    [back] = of(run, "facility.repaid/1")
    assert back.payload.reason == "clean_down"
    assert drew.day + 180 - 4 <= back.day == call.payload.due_day <= drew.day + 180
    assert not of(run, "covenant.breached/1")


def test_a_partner_that_has_defaulted_does_not_count_for_the_subscription_line():
    changes = {"fund.limited_partners": {"a": 0.5, "b": 0.5}, "leverage.ramp_line.limit_pct_commit": 1.0}
    script = [{"at": "2026-01-20", "do": {"default_on_call": {"partner": "b"}}}]
    run = bridged(**changes, **{"fund.deployment_months": 3}, script=script)
    defaulted = of(run, "partner.defaulted/1")
    measured = [r for r in of(run, "leverage.measured/1") if not defaulted or r.day >= defaulted[0].day]
    fact = measured[0].payload
    assert defaulted
    assert fact.base_cents["ramp_line"] <= 0.9 * 9_800_000_00


def test_what_is_not_drawn_costs_nothing_after_the_draw_period(tmp_path):
    run = drawn(tmp_path, [draw("2026-02-02", 200_000)], leverage__green_sleeve__draw_end_months=5)
    quarters = [r.payload for r in of(run, "facility_interest.accrued/1")]
    # the second quarter: 1,000,000 undrawn at 50 bp from 31 March to 1 June, 62 days; then nothing is committed
    assert quarters[1].fee_cents == round(1_000_000_00 * 0.005 * 62 / 360)
    assert quarters[1].segments[-1][3] == 0
    assert not any(fact.fee_cents for fact in quarters[2:])


def test_interest_until_a_maturity_is_paid_on_it(tmp_path):
    terms = {"leverage__green_sleeve__term_months": 8, "leverage__green_sleeve__draw_end_months": 6}
    run = drawn(tmp_path, [draw("2026-02-02", 200_000)], leverage__green_sleeve__extensions=0, **terms)
    maturity = day("2026-09-01")
    [last] = [r.payload for r in of(run, "facility_interest.accrued/1") if r.payload.to_day == maturity]
    assert last.due_day == maturity
    assert last.interest_cents > 0
    [paid] = [r.payload for r in of(run, "debt_service.paid/1") if r.day == maturity]
    assert paid.interest_cents == last.interest_cents
    assert run.state.facilities.by_name["green_sleeve"].owed_cents == 0


def test_a_clean_down_that_is_called_already_is_not_called_again():
    """Notice takes 40 business days, so that the line is late before the call comes in."""
    settings = {"leverage.ramp_line.clean_down_days": 20, "calls.notice_business_days": 40}
    run = bridged(**settings)
    late = [r for r in of(run, "covenant.breached/1") if r.payload.test == "clean_down"]
    assert late
    drawn_cents = sum(r.payload.amount_cents for r in of(run, "facility.drawn/1"))
    called = sum(
        r.payload.amount_cents for r in of(run, "capital.called/1") if r.payload.purpose in ("clean_down", "cure")
    )
    assert called <= drawn_cents


def test_the_first_day_without_draws(tmp_path):
    """The draw period ends on Wednesday, 1 July; notice is three business days."""
    terms = {"leverage__green_sleeve__draw_end_months": 6, "leverage__green_sleeve__term_months": 24}
    run = drawn(tmp_path, [draw("2026-06-25", 50_000), draw("2026-06-26", 60_000)], **terms)
    assert [(r.day, r.payload.amount_cents) for r in of(run, "facility.drawn/1")] == [(day("2026-06-30"), 50_000_00)]
    [declined] = of(run, "draw.declined/1")
    assert (declined.day, declined.payload.reason) == (day("2026-07-01"), "draw_period_over")


def test_a_draw_is_late_on_the_last_day_to_clean_it_down():
    run = bridged(**{"leverage.ramp_line.clean_down_days": 20, "calls.notice_business_days": 40})
    late = next(r for r in of(run, "covenant.breached/1") if r.payload.test == "clean_down")
    first = of(run, "facility.drawn/1")[0]
    assert late.day == first.day + 20


def test_clean_downs_of_other_draws_stay():
    def ramp(at, act, amount):
        return {"at": at, "do": {act: {"facility": "ramp_line", "amount": amount}}}

    script = [ramp("2027-10-01", "draw", 100_000), ramp("2027-11-01", "draw", 200_000)]
    script.append(ramp("2027-11-15", "repay", 100_000))
    run = bridged(script=script, **{"fund.fee_reserve": 0.2})
    second = next(r for r in of(run, "facility.drawn/1") if r.payload.amount_cents == 200_000_00)
    assert any(r.payload.reason == "manual" for r in of(run, "facility.repaid/1"))
    called = [r for r in of(run, "capital.called/1") if r.payload.purpose == "clean_down"]
    assert [r.payload.amount_cents for r in called] == [200_000_00]
    back = next(r for r in of(run, "facility.repaid/1") if r.payload.reason == "clean_down")
    assert second.day < called[0].day < back.day <= second.day + 180


def test_a_bridge_that_is_cut_is_called_after_all():
    """A partner defaults on a call between notice and draw, and the line lends less against the others."""
    script = [{"at": "2026-02-03", "do": {"default_on_call": {"partner": "b"}}}]
    settings = {"fund.limited_partners": {"a": 0.5, "b": 0.5}, "fund.deployment_months": 3, "script": script}
    line = {"leverage.ramp_line.limit_pct_commit": 1, "leverage.ramp_line.draw_notice_business_days": 20}
    run = bridged(**settings, **line, **{"leverage.ramp_line.advance_rate": 0.8})
    cut = [r for r in of(run, "facility.drawn/1") if r.payload.amount_cents < r.payload.asked_cents]
    declined = of(run, "draw.declined/1")
    assert cut or declined
    for record in cut:
        [called] = [
            r for r in of(run, "capital.called/1") if r.cause == record.seq and r.payload.purpose == "deployment"
        ]
        assert called.payload.amount_cents == record.payload.asked_cents - record.payload.amount_cents
    for record in declined:
        [called] = [r for r in of(run, "capital.called/1") if r.cause == record.seq]
        assert called.payload.amount_cents == record.payload.asked_cents


def test_a_repayment_that_is_cut_is_a_warning(tmp_path):
    rows = [LOAN, "H,green,100000,250000,0,30,2026-05-20,sale,100000"]
    run = drawn(tmp_path, [draw("2026-02-02", 200_000), repay("2026-06-01", 10_000_000)], rows)
    [warning] = run.refused
    paid = of(run, "facility.repaid/1")[0].payload.amount_cents
    assert 50_000_00 < paid < 200_000_00
    assert warning.endswith(f"on 2026-06-04: only {paid / 100:.2f} of 10000000.00 is repaid")
