"""Interest and fees of facilities: exact over any split of a period, and the compounding that the market uses.

Amounts are exact fractions of a cent until a fact rounds them. What a fact posts is the rounded total so far less
what was posted before, so that however a period is split, its postings sum to the rounded whole.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from fundclock.events.dates import Calendar
from fundclock.events.day_counts import DAY_COUNTS, days_between


class Segment(NamedTuple):
    """Days in [first, last) on which a balance in cents and an annual rate stood still."""

    first: int
    last: int
    balance_cents: int
    rate: float


def simple_interest(segments: Iterable[Segment], calendar: Calendar, day_count: str) -> Fraction:
    """Σ balance × rate × days / year, in exact cents: interest on the daily balance."""
    cent_days: dict[float, int] = {}
    for first, last, balance, rate in segments:
        earning = balance * days_between(calendar, first, last, day_count)
        cent_days[rate] = cent_days.get(rate, 0) + earning
    terms = [(cents, *rate.as_integer_ratio()) for rate, cents in cent_days.items()]  # over powers of two
    common = max((denominator for _, _, denominator in terms), default=1)
    total = sum(cents * numerator * (common // denominator) for cents, numerator, denominator in terms)
    return Fraction(total, common * DAY_COUNTS[day_count])


def posted(total: Fraction, before: int) -> int:
    """What is to be posted now, in whole cents, where ``before`` was posted of a total that only grows."""
    return round(total) - before


def compounded_interest(
    segments: Iterable[tuple[int, int, int]], fixings: Sequence[tuple[int, int, float]], year: int
) -> list[float]:
    """Interest in cents on each segment (first day, day after the last, balance) of one period, compounded in arrears.

    ``fixings`` cover the period: (first day, day after the last, rate), from one business day to the next; the first
    begins with the period. A segment earns balance × the growth of the compounded factor since its first day (the
    non-cumulative compounded rate of ARRC's conventions), so that segments sum to the whole however they are split.
    """
    factors = [1.0]
    for first, last, rate in fixings:
        factors.append(factors[-1] * (1 + rate * (last - first) / year))
    starts = [first for first, _, _ in fixings]

    def factor(day: int) -> float:
        place = max(bisect_right(starts, day) - 1, 0)
        first, _, rate = fixings[place]
        return factors[place] * (1 + rate * (day - first) / year)

    return [balance * (factor(last) - factor(first)) for first, last, balance in segments]
