"""Published series: a rate in FRED's layout, house price indices in FHFA's. Gaps are reported, never interpolated."""

import calendar
import csv
import io
import math
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import pairwise

from fundclock.scenarios.files.problems import InvalidInput, Problem

DAILY_GAP = 5
"""Calendar days between daily fixings that are still no hole: a long weekend."""

Rows = Iterator[tuple[int, list[str]]]


def read_table(content: bytes, source: str, header: Callable[[list[str]], str | None]) -> Rows:
    """Rows of a CSV file with their line numbers, read lazily.

    ``header`` returns what is wrong with the header, if anything. Raises InvalidInput for text
    that is not UTF-8, mixed line endings, a bad header, or no rows.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput([Problem("", f"is not UTF-8 text (byte {error.start})", source)]) from None
    if "\x00" in text:
        raise InvalidInput([Problem("", "contains a NUL character", source)])
    crlf, lone = text.count("\r\n"), text.count("\n") - text.count("\r\n")
    if text.count("\r") > crlf or (crlf and lone):
        raise InvalidInput([Problem("", f"mixes line endings ({crlf} CRLF, {lone} LF)", source)])
    lines = csv.reader(io.StringIO(text, newline=""))
    empty = True
    try:
        names = next(lines, None)
        if names is None:
            raise InvalidInput([Problem("", "is empty", source)])
        wrong = header([name.strip() for name in names])
        if wrong:
            raise InvalidInput([Problem("", wrong, source, 1)])
        for row in lines:
            if any(cell.strip() for cell in row):
                empty = False
                yield lines.line_num, row
    except csv.Error as error:
        raise InvalidInput([Problem("", f"is not CSV: {error}", source, lines.line_num)]) from None
    if empty:
        raise InvalidInput([Problem("", "has a header but no rows", source)])


def read_rates(content: bytes, source: str, key: str) -> tuple[list[date], list[float]]:
    """Fixing dates and annual decimals of a file with columns ``observation_date,SERIES`` in per cent.

    An empty value or '.' is no fixing. Raises InvalidInput that lists every bad row.
    """

    def header(names: list[str]) -> str | None:
        if len(names) == 2 and names[0] == "observation_date":
            return None
        return f"expected the header observation_date,SERIES, got {','.join(names)}"

    problems: list[Problem] = []
    dates: list[date] = []
    rates: list[float] = []
    seen: set[date] = set()
    for line, row in read_table(content, source, header):
        if len(row) != 2:
            problems.append(Problem(key, f"expected 2 columns, got {len(row)}", source, line))
            continue
        when = _date(row[0])
        if when is None:
            problems.append(Problem(key, f"'{row[0]}' is not a date like 2020-01-31", source, line))
            continue
        if when in seen:
            problems.append(Problem(key, f"{when} appears twice", source, line))
            continue
        seen.add(when)
        if dates and when < dates[-1]:
            problems.append(Problem(key, f"{when} follows {dates[-1]}; dates must be in ascending order", source, line))
            continue
        if row[1].strip() in ("", "."):
            continue
        rate = _number(row[1])
        if rate is None:
            problems.append(Problem(key, f"'{row[1]}' is not a number", source, line))
            continue
        dates.append(when)
        rates.append(rate / 100)
    if problems:
        raise InvalidInput(problems)
    return dates, rates


def read_indices(
    content: bytes, source: str, key: str, names: list[str], adjusted: bool
) -> dict[str, dict[date, float]]:
    """Quarter-end dates and levels by series, of a file with columns ``state,yr,qtr,index_nsa,index_sa``.

    Raises InvalidInput that lists every bad row and every name that is not there.
    """
    layout = ["state", "yr", "qtr", "index_nsa", "index_sa"]

    def header(found: list[str]) -> str | None:
        return None if found == layout else f"expected the header {','.join(layout)}, got {','.join(found)}"

    problems: list[Problem] = []
    series: dict[str, dict[date, float]] = {name: {} for name in names}
    known: set[str] = set()
    for line, row in read_table(content, source, header):
        if len(row) != len(layout):
            problems.append(Problem(key, f"expected {len(layout)} columns, got {len(row)}", source, line))
            continue
        known.add(row[0])
        if row[0] not in series:
            continue
        year, quarter, level = _number(row[1]), _number(row[2]), _number(row[4 if adjusted else 3])
        if year is None or quarter not in (1, 2, 3, 4) or not 1800 <= year <= 2999:
            problems.append(Problem(key, f"'{row[1]}','{row[2]}' is not a year and a quarter", source, line))
        elif level is None or level <= 0:
            problems.append(Problem(key, f"'{row[4 if adjusted else 3]}' is not an index level above 0", source, line))
        else:
            month = int(quarter) * 3
            when = date(int(year), month, calendar.monthrange(int(year), month)[1])
            if when in series[row[0]]:
                problems.append(Problem(key, f"{row[0]} {int(year)} Q{int(quarter)} appears twice", source, line))
            series[row[0]][when] = level
    for name in names:
        if name not in known:
            problems.append(Problem(key, f"has no series '{name}'; it has {', '.join(sorted(known)[:60])}", source))
    if problems:
        raise InvalidInput(problems)
    return {name: dict(sorted(levels.items())) for name, levels in series.items()}


def check_cover(
    dates: list[date], start: date, end: date, source: str, key: str, *, may_end_early: bool, what: str
) -> None:
    """Raise InvalidInput where the series has a gap inside [start, end], begins late, or ends early.

    The step of the series (daily, monthly or quarterly) is inferred from its own spacing.
    """
    problems = []
    if not dates or dates[0] > start:
        first = dates[0] if dates else "nothing"
        problems.append(Problem(key, f"{what} begin at {first}, after the fund's start {start}", source))
    if dates:
        for before, after in _holes(dates):
            if after > start and before < end:
                problems.append(Problem(key, f"{what} have a gap between {before} and {after}", source))
        if dates[-1] < start - _longest(dates):
            problems.append(Problem(key, f"{what} end at {dates[-1]}, before the fund's start {start}", source))
        elif not may_end_early and _next(dates) <= end:
            problems.append(
                Problem(
                    key,
                    f"{what} end at {dates[-1]}, before the fund's end {end};"
                    " set market.after_end to hold or model to continue from there",
                    source,
                )
            )
    if problems:
        raise InvalidInput(problems)


def _step(dates: list[date]) -> timedelta:
    gaps = sorted(after - before for before, after in pairwise(dates))
    return gaps[len(gaps) // 2] if gaps else timedelta(days=1)


def _longest(dates: list[date]) -> timedelta:
    step = _step(dates)
    if step <= timedelta(days=DAILY_GAP):
        return timedelta(days=DAILY_GAP)
    return timedelta(days=31) if step <= timedelta(days=31) else timedelta(days=92)


def _holes(dates: list[date]) -> Iterator[tuple[date, date]]:
    longest = _longest(dates)
    for before, after in pairwise(dates):
        if after - before > longest:
            yield before, after


def _next(dates: list[date]) -> date:
    """When the next value would have been due: until then the last one holds."""
    return dates[-1] + _longest(dates)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
