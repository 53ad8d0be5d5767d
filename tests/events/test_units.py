from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from fundclock.events.units import Amount, Count, Number, Rate, from_cents, split_pro_rata, to_cents


@pytest.mark.parametrize(
    ("amount", "cents"),
    [(0, 0), (1, 100), (0.125, 12), (0.135, 14), (-0.125, -12), (2.675, 268), (1e12, 10**14), (Decimal("0.005"), 0)],
)
def test_cents_are_rounded_half_even_on_the_decimal_that_was_written(amount, cents):
    assert to_cents(amount) == cents


@given(st.integers(-(10**16), 10**16))
def test_cents_survive_being_written_as_a_decimal_string(cents):
    assert to_cents(Decimal(from_cents(cents))) == cents


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Rate, "75%", 0.75),
        (Rate, "4.25%", 0.0425),
        (Rate, "275bp", 0.0275),
        (Rate, "275 bps", 0.0275),
        (Rate, 0.5, 0.5),
        (Rate, "-20%", -0.2),
        (Amount, "25m", 25e6),
        (Amount, "400k", 400e3),
        (Amount, "1.5bn", 1.5e9),
        (Amount, "1_000", 1000.0),
        (Number, "3", 3.0),
    ],
)
def test_the_spellings_of_rates_and_amounts(kind, text, value):
    assert TypeAdapter(kind).validate_python(text) == value


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        (Rate, "75 pct"),
        (Rate, "abc"),
        (Rate, ""),
        (Rate, True),
        (Rate, float("nan")),
        (Rate, float("inf")),
        (Amount, "25mm"),
        (Amount, "10%"),
        (Amount, False),
        (Count, True),
        (Count, 2.5),
        (Number, "3%"),
    ],
)
def test_what_is_no_rate_amount_or_number_is_refused(kind, bad):
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(bad)


@given(st.integers(0, 10**15), st.lists(st.integers(0, 10**12), min_size=1, max_size=8).filter(any))
def test_a_pro_rata_split_gives_all_and_is_within_a_cent_of_each_share(total, weights):
    parts = split_pro_rata(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * sum(weights) - total * weight) < sum(weights)


def test_a_split_without_weight_is_an_error():
    with pytest.raises(ValueError, match="positive sum"):
        split_pro_rata(10, [0, 0])
