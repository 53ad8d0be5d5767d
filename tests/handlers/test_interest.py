"""Interest and fees of facilities, against worked examples and the New York Fed's published averages."""

import csv
from datetime import date, timedelta
from fractions import Fraction
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fundclock.events.dates import Calendar
from fundclock.events.day_counts import days_between
from fundclock.handlers.leverage.interest import Segment, compounded_interest, posted, simple_interest

CALENDAR = Calendar(date(2028, 2, 29))


def on(text):
    return CALENDAR.day(date.fromisoformat(text))


def test_interest_of_a_quarter_by_hand():
    # 10,000,000 at 7 % from 31 March to 30 June 2028 is 91 days: 10,000,000 × .07 × 91/360
    [*whole] = [Segment(on("2028-03-31"), on("2028-06-30"), 1_000_000_000, 0.07)]
    assert round(simple_interest(whole, CALENDAR, "ACT/360")) == 17_694_444
    assert round(simple_interest(whole, CALENDAR, "ACT/365F")) == 17_452_055
    # months of thirty days: the 31st counts as the 30th, so it is a quarter of a year
    assert simple_interest(whole, CALENDAR, "30/360") == Fraction(0.07) * 250_000_000


def test_a_facility_that_opens_on_the_29th_of_february_earns_each_of_its_days():
    first = on("2028-02-29")
    assert first == 0
    year = [Segment(first, on("2029-02-28"), 36_000_000, 0.05)]
    assert days_between(CALENDAR, first, on("2029-02-28"), "ACT/360") == 365
    assert simple_interest(year, CALENDAR, "ACT/360") == Fraction(0.05) * 36_000_000 * 365 / 360
    assert days_between(CALENDAR, first, on("2029-02-28"), "30/360") == 359
    # 2028 is a leap year: February to March has a day more than in 2029
    assert days_between(CALENDAR, on("2028-02-28"), on("2028-03-01"), "ACT/360") == 2
    assert days_between(CALENDAR, on("2029-02-28"), on("2029-03-01"), "ACT/360") == 1


def test_a_commitment_fee_is_due_on_what_is_undrawn_each_day():
    # 60,000,000 committed, 20,000,000 drawn on day 30 and 5,000,000 repaid on day 75: 50 bp on the rest of 90 days
    undrawn = [
        Segment(0, 30, 6_000_000_000, 0.005),
        Segment(30, 75, 4_000_000_000, 0.005),
        Segment(75, 90, 4_500_000_000, 0.005),
    ]
    # .005/360 × (30 × 60m + 45 × 40m + 15 × 45m) = .005/360 × 4,275m
    assert round(simple_interest(undrawn, CALENDAR, "ACT/360")) == 5_937_500


@given(
    st.integers(0, 10**12),
    st.floats(0, 0.3),
    st.lists(st.integers(0, 2000), min_size=2, max_size=8, unique=True),
    st.sampled_from(["ACT/360", "ACT/365F", "30/360"]),
)
def test_interest_over_any_split_sums_to_the_whole(balance, rate, days, day_count):
    days = sorted(days)
    whole = simple_interest([Segment(days[0], days[-1], balance, rate)], CALENDAR, day_count)
    parts = [Segment(a, b, balance, rate) for a, b in pairwise(days)]
    assert simple_interest(parts, CALENDAR, day_count) == whole
    total, booked = Fraction(0), []
    for part in parts:
        total += simple_interest([part], CALENDAR, day_count)
        booked.append(posted(total, sum(booked)))
    assert sum(booked) == round(whole)


def compounded_rate(fixings):
    """The simple rate that earns what fixings (rate, days) earn compounded in arrears, ACT/360."""
    ends = list(accumulate(days for _, days in fixings))
    rows = [(end - days, end, rate) for end, (rate, days) in zip(ends, fixings, strict=True)]
    [earned] = compounded_interest([(0, ends[-1], 1)], rows, 360)
    return earned * 360 / ends[-1]


def test_the_published_sofr_averages_are_reproduced(real_series):
    """Averages of the Federal Reserve Bank of New York for 30 June 2026: 30, 90 and 180 days, per cent, 5 decimals."""
    with (real_series / "sofr.csv").open() as file:
        rows = [(date.fromisoformat(day), float(rate) / 100) for day, rate in list(csv.reader(file))[1:] if rate]
    fixed = dict(rows)

    def average(until, length):
        start = until - timedelta(days=length)
        days = [max(day for day in fixed if day <= start), *sorted(day for day in fixed if start < day < until)]
        starts = [start, *days[1:], until]
        return compounded_rate([(fixed[day], (b - a).days) for day, (a, b) in zip(days, pairwise(starts), strict=True)])

    published = {30: 3.63179, 90: 3.63459, 180: 3.67232}
    for length, expected in published.items():
        assert round(average(date(2026, 6, 30), length) * 100, 5) == expected


def test_compounding_earns_more_than_the_mean_and_the_same_where_there_is_one_fixing():
    assert compounded_rate([(0.05, 90)]) == pytest.approx(0.05)
    assert compounded_rate([(0.05, 1)] * 90) == pytest.approx(((1 + 0.05 / 360) ** 90 - 1) * 4)
