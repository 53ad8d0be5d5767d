"""Days, months and business days: integer days since the fund's start date."""

import datetime
from bisect import bisect_right
from datetime import date
from functools import lru_cache

MONTHS_BETWEEN = {"monthly": 1, "quarterly": 3, "semi_annual": 6, "annual": 12}
"""Months from one check to the next, for each named frequency."""


@lru_cache(maxsize=32)
def holiday_source(name: str) -> object | None:
    """The holiday list called ``name`` (a market such as NYSE, or a country such as US).

    None for ``weekends``. Raises ValueError for a name that no list has.
    """
    if name == "weekends":
        return None
    import holidays

    try:
        return holidays.financial_holidays(name)
    except NotImplementedError:
        pass
    try:
        return holidays.country_holidays(name)
    except NotImplementedError:
        raise ValueError(f"unknown holiday list '{name}'") from None


@lru_cache(maxsize=1)
def _month_starts() -> list[int]:
    """Ordinals of the first day of every month from 1800 to 2300."""
    return [date(year, month, 1).toordinal() for year in range(1800, 2300) for month in range(1, 13)]


class Calendar:
    """Real dates for integer days. Day 0 is the start date; days before it are negative."""

    def __init__(self, start: date, holidays: str = "weekends") -> None:
        """Raises ValueError for an unknown holiday list."""
        self.start = start
        self._first = start.toordinal()
        self._holidays = holiday_source(holidays)

    def date(self, day: int) -> date:
        """The date of a day."""
        return date.fromordinal(self._first + day)

    def day(self, when: datetime.date) -> int:
        """The day of a date."""
        return when.toordinal() - self._first

    def add_months(self, day: int, months: float) -> int:
        """The same day of the month ``months`` later, or that month's last day where it has no such day.

        A fraction of a month counts in days of the month that it falls into, half-even.
        """
        starts = _month_starts()
        whole = int(months // 1)
        ordinal = self._first + day
        month = bisect_right(starts, ordinal) - 1
        first, after = starts[month + whole], starts[month + whole + 1]
        later = min(first + ordinal - starts[month], after - 1) - self._first
        return later if whole == months else later + round((months - whole) * (after - first))

    def months_since_start(self, day: int) -> int:
        """Whole months from the start date to a day."""
        now = self.date(day)
        months = (now.year - self.start.year) * 12 + now.month - self.start.month
        return months if self.add_months(0, months) <= day else months - 1

    def months_before(self, day: int, months: int) -> int:
        """The day ``months`` earlier; a month's last day stays a month's last day."""
        starts = _month_starts()
        month = bisect_right(starts, self._first + day) - 1
        if self._first + day == starts[month + 1] - 1:
            return starts[month + 1 - months] - 1 - self._first
        return self.add_months(day, -months)

    def period_ends(self, frequency: str, first: int, last: int) -> list[int]:
        """Calendar period ends in [first, last]: month ends, quarter ends, and so on."""
        starts = _month_starts()
        step = MONTHS_BETWEEN[frequency]
        month = bisect_right(starts, self._first + first)  # the month after that of ``first``
        month += -month % step  # the table begins with a January
        stop = bisect_right(starts, self._first + last + 1)
        return [starts[after] - 1 - self._first for after in range(month, stop, step)]

    def is_business_day(self, day: int) -> bool:
        """True unless the day is a Saturday, a Sunday or in the holiday list."""
        if (self._first + day - 1) % 7 > 4:  # ordinal 1 is a Monday
            return False
        return self._holidays is None or self.date(day) not in self._holidays  # type: ignore[operator]

    def add_business_days(self, day: int, count: int) -> int:
        """The day that is ``count`` business days after ``day`` (for 0: the next business day, or the day itself)."""
        while not self.is_business_day(day):
            day += 1
        for _ in range(count):
            day += 1
            while not self.is_business_day(day):
                day += 1
        return day

    def modified_following(self, day: int) -> int:
        """The next business day, unless that is in another month: then the one before."""
        later = day
        while not self.is_business_day(later):
            later += 1
        if self.date(later).month == self.date(day).month:
            return later
        while not self.is_business_day(day):
            day -= 1
        return day


def parse_iso(text: str) -> date:
    """An ISO date. Raises ValueError that says what was expected."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"expected a date like 2028-03-31, got '{text}'") from None
