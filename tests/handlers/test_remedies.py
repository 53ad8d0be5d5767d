"""What follows a test that fails: cash, calls, sweeps, events of default; and what nothing may do meanwhile."""

import pytest

from fundclock import Scenario
from fundclock.events.state import State
from fundclock.handlers.fund.purse import own_cash
from fundclock.scenarios.views.why import why
from funds import day, fund, of
from lines import draw, drawn, line, repay

ROWS = [
    "G,green,600000,1500000,0,30,,,",
    "H,green,400000,1000000,0,30,2026-06-17,sale,400000",
]
"""Half a million is drawn against .75 × 1,000,000 and lent; when H leaves, the base is .75 × what is left."""


def breached(tmp_path, events=(), **settings):
    """A line of 700,000 against a base that H's exit brings from 1,275,000 to 975,000, and a shock below the debt."""
    changes = {
        "fund__size": 2_000_000,
        "fund__fee_reserve": 0.5,
        "fund__deployment_months": 1,
        "exits__age_years": {"mean": 60, "sd": 0.1},
        "script": [draw("2026-02-02", 700_000), *events],
        "leverage__green_sleeve__advance_rate": 0.75,
    }
    return fund(tmp_path, ROWS, **{**changes, **line(), **settings})


def breached_with(tmp_path, rows, script):
    changes = {"fund__size": 1_800_000, "fund__fee_reserve": 0.5, "fund__deployment_months": 1}
    changes |= {"exits__age_years": {"mean": 60, "sd": 0.1}, "leverage__green_sleeve__advance_rate": 0.75}
    return fund(tmp_path, rows, **{**changes, **line(), "script": [draw("2026-02-02", 600_000), *script]})


def kinds(run, *names):
    return [(r.kind.split("/")[0], r.day) for r in run.log if r.kind.split("/")[0] in names]


SHOCK = {"at": "2026-09-01", "do": {"shock_nav": -0.5}}
"""From September on the loans, 1,300,000 at cost, are valued at half of that."""


def test_a_valuation_that_breaks_the_base_is_cured_by_cash_and_a_call(tmp_path):
    run = breached(tmp_path, [SHOCK])
    quarter = day("2026-09-30")
    [failed] = [r for r in of(run, "covenant.breached/1") if r.payload.test == "base"]
    tested = next(r for r in of(run, "covenant.tested/1") if r.seq == failed.cause)
    terms = tested.payload.terms
    assert (failed.day, tested.payload.trigger) == (quarter, "quarter_end")
    # what the tests go by: .75 of what the loans are worth, against what is owed
    assert terms["base_cents"] == int(0.75 * terms["worth_cents"])
    assert failed.payload.headroom_cents == terms["base_cents"] - terms["balance_cents"] < 0
    repaid = [r for r in of(run, "facility.repaid/1") if quarter <= r.day <= failed.payload.cure_due_day]
    cured = next(r for r in of(run, "covenant.cured/1") if r.payload.test == "base")
    assert sum(r.payload.amount_cents for r in repaid if r.day <= cured.day) >= -failed.payload.headroom_cents
    assert {r.payload.reason for r in repaid} <= {"cure", "sweep"}
    assert cured.day <= failed.payload.cure_due_day
    called = [r for r in of(run, "capital.called/1") if r.payload.purpose == "cure"]
    if cured.day > quarter:
        assert called
    assert not any("base" in r.payload.tests for r in of(run, "event_of_default.declared/1"))


def test_without_cash_and_without_calls_it_is_an_event_of_default_on_the_last_day_to_cure(tmp_path):
    settings = {"fund__size": 1_000_000, "fund__fee_reserve": 0, "leverage__green_sleeve__commitment_fee_bps": 0}
    settings |= {"leverage__green_sleeve__upfront_fee_bps": 0, "leverage__green_sleeve__spread_bps": 0}
    settings |= {"market__base_rate": {"model": "constant", "initial": 0}, "leverage__green_sleeve__max_mult": 1}
    settings |= {"leverage__green_sleeve__initial_commitment_mult": 1}
    script = [{"at": "2026-09-01", "do": {"shock_nav": -0.9}}]
    run = breached(tmp_path, script, **settings)
    failed = next(r for r in of(run, "covenant.breached/1") if r.payload.test == "base")
    assert failed.payload.cure_due_day == day("2026-11-11")  # 30 business days after Wednesday 30 September
    [declared] = of(run, "event_of_default.declared/1")
    assert declared.day == failed.payload.cure_due_day
    assert "base" in declared.payload.tests
    [accelerated] = of(run, "facility.accelerated/1")
    assert accelerated.payload.balance_cents > 0
    [begun] = [r for r in of(run, "sweep.begun/1") if r.payload.reason == "default"]
    ended = next((r.day for r in of(run, "sweep.ended/1") if r.seq > begun.seq), run.state.day)
    held = range(begun.day, ended)
    assert not [r for r in of(run, "capital.distributed/1") if r.day in held]
    assert not [r for r in of(run, "capital.reinvested/1") if r.day in held]
    assert run.state.facilities.by_name["green_sleeve"].status == "in_default"


def test_an_exit_is_followed_by_a_test_at_once(tmp_path):
    run = breached(tmp_path)
    exited = next(r for r in of(run, "loan.exited/1") if r.payload.loan_id == "H")
    [tested] = [r for r in of(run, "covenant.tested/1") if r.cause == exited.seq]
    assert (tested.day, tested.phase, tested.payload.trigger) == (day("2026-06-17"), "exits", "exit")
    terms = tested.payload.terms
    assert terms["base_cents"] == int(0.75 * terms["worth_cents"])
    assert terms["worth_cents"] == pytest.approx(1_300_000_00, rel=0.06)  # G, and what the draw has bought
    assert list(tested.payload.passed) == ["base", "ltv"]


def test_an_exit_that_breaks_the_base_is_paid_for_by_its_own_proceeds(tmp_path):
    """The chain from the repayment goes back to the exit, and names the lot that paid."""
    # .6 × 1,000,000 is drawn and lent but for the buffer, then 330,000 more: 930,000 against .6 × some 1,900,000, which
    # is more; .6 × 1,500,000 is less
    script = [draw("2026-02-02", 600_000), draw("2026-03-02", 330_000)]
    run = breached(tmp_path, script=script, leverage__green_sleeve__advance_rate=0.6)
    exited = next(r for r in of(run, "loan.exited/1") if r.payload.loan_id == "H")
    repaid = of(run, "facility.repaid/1")[0]
    found = why(run.log, repaid.seq)
    assert exited.seq in [record.seq for record in [*found.causes, *found.lots]]
    assert found.causes[0].seq == exited.seq
    assert [record.kind for record in found.causes[1:3]] == ["covenant.tested/1", "covenant.breached/1"]
    assert repaid.day == exited.day


def test_a_breach_that_follows_a_valuation_goes_back_to_the_market(tmp_path):
    run = breached(tmp_path, [SHOCK])
    [failed] = [r for r in of(run, "covenant.breached/1") if r.payload.test == "base"]
    chain = [record.kind for record in why(run.log, failed.seq).causes]
    assert chain == ["market.moved/1", "book.valued/1", "covenant.tested/1"]


def test_while_a_test_fails_nothing_can_be_drawn(tmp_path):
    script = [{"at": "2026-09-01", "do": {"shock_nav": -0.9}}, draw("2026-10-01", 1_000)]
    run = breached(tmp_path, script)
    assert any("in_cure" in r.payload.reason for r in of(run, "command.rejected/1"))


@pytest.fixture(scope="module")
def levered():
    return Scenario.load("levered").with_(seed=7).run()


def test_no_reinvestment_and_no_distribution_in_a_sweep(levered):
    on, longest = {}, 0
    for record in levered.log:
        match record.kind:
            case "sweep.begun/1":
                on[record.payload.facility] = record.day
            case "sweep.ended/1":
                longest = max(longest, record.day - on.pop(record.payload.facility))
            case "capital.reinvested/1" | "capital.distributed/1":
                assert not on
    assert longest > 365


def test_debt_service_comes_before_reinvestment_and_the_buffer_is_kept(levered):
    """After each reinvestment cash and proceeds still cover the buffer and what is owed."""
    state = State()
    seen = 0
    for record in levered.log:
        state.apply(record)
        if record.kind == "capital.reinvested/1":
            seen += 1
            covered = own_cash(state) + state.lots.cents
            assert covered >= state.facilities.senior_cents
    assert seen > 5
    assert max(r.payload.buffer_cents for r in of(levered, "buffer.set/1")) > 0


def test_the_optimiser_holds_leverage_at_its_target_while_it_can(levered):
    measured = {r.day: r.payload for r in of(levered, "leverage.measured/1")}
    decided = {r.day: r.payload for r in of(levered, "leverage.optimized/1")}
    drawn = [r for r in of(levered, "facility.drawn/1") if r.payload.purpose == "target"]
    assert drawn
    for record in drawn:
        asked = [fact for when, fact in decided.items() if fact.action == "draw" and 0 < record.day - when < 10]
        assert asked[-1].amount_cents >= record.payload.amount_cents
        # the draw brings debt to half of NAV, as it was when it was asked for
    ratios = [fact.leverage_ratio for when, fact in measured.items() if 365 < when < 4 * 365]
    assert max(ratios) < 0.6


def test_leverage_above_its_threshold_is_brought_down_to_the_maximum():
    script = [{"at": "2028-02-15", "do": {"shock_nav": -0.28}}]
    loose = {"leverage.green_sleeve.max_ltv": 1.0, "leverage.green_sleeve.advance_rate": 1.0}
    run = Scenario.load("levered").with_(seed=2, set={"script": script, **loose}).run()
    decided = next(r for r in of(run, "leverage.optimized/1") if r.payload.action == "repay")
    assert decided.payload.leverage_ratio > 0.7
    begun = next(r for r in of(run, "sweep.begun/1") if r.seq > decided.seq)
    assert (begun.payload.reason, begun.cause) == ("deleveraging", decided.seq)
    ended = next(r for r in of(run, "sweep.ended/1") if r.seq > begun.seq)
    repaid = [r for r in of(run, "facility.repaid/1") if decided.day <= r.day <= ended.day]
    assert repaid
    state = State()
    left = []
    for record in run.log:
        state.apply(record)
        if record in repaid:
            left.append(state.facilities.debt_cents / state.ledger.nav_cents())
    assert min(left) == pytest.approx(0.65, abs=1e-6)  # what else there is, is the fund's
    decisions = {r.day: r.payload for r in of(run, "leverage.optimized/1")}
    after = next(fact for when, fact in decisions.items() if when >= ended.day)
    assert after.leverage_ratio < 0.7


def test_a_repayment_by_script_uses_cash_that_debt_service_leaves(tmp_path):
    run = breached(tmp_path, [repay("2026-07-01", 100_000)])
    [manual] = [r for r in of(run, "facility.repaid/1") if r.payload.reason == "manual"]
    assert (manual.day, manual.payload.amount_cents) == (day("2026-07-06"), 100_000_00)
    assert manual.payload.lots  # H's proceeds


def test_no_extension_while_a_test_fails(tmp_path):
    terms = {"leverage__green_sleeve__term_months": 7, "leverage__green_sleeve__draw_end_months": 6}
    script = [{"at": "2026-06-01", "do": {"shock_nav": -0.9}}]
    run = breached(tmp_path, script, fund__fee_reserve=0.05, **terms)
    failed = next(r for r in of(run, "covenant.breached/1") if r.payload.test == "base")
    maturity = day("2026-08-03")  # the first is a Saturday
    assert failed.day == day("2026-06-30") < maturity < failed.payload.cure_due_day
    assert not of(run, "facility.extended/1")
    [matured] = of(run, "facility.matured/1")
    assert (matured.day, matured.payload.balance_cents > 0) == (maturity, True)
    assert [r.payload.what for r in of(run, "payment.defaulted/1") if r.day == maturity] == ["principal"]


def test_after_a_repayment_only_base_ltv_and_what_fails_are_tested(tmp_path):
    run = breached(tmp_path, [SHOCK])
    failing: set[str] = set()
    seen = []
    for record in run.log:
        fact = record.payload
        match record.kind:
            case "covenant.breached/1":
                failing.add(fact.test)
            case "covenant.cured/1":
                failing.remove(fact.test)
            case "covenant.tested/1" if fact.trigger == "repaid":
                seen.append(set(fact.passed))
                assert seen[-1] == {"base", "ltv"} | failing
            case "covenant.tested/1" if fact.trigger == "quarter_end":
                assert "liquidity" in fact.passed
    assert {"base", "ltv"} in seen


def test_a_liquidity_test_that_fails_alone_begins_no_sweep(tmp_path):
    run = breached(tmp_path, fund__size=1_000_000, fund__fee_reserve=0)
    failed = of(run, "covenant.breached/1")[0]
    assert (failed.payload.test, failed.day) == ("liquidity", day("2026-03-31"))
    assert not [r for r in of(run, "sweep.begun/1") if r.day == failed.day]
    begun = of(run, "sweep.begun/1")[0]
    assert (begun.day, begun.payload.reason) == (day("2026-04-01"), "cure")  # interest is not paid either


def test_after_an_event_of_default_principal_gets_all_but_interest_that_is_to_come(tmp_path):
    """The buffer of 10 quarters stays, or the next payment day would find nothing."""
    script = [{"at": "2026-09-01", "do": {"shock_nav": -0.95}}]
    settings = {"leverage__optimization__min_cash_buffer": 10, "fund__fee_reserve": 0.1}
    run = breached(tmp_path, script, **settings)
    [declared] = of(run, "event_of_default.declared/1")
    state = State()
    for record in run.log:
        if record.kind == "facility.repaid/1" and record.payload.reason == "default":
            assert record.day == declared.day
            assert state.facilities.buffer_cents > 0
            assert record.payload.amount_cents == own_cash(state) + state.lots.cents - state.facilities.senior_cents
            return
        state.apply(record)
    raise AssertionError("nothing was repaid")


def test_what_the_optimiser_has_promised_to_repay_is_there_on_its_day():
    """Distributions of the same day, and reinvestment, leave it."""
    terms = {"draw_end_months": 84, "term_months": 96, "advance_rate": 0.9}
    settings = {f"leverage.green_sleeve.{name}": value for name, value in terms.items()}
    settings |= {"leverage.optimization.target_leverage": 0.65}
    run = Scenario.load("levered").with_(seed=46, set=settings).run()
    promised = {
        r.seq: r.payload.command.amount_cents
        for r in of(run, "command.scheduled/1")
        if r.payload.command.kind == "facility.repay/1"
    }
    assert promised
    repaid = {r.cause: r.payload.amount_cents for r in of(run, "facility.repaid/1") if r.cause in promised}
    assert repaid == promised


def test_a_default_over_a_fee_ends_when_it_is_paid():
    """A line that owes nothing but a fee may default; its sweep ends with the payment, not with a repayment."""
    settings = {
        "fund.size": 1e6,
        "fund.fee_reserve": 0,
        "leverage.green_sleeve.min_loans": 1,
        "leverage.green_sleeve.concentration.loan": 1,
        "leverage.optimization.min_cash_buffer": 0,
    }
    run = Scenario.load("levered").with_(seed=19, set=settings).run()
    declared = of(run, "event_of_default.declared/1")
    assert {r.payload.facility for r in declared} == {"green_sleeve", "ramp_line"}
    ended = {r.payload.facility: r.day for r in of(run, "sweep.ended/1")}
    assert max(ended.values()) < run.state.day
    assert not run.state.facilities.sweeps
    assert any(max(ended.values()) < r.day < run.state.day for r in of(run, "capital.distributed/1"))


def test_a_sweep_pays_late_interest_of_every_line_before_principal():
    settings = {"leverage.green_sleeve.term_months": 120, "leverage.green_sleeve.draw_end_months": 114}
    run = Scenario.load("levered").with_(seed=23, set={**settings, "leverage.green_sleeve.max_ltv": 0.3}).run()
    state = State()
    swept = 0
    for record in run.log:
        if record.kind == "facility.repaid/1" and record.payload.reason == "sweep":
            swept += 1
            assert not any(line.overdue_cents for line in state.facilities.by_name.values())
        state.apply(record)
    assert swept > 10


def test_leverage_that_falls_without_repayments_ends_its_sweep():
    script = [{"at": "2028-02-15", "do": {"shock_nav": -0.5}}, {"at": "2028-05-01", "do": {"shock_nav": 1}}]
    loose = {"leverage.green_sleeve.max_ltv": 1.0, "leverage.green_sleeve.advance_rate": 1.0}
    loose |= {"leverage.green_sleeve.min_dscr": 0, "leverage.green_sleeve.eligible_loan_ltv": 1.0}
    loose |= {"leverage.green_sleeve.concentration": {"zone": 1, "loan": 1}}
    run = Scenario.load("levered").with_(seed=7, set={"script": script, **loose}).run()
    begun = next(r for r in of(run, "sweep.begun/1") if r.payload.reason == "deleveraging")
    ended = next(r for r in of(run, "sweep.ended/1") if r.seq > begun.seq)
    assert ended.day <= day("2028-06-30")


def test_the_target_may_change_on_a_date():
    script = [{"at": "2027-01-04", "do": {"set": {"leverage.optimization.target_leverage": 0.2}}}]
    run = Scenario.load("levered").with_(seed=7, set={"script": script}).run()
    when = day("2027-01-04")
    assert {r.payload.target for r in of(run, "leverage.optimized/1") if r.day > when} == {0.2}


def test_what_coverage_lacks_is_called(tmp_path):
    """Nothing is collected, fees are paid: DSCR fails where there has been any debt service."""
    early = {"leverage__green_sleeve__dscr_test_from_months": 0, "leverage__green_sleeve__cure_business_days": 200}
    run = drawn(tmp_path, [draw("2026-02-02", 100_000)], **early)
    failed = next(r for r in of(run, "covenant.breached/1") if r.payload.test == "dscr")
    terms = next(r.payload.terms for r in of(run, "covenant.tested/1") if r.seq == failed.cause)
    assert failed.payload.headroom_cents == terms["collected_cents"] - round(1.2 * terms["service_cents"]) < 0
    called = next(r for r in of(run, "capital.called/1") if r.payload.purpose == "cure")
    assert (called.day, called.payload.amount_cents) == (failed.day, -failed.payload.headroom_cents)
    paid = next(r for r in of(run, "capital.contributed/1") if r.payload.purpose == "cure")
    cured = next(r for r in of(run, "covenant.cured/1") if r.payload.test == "dscr")
    assert cured.day == paid.day  # as equity it counts as collected, and principal is paid with it


def test_what_liquidity_lacks_is_called_once(tmp_path):
    plain = {"leverage__optimization__min_cash_buffer": 0, "leverage__green_sleeve__upfront_fee_bps": 0}
    run = drawn(tmp_path, [draw("2026-02-02", 600_000)], **plain)
    failed = of(run, "covenant.breached/1")[0]
    assert (failed.payload.test, failed.day) == ("liquidity", day("2026-03-31"))
    calls = {r.payload.purpose: r.payload.amount_cents for r in of(run, "capital.called/1") if r.day == failed.day}
    assert calls["cure"] == -failed.payload.headroom_cents
    # what falls due next quarter is called as debt service, less what comes as cure
    owed = next(r.payload for r in of(run, "facility_interest.accrued/1"))
    soon = next(r.payload for r in of(run, "leverage.measured/1")).next_service_cents
    assert calls["cure"] + calls.get("debt_service", 0) <= owed.interest_cents + owed.fee_cents + soon


def test_a_breach_in_a_deleveraging_sweep_begins_a_sweep_of_its_own():
    script = [{"at": "2028-02-15", "do": {"shock_nav": -0.3}}]
    line = {"leverage.green_sleeve.min_dscr": 20, "leverage.green_sleeve.dscr_test_from_months": 29}
    run = Scenario.load("levered").with_(seed=2, set={"script": script, **line}).run()
    failed = next(r for r in of(run, "covenant.breached/1") if r.payload.test == "dscr")
    sweeps = [r for r in run.log if r.kind.startswith("sweep.") and r.seq > failed.seq]
    assert [getattr(r.payload, "reason", "ended") for r in sweeps] == ["cure", "default", "ended"]
    assert sweeps[0].day == failed.day
    assert run.state.facilities.by_name["green_sleeve"].balance_cents == 0


def test_a_shortfall_that_grows_is_called_too(tmp_path):
    """The base fails at the quarter's end; an exit in October takes more out of it than it brings."""
    rows = [ROWS[0], "I,green,300000,750000,0,30,2026-10-08,sale,1"]
    run = breached_with(tmp_path, rows, [SHOCK])
    failed = next(r for r in of(run, "covenant.breached/1") if r.payload.test == "base")
    called = [r for r in of(run, "capital.called/1") if r.payload.purpose == "cure"]
    assert [r.day for r in called][:2] == [failed.day, day("2026-10-08")]
    assert any(r.payload.test == "base" for r in of(run, "covenant.cured/1"))
    assert not any("base" in r.payload.tests for r in of(run, "event_of_default.declared/1"))


def test_the_costliest_line_is_paid_back_first():
    script = [{"at": "2026-09-15", "do": {"shock_nav": -0.5}}]
    loose = {"leverage.green_sleeve.max_ltv": 1.0, "leverage.green_sleeve.advance_rate": 1.0}
    run = Scenario.load("levered").with_(seed=7, set={"script": script, **loose}).run()
    decided = next(r for r in of(run, "leverage.optimized/1") if r.payload.action == "repay")
    measured = next(r.payload for r in of(run, "leverage.measured/1") if r.day == decided.day)
    assert min(measured.balance_cents.values()) > 0
    assert decided.payload.facility == "ramp_line"  # 300 − 50 basis points, the other 275 − 50
