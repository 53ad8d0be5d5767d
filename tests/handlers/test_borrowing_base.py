"""The borrowing base by hand, and against a look at all loans after any order of exits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fundclock.handlers.leverage.borrowing_base import CollateralPool, too_high
from fundclock.handlers.settings.leverage import GreenSleeveConfig


def pool(values, zones, *, eligible=None, **settings):
    config = GreenSleeveConfig(**{"min_loans": 1, **settings})
    made = CollateralPool(max(zones) + 1, config)
    counts = np.ones(len(values), bool) if eligible is None else np.array(eligible)
    made.mark(np.array(zones, np.int16), np.array(values, np.int64), counts)
    return made


def test_the_excess_is_cut_before_the_advance_rate():
    # T = 1,000. A loan counts at most 200 of its 300, a zone at most 500.
    found = pool([300, 150, 150, 200, 200], [0, 0, 0, 0, 1], concentration={"loan": 0.2, "zone": 0.5}).base()
    assert found.eligible_cents == 1000
    assert found.loan_excess_cents == 100
    # zone 0 has 800 − 100 = 700 left, 200 above its 500; zone 1 has 200
    assert found.zone_excess_cents == [200, 0]
    assert found.counted_cents == 700
    assert found.base_cents == 525  # 75 %


def test_what_stands_too_high_does_not_count():
    high = too_high(np.array([0.5, 0.75, 0.8]), GreenSleeveConfig())
    assert high.tolist() == [False, False, True]
    found = pool(
        [100, 100, 100], [0, 0, 0], eligible=np.array([True, False, False]), concentration={"loan": 1, "zone": 1}
    ).base()
    assert (found.loans, found.eligible_cents, found.base_cents) == (1, 100, 75)


def test_too_few_loans_are_no_base():
    loans = pool([100] * 20, [0] * 20, min_loans=20, concentration={"loan": 1, "zone": 1})
    assert loans.base().base_cents == 1500
    assert loans.remove(3) == 100
    assert loans.remove(3) == 0  # it has gone already
    assert (loans.base().loans, loans.base().base_cents) == (19, 0)


def by_hand(values, zones, config):
    total = sum(values)
    counted = [min(value, int(config.concentration.loan * total)) for value in values]
    in_zone = [sum(v for v, z in zip(counted, zones, strict=True) if z == zone) for zone in range(3)]
    counted_in_all = sum(min(value, int(config.concentration.zone * total)) for value in in_zone)
    return total, counted_in_all, int(config.advance_rate * counted_in_all)


@given(
    st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 2)), min_size=1, max_size=40),
    st.sampled_from([0.01, 0.05, 0.3, 1.0]),
    st.sampled_from([0.2, 0.6, 1.0]),
    st.randoms(use_true_random=False),
)
def test_after_any_exits_the_base_is_that_of_a_look_at_all(loans, loan_limit, zone_limit, random):
    values, zones = [value for value, _ in loans], [zone for _, zone in loans]
    config = GreenSleeveConfig(min_loans=1, concentration={"loan": loan_limit, "zone": zone_limit})
    made = CollateralPool(3, config)
    made.mark(np.array(zones, np.int16), np.array(values, np.int64), np.ones(len(values), bool))
    order = list(range(len(values)))
    random.shuffle(order)
    for row in order:
        found = made.base()
        assert (found.eligible_cents, found.counted_cents, found.base_cents) == by_hand(values, zones, config)
        assert found.base_cents <= config.advance_rate * found.eligible_cents
        assert found.eligible_cents == found.counted_cents + found.loan_excess_cents + sum(found.zone_excess_cents)
        made.remove(row)
        values[row] = 0
    assert made.base() == (0, 0, 0, [0, 0, 0], 0, 0)


@pytest.mark.parametrize("rate", [0.25, 0.5, 1])
def test_the_advance_rate_is_a_share_of_what_counts(rate):
    found = pool([1000, 1000], [0, 1], advance_rate=rate, concentration={"loan": 1, "zone": 1}).base()
    assert found.base_cents == rate * 2000
