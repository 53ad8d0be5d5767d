"""Figures of facilities recomputed from the records alone, without the engine that made them."""

from itertools import accumulate

import pytest

from fundclock import Scenario
from fundclock.events.state import State
from fundclock.handlers.fund.purse import own_cash
from funds import of


@pytest.fixture(scope="module", params=[{}, {"loans.interest_payment": "cash", "fees.origination_payer": "fund"}])
def levered(request):
    return Scenario.load("levered").with_(seed=7, set=request.param).run()


def test_coverage_is_of_the_last_four_quarters(levered):
    quarters = [(0, 0, 0)]
    collected = income = service = 0
    tested = 0
    for record in levered.log:
        fact = record.payload
        match record.kind:
            case "loan.exited/1" | "loan.recovered/1":
                collected += fact.proceeds_cents
            case "loan_interest.paid/1":
                collected, income = collected + fact.amount_cents, income + fact.amount_cents
            case "cash_interest.received/1":
                income += fact.amount_cents
            case "fees.paid/1":
                collected -= fact.amount_cents
            case "debt_service.paid/1":
                service += fact.interest_cents + fact.fee_cents
            case "covenant.tested/1" if fact.trigger == "quarter_end" and fact.facility == "green_sleeve":
                quarters.append((collected, income, service))
                then = quarters[max(0, len(quarters) - 5)]
                found = tuple(now - before for now, before in zip(quarters[-1], then, strict=True))
                terms = fact.terms
                assert (terms["collected_cents"], terms["cash_income_cents"], terms["service_cents"]) == found
                if "dscr" in fact.value:
                    tested += 1
                    assert fact.value["dscr"] == found[0] / found[2]
                    assert fact.passed["dscr"] == (found[0] >= 1.2 * found[2])
    assert tested > 10


def test_debt_is_what_was_drawn_less_what_was_repaid(levered):
    moves = [
        (record.payload.facility, record.payload.amount_cents * (1 if "drawn" in record.kind else -1))
        for record in of(levered, "facility.drawn/1") + of(levered, "facility.repaid/1")
    ]
    assert sum(cents for _, cents in moves) == 0
    in_order = sorted(of(levered, "facility.drawn/1") + of(levered, "facility.repaid/1"), key=lambda r: r.seq)
    balances = accumulate(r.payload.amount_cents * (1 if "drawn" in r.kind else -1) for r in in_order)
    peak = max(balances)
    assert levered.metrics["peak_debt"] == f"{peak / 100:.2f}"


def test_a_draw_is_lent_but_for_what_the_buffer_lacks(levered):
    state = State()
    kept = 0
    for record in levered.log:
        fact = record.payload
        if record.kind == "draw.lent/1":
            facilities = state.facilities
            lacking = facilities.senior_cents - max(0, own_cash(state)) - state.lots.cents
            assert fact.kept_cents == min(fact.offered_cents, max(0, lacking))
            fees = levered.manifest.scenario["fees"]
            rate = fees["origination"] if fees["origination_payer"] == "fund" else 0
            spent = fact.amount_cents * (1 + rate)
            left = fact.offered_cents - fact.kept_cents - spent
            assert left == pytest.approx(fact.carried_cents, abs=fact.loans)
            kept += fact.kept_cents
        state.apply(record)
    assert kept > 0


def test_each_loan_that_leaves_takes_its_claim_and_worth_with_it(levered):
    before = None
    compared = 0
    for record in levered.log:
        fact = record.payload
        match record.kind:
            case "covenant.tested/1" if fact.trigger in ("exit", "default"):
                found = (fact.terms["claims_cents"], fact.terms["worth_cents"], fact.base["loans"])
                if before is not None:
                    compared += 1
                    assert found[0] < before[0]
                    assert found[1] < before[1]
                    assert before[2] - 1 <= found[2] <= before[2]  # a loan that did not count leaves none behind
                before = found
            case "book.valued/1" | "loan.originated/1":
                before = None
    assert compared > 100
