from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fundclock.events.dates import Calendar
from fundclock.events.day_counts import DAY_COUNTS, days_between

CALENDAR = Calendar(date(2026, 1, 1))
days = st.integers(-3000, 12000)


@given(days)
def test_days_and_dates_are_the_same_thing(day):
    assert CALENDAR.day(CALENDAR.date(day)) == day


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2028-02-29", 48, "2032-02-29"),
        ("2026-03-31", -1, "2026-02-28"),
        ("2026-01-15", -12, "2025-01-15"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-01-31", 0, "2026-01-31"),
        ("2026-01-01", 0.5, "2026-01-17"),
        ("2026-01-01", 1.5, "2026-02-15"),
    ],
)
def test_months_later(start, months, end):
    day = CALENDAR.add_months(CALENDAR.day(date.fromisoformat(start)), months)
    assert CALENDAR.date(day) == date.fromisoformat(end)


def test_period_ends_are_calendar_period_ends():
    found = [CALENDAR.date(day).isoformat() for day in CALENDAR.period_ends("quarterly", 1, 730)]
    assert found == [
        "2026-03-31", "2026-06-30", "2026-09-30", "2026-12-31",
        "2027-03-31", "2027-06-30", "2027-09-30", "2027-12-31",
    ]  # fmt: skip
    assert len(CALENDAR.period_ends("monthly", 1, 3652)) == 120
    mid_month = Calendar(date(2026, 5, 17))
    assert [mid_month.date(day).isoformat() for day in mid_month.period_ends("annual", 0, 700)] == [
        "2026-12-31",
        "2027-12-31",
    ]


def test_business_days_skip_weekends_and_listed_holidays():
    friday = CALENDAR.day(date(2026, 7, 3))
    assert CALENDAR.is_business_day(friday)
    assert CALENDAR.add_business_days(friday, 1) == friday + 3
    nyse = Calendar(date(2026, 1, 1), "NYSE")
    assert not nyse.is_business_day(friday)  # Independence Day is observed on the third
    assert nyse.add_business_days(friday, 0) == friday + 3
    assert not Calendar(date(2026, 1, 1), "US").is_business_day(0)


@given(days, st.integers(0, 30), st.integers(0, 30))
def test_business_days_add_up(day, some, more):
    once = CALENDAR.add_business_days(day, some + more)
    assert CALENDAR.add_business_days(CALENDAR.add_business_days(day, some), more) == once


def test_modified_following_stays_in_the_month():
    saturday_at_month_end = CALENDAR.day(date(2026, 10, 31))
    assert CALENDAR.date(CALENDAR.modified_following(saturday_at_month_end)) == date(2026, 10, 30)
    saturday = CALENDAR.day(date(2026, 10, 3))
    assert CALENDAR.date(CALENDAR.modified_following(saturday)) == date(2026, 10, 5)


def test_an_unknown_holiday_list_is_named():
    with pytest.raises(ValueError, match="unknown holiday list 'XX'"):
        Calendar(date(2026, 1, 1), "XX")


@pytest.mark.parametrize(
    ("start", "end", "convention", "days", "base"),
    [
        # 30/360 cases of the ISDA 2006 definitions, sections 4.16(f) and (g), which agree on them
        ("2007-01-15", "2007-01-30", "30/360", 15, 360),
        ("2007-01-15", "2007-02-15", "30/360", 30, 360),
        ("2007-09-30", "2008-03-31", "30/360", 180, 360),
        ("2007-09-30", "2007-10-31", "30/360", 30, 360),
        ("2007-08-31", "2008-02-28", "30/360", 178, 360),
        ("2028-02-01", "2028-03-01", "ACT/360", 29, 360),
        ("2028-02-01", "2028-03-01", "ACT/365F", 29, 365),
    ],
)
def test_day_counts(start, end, convention, days, base):
    calendar = Calendar(date(2007, 1, 1))
    first, last = (calendar.day(date.fromisoformat(text)) for text in (start, end))
    assert (days_between(calendar, first, last, convention), DAY_COUNTS[convention]) == (days, base)


def test_a_months_last_day_stays_one_when_months_are_taken_back():
    for start, months, end in (
        ("2029-02-28", 12, "2028-02-29"),
        ("2026-04-30", 1, "2026-03-31"),
        ("2026-04-29", 1, "2026-03-29"),
    ):
        day = CALENDAR.months_before(CALENDAR.day(date.fromisoformat(start)), months)
        assert CALENDAR.date(day) == date.fromisoformat(end)
