"""Small funds worked by hand: the quiet market has no drift, no noise, no rate and no default."""

import math
from itertools import pairwise

import pytest

from funds import CALENDAR, day, fund, of, quiet


def test_an_exit_pays_principal_interest_and_share_of_the_gain(tmp_path):
    zones = {"green": {"appreciation": 0.06}}
    run = fund(tmp_path, ["A,green,100000,250000,0.05,10,2026-07-01,sale,"], zones=zones)
    [exit_] = [r for r in of(run, "loan.exited/1") if r.payload.loan_id == "A"]
    assert (exit_.day, exit_.payload.exit_kind) == (181, "sale")
    paid = exit_.payload
    # interest 100,000 × 5 % × 181/365; value 250,000·e^(.06·181/365); 40 % of the gain
    assert paid.interest_cents == round(10_000_000 * 0.05 * 181 / 365)
    value = 25_000_000 * math.exp(0.06 * 181 / 365)
    assert paid.property_value_cents == pytest.approx(value, abs=1)
    assert paid.gain_cents == pytest.approx(0.4 * (value - 25_000_000), abs=1)
    assert paid.proceeds_cents == paid.claim_cents == 10_000_000 + paid.interest_cents + paid.gain_cents


def test_a_sale_under_water_pays_what_the_property_leaves(tmp_path):
    run = fund(
        tmp_path,
        ["A,green,90000,100000,0.05,10,2026-07-01,sale,"],
        script=[{"at": "2026-03-01", "do": {"shock_price": -0.2}}],
        loans__selling_cost=0.05,
        loans__senior_ltv=0.02,
    )
    [paid] = [r.payload for r in of(run, "loan.exited/1") if r.payload.loan_id == "A"]
    # 100,000 × .8 × .95 − 2,000 = 74,000: principal 90,000 is short by 16,000, interest is lost
    assert paid.proceeds_cents == 7_400_000
    assert (paid.interest_cents, paid.gain_cents) == (0, -1_600_000)


def test_the_tiers_replace_the_flat_share(tmp_path):
    run = fund(
        tmp_path,
        ["A,green,100000,100000,0,10,2026-07-01,sale,"],
        script=[{"at": "2026-03-01", "do": {"shock_price": 0.5}}],
        loans__appreciation_share={"thresholds": [0.2, 0.5, 1.0], "shares": [0.1, 0.2, 0.3, 0.4]},
    )
    [paid] = [r.payload for r in of(run, "loan.exited/1") if r.payload.loan_id == "A"]
    assert paid.gain_cents == 800_000  # .1 × 20 % + .2 × 30 % of 100,000


def test_cash_interest_is_paid_monthly_and_not_again_at_the_exit(tmp_path):
    run = fund(tmp_path, ["A,green,100000,250000,0.0365,10,2026-03-15,sale,"], loans__interest_payment="cash")
    paid = of(run, "loan_interest.paid/1")
    assert [(r.day, r.payload.amount_cents) for r in paid[:2]] == [(30, 30_000), (58, 28_000)]
    [exit_] = [r.payload for r in of(run, "loan.exited/1") if r.payload.loan_id == "A"]
    assert exit_.interest_cents == 15_000


def test_a_known_history_plays_as_it_happened(tmp_path):
    rows = [
        "A,green,100000,250000,0.05,10,2026-07-01,refinance,123456.78",
        "B,green,100000,250000,0.05,10,2027-05-10,default,50000",
    ]
    run = fund(tmp_path, rows)
    exit_ = next(r for r in of(run, "loan.exited/1") if r.payload.loan_id == "A")
    assert (exit_.day, exit_.payload.exit_kind, exit_.payload.proceeds_cents) == (
        day("2026-07-01"),
        "refinance",
        12345678,
    )
    [default], [recovery] = of(run, "loan.defaulted/1"), of(run, "loan.recovered/1")
    assert default.day == day("2026-08-10")  # nine months of foreclosure before the day of the cash
    assert (recovery.day, recovery.payload.proceeds_cents) == (day("2027-05-10"), 5_000_000)
    assert recovery.payload.gain_cents == -5_000_000


def test_proceeds_wait_for_their_delay_then_for_the_check_and_become_a_loan(tmp_path):
    run = fund(tmp_path, ["A,green,100000,250000,0.05,10,2026-07-01,sale,"])
    exit_ = next(r for r in of(run, "loan.exited/1") if r.payload.loan_id == "A")
    promise = next(r for r in of(run, "command.scheduled/1") if r.cause == exit_.seq)
    released = of(run, "proceeds.released/1")[0]
    reinvested = of(run, "capital.reinvested/1")[0]
    assert promise.payload.due_day == released.day == day("2026-08-01")
    assert released.cause == promise.seq
    assert reinvested.day == day("2026-09-30")
    assert reinvested.payload.lots == [(exit_.seq, exit_.payload.proceeds_cents)]
    loan = next(r for r in of(run, "loan.originated/1") if r.payload.source == "reinvestment")
    assert loan.cause == reinvested.seq
    assert loan.payload.principal_cents == exit_.payload.proceeds_cents  # cut to the cash that is left
    waited = day("2026-09-30") - day("2026-07-01")
    first = reinvested.payload.amount_cents * waited
    assert run.state.lots.waited_cent_days >= first
    assert released.correlation == promise.correlation == exit_.correlation == exit_.seq


def test_less_than_the_minimum_carries_forward_to_the_next_check(tmp_path):
    rows = [
        "A,green,60000,250000,0,10,2026-04-10,sale,60000",
        "B,green,60000,250000,0,10,2026-07-10,sale,60000",
    ]
    run = fund(tmp_path, rows)
    [declined] = [r for r in of(run, "reinvestment.declined/1") if r.day < 365]
    assert (declined.day, declined.payload.reason) == (day("2026-06-30"), "below_minimum")
    assert (declined.payload.amount_cents, declined.payload.minimum_cents) == (6_000_000, 10_000_000)
    reinvested = of(run, "capital.reinvested/1")[0]
    assert (reinvested.day, reinvested.payload.amount_cents) == (day("2026-09-30"), 12_000_000)
    assert [cents for _, cents in reinvested.payload.lots] == [6_000_000, 6_000_000]


@pytest.mark.parametrize(
    ("frequency", "when"),
    [
        ("on_exit", "2026-08-01"),
        ("monthly", "2026-08-31"),
        ("quarterly", "2026-09-30"),
        ("semi_annual", "2026-12-31"),
        ("annual", "2026-12-31"),
    ],
)
def test_the_frequency_says_which_day_is_a_check(tmp_path, frequency, when):
    rows = ["A,green,200000,250000,0,10,2026-07-01,sale,200000"]
    run = fund(tmp_path, rows, reinvestment_engine__reinvestment_frequency=frequency)
    assert of(run, "capital.reinvested/1")[0].day == day(when)


def test_a_batch_takes_at_most_its_size_and_leaves_the_rest_for_the_next_check(tmp_path):
    rows = ["A,green,1000000,2500000,0,10,2026-07-01,sale,1000000"]
    sizes = {"mean": 200e3, "sd": 0, "min": 50e3, "max": 1e6}
    run = fund(tmp_path, rows, reinvestment_engine__reinvestment_batch_size=2, loans__size=sizes)
    first, second, *_ = of(run, "capital.reinvested/1")
    assert (first.payload.amount_cents, first.payload.carried_cents) == (40_000_000, 60_000_000)
    cut, carried = of(run, "batch.cut/1")[0], of(run, "proceeds.carried/1")[0]
    assert (cut.payload.limit, cut.payload.left_cents, cut.cause) == (2, 60_000_000, first.seq)
    assert (carried.payload.reason, carried.payload.amount_cents) == ("batch_limit", 60_000_000)
    assert (second.day, second.payload.loans) == (day("2026-12-31"), 2)


def test_what_is_due_after_the_period_goes_to_the_partners(tmp_path):
    rows = ["A,green,500000,1000000,0,10,2030-12-15,sale,500000"]
    run = fund(tmp_path, rows)
    [declined] = of(run, "reinvestment.declined/1")
    assert declined.payload.reason == "period_over"
    assert not of(run, "capital.reinvested/1")
    distributed = of(run, "capital.distributed/1")
    assert [(r.day, r.payload.amount_cents) for r in distributed] == [(day("2031-03-31"), 50_000_000)]


def test_what_no_check_took_before_the_period_ended_goes_to_the_partners(tmp_path):
    rows = ["A,green,60000,250000,0,10,2030-06-10,sale,60000"]
    run = fund(tmp_path, rows)
    [ended] = of(run, "reinvestment_period.ended/1")
    assert (ended.day, ended.payload.amount_cents) == (day("2031-01-01"), 6_000_000)
    assert sum(r.payload.amount_cents for r in of(run, "capital.distributed/1")) == 6_000_000


def test_a_suspended_engine_waits_and_says_so(tmp_path):
    rows = ["A,green,500000,1000000,0,10,2026-02-10,sale,500000"]
    script = [
        {"at": "2026-03-01", "do": {"suspend_reinvestment": {}}},
        {"at": "2026-08-15", "do": {"command": "resume_reinvestment"}},
    ]
    run = fund(tmp_path, rows, script=script)
    assert [(r.day, r.payload.reason) for r in of(run, "reinvestment.declined/1")][:2] == [
        (day("2026-03-31"), "suspended"),
        (day("2026-06-30"), "suspended"),
    ]
    assert of(run, "capital.reinvested/1")[0].day == day("2026-09-30")


def test_idle_cash_earns_the_base_rate_and_its_spread_on_each_night(tmp_path):
    rows = ["A,green,100000,250000,0,10,2026-06-30,sale,100000"]
    run = fund(
        tmp_path, rows, market__base_rate={"model": "constant", "initial": 0.039}, fund__reinvestment_period_years=0
    )
    # 30 June to 30 September is 92 nights, but the cash goes out on 30 June: the first quarter end on or after
    assert [r.day for r in of(run, "capital.distributed/1")][0] == day("2026-06-30")
    late = fund(
        tmp_path,
        ["A,green,100000,250000,0,10,2026-07-01,sale,100000"],
        market__base_rate={"model": "constant", "initial": 0.039},
        fund__reinvestment_period_years=0,
    )
    paid = of(late, "cash_interest.received/1")
    # 3.9 % − 25 bp = 3.65 %: 100,000 × .0365/365 is 10.00 a night, for the 91 nights from 1 July to 30 September
    assert [(r.day, r.payload.amount_cents) for r in paid] == [(day("2026-09-30"), 91_000)]


def test_idle_dollar_days_are_the_cash_of_each_night(tmp_path):
    rows = ["A,green,100000,250000,0,10,2026-07-01,sale,100000"]
    run = fund(tmp_path, rows, fund__reinvestment_period_years=0)
    nights = day("2026-09-30") - day("2026-07-01")
    assert run.metrics["idle_dollar_days"] == f"{100_000 * nights}.00"


def test_calls_come_with_notice_and_are_spent_on_their_day():
    run = quiet(fund__size=12e6, fund__fee_reserve=0, fund__gp_commitment=0.02).run()
    called, paid, spent = (
        of(run, kind) for kind in ("capital.called/1", "capital.contributed/1", "capital.deployed/1")
    )
    assert len(called) == 12
    assert [r.payload.amount_cents for r in called] == [100_000_000] * 12
    assert [CALENDAR.date(r.day).isoformat() for r in called[:2]] == ["2026-01-01", "2026-02-01"]
    # ten business days after Thursday 1 January, and after Sunday 1 February (counted from Monday the second)
    assert [CALENDAR.date(r.day).isoformat() for r in paid[:2]] == ["2026-01-15", "2026-02-16"]
    assert [r.day for r in paid] == [r.payload.due_day for r in called] == [r.day for r in spent]
    assert {(r.payload.lp_cents, r.payload.gp_cents) for r in paid} == {(98_000_000, 2_000_000)}
    for record, after in pairwise(spent):
        assert after.payload.offered_cents == record.payload.carried_cents + 100_000_000


def test_the_fund_end_sells_what_lives_and_what_waits_at_the_discount(tmp_path):
    rows = [
        "A,green,100000,250000,0,30,,,",
        "B,green,100000,250000,0,30,2036-05-01,default,",
    ]
    run = fund(
        tmp_path,
        rows,
        zones={"green": {"recovery_rate": 0.5}},
        exits={"age_years": {"mean": 60, "sd": 0.1}},
        fund__wind_down_discount=0.1,
    )
    [sold], [recovered] = of(run, "loan.exited/1"), of(run, "loan.recovered/1")
    assert sold.day == recovered.day == day("2036-01-01")
    assert (sold.payload.exit_kind, sold.payload.proceeds_cents) == ("fund_end", 9_000_000)
    assert (recovered.payload.exit_kind, recovered.payload.proceeds_cents) == ("fund_end", 4_500_000)
    [cancelled] = of(run, "command.cancelled/1")
    assert cancelled.payload.reason == "fund_end"
    assert not run.state.agenda.pending
    assert run.metrics["nav"] == "0.00"
    assert run.metrics["distributed"] == "135000.00"


def test_a_tape_beyond_the_commitments_is_declined_loan_by_loan(tmp_path):
    path = tmp_path / "tape.csv"
    path.write_text(
        "loan_id,zone,principal,property_value,coupon,term_years\n"
        "A,green,80000,250000,0,10\nB,green,50000,250000,0,10\nC,green,20000,250000,0,10\n"
    )
    run = quiet(loans__tape=str(path), fund__size=100_000, fund__fee_reserve=0).run()
    [declined] = of(run, "purchase.declined/1")
    assert (declined.payload.loan_id, declined.payload.available_cents) == ("B", 2_000_000)
    assert [r.payload.loan_id for r in of(run, "loan.originated/1") if r.payload.source == "tape"] == ["A", "C"]


def test_recovery_is_of_the_claim_or_of_the_value(tmp_path):
    rows = ["A,green,80000,100000,0,30,2026-12-01,default,"]

    def recovered(basis):
        run = fund(
            tmp_path, rows, zones={"green": {"recovery_rate": 0.6}}, exits__recovery_basis=basis,
            exits__age_years={"mean": 60, "sd": 0.1},
        )  # fmt: skip
        return of(run, "loan.recovered/1")[0].payload.proceeds_cents

    assert recovered("claim") == 4_800_000
    assert recovered("value") == 6_000_000


def test_defaults_are_written_to_their_expected_recovery_at_once(tmp_path):
    rows = ["A,green,80000,100000,0,30,2026-12-01,default,"]
    run = fund(tmp_path, rows, zones={"green": {"recovery_rate": 0.6}})
    [default] = of(run, "loan.defaulted/1")
    assert default.payload.gain_change_cents == 4_800_000 - 8_000_000
    at_quarter = next(r for r in of(run, "nav.reported/1") if r.day > default.day)
    assert at_quarter.payload.nav_cents == 4_800_000


def test_settings_change_from_their_day_on_and_promises_keep_their_due_day(tmp_path):
    rows = [
        "A,green,500000,1000000,0,10,2026-04-10,sale,500000",
        "B,green,500000,1000000,0,10,2026-04-20,sale,500000",
    ]
    script = [{"at": "2026-04-15", "do": {"set": {"reinvestment_engine.reinvestment_delay": 6}}}]
    run = fund(tmp_path, rows, script=script)
    [changed] = of(run, "config.changed/1")
    key = "reinvestment_engine.reinvestment_delay"
    assert (changed.payload.previous, changed.payload.changes, changed.day) == ({key: 1.0}, {key: 6}, day("2026-04-15"))
    due = [r.payload.due_day for r in of(run, "command.scheduled/1") if r.payload.command.kind == "proceeds.reinvest/1"]
    assert due[:2] == [day("2026-05-10"), day("2026-10-20")]
    scripted = next(r for r in of(run, "command.scheduled/1") if r.payload.source)
    assert scripted.payload.source == "script[0]"
    assert changed.cause == scripted.seq
