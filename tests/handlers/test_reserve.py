"""The cash reserve on a small fund: tape of 2,000,000, commitments of 4,000,000; .02/.05/.1 are 80, 200 and 400 thousand."""

import pytest

from fundclock import Scenario
from fundclock.events.postings import CASH, POSTINGS, RESERVE
from funds import day, fund, of
from story import given, on

ROWS = [
    "G,green,1000000,2500000,0,30,,,",
    "A,green,150000,500000,0,30,2026-04-10,sale,150000",
    "B,green,250000,500000,0,30,2026-05-10,sale,250000",
    "C,green,600000,2500000,0,30,2026-09-10,sale,600000",
]


def reserved(tmp_path, **changes):
    settings = {
        "fund__size": 4e6,
        "fund__fee_reserve": 0.48,  # 2,080,000 are deployable: the tape and the reserve's minimum
        "loans__size": {"mean": 100e3, "sd": 0, "min": 50e3, "max": 1e6},
        "exits__age_years": {"mean": 60, "sd": 0.1},
        "reinvestment_engine__enable_cash_reserve": True,
        **changes,
    }
    return given(tmp_path, ROWS, **settings)


def engine(**settings):
    return {f"reinvestment_engine__{key}": value for key, value in settings.items()}


def test_the_first_call_fills_it_to_its_minimum_then_proceeds_to_its_target(tmp_path):
    told = reserved(tmp_path)
    told.then(
        "reserve.filled/1",
        on("2026-01-01", source="call", amount_cents=80_000_00),
        on("2026-05-10", source="proceeds", amount_cents=150_000_00),
        on("2026-06-10", source="proceeds", amount_cents=250_000_00),
    )
    told.then("capital.called/1", on("2026-01-01", amount_cents=2_080_000_00))
    assert len([r for r in of(told.run, "loan.originated/1") if r.payload.source == "tape"]) == 4


def test_a_reserve_above_its_maximum_is_a_check_on_that_day(tmp_path):
    # 10 June: 80 + 150 + 250 = 480 thousand, above 400: what is above the target of 200 is lent at once
    told = reserved(tmp_path).then(
        "capital.reinvested/1",
        on(
            "2026-06-10",
            trigger="reserve_max",
            amount_cents=280_000_00,
            by_source={"call": 80_000_00, "exit": 200_000_00},
        ),
        on("2026-10-10", trigger="reserve_max", amount_cents=600_000_00),
    )
    # first in, first out: all of the call, all of A and 50 thousand of B
    lots = of(told.run, "capital.reinvested/1")[0].payload.lots
    assert [cents // 100 for _, cents in lots] == [80_000, 150_000, 50_000]
    told.then(
        "reserve.released/1",
        on("2026-06-10", purpose="reinvestment", reserve_cents=200_000_00),
        on("2026-10-10", purpose="reinvestment", reserve_cents=200_000_00),
    )


def test_a_check_lends_what_is_above_the_target(tmp_path):
    told = reserved(tmp_path, **engine(cash_reserve_max=1))
    told.then(
        "reinvestment.declined/1",
        on("2026-03-31", reason="reserve_below_target", amount_cents=80_000_00, minimum_cents=200_000_00),
        until="2026-06-29",
    )
    told.then(
        "capital.reinvested/1",
        on("2026-06-30", amount_cents=280_000_00),
        on("2026-12-31", amount_cents=600_000_00),
        until="2026-12-31",
    )


def test_less_above_the_target_than_the_minimum_amount_stays(tmp_path):
    told = reserved(tmp_path, **engine(cash_reserve_max=1, min_reinvestment_amount=300_000))
    told.then(
        "reinvestment.declined/1",
        on("2026-03-31"),
        on("2026-06-30", reason="below_minimum", amount_cents=280_000_00),
        until="2026-06-30",
    )


def test_what_a_check_above_the_maximum_cannot_lend_goes_to_the_partners(tmp_path):
    told = reserved(tmp_path, **engine(reinvestment_batch_size=1))
    told.then("batch.cut/1", on("2026-06-10", left_cents=180_000_00))
    # 480 − 100 lent = 380, below the maximum of 400: nothing goes out; on 30 September 80 above the target are less
    # than the minimum amount; on 10 October 280 + 600 − 100 lent = 780, 380 above the maximum
    told.then(
        "reserve.released/1",
        on("2026-06-10", purpose="reinvestment", amount_cents=100_000_00),
        on("2026-06-30", purpose="reinvestment", amount_cents=100_000_00),
        on("2026-10-10", purpose="reinvestment", amount_cents=100_000_00),
        on("2026-10-10", purpose="distribution", amount_cents=380_000_00, reserve_cents=400_000_00),
    )
    told.then("capital.distributed/1", on("2026-12-31", amount_cents=380_000_00))


def test_a_suspended_engine_keeps_to_the_maximum_too(tmp_path):
    reserved(tmp_path).when("2026-02-01", suspend_reinvestment={}).then(
        "reserve.released/1",
        on("2026-06-10", purpose="distribution", amount_cents=80_000_00),
        on("2026-10-10", purpose="distribution", amount_cents=600_000_00),
    )


def test_the_end_of_the_period_empties_it(tmp_path):
    run = reserved(tmp_path).run
    last = of(run, "reserve.released/1")[-1]
    ended = of(run, "reinvestment_period.ended/1")[0]
    assert (last.day, last.payload.purpose, last.payload.reserve_cents) == (day("2031-01-01"), "period_over", 0)
    assert ended.payload.amount_cents == last.payload.amount_cents == 20_000_000
    paid = of(run, "capital.distributed/1")[0]
    assert (paid.day, paid.payload.amount_cents) == (day("2031-03-31"), 20_000_000)


def test_fees_draw_it_and_a_call_fills_it_up_again(tmp_path):
    run = reserved(tmp_path, fees__expenses=0.05).run
    # expenses of the first quarter: 4,000,000 × .05 × 90/365
    owed = round(400_000_000 * 0.05 * 90 / 365)
    drawn, called = of(run, "reserve.drawn/1")[0], of(run, "capital.called/1")[1]
    assert (drawn.day, drawn.payload.amount_cents) == (day("2026-04-01"), owed)
    assert drawn.payload.lots[0][1] == owed
    assert (called.day, called.payload.purpose, called.payload.amount_cents) == (drawn.day, "reserve", owed)
    filled = of(run, "reserve.filled/1")[1]
    assert (filled.day, filled.payload.source, filled.payload.reserve_cents) == (day("2026-04-15"), "call", 8_000_000)
    assert called.cause == drawn.seq


def test_a_top_up_calls_no_more_than_the_fee_reserve_has_left(tmp_path):
    settings = {"fund__size": 2.1e6, "fund__fee_reserve": 1 - 2.042 / 2.1, "fees__expenses": 0.05}
    run = fund(tmp_path, ["G,green,2000000,5000000,0,30,,,"], **settings, **engine(enable_cash_reserve=True))
    # 58,000 can be called beside the loan and the minimum of 42,000; a quarter's expenses are about 26,000
    calls = [r.payload.amount_cents for r in of(run, "capital.called/1") if r.payload.purpose == "reserve"]
    owed = [round(210_000_000 * 0.05 * days / 365) for days in (90, 91)]
    assert calls == [*owed, 5_800_000 - sum(owed)]
    assert sum(r.payload.amount_cents for r in of(run, "capital.called/1")) == 210_000_000


def test_a_reserve_that_a_script_switches_on_is_called_to_its_minimum(tmp_path):
    script = [{"at": "2027-05-20", "do": {"set": {"reinvestment_engine.enable_cash_reserve": True}}}]
    run = fund(
        tmp_path,
        ["G,green,1000000,2500000,0,30,,,"],
        fund__size=4e6,
        fund__fee_reserve=0.75,
        script=script,
    )
    [called] = [r for r in of(run, "capital.called/1") if r.payload.purpose == "reserve"]
    assert (called.day, called.payload.amount_cents) == (day("2027-06-30"), 8_000_000)
    [filled] = of(run, "reserve.filled/1")
    assert (filled.payload.source, filled.payload.reserve_cents) == ("call", 8_000_000)


def test_a_minimum_that_a_script_raises_is_called(tmp_path):
    higher = {"reinvestment_engine.cash_reserve_min": 0.05}
    run = fund(
        tmp_path,
        ["G,green,1000000,2500000,0,30,,,"],
        fund__size=4e6,
        fund__fee_reserve=0.73,
        script=[{"at": "2028-01-10", "do": {"set": higher}}],
        **engine(enable_cash_reserve=True),
    )
    filled = of(run, "reserve.filled/1")
    assert [r.payload.reserve_cents for r in filled] == [8_000_000, 20_000_000]
    assert filled[1].day > day("2028-03-31")


def test_a_call_that_is_paid_when_there_is_no_reserve_any_more_may_be_lent(tmp_path):
    script = [
        {"at": "2027-05-20", "do": {"set": {"reinvestment_engine.enable_cash_reserve": True}}},
        {"at": "2027-07-05", "do": {"set": {"reinvestment_engine.enable_cash_reserve": False}}},
    ]
    run = fund(tmp_path, ["G,green,1000000,2500000,0,30,,,"], fund__size=6e6, fund__fee_reserve=5 / 6, script=script)
    [contributed] = [r for r in of(run, "capital.contributed/1") if r.payload.purpose == "reserve"]
    assert contributed.day > day("2027-07-05")
    lent = of(run, "capital.reinvested/1")[0]
    assert (lent.day, lent.payload.amount_cents) == (day("2027-09-30"), 12_000_000)
    assert lent.payload.by_source == {"call": 12_000_000}


def test_what_was_called_and_never_lent_goes_back_outside_the_waterfall(tmp_path):
    run = fund(
        tmp_path,
        ["G,green,1000000,2500000,0,30,,,"],
        fund__size=4e6,
        fund__fee_reserve=0.73,
        **engine(enable_cash_reserve=True),
    )
    last = of(run, "reserve.released/1")[-1]
    assert (last.payload.purpose, last.payload.called_cents) == ("period_over", 8_000_000)
    paid = of(run, "capital.distributed/1")[0]
    assert (paid.payload.amount_cents, paid.payload.undeployed_cents) == (8_000_000, 8_000_000)


@pytest.mark.parametrize("off", [False, True])
def test_called_cash_that_was_never_lent_goes_back_as_capital_whether_the_reserve_still_stands_or_not(off):
    script = [{"at": "2026-12-02", "do": {"set": {"reinvestment_engine.enable_cash_reserve": False}}}] if off else []
    run = base_with_reserve(
        reinvestment_engine__cash_reserve_min=0.08,
        reinvestment_engine__cash_reserve_target=0.08,
        reinvestment_engine__min_reinvestment_amount=30e6,
        reinvestment_engine__reinvestment_frequency="annual",
        fund__reinvestment_period_years=1,
        script=script,
    )
    paid = next(r.payload for r in of(run, "capital.distributed/1"))
    assert paid.undeployed_cents >= 8_000_000_00


def test_called_cash_that_the_reserve_gives_back_is_lent_to_nobody():
    """A maximum lowered while capital is still being called: the excess is paid out, not spent by the next tranche."""
    low = {f"reinvestment_engine.cash_reserve_{name}": 0.005 for name in ("min", "target", "max")}
    script = [
        {"at": "2026-06-16", "do": {"suspend_reinvestment": None}},
        {"at": "2026-06-16", "do": {"set": low}},
        {"at": "2026-08-16", "do": {"resume_reinvestment": None}},
    ]
    run = base_with_reserve(script=script)
    [given_back] = [r for r in of(run, "reserve.released/1") if r.payload.purpose == "distribution" and r.day < 200]
    assert given_back.payload.called_cents > 100_000_00
    left = 0
    for deployed in of(run, "capital.deployed/1"):
        assert deployed.payload.offered_cents <= 7_666_666_67 + left  # a tranche of 92m / 12 and what the last one left
        left = deployed.payload.carried_cents
    paid = next(r for r in of(run, "capital.distributed/1") if r.day >= given_back.day)
    assert paid.payload.undeployed_cents == given_back.payload.called_cents
    assert paid.day <= given_back.day + 92


def base_with_reserve(**changes):
    keys = {key.replace("__", "."): value for key, value in changes.items()}
    return Scenario.load("base").with_(seed=7, set={"reinvestment_engine.enable_cash_reserve": True, **keys}).run()


def test_a_manual_reinvestment_of_one_source_leaves_the_others_for_the_partners():
    """What is above the maximum after it comes from the lots that it has not used."""
    engine = "reinvestment_engine."
    lowered = {engine + "cash_reserve_max": 0.02, engine + "cash_reserve_target": 0.02, engine + "cash_reserve_min": 0}
    script = [
        {"at": "2027-06-15", "do": {"set": lowered}},
        {"at": "2027-06-15", "do": {"reinvest": {"amount": 1e5, "source": "interest"}}},
    ]
    small = {"fund.size": 2e7, "fund.deployment_months": 6, "fund.term_years": 5, "fund.reinvestment_period_years": 3}
    reserve = {engine + "enable_cash_reserve": True, engine + "cash_reserve_target": 0.1}
    reserve |= {engine + "cash_reserve_max": 0.3, engine + "cash_reserve_min": 0.05}
    loans = {"exits.age_years": {"mean": 1, "sd": 1}, "loans.interest_payment": "cash"}
    run = Scenario.load("base").with_(seed=1, set={**small, **reserve, **loans, "script": script}).run()
    lent = next(r for r in of(run, "capital.reinvested/1") if r.payload.trigger == "manual")
    assert set(lent.payload.by_source) == {"interest"}
    released = [r.payload for r in of(run, "reserve.released/1") if r.day == lent.day]
    assert [fact.purpose for fact in released] == ["reinvestment", "distribution"]
    assert all(sum(cents for _, cents in fact.lots) == fact.amount_cents for fact in released)
    assert released[1].reserve_cents == 400_000_00


def test_a_script_may_switch_it_on_and_off(tmp_path):
    switch = "reinvestment_engine.enable_cash_reserve"
    told = reserved(tmp_path, fund__fee_reserve=0.5, **engine(enable_cash_reserve=False))
    told = told.when("2026-05-20", set={switch: True}).when("2026-06-20", set={switch: False})
    told.then(
        "reserve.filled/1",
        on("2026-05-20", amount_cents=150_000_00),
        on("2026-06-10", amount_cents=250_000_00),
        until="2026-12-31",
    )
    told.then("reserve.released/1", on("2026-06-20", purpose="disabled", amount_cents=400_000_00), until="2099-01-01")
    told.then("capital.reinvested/1", on("2026-06-30", amount_cents=400_000_00), until="2026-06-30")


def test_a_script_that_lowers_the_maximum_makes_a_check_of_its_day(tmp_path):
    told = reserved(tmp_path, **engine(cash_reserve_max=1))
    told = told.when("2026-06-20", set={"reinvestment_engine.cash_reserve_max": 0.05})
    told.then("capital.reinvested/1", on("2026-06-20", trigger="reserve_max", amount_cents=280_000_00))
    assert of(told.run, "capital.reinvested/1")[0].phase == "reinvestment"


def test_a_manual_reinvestment_may_go_below_the_target_but_not_below_the_minimum(tmp_path):
    told = reserved(tmp_path)
    told = told.when("2026-05-20", reinvest={"amount": 160_000}).when("2026-05-21", reinvest={"amount": 150_000})
    declined = next(r for r in of(told.run, "reinvestment.declined/1") if r.payload.trigger == "manual")
    assert (declined.payload.available_cents, declined.payload.shortfall_cents) == (15_000_000, 1_000_000)
    told.then("capital.reinvested/1", on("2026-05-21", amount_cents=150_000_00), until="2026-05-31")
    told.then("reserve.released/1", on("2026-05-21", reserve_cents=80_000_00))


def test_the_reserve_is_idle_cash_too(tmp_path):
    run = reserved(tmp_path).run
    nights = idle = last = 0
    for record in run.log:
        nights += idle * (record.day - last)
        last = record.day
        legs = POSTINGS[type(record.payload)](record.payload) if type(record.payload) in POSTINGS else ()
        idle += sum(cents for account, cents in legs if account in (CASH, RESERVE))
    assert run.state.ledger.cent_days(last) == nights > 20_000_000 * 365 * 4
