"""Awkward but possible: settings that change on bad days, calls near the end, hazards that explode, interrupts."""

from datetime import date

import pytest

from fundclock import InvalidInput, Scenario
from fundclock.events.dates import Calendar
from fundclock.events.stores.sqlite import SqliteStore
from fundclock.scenarios.runs.verify import resume, verify
from funds import quiet

CALENDAR = Calendar(date(2026, 1, 1))


def scripted(**settings):
    return Scenario.load("base").with_(set={"script": [{"at": "2028-01-10", "do": {"set": settings["set"]}}]})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"zones": {"green": {"target_allocation": 0.25}, "blue": {"target_allocation": 0.2}}},
            "unknown setting zones.blue",
        ),
        ({"zones.red": {"volatility": 0.9}}, "zones.red.volatility can't change"),
        ({"zones": {"red": {"appreciation": 0.5}}}, "zones.red.appreciation can't change"),
        ({"loans": {"tape": "nowhere.csv"}}, "loans.tape can't change"),
        ({"loans.appreciation_share.thresholds": [0.1]}, "loans.appreciation_share.thresholds can't change"),
        ({"zones.green.target_allocation": 0.5}, "must sum to 1"),
    ],
)
def test_a_setting_that_can_t_change_is_refused_however_it_is_written(change, says):
    with pytest.raises(InvalidInput, match=says):
        scripted(set=change).plan()


def test_settings_of_one_entry_change_together_and_later_ones_build_on_them():
    script = [
        {
            "at": "2028-01-10",
            "do": {"set": {"zones.green.target_allocation": 0.5, "zones.red.target_allocation": 0.15}},
        },
        {"at": "2028-02-10", "do": {"set": {"loans.size.max": "3m"}}},
        {"at": "2028-03-10", "do": {"set": {"loans.size.min": "2m", "loans.size.mean": "2.5m"}}},
    ]
    run = Scenario.load("base").with_(seed=7, set={"script": script}).run()
    assert len(list(run.log.read(kinds=["config.changed/1"]))) == 3
    last = [r.payload for r in run.log.read(kinds=["capital.reinvested/1"])][-1]
    assert last.target == {"green": 0.5, "orange": 0.35, "red": 0.15}


def test_another_spread_on_cash_holds_from_its_day_on(tmp_path):
    settings = {"market__base_rate": {"model": "constant", "initial": 0.0365}, "fund__cash_yield_spread_bps": 0}
    tape = tmp_path / "t.csv"
    tape.write_text(
        "loan_id,zone,principal,property_value,coupon,term_years,exit_on,exit_kind,proceeds\n"
        "A,green,1000000,2000000,0,10,2027-01-01,sale,1000000\n"
    )
    run = quiet(
        loans__tape=str(tape), fund__size=1e6, fund__fee_reserve=0, fund__gp_commitment=0, **settings,
        script=[{"at": "2027-03-30", "do": {"set": {"fund.cash_yield_spread_bps": 3650}}}],
    ).run()  # fmt: skip
    paid = next(r for r in run.log.read(kinds=["cash_interest.received/1"]))
    # 100.00 a night for the 88 nights from 1 January to 30 March, 1,100.00 for the one after
    assert (CALENDAR.date(paid.day), paid.payload.amount_cents) == (date(2027, 3, 31), 88 * 10_000 + 110_000)


@pytest.mark.parametrize("notice", [23, 24, 60])
def test_no_call_is_due_after_the_end(notice):
    fund = {"term_years": 1, "reinvestment_period_years": 0, "deployment_months": 12, "size": 12e6}
    with pytest.raises(InvalidInput, match="the last call would be due after the fund's end"):
        quiet(fund=fund, calls__notice_business_days=notice).run()
    script = [{"at": "2026-10-15", "do": {"set": {"calls.notice_business_days": notice}}}]
    with pytest.raises(InvalidInput, match="the last call would be due after the fund's end"):
        quiet(fund=fund, script=script).run()


def test_notice_of_nothing_is_paid_on_the_next_business_day():
    run = quiet(fund__size=12e6, calls__notice_business_days=0).run()
    days = [CALENDAR.date(r.day) for r in run.log.read(kinds=["capital.contributed/1"])]
    assert days[0] == date(2026, 1, 2)
    assert all(day.weekday() < 5 for day in days)


def test_tranches_after_the_period_spend_called_capital_only():
    changes = {"fund.deployment_months": 24, "fund.reinvestment_period_years": 1, "loans.size": {"mean": 1e6, "sd": 0}}
    changes["exits.age_years"] = {"mean": 0.6, "sd": 0.2}
    run = Scenario.load("base").with_(seed=7, set=changes).run()
    called = spent = 0
    for record in run.log:
        fact = record.payload
        if record.kind == "capital.contributed/1" and fact.purpose == "deployment":
            called += fact.amount_cents
        elif record.kind == "capital.deployed/1":
            spent += fact.amount_cents
            assert spent <= called
    assert run.metrics["nav"] == "0.00"


def test_a_fall_to_almost_nothing_ends_loans_and_does_not_freeze_them():
    changes = {"zones.green.default_rate": 0, "script": [{"at": "2028-01-10", "do": {"shock_price": "-99.95%"}}]}
    run = Scenario.load("base").with_(seed=7, set=changes).run()
    kinds = [
        r.payload.exit_kind for r in run.log.read(kinds=["loan.exited/1"]) if r.payload.zone == "green" and r.day > 800
    ]
    assert sum(kind != "fund_end" for kind in kinds) > 50


def test_an_interrupt_at_any_moment_leaves_a_run_that_completes(tmp_path, monkeypatch):
    """The interrupt strikes inside the writer, before and after the commit."""
    scenario = Scenario.load("base").with_(seed=5, set={"fund.size": 2e8})
    whole = scenario.run().head_hash
    real = SqliteStore.commit
    for number, late in ((2, False), (2, True), (3, True)):
        count = 0

        def commit(self, *words, number=number, late=late):
            nonlocal count
            count += 1
            if count == number and not late:
                raise KeyboardInterrupt
            real(self, *words)
            if count == number and late:
                raise KeyboardInterrupt

        store = SqliteStore(tmp_path / f"{number}{late}.db")
        monkeypatch.setattr(SqliteStore, "commit", commit)
        with pytest.raises(KeyboardInterrupt):
            scenario.run(store)
        monkeypatch.setattr(SqliteStore, "commit", real)
        info = store.find("last")
        assert info.status == "interrupted"
        assert verify(store, info).status == "incomplete"
        assert resume(store, info).head_hash == whole
        store.close()


def test_a_store_may_be_opened_by_many_at_once(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    for attempt in range(10):
        path = tmp_path / f"{attempt}.db"
        with ThreadPoolExecutor(8) as pool:
            assert len(list(pool.map(lambda _, path=path: SqliteStore(path).close(), range(8)))) == 8
