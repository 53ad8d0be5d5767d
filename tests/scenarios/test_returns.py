from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fundclock.scenarios.runs.returns import Irr, irr


def flows(*items):
    start = date.fromisoformat(items[0][0])
    return {(date.fromisoformat(day) - start).days: round(amount * 100) for day, amount in items}


def test_the_example_of_excels_documentation():
    # Microsoft's documentation of XIRR: 0.373362535
    found = irr(
        flows(
            ("2008-01-01", -10_000),
            ("2008-03-01", 2_750),
            ("2008-10-30", 4_250),
            ("2009-02-15", 3_250),
            ("2009-04-01", 2_750),
        )
    )
    assert found.rate == pytest.approx(0.373362535, abs=1e-8)
    assert (found.status, found.roots, found.reason()) == ("one", 1, None)


@pytest.mark.parametrize("scale", [1, 10**4, 10**9])
def test_the_rate_does_not_depend_on_the_size_of_the_flows(scale):
    assert irr({0: -100 * scale, 365: 110 * scale}).rate == pytest.approx(0.1, abs=1e-9)


def test_flows_of_one_sign_have_no_rate():
    assert irr({}) == irr({0: -5, 10: -5}) == Irr(None, "none", 0)
    assert irr({0: 5, 10: 5}).status == "none"


def test_flows_with_two_rates_say_so():
    # the oil pump problem (Lorie and Savage 1955): −1,600, 10,000, −10,000 has 25 % and 400 %
    found = irr({0: -160_000, 365: 1_000_000, 730: -1_000_000})
    assert (found.rate, found.status, found.roots) == (None, "several", 2)
    assert found.reason() == "2 rates solve these cash flows"


def test_flows_without_a_real_rate_are_unreachable():
    assert irr({0: -100, 365: 150, 730: -100}).status == "unreachable"


def test_a_total_loss_is_unreachable_and_not_a_number():
    assert irr({0: -(10**12), 365: 1}).status == "unreachable"
    assert irr({0: -(10**8), 730: 10**2}).rate == pytest.approx(-0.999, abs=1e-9)


def test_several_sign_changes_may_still_have_one_rate():
    found = irr({0: -100_000, 100: 5_000, 200: -20_000, 900: 200_000})
    assert (found.status, found.roots) == ("one", 1)


@given(st.floats(-0.9, 3), st.lists(st.tuples(st.integers(1, 3650), st.integers(1, 10**9)), min_size=1, max_size=20))
def test_the_rate_of_flows_made_from_a_rate_is_that_rate(rate, later):
    back = dict(later)
    price = sum(cents * (1 + rate) ** (-day / 365) for day, cents in back.items())
    if not 1e4 < price < 1e15:
        return
    found = irr({0: -round(price), **back})
    assert found.status == "one"
    assert found.rate == pytest.approx(rate, abs=1e-3 * (1 + rate))
