"""Day counts: how days become years, for loans, facilities and rates of return."""

from fundclock.events.dates import Calendar

YEAR = 365
"""Days of a year under ACT/365F, which all but facilities go by: loans, fees, yields, rates of return."""

DAY_COUNTS = {"ACT/360": 360, "ACT/365F": YEAR, "30/360": 360}
"""Names of day counts, and the days of their year."""


def days_between(calendar: Calendar, first: int, last: int, day_count: str) -> int:
    """Days in [first, last) as a day count has them: calendar days, or those of months of 30 days.

    30/360 is the Eurobond basis (ISDA 2006 Definitions §4.16(g)), the one of its kind that is additive: both ends of a
    period count at most as the 30th.
    """
    if day_count != "30/360":
        return last - first
    start, end = calendar.date(first), calendar.date(last)
    return 360 * (end.year - start.year) + 30 * (end.month - start.month) + min(end.day, 30) - min(start.day, 30)
