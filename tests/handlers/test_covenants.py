"""Covenant tests by hand: a line of 40 against a book of 80; amounts in thousands of cents."""

import pytest

from fundclock.handlers.leverage.covenants import Terms, ratios, run_tests
from fundclock.handlers.settings.leverage import GreenSleeveConfig

SOUND = Terms(
    debt_cents=40_000,
    balance_cents=40_000,
    worth_cents=80_000,
    nav_cents=60_000,
    claims_cents=80_000,
    base_cents=45_000,
    collected_cents=6_000,
    cash_income_cents=2_000,
    service_cents=4_000,
    liquidity_cents=3_000,
    liquidity_needed_cents=1_500,
)


def results(months=24, **changes):
    return {result.test: result for result in run_tests(SOUND._replace(**changes), GreenSleeveConfig(), months)}


def test_a_sound_line_passes_with_its_headroom():
    found = results()
    assert all(result.passed for result in found.values())
    assert found["base"].headroom_cents == 5_000
    assert (found["ltv"].value, found["ltv"].limit, found["ltv"].headroom_cents) == (0.5, 0.65, 12_000)
    # 6,000 came in against 4,000 of service: 1.5, with 1,200 more than 1.2 × 4,000
    assert (found["dscr"].value, found["dscr"].limit, found["dscr"].headroom_cents) == (1.5, 1.2, 1_200)
    assert (found["liquidity"].value, found["liquidity"].headroom_cents) == (2.0, 1_500)


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({"base_cents": 39_999}, "base"),
        ({"claims_cents": 61_538}, "ltv"),  # 40,000 / .65 = 61,538.46
        ({"collected_cents": 4_799}, "dscr"),
        ({"liquidity_cents": 1_499}, "liquidity"),
    ],
)
def test_a_cent_too_little_fails_just_its_test(changes, failed):
    found = results(**changes)
    assert [name for name, result in found.items() if not result.passed] == [failed]
    assert found[failed].headroom_cents < 0
    [[name, value]] = changes.items()
    assert results(**{name: value + 1})[failed].passed


def test_coverage_is_not_tested_before_its_month():
    assert list(results(months=23)) == ["base", "ltv", "liquidity"]


def test_without_debt_service_coverage_is_undefined_and_passes():
    found = results(service_cents=0, collected_cents=0)
    assert (found["dscr"].value, found["dscr"].passed) == (None, True)


def test_debt_against_nothing_fails_and_no_debt_against_nothing_passes():
    found = results(claims_cents=0, base_cents=0)
    assert (found["ltv"].value, found["ltv"].passed, found["base"].passed) == (None, False, False)
    found = results(claims_cents=0, base_cents=0, debt_cents=0, balance_cents=0)
    assert (found["ltv"].value, found["ltv"].passed, found["base"].passed) == (None, True, True)


def test_the_reported_ratios():
    assert ratios(SOUND)._asdict() == pytest.approx(
        {
            "leverage_ratio": 2 / 3,
            "loan_to_value_ratio": 0.5,
            "debt_service_coverage_ratio": 1.5,
            "interest_coverage_ratio": 0.5,
        }
    )
    assert ratios(SOUND._replace(nav_cents=0, service_cents=0)).leverage_ratio is None
