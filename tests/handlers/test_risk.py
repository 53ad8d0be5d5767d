"""Risk of the book, by hand and against a look at all loans."""

import numpy as np
import pytest

from fundclock import Scenario
from fundclock.events.state import State
from fundclock.handlers.context import Context
from fundclock.handlers.risk.exposure import CANDIDATES, Exposure, make_marks
from fundclock.handlers.risk.measures import (
    BookSums,
    change_of,
    diversification_impact,
    risk_adjusted_return_impact,
    risk_of,
)
from funds import day, fund, of, two_zones


def test_the_measures_of_three_loans_by_hand():
    # claims 500, 300, 200 with LTVs .5, .4, .25; the first two in one zone
    book = BookSums({"green": 800, "red": 200}, 500**2 + 300**2 + 200**2, 250 + 120 + 50, 60, [500, 300, 200])
    found = risk_of(book)
    assert found == pytest.approx(
        {
            "average_ltv": 0.42,
            "hhi_zone": 0.68,
            "hhi_loan": 0.38,
            "top5": 1,
            "top10": 1,
            "score": 0.3 * 0.42 + 0.2 * 0.68 + 0.2 * 0.38 + 0.15 + 0.15,
            "expected_return": 0.06,
        }
    )
    assert risk_of(BookSums({"green": 0.0}, 0, 0, 0, [])) is None


def test_the_impact_weighs_changes_of_concentration():
    change = {"hhi_zone": 0.1, "hhi_loan": -0.2, "top5": 0.3, "top10": -0.4}
    assert diversification_impact(change) == pytest.approx(-0.04 + 0.08 - 0.03 + 0.04)
    before, after = {"expected_return": 0.06, "score": 0.5}, {"expected_return": 0.09, "score": 0.6}
    assert risk_adjusted_return_impact(before, after) == pytest.approx(0.15 - 0.12)
    assert change_of(before, after) == pytest.approx({"expected_return": 0.03, "score": 0.1})


def test_a_reinvestment_says_what_it_does_to_the_book(tmp_path):
    run = two_zones(tmp_path, loans__coupon={"mean": 0.05, "sd": 0, "min": 0.01, "max": 0.15})
    bought, [assessed, *_] = of(run, "capital.reinvested/1")[0], of(run, "risk.assessed/1")
    assert (assessed.day, assessed.cause) == (day("2026-06-30"), bought.seq)
    risk = assessed.payload
    # 400 green and 600 red at LTV .4, then eight green and four red loans of 100 at LTV .4
    assert risk.zones_before == pytest.approx({"green": 0.4, "red": 0.6})
    assert risk.zones_after == pytest.approx({"green": 12 / 22, "red": 10 / 22})
    assert risk.before["hhi_loan"] == pytest.approx(0.52)
    assert risk.after["hhi_loan"] == pytest.approx((16 + 36 + 12) / 22**2)
    assert risk.after["hhi_zone"] == pytest.approx((144 + 100) / 484)
    assert (risk.before["top5"], risk.before["average_ltv"]) == (1, pytest.approx(0.4))
    assert risk.after["top5"] == pytest.approx(13 / 22)
    assert risk.after["top10"] == pytest.approx(18 / 22)
    assert risk.change["score"] == pytest.approx(risk.after["score"] - risk.before["score"])
    assert risk.diversification_impact == pytest.approx(
        -0.4 * (244 / 484 - 0.52) - 0.4 * (64 / 484 - 0.52) - 0.1 * (13 / 22 - 1) - 0.1 * (18 / 22 - 1)
    )
    # only the new loans have a coupon, and prices stand still
    assert risk.risk_adjusted_return_impact == pytest.approx(0.05 * 12 / 22 / risk.after["score"])


def test_expected_return_is_coupon_and_share_of_appreciation_less_expected_loss(tmp_path):
    zones = {
        "green": {
            "target_allocation": 0.6,
            "appreciation": 0.02,
            "volatility": 0,
            "default_rate": 0,
            "recovery_rate": 1,
        },
        "red": {"target_allocation": 0.4, "appreciation": 0, "volatility": 0, "default_rate": 0, "recovery_rate": 1},
    }
    run = two_zones(tmp_path, zones=zones, loans__coupon={"mean": 0.05, "sd": 0, "min": 0.01, "max": 0.15})
    risk = of(run, "risk.assessed/1")[0].payload
    # drift .02 a year for the first 180 days; loans of the tape have no coupon, 40 % of a property of 1,000,000
    grown = np.expm1(0.02)
    value = 1_000_000 * np.exp(0.02 * 180 / 365)
    claim = 400_000 + 0.4 * (value - 1_000_000)
    assert risk.before["expected_return"] == pytest.approx(0.4 * value * grown / (claim + 600_000), rel=1e-6)


def test_expected_losses_count_against_the_expected_return(tmp_path):
    terms = {"appreciation": 0, "volatility": 0, "default_rate": 0.01, "recovery_rate": 0.5}
    zones = {"green": {"target_allocation": 0.6, **terms}, "red": {"target_allocation": 0.4, **terms}}
    run = two_zones(tmp_path, zones=zones, loans__coupon={"mean": 0.05, "sd": 0, "min": 0.01, "max": 0.15})
    risk = of(run, "risk.assessed/1")[0].payload
    assert risk.before["expected_return"] == pytest.approx(-0.005)
    assert risk.after["expected_return"] == pytest.approx(0.05 * 12 / 22 - 0.005)


def test_a_loan_that_has_defaulted_earns_nothing_more(tmp_path):
    rows = [
        "G,green,500000,1000000,0.04,30,,,",
        "D,green,500000,1000000,0.04,30,2026-12-01,default,",
        "X,green,300000,1000000,0,30,2026-05-15,sale,",
    ]
    still = {"green": {"appreciation": 0.02}}
    run = fund(tmp_path, rows, zones=still, exits__age_years={"mean": 60, "sd": 0.1})
    [defaulted] = of(run, "loan.defaulted/1")
    risk = of(run, "risk.assessed/1")[0].payload
    grown = np.expm1(0.02)
    value = 1_000_000 * np.exp(0.02 * 180 / 365)
    claim = 500_000 * (1 + 0.04 * 180 / 365) + 0.4 * (value - 1_000_000)
    earns = claim * 0.04 + 0.4 * value * grown
    assert risk.before["expected_return"] == pytest.approx(
        earns / (claim + defaulted.payload.claim_cents / 100), rel=1e-6
    )


def test_the_sums_are_those_of_a_look_at_every_loan():
    """Prices stand still, so a claim is principal and interest to the last valuation, or to the default before it."""
    still = {"appreciation": 0, "volatility": 0}
    changes = {
        "reinvestment_engine.reinvestment_frequency": "on_exit",
        "exits.age_years": {"mean": 1, "sd": 1},
        "zones": {"green": still, "orange": still, "red": {**still, "default_rate": 0.3}},
        "loans.idiosyncratic_volatility": 0,
        "fund.term_years": 5,
    }
    run = Scenario.load("base").with_(seed=11, set=changes).run()
    bought, claims = {}, {}
    looks = 0
    for record in run.log:
        fact = record.payload
        match record.kind:
            case "loan.originated/1":
                bought[fact.loan_id] = (record.day, fact)
                claims[fact.loan_id] = (fact.zone, fact.principal_cents)
            case "loan.exited/1" | "loan.recovered/1":
                del bought[fact.loan_id], claims[fact.loan_id]
            case "loan.defaulted/1":
                bought[fact.loan_id] = (None, fact)
            case "book.valued/1":
                for name, (since, terms) in bought.items():
                    owed = terms.claim_cents if since is None else terms.principal_cents
                    if since is not None:
                        owed += round(terms.principal_cents * terms.coupon * (record.day - since) / 365)
                    claims[name] = (terms.zone, owed)
            case "risk.assessed/1":
                cents = sorted((claim for _, claim in claims.values()), reverse=True)
                total = sum(cents)
                shares = dict.fromkeys(run.state.book.zones, 0.0)
                for zone, claim in claims.values():
                    shares[zone] += claim / total
                assert fact.zones_after == pytest.approx(shares)
                assert fact.after["hhi_loan"] == pytest.approx(sum((claim / total) ** 2 for claim in cents))
                assert fact.after["top5"] == pytest.approx(sum(cents[:5]) / total)
                assert fact.after["top10"] == pytest.approx(sum(cents[:10]) / total)
                looks += 1
    assert looks > 100


def test_the_ten_largest_are_known_after_the_largest_have_gone():
    rng = np.random.default_rng(5)
    state = State()
    book = state.book
    book.zones = ["green"]
    exposure = Exposure(Context(state, None, None, None, 0, 0))
    claims = np.rint(rng.uniform(1e6, 1e8, 500))
    book.ids = [f"L{n}" for n in range(500)]
    book.performing = 500
    exposure.begin_valuation()
    rows = np.arange(500)
    ones = np.ones(500)
    exposure.mark(rows[:300], np.zeros(300, np.int16), make_marks(claims[:300], ones[:300], ones[:300], ones[:300]))
    exposure.mark(rows[300:], np.zeros(200, np.int16), make_marks(claims[300:], ones[300:], ones[300:], ones[300:]))
    largest = sorted(claims.tolist(), reverse=True)
    assert [-claim for claim, _ in exposure._largest] == largest[:CANDIDATES]
    gone = set(np.argsort(-claims)[: CANDIDATES - 3].tolist())
    exposure._ended = sorted(gone)
    book.value = lambda name, row: 0
    book.living_rows = lambda: np.array([row for row in range(500) if row not in gone])
    exposure.claims()
    assert [-claim for claim, _ in exposure._largest][:10] == largest[CANDIDATES - 3 : CANDIDATES + 7]
