"""Dates that people give, as days of a fund."""

from fundclock.events.dates import Calendar, parse_iso
from fundclock.scenarios.files.problems import InvalidInput, Problem


def day_of(text: str, option: str, calendar: Calendar) -> int:
    """The day of a fund that an ISO date names; ``option`` is where it was given.

    Raises InvalidInput for what is no date, and for a date before the fund's start.
    """
    try:
        day = calendar.day(parse_iso(text))
    except ValueError as error:
        raise InvalidInput([Problem(option, str(error))]) from None
    if day < 0:
        raise InvalidInput([Problem(option, f"{text} is before the fund's start, {calendar.start}")])
    return day
