"""Loan tapes: a CSV file of the loans with which a fund opens. All bad rows are listed, or nothing is loaded."""

import math
import re
import sys
from array import array
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, cast, get_args

import numpy as np

from fundclock.events.dates import Calendar
from fundclock.events.day_counts import YEAR
from fundclock.events.facts.loans import KnownKind
from fundclock.events.units import to_cents
from fundclock.handlers.deployment.opening_book import OpeningBook
from fundclock.scenarios.files.problems import InvalidInput, Problem, closest
from fundclock.scenarios.files.series import read_table

REQUIRED = ("loan_id", "zone", "principal", "property_value", "coupon", "term_years")
OPTIONAL = ("age_years", "appreciation_share", "interest_payment", "exit_on", "exit_kind", "proceeds")
EXIT_KINDS = get_args(KnownKind)
MOST_PROBLEMS = 1000
_GENERATED = re.compile(r"[A-Za-z]\w*-r?\d{5,}")


def read_tape(content: bytes, source: str, zones: Mapping[str, Any], calendar: Calendar, last_day: int) -> OpeningBook:
    """The opening book of a tape. Raises InvalidInput that lists the bad rows by line (the first thousand)."""
    columns: dict[str, int] = {}

    def header(names: list[str]) -> str | None:
        columns.update({name: place for place, name in enumerate(names)})
        allowed = (*REQUIRED, *OPTIONAL)
        for name in names:
            if name not in allowed:
                near = closest(name, allowed)
                return f"unknown column '{name}'" + (
                    f"; did you mean '{near}'?" if near else f"; allowed: {', '.join(allowed)}"
                )
        if len(columns) < len(names):
            return "has a duplicate column"
        missing = [name for name in REQUIRED if name not in columns]
        return f"is missing columns: {', '.join(missing)}" if missing else None

    rows = read_table(content, source, header)
    reader = _Reader(source, columns, zones, calendar, last_day)
    for line, row in rows:
        reader.read(line, row)
        if len(reader.problems) >= MOST_PROBLEMS:
            reader.problems.append(
                Problem("", f"has more bad rows; only the first {MOST_PROBLEMS:,} are listed", source)
            )
            break
    if reader.problems:
        raise InvalidInput(reader.problems)
    return reader.book()


class _Reader:
    def __init__(
        self, source: str, columns: dict[str, int], zones: Mapping[str, Any], calendar: Calendar, last_day: int
    ) -> None:
        self.problems: list[Problem] = []
        self._source = source
        self._columns = columns
        self._zones = zones
        self._calendar = calendar
        self._last_day = last_day
        self._lines: dict[str, int] = {}
        self._maturity: dict[float, int] = {}
        self._ids: list[str] = []
        self._zone_names: list[str] = []
        self._principal, self._value, self._age, self._maturity_days = (array("q") for _ in range(4))
        self._coupon = array("d")
        self._optional: tuple[list[Any], ...] = ([], [], [], [], [])

    def book(self) -> OpeningBook:
        """The rows in columns."""
        return OpeningBook(
            self._ids,
            self._zone_names,
            np.array(self._principal, np.int64),
            np.array(self._value, np.int64),
            np.array(self._coupon, np.float64),
            np.array(self._age, np.int32),
            np.array(self._maturity_days, np.int32),
            *self._optional,
        )

    def read(self, line: int, row: list[str]) -> None:
        """Check one row, and keep it if nothing is wrong with it."""
        before = len(self.problems)
        if len(row) != len(self._columns):
            self._wrong(line, f"expected {len(self._columns)} columns, got {len(row)}")
            return
        cells = {name: row[place].strip() for name, place in self._columns.items()}
        loan_id, zone = cells["loan_id"], cells["zone"]
        if not loan_id:
            self._wrong(line, "loan_id is empty")
        elif loan_id in self._lines:
            self._wrong(line, f"duplicate loan_id '{loan_id}', first on line {self._lines[loan_id]}")
        elif _GENERATED.fullmatch(loan_id):
            self._wrong(line, f"loan_id '{loan_id}' is reserved for loans that the fund makes")
        self._lines.setdefault(loan_id, line)
        if zone not in self._zones:
            self._wrong(line, f"unknown zone '{zone}'; allowed: {', '.join(self._zones)}")
        principal = self._number(line, cells, "principal", lambda x: 1 <= x <= 1e13, "an amount of at least 1")
        value = self._number(line, cells, "property_value", lambda x: 1 <= x <= 1e13, "an amount of at least 1")
        if principal is not None and value is not None and principal > value:
            self._wrong(line, f"principal {principal:g} is above property_value {value:g}")
        coupon = self._number(line, cells, "coupon", lambda x: 0 <= x <= 1, "a rate from 0 to 1")
        term = self._number(line, cells, "term_years", lambda x: 0 < x <= 60, "years from 0 to 60")
        age = self._number(line, cells, "age_years", lambda x: 0 <= x <= 60, "years from 0 to 60", 0.0)
        if term is not None and age is not None and age >= term:
            self._wrong(line, f"age_years {age:g} must be below term_years {term:g}")
        share = self._number(line, cells, "appreciation_share", lambda x: 0 <= x <= 1, "a share from 0 to 1", None)
        payment = cells.get("interest_payment", "")
        if payment not in ("", "capitalise", "cash"):
            self._wrong(line, f"interest_payment '{payment}' is neither capitalise nor cash")
        exit_day, exit_kind, proceeds = self._history(line, cells)
        if len(self.problems) > before or principal is None or value is None or coupon is None or term is None:
            return
        age = age or 0.0
        self._ids.append(loan_id)
        self._zone_names.append(sys.intern(zone))
        self._principal.append(to_cents(principal))
        self._value.append(to_cents(value))
        self._coupon.append(coupon)
        self._age.append(round(age * YEAR))
        self._maturity_days.append(self._maturity_day(term - age))
        pays_cash = payment == "cash" if payment else None
        for column, cell in zip(self._optional, (share, pays_cash, exit_day, exit_kind, proceeds), strict=True):
            column.append(cell)

    def _maturity_day(self, years: float) -> int:
        day = self._maturity.get(years)
        if day is None:
            day = self._maturity[years] = max(1, self._calendar.add_months(0, years * 12))
        return day

    def _history(self, line: int, cells: dict[str, str]) -> tuple[int | None, KnownKind | None, int | None]:
        on, kind = cells.get("exit_on", ""), cells.get("exit_kind", "")
        proceeds = self._number(line, cells, "proceeds", lambda x: 0 <= x <= 1e13, "an amount of at least 0", None)
        cents = None if proceeds is None else to_cents(proceeds)
        if not on:
            if kind or proceeds is not None:
                self._wrong(line, "exit_kind and proceeds need exit_on")
            return None, None, None
        try:
            day = self._calendar.day(date.fromisoformat(on))
        except ValueError:
            self._wrong(line, f"exit_on '{on}' is not a date like 2028-03-31")
            return None, None, None
        if day <= 0:
            self._wrong(line, f"exit_on {on} is not after the opening date {self._calendar.start}")
        if kind not in ("", *EXIT_KINDS):
            near = closest(kind, EXIT_KINDS)
            hint = f"; did you mean '{near}'?" if near else f"; allowed: {', '.join(EXIT_KINDS)}"
            self._wrong(line, f"unknown exit_kind '{kind}'{hint}")
        if kind == "default" and day < 2:
            self._wrong(line, "a default's exit_on, the day of its recovery, must be two days after opening or later")
        return day, cast(KnownKind, kind or "sale"), cents

    def _number(
        self,
        line: int,
        cells: dict[str, str],
        name: str,
        allowed: Callable[[float], bool],
        what: str,
        empty: float | str | None = "required",
    ) -> float | None:
        text = cells.get(name, "")
        if not text:
            if empty == "required":
                self._wrong(line, f"{name} is empty")
                return None
            return empty  # type: ignore[return-value]
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or not allowed(value):
            self._wrong(line, f"{name} '{text}' is not {what}")
            return None
        return value

    def _wrong(self, line: int, message: str) -> None:
        self.problems.append(Problem("", message, self._source, line))
