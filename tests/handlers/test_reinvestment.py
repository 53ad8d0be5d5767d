"""Where proceeds go: each strategy, dynamic allocation and manual reinvestment, on a fund worked by hand.

The book of ``funds.two_zones``: .4 green and .6 red live (400,000 and 600,000), targets are .6 and .4. On 15 May
1,205,000 come in and may be lent from 15 June; the check is on 30 June. Loans are of 100,000.
"""

import pytest

from fundclock import InvalidInput
from fundclock.events.state.realised import Window
from fundclock.handlers.reinvestment.performance import adjusted, annualised_return
from fundclock.handlers.reinvestment.strategies import custom, maintain_allocation, opportunistic, rebalance
from funds import day, fund, of, two_zones

TARGETS = {"green": 0.6, "red": 0.4}
SHOCK = [
    {"at": "2026-03-01", "do": {"shock_price": {"zone": "green", "change": 0.10}}},
    {"at": "2026-03-01", "do": {"shock_price": {"zone": "red", "change": 0.05}}},
]


def engine(**settings):
    return {f"reinvestment_engine__{key}": value for key, value in settings.items()}


def first(run):
    record = of(run, "capital.reinvested/1")[0]
    assert record.day == day("2026-06-30")
    return record.payload


def test_maintain_allocation_lends_by_the_shares_of_what_lives(tmp_path):
    bought = first(two_zones(tmp_path, **engine(reinvestment_strategy="maintain_allocation")))
    assert bought.target == pytest.approx({"green": 0.4, "red": 0.6})
    # 482,000 and 723,000 in loans of 100,000: five and seven; the last 5,000 are less than the smallest loan
    assert bought.actual == pytest.approx({"green": 5 / 12, "red": 7 / 12})
    assert (bought.amount_cents, bought.carried_cents) == (120_000_000, 500_000)


def test_rebalance_closes_gaps_first_and_lends_the_rest_by_target(tmp_path):
    bought = first(two_zones(tmp_path))
    # green lacks .6 − .4 = .2 of the book's 1,000,000: 200,000 of 1,205,000 first, the rest by target
    part = 200_000 / 1_205_000
    assert bought.target == pytest.approx({"green": part + (1 - part) * 0.6, "red": (1 - part) * 0.4})
    # 803,000 and 402,000: eight and four loans
    assert bought.actual == pytest.approx({"green": 8 / 12, "red": 4 / 12})
    assert bought.gap == pytest.approx({z: bought.actual[z] - bought.target[z] for z in bought.target})


def test_rebalance_within_the_threshold_lends_by_target(tmp_path):
    bought = first(two_zones(tmp_path, **engine(rebalance_threshold=0.21)))
    assert bought.target == TARGETS


def test_gaps_beyond_the_cash_are_closed_pro_rata():
    claims = {"green": 300, "orange": 300, "red": 400}
    targets = {"green": 0.45, "orange": 0.35, "red": 0.2}
    # gaps .15 and .05 of 1,000 are 200; with 100 to lend they share it three to one
    assert rebalance(claims, targets, 100, 0.05).shares == pytest.approx({"green": 0.75, "orange": 0.25, "red": 0})
    assert rebalance(claims, targets, 100, 0.16).shares == targets
    assert rebalance({"green": 0, "orange": 0, "red": 0}, targets, 100, 0.05).shares == targets


def test_opportunistic_lends_to_what_has_risen_pro_rata(tmp_path):
    change = engine(reinvestment_strategy="opportunistic", opportunistic_threshold=0.04)
    bought = first(two_zones(tmp_path, script=SHOCK, **change))
    assert bought.target == pytest.approx({"green": 2 / 3, "red": 1 / 3})


def test_opportunistic_leaves_out_what_is_below_the_threshold(tmp_path):
    change = engine(reinvestment_strategy="opportunistic", opportunistic_threshold=0.06)
    bought = first(two_zones(tmp_path, script=SHOCK, **change))
    assert bought.target == {"green": 1.0, "red": 0.0}
    assert bought.actual["red"] == 0


def test_opportunistic_without_an_opportunity_lends_by_target(tmp_path):
    change = engine(reinvestment_strategy="opportunistic", opportunistic_threshold=0.2)
    assert first(two_zones(tmp_path, script=SHOCK, **change)).target == TARGETS
    assert opportunistic({"green": -0.1, "red": -0.2}, TARGETS, -0.5).shares == TARGETS


def test_an_adjustment_that_had_no_part_in_the_shares_is_not_recorded(tmp_path):
    change = engine(reinvestment_strategy="opportunistic", opportunistic_threshold=0.04, enable_dynamic_allocation=True)
    run = two_zones(tmp_path, script=SHOCK, **change)
    assert first(run).target == pytest.approx({"green": 2 / 3, "red": 1 / 3})
    assert not [r for r in of(run, "allocation.adjusted/1") if r.day == day("2026-06-30")]


def test_small_batches_keep_to_the_shares(tmp_path):
    # 1,205,000 are offered, but a batch of one loan spends 100,000 of them: green, red, green, …
    run = two_zones(
        tmp_path, **engine(reinvestment_batch_size=1, reinvestment_frequency="monthly", rebalance_threshold=1)
    )
    zones = [max(r.payload.actual, key=r.payload.actual.get) for r in of(run, "capital.reinvested/1")[:10]]
    assert zones == ["green", "red", "green", "red", "green"] * 2
    # closing gaps, a batch of two loans closes all of its 200,000
    run = two_zones(tmp_path, **engine(reinvestment_batch_size=2))
    assert first(run).target == {"green": 1.0, "red": 0.0}


def test_custom_multiplies_targets(tmp_path):
    change = engine(reinvestment_strategy="custom", zone_preference_multipliers={"green": 0.5, "red": 3})
    bought = first(two_zones(tmp_path, **change))
    assert bought.target == pytest.approx({"green": 0.3 / 1.5, "red": 1.2 / 1.5})
    assert custom(TARGETS, {"green": 0}) == {"green": 0, "red": 1}
    assert custom(TARGETS, {"green": 0, "red": 0}) == {}


def test_an_empty_book_has_nothing_to_maintain():
    assert maintain_allocation({"green": 0, "red": 0}, TARGETS) == TARGETS


def test_dynamic_allocation_moves_targets_by_what_loans_have_earned(tmp_path):
    run = two_zones(tmp_path, **engine(enable_dynamic_allocation=True, rebalance_threshold=1))
    [adjustment] = [r for r in of(run, "allocation.adjusted/1") if r.day == day("2026-06-30")]
    green, red = 1.1 ** (365 / 134) - 1, 1.05 ** (365 / 134) - 1
    assert adjustment.payload.performance == pytest.approx({"green": green, "red": red})
    assert adjustment.payload.loans == {"green": 1, "red": 1}
    assert adjustment.payload.after_day == day("2025-06-30")
    moved = 0.5 * (green / (green + red) - 0.6)
    assert adjustment.payload.adjustments == pytest.approx({"green": moved, "red": -moved})
    assert first(run).target == pytest.approx({"green": 0.6 + moved, "red": 0.4 - moved})


def test_an_exit_outside_the_window_is_no_performance(tmp_path):
    run = two_zones(tmp_path, **engine(enable_dynamic_allocation=True, performance_lookback_period=1))
    assert not [r for r in of(run, "allocation.adjusted/1") if r.day == day("2026-06-30")]


def test_an_adjustment_is_clipped_floored_and_scaled():
    shares = {"green": 0.05, "orange": 0.35, "red": 0.6}
    # performance shares 0, 1/4, 3/4; the weight takes all of the difference, the clip at most .1
    found = adjusted(shares, {"green": -0.1, "orange": 0.05, "red": 0.15}, 1, 0.1)
    assert found.by_zone == pytest.approx({"green": -0.05, "orange": -0.1, "red": 0.1})
    assert found.shares == pytest.approx({"green": 0, "orange": 0.25 / 0.95, "red": 0.7 / 0.95})
    # a zone without data keeps its share until all are scaled
    found = adjusted(shares, {"green": None, "orange": None, "red": 0.1}, 0.5, 0.2)
    assert found.by_zone == pytest.approx({"green": 0, "orange": 0, "red": 0.2})
    assert found.shares == pytest.approx({"green": 0.05 / 1.2, "orange": 0.35 / 1.2, "red": 0.8 / 1.2})
    assert adjusted(shares, dict.fromkeys(shares), 0.5, 0.2) is None
    assert adjusted(shares, dict.fromkeys(shares, -0.1), 0.5, 0.2) is None


def test_an_annualised_return_is_the_compound_return_of_the_holding_time():
    assert annualised_return(Window(1, 100, 121, 100 * 730)) == pytest.approx(0.1)
    # 100 for one year and 300 for three: 2.5 years by cost
    assert annualised_return(Window(2, 400, 500, 100 * 365 + 300 * 1095)) == pytest.approx(1.25 ** (1 / 2.5) - 1)
    assert annualised_return(Window(1, 100, 0, 36500)) == -1
    assert annualised_return(Window(0, 0, 0, 0)) is None
    assert annualised_return(Window(1, 1, 10**9, 0)) > 1e300


def test_coupons_count_as_return(tmp_path):
    rows = ["A,green,100000,250000,0.0365,30,2026-03-15,sale,"]
    run = fund(tmp_path, rows, loans__interest_payment="cash")
    [exit_] = [r for r in of(run, "loan.exited/1") if r.payload.loan_id == "A"]
    # 10.00 a day: 30 days paid on 31 January, 28 on 28 February, 15 with the exit
    assert (exit_.payload.coupons_cents, exit_.payload.interest_cents) == (58_000, 15_000)
    realised = run.state.realised.between("green", 0, exit_.day)
    assert realised == Window(1, 10_000_000, 10_073_000, 10_000_000 * 73)


def manual(at, **body):
    return [{"at": at, "do": {"reinvest": body}}]


def test_a_manual_reinvestment_lends_its_amount_on_its_day(tmp_path):
    body = {
        "amount": 300_000,
        "strategy": "custom",
        "source": "exit",
        "source_details": {"asked_by": "the committee"},
        "zone_preference_multipliers": {"green": 1.0, "red": 0.0},
    }
    run = two_zones(tmp_path, script=manual("2026-06-20", **body))
    record = of(run, "capital.reinvested/1")[0]
    bought = record.payload
    assert (record.day, bought.trigger, bought.strategy) == (day("2026-06-20"), "manual", "custom")
    assert (bought.amount_cents, bought.loans, bought.carried_cents) == (30_000_000, 3, 0)
    assert bought.actual == {"green": 1.0, "red": 0.0}
    assert bought.details == {"asked_by": "the committee"}
    assert bought.by_source == {"exit": 30_000_000}
    assert [r.payload.loan_id for r in of(run, "loan.originated/1") if r.cause == record.seq] == bought.loan_ids
    later = of(run, "capital.reinvested/1")[1]
    assert (later.day, later.payload.offered_cents) == (day("2026-06-30"), 90_500_000)


def test_a_manual_reinvestment_does_not_make_up_for_earlier_checks(tmp_path):
    # the check of 31 May buys one loan, in green, and remembers that red has had 40,000 too little
    settings = engine(
        reinvestment_delay=0, reinvestment_frequency="monthly", reinvestment_batch_size=1, rebalance_threshold=1
    )
    run = two_zones(tmp_path, script=manual("2026-06-05", amount=100_000), **settings)
    check, by_hand = of(run, "capital.reinvested/1")[:2]
    assert check.payload.shortfall == {"green": -4_000_000, "red": 4_000_000}
    assert by_hand.payload.actual == {"green": 1.0, "red": 0.0}
    assert by_hand.payload.shortfall == check.payload.shortfall


def test_multipliers_of_a_manual_reinvestment_tilt_any_strategy(tmp_path):
    body = {"amount": 500_000, "strategy": "maintain_allocation", "zone_preference_multipliers": {"green": 3}}
    run = two_zones(tmp_path, script=manual("2026-06-20", **body))
    assert of(run, "capital.reinvested/1")[0].payload.target == pytest.approx({"green": 1.2 / 1.8, "red": 0.6 / 1.8})


def test_a_manual_reinvestment_may_adjust_to_performance_where_checks_do_not(tmp_path):
    body = {"amount": 500_000, "strategy": "custom", "enable_dynamic_allocation": True}
    run = two_zones(tmp_path, script=manual("2026-06-20", **body))
    [adjustment] = of(run, "allocation.adjusted/1")
    assert adjustment.day == day("2026-06-20")
    assert of(run, "capital.reinvested/1")[0].payload.target == adjustment.payload.after


@pytest.mark.parametrize(
    ("at", "body", "reason", "available", "shortfall"),
    [
        ("2026-06-20", {"amount": 1_300_000}, "insufficient_cash", 120_500_000, 9_500_000),
        ("2026-06-01", {"amount": 100_000}, "insufficient_cash", 0, 10_000_000),  # the delay is not over yet
        ("2026-06-20", {"amount": 100_000, "source": "recovery"}, "insufficient_cash", 0, 10_000_000),
        ("2026-06-20", {"amount": 10_000}, "indivisible", None, None),
        ("2032-06-20", {"amount": 100_000}, "period_over", None, None),
    ],
)
def test_a_manual_reinvestment_that_cannot_be_is_declined(tmp_path, at, body, reason, available, shortfall):
    run = two_zones(tmp_path, script=manual(at, **body))
    [declined] = [r for r in of(run, "reinvestment.declined/1") if r.payload.trigger == "manual"]
    assert (declined.day, declined.payload.reason) == (day(at), reason)
    assert (declined.payload.available_cents, declined.payload.shortfall_cents) == (available, shortfall)
    assert declined.payload.amount_cents == body["amount"] * 100
    assert of(run, "command.scheduled/1")[0].payload.command.kind == "capital.reinvest/1"


@pytest.mark.parametrize(
    ("body", "when"),
    [
        ({"year": 2.5}, "2028-07-01"),
        ({"year": 2.5, "month": 6}, "2028-07-01"),
        ({"year": 2, "month": 6}, "2028-07-01"),
        ({"year": 0.5}, "2026-07-01"),
        ({"year": 2.33, "month": 4}, "2028-05-01"),
        ({"year": 3, "month": 0}, "2029-01-01"),
    ],
)
def test_year_and_month_of_a_manual_reinvestment_are_years_since_the_start(tmp_path, body, when):
    script = [{"do": {"command": "reinvest", "amount": 100_000, **body}}]
    run = two_zones(tmp_path, script=script)
    assert of(run, "command.scheduled/1")[0].payload.due_day == day(when)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"do": {"reinvest": {"amount": 1e5, "year": 2.5, "month": 3}}}, "year 2.5 is 6 months into its year, but month is 3; omit month, or give a whole year"),
        ({"do": {"reinvest": {"amount": 1e5, "year": 2.46, "month": 6}}}, "year 2.46 is 5.52 months into its year, but month is 6"),
        ({"do": {"reinvest": {"amount": 1e5, "year": 2.04, "month": 0}}}, "year 2.04 is 0.48 months into its year, but month is 0"),
        ({"do": {"reinvest": {"amount": 1e5, "month": 3}}}, "needs at: with a date"),
        ({"do": {"reinvest": {"amount": 1e5}}}, "needs at: with a date or when: with a condition (or year: in its body)"),
        ({"do": {"reinvest": {"amount": 1e5, "year": 12}}}, "script.0.do.reinvest.year: 2038-01-01 is outside the fund's life, 2026-01-01 to 2035-12-31"),
        ({"do": {"reinvest": {"amount": 1e5, "year": 2, "month": 12}}}, "month: input should be less than or equal to 11"),
        ({"at": "2027-01-01", "do": {"reinvest": {"amount": 1e5, "year": 2}}}, "means 2028-01-01, but at: is 2027-01-01; give one of them"),
        ({"at": "2027-01-01", "do": {"reinvest": {}}}, "script.0.do.reinvest.amount: is missing"),
        ({"at": "2027-01-01", "do": {"reinvest": {"amount": 0}}}, "amount: input should be greater than 0"),
        ({"at": "2027-01-01", "do": {"reinvest": {"amount": 1e5, "strategy": "rebalence"}}}, "did you mean 'rebalance'?"),
        ({"at": "2027-01-01", "do": {"reinvest": {"amount": 1e5, "source": "loan"}}}, "source: expected 'exit', 'recovery', 'interest' or 'call', got 'loan'"),
        ({"at": "2027-01-01", "do": {"reinvest": {"amount": 1e5, "zone_preference_multipliers": {"blue": 1}}}}, "zone_preference_multipliers.blue: unknown zone; allowed: green, red"),
        ({"at": "2027-01-01", "do": {"reinvest": {"amount": 1e5, "zone_preference_multipliers": {"green": 0, "red": 0}}}}, "at least one multiplier must be above 0"),
        ({"at": "2027-01-01", "do": {"reinvest": {"amount": 1e5, "zone_preference_multipliers": {"green": -1}}}}, "greater than or equal to 0"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_manual_reinvestment_is_named(tmp_path, entry, message):
    with pytest.raises(InvalidInput) as caught:
        two_zones(tmp_path, script=[entry])
    assert message in str(caught.value)


def test_where_multipliers_leave_no_zone_nothing_is_lent(tmp_path):
    body = {"amount": 1e5, "strategy": "opportunistic", "zone_preference_multipliers": {"green": 0}}
    script = [*SHOCK, *manual("2026-06-20", **body)]
    run = two_zones(tmp_path, script=script, **engine(opportunistic_threshold=0.06))
    assert [r.payload.reason for r in of(run, "reinvestment.declined/1")][0] == "no_zone"
