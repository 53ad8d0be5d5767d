"""Scripts in a played fund: conditions in the evening, acts in the morning, Python scripts beside them."""

import pytest

from fundclock import InvalidInput, Run, Scenario
from fundclock.scenarios.files.schema import ScenarioConfig
from fundclock.scenarios.runs.verify import verify
from fundclock.scenarios.scripts.vocabulary import names_of
from funds import day, of, quiet
from story import given, on

ROWS = [
    "A,green,1000000,2500000,0,30,2026-03-10,sale,1000000",
    "B,green,1000000,2500000,0,30,2026-05-20,sale,1000000",
    "C,green,1000000,2500000,0,30,2026-09-15,sale,1000000",
]
"""Three loans that bring 1 m each, on known days."""


def test_a_condition_is_looked_at_in_the_evening_and_acts_the_next_day(tmp_path):
    told = given(tmp_path, ROWS, reinvestment_engine__reinvestment_delay=6)
    told = told.when("waiting_proceeds >= 2m", suspend_reinvestment={})
    # once, though it held for months
    told.then("condition.met/1", on("2026-05-20", values={"waiting_proceeds": 2_000_000.0}), until="2099-01-01")
    told.then("reinvestment.suspended/1", on("2026-05-21"))
    run = told.run
    met, promised, done = (
        of(run, kind)[0] for kind in ("condition.met/1", "command.scheduled/1", "reinvestment.suspended/1")
    )
    promised = next(record for record in of(run, "command.scheduled/1") if record.payload.source == "script[0]")
    assert (met.phase, met.cause) == ("report", None)
    assert (promised.cause, promised.payload.due_day) == (met.seq, met.day + 1)
    assert (done.cause, done.correlation) == (promised.seq, met.seq)


def test_a_condition_can_fire_each_time_that_it_becomes_true(tmp_path):
    told = given(tmp_path, ROWS, reinvestment_engine__reinvestment_delay=1)
    told = told.whenever("waiting_proceeds > 0", set_transaction_cost=1)
    told.then("condition.met/1", on("2026-03-10"), on("2026-05-20"), on("2026-09-15"))


def test_a_story_that_the_log_does_not_tell_fails(tmp_path):
    told = given(tmp_path, ROWS).when("2026-02-01", suspend_reinvestment={})
    told.then("reinvestment.suspended/1", on("2026-02-01"), until="2026-12-31")
    told.then("reinvestment.resumed/1", until="2026-12-31")
    for wrong in (on("2026-02-02"), on("2026-02-01", source="nobody")):
        with pytest.raises((AssertionError, AttributeError)):
            told.then("reinvestment.suspended/1", wrong)
    with pytest.raises(AssertionError):
        told.then("reinvestment.suspended/1", until="2026-12-31")
    with pytest.raises(AssertionError):
        told.then("reinvestment.resumed/1", on("2026-02-01"))


def test_a_condition_that_holds_from_the_start_fires_on_the_first_evening():
    run = quiet(script=[{"when": "date >= 2026-01-01", "do": {"set_transaction_cost": 1}}]).run()
    assert [record.day for record in of(run, "condition.met/1")] == [0]
    assert [record.day for record in of(run, "transaction_cost.changed/1")] == [1]


def test_every_name_can_be_read_every_day():
    scenario = Scenario.load("levered").with_(seed=3, set={"fund.term_years": 2, "fund.reinvestment_period_years": 1})
    seen = []

    def read_all(fund):
        names = names_of(scenario.resolve())
        while fund.day < 700:
            yield fund.at(fund.date.replace(day=1).replace(year=2027) if fund.day == 0 else "2027-06-30")
            seen.append({name: fund[name] for name in names})
            yield fund.when("date >= 2027-07-01")
            seen.append({name: fund[name] for name in names})
            return

    scenario.run(script=read_all)
    assert len(seen) == 2
    first = seen[0]
    assert first["loans"] == first["originated"] - first["exited"] - first["defaulted"]
    assert first["originated"] == sum(first[f"originated.{zone}"] for zone in ("green", "orange", "red"))
    assert sum(first[f"allocation.{zone}"] for zone in ("green", "orange", "red")) == pytest.approx(1)
    assert first["debt"] == first["balance.green_sleeve"] + first["balance.ramp_line"]
    assert first["leverage_ratio"] == pytest.approx(first["debt"] / first["nav"])
    assert 0 <= first["available.green_sleeve"] <= first["undrawn.green_sleeve"]


def test_state_is_what_the_log_says(base_run):
    scenario = Scenario.load("base").with_(seed=7)
    found = {}

    def look(fund):
        yield fund.when("date >= 2029-06-30")
        found.update({name: fund[name] for name in names_of(scenario.resolve())})

    scenario.run(script=look)
    from fundclock.events.replay import replay

    state = replay(base_run.log, found["day"])
    assert found["cash"] == state.ledger.cash_cents / 100
    assert found["nav"] == state.ledger.nav_cents() / 100
    assert found["eligible_proceeds"] == state.lots.eligible_cents / 100
    moved = [record for record in base_run.log.read(kinds=["market.moved/1"]) if record.day <= found["day"]][-1]
    assert found["price.red"] == pytest.approx(moved.payload.indices["red"], rel=1e-12)
    assert found["appreciation.red"] == pytest.approx(moved.payload.appreciation_12m["red"], rel=1e-12)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ([{"when": "availble.green_sleeve > 0", "do": {"shock_price": 0.1}}], "unknown name"),
        ([{"when": "available.green_sleeve > 0", "do": {"shock_price": 0.1}}], "unknown name"),
        ([{"when": "allocation.blue > 0", "do": {"shock_price": 0.1}}], "unknown name 'allocation.blue'"),
        ([{"when": "date > 2050-01-01", "do": {"shock_price": 0.1}}], "2050-01-01 is outside the fund's life"),
        ([{"when": "cash > 1", "do": {"shock_prise": 0.1}}], "unknown command 'shock_prise'"),
        ([{"when": "cash > 1", "do": {"set": {"fund.size": 1}}}], "fund.size can't change during a run"),
        (
            [
                {"at": "2027-01-01", "do": {"set": {"reinvestment_engine.reinvestment_delay": 3}}},
                {"at": "2027-01-01", "do": {"set": {"reinvestment_engine.reinvestment_delay": 6}}},
            ],
            "script.1: contradicts script[0] on the same day: reinvestment_engine.reinvestment_delay is 3 there and 6",
        ),
        (
            [
                {"at": "2027-01-01", "do": {"suspend_reinvestment": {}}},
                {"at": "2027-01-01", "do": {"resume_reinvestment": {}}},
            ],
            "contradicts script[0] on the same day: reinvestment.suspend there, reinvestment.resume here",
        ),
        (
            [
                {"when": "cash > 5m", "do": {"trip_breaker": {}}},
                {"when": "cash>5m", "do": {"reset_breaker": {}}},
            ],
            "contradicts script[0] under the same condition",
        ),
        (
            [
                {"at": "2027-01-01", "do": {"set_volatility": "high"}},
                {"at": "2027-01-01", "do": {"set_volatility": "market"}},
            ],
            "the volatility state is high there and market here",
        ),
    ],
)
def test_bad_scripts_are_refused_at_load(script, message):
    with pytest.raises(InvalidInput) as caught:
        Scenario.load("base").with_(set={"script": script}).plan()
    assert message in str(caught.value)


def test_scripts_that_agree_are_taken():
    same = {"set": {"reinvestment_engine.reinvestment_delay": 3}}
    script = [
        {"at": "2027-01-01", "do": same},
        {"at": "2027-01-01", "do": same},
        {"at": "2027-01-01", "do": {"set": {"reinvestment_engine.min_reinvestment_amount": 5}}},
        {"at": "2027-01-02", "do": {"set": {"reinvestment_engine.reinvestment_delay": 4}}},
    ]
    assert len(Scenario.load("base").with_(set={"script": script}).plan().script.acts) == 4


def cautious(fund):
    yield fund.at("2027-03-31")
    fund.do({"set": {"reinvestment_engine.reinvestment_delay": 3}})
    yield fund.when("eligible_proceeds > 2m")
    fund.do({"suspend_reinvestment": {}})
    yield fund.when(lambda now: now["cash"] > 10e6) | fund.at("2031-01-01")
    fund.do({"resume_reinvestment": {}})


def test_a_python_script_does_what_it_says_and_leaves_its_line(base_run):
    run = Scenario.load("base").with_(seed=7).run(script=cautious)
    changed, suspended = of(run, "config.changed/1")[0], of(run, "reinvestment.suspended/1")[0]
    assert changed.day == day("2027-03-31")
    by_seq = {record.seq: record for record in run.log}
    promise = by_seq[suspended.cause]
    assert promise.payload.source.startswith("python cautious:")
    met = by_seq[promise.cause]
    assert (met.kind, met.payload.condition) == ("condition.met/1", "eligible_proceeds > 2m")
    assert suspended.day == met.day + 1
    before = [record for record in base_run.log if record.day < changed.day]
    shared = list(run.log)[1 : len(before)]  # the manifest names the script
    assert [record.line() for record in before[1:]] == [record.line() for record in shared]


def test_a_run_with_a_python_script_verifies_without_the_script(store):
    entry = {"when": "cash > 4m", "repeat": True, "do": {"set_transaction_cost": 2}}
    run = Scenario.load("base").with_(seed=7, set={"script": [entry]}).run(store, script=cautious)
    assert verify(store, store.info(run.name)).status == "ok"
    again = Run.open(store, run.name).fork("2029-01-01")  # from what the log says
    assert again.head_hash == run.head_hash
    assert run.fork("2029-01-01").head_hash == run.head_hash  # with the script itself


def test_an_interrupted_run_with_a_python_script_is_resumed_with_it_or_not_at_all(store):
    from fundclock.events.stores.store import StoreError
    from fundclock.scenarios.runs.verify import resume

    whole = Scenario.load("base").with_(seed=7).run(script=cautious)

    def stop(today, last):
        if today > day("2028-01-01"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Scenario.load("base").with_(seed=7).run(store, stop, cautious)
    info = store.find("last")
    with pytest.raises(StoreError, match="was played with the Python script cautious; pass that script to resume it"):
        resume(store, info)
    with pytest.raises(InvalidInput, match="resume it with the script first"):
        Run.open(store, info.run).fork("2027-06-01", set={"reinvestment_engine.reinvestment_delay": 3})
    assert resume(store, info, script=cautious).head_hash == whole.head_hash
    assert whole.manifest.python == "cautious"


@pytest.mark.parametrize(
    ("script", "error", "message"),
    [
        (lambda fund: (yield fund.do("suspend_reinvestment")), InvalidInput, "expected a command like"),
        (
            lambda fund: (yield fund.do({"reinvest": {"amount": 5, "year": 2}})),
            InvalidInput,
            "carried out at once; omit year",
        ),
        (lambda fund: None, TypeError, "must yield what it waits for"),
        (lambda fund: (yield fund.at("2050-01-01")), ValueError, "can't wait for 2050-01-01"),
        (lambda fund: (yield fund.when("nothing > 1")), ValueError, "unknown name 'nothing'"),
        (lambda fund: (yield fund.do({"shock_prise": 1})), InvalidInput, "did you mean 'shock_price'"),
        (lambda fund: (yield fund["nothing"]), InvalidInput, "unknown name 'nothing'"),
    ],
)
def test_what_is_wrong_with_a_python_script_is_said(script, error, message):
    with pytest.raises(error) as caught:
        quiet().run(script=script)
    assert message in str(caught.value)


def test_conditions_change_nothing_by_being_looked_at(base_run):
    watched = Scenario.load("base").with_(
        seed=7, set={"script": [{"when": "allocation.green > 99%", "do": {"suspend_reinvestment": {}}}]}
    )
    run = watched.run()
    assert [record.line() for record in run.log][1:] == [record.line() for record in base_run.log][1:]


def test_the_schema_of_a_script_reads_back():
    entry = {"when": "cash > 1m", "do": {"shock_price": -0.1}}
    config = ScenarioConfig.model_validate({"script": [entry]})
    assert ScenarioConfig.model_validate(config.model_dump(mode="json")) == config


def test_every_name_is_in_the_documentation():
    from pathlib import Path

    from fundclock.scenarios.timing.idle_cash import REASONS

    page = (Path(__file__).resolve().parents[2] / "docs" / "timing.md").read_text()
    names = {name.partition(".")[0] for name in names_of(Scenario.load("levered").resolve())}
    assert [name for name in (*names, *REASONS) if f"`{name}`" not in page] == []
