"""How figures are called and written: one table of labels and one formatter, for terminal, report and dashboard.

A figure has a label and a unit; the unit says how its value is written. The dashboard asks for ``as_json`` and writes
numbers by the same units.
"""

import re
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from fundclock.scenarios.charts.chart import Column, Role, Series, Values

Unit = Literal["money", "share", "multiple", "ratio", "index", "count", "days", "name", "text"]
"""What a value is: that says how it is written."""


class Written(NamedTuple):
    """How values of a unit are written: with so many decimals, in per cent or not; ``None`` is for words."""

    decimals: int | None
    percent: bool = False


WRITTEN: dict[Unit, Written] = {
    "money": Written(2),
    "share": Written(2, percent=True),
    "multiple": Written(2),
    "ratio": Written(3),
    "index": Written(4),
    "count": Written(0),
    "days": Written(2),
    "name": Written(None),
    "text": Written(None),
}
"""Money stays exact, also as a decimal string; names with underscores are written as words, text as it is."""

DATA_UNITS: dict[str, Unit] = {
    "share": "share",
    "decimal": "share",
    "ratio": "ratio",
    "index": "index",
    "number": "count",
    "name": "name",
    "date": "text",
    "year": "text",
}
"""Units that the data of charts and tables names in its own words; the others are currencies."""


def unit_of(text: str) -> Unit:
    """The unit that chart data names. Raises ValueError for what is neither a unit nor a currency (``USD × days``)."""
    if text in DATA_UNITS:
        return DATA_UNITS[text]
    if re.fullmatch(r"[A-Z]{3}( × days)?", text):
        return "money"
    raise ValueError(f"'{text}' is no unit of chart data")


class Label(NamedTuple):
    """What people call a figure, and the unit of its value."""

    text: str
    unit: Unit


METRICS = {
    "net_irr": Label("Net IRR", "share"),
    "gross_irr": Label("Gross IRR", "share"),
    "pic": Label("PIC", "multiple"),
    "tvpi": Label("TVPI", "multiple"),
    "dpi": Label("DPI", "multiple"),
    "rvpi": Label("RVPI", "multiple"),
    "moic": Label("MOIC", "multiple"),
    "committed": Label("Committed", "money"),
    "contributed": Label("Contributed by LPs", "money"),
    "distributed": Label("Distributed to LPs", "money"),
    "nav": Label("NAV at the end", "money"),
    "management_fees": Label("Management fees", "money"),
    "carry": Label("Carry", "money"),
    "loans_originated": Label("Loans originated", "count"),
    "loans_exited": Label("Loans exited", "count"),
    "loans_defaulted": Label("Loans defaulted", "count"),
    "reinvested": Label("Reinvested", "money"),
    "reinvestment_count": Label("Reinvestments", "count"),
    "mean_days_to_reinvest": Label("Mean days to reinvest", "days"),
    "idle_dollar_days": Label("Idle dollar-days", "money"),
}
"""Figures of every run, in the order in which they are shown."""

DEBT_METRICS = {
    "gross_levered_irr": Label("Gross IRR, levered", "share"),
    "net_irr_without_line": Label("Net IRR without the subscription line", "share"),
    "peak_debt": Label("Peak debt", "money"),
    "interest_paid": Label("Interest paid", "money"),
    "commitment_fees_paid": Label("Facility fees paid", "money"),
    "max_leverage_ratio": Label("Highest debt to NAV", "share"),
    "min_dscr": Label("Lowest DSCR tested", "multiple"),
    "covenant_breaches": Label("Covenant breaches", "count"),
}
"""Figures that are shown where the run has facilities."""

ZONES = {
    "originated": Label("Originated", "count"),
    "exited": Label("Exited", "count"),
    "defaulted": Label("Defaulted", "count"),
    "proceeds": Label("Proceeds", "money"),
    "gain": Label("Gain", "money"),
    "return": Label("Return", "share"),
}
"""Figures of a zone."""

RATIOS = {
    "leverage_ratio": Label("Debt / NAV", "ratio"),
    "loan_to_value_ratio": Label("LTV", "ratio"),
    "debt_service_coverage_ratio": Label("DSCR", "ratio"),
    "interest_coverage_ratio": Label("ICR", "ratio"),
}
"""Ratios of a fund with debt."""

TESTS = {
    "ltv": Label("LTV", "ratio"),
    "dscr": Label("DSCR", "ratio"),
    "base": Label("Borrowing base", "ratio"),
    "liquidity": Label("Liquidity", "ratio"),
}
"""Covenant tests."""

IMPACT = {
    "net_irr": Label("Net IRR", "share"),
    "gross_irr": Label("Gross IRR of the loans", "share"),
    "tvpi": Label("TVPI", "multiple"),
    "contributed": Label("Contributed by LPs", "money"),
    "distributed": Label("Distributed to LPs", "money"),
    "carry": Label("Carry", "money"),
    "loans_originated": Label("Loans originated", "count"),
    "volatility": Label("Volatility of NAV returns", "share"),
    "max_drawdown": Label("Largest drawdown", "share"),
    "value_at_risk": Label("Value at risk of a quarter, 95 %", "share"),
    "conditional_value_at_risk": Label("Conditional value at risk", "share"),
}
"""What debt did: figures with debt and without."""

REINVESTMENT = {
    "total_reinvested": Label("Reinvested", "money"),
    "num_reinvestment_events": Label("Reinvestments", "count"),
    "num_reinvestment_loans": Label("Loans made", "count"),
    "avg_reinvestment_amount": Label("Mean amount", "money"),
    "reinvestment_ratio": Label("Reinvested share of proceeds", "share"),
    "reinvestment_portfolio_impact": Label("Reinvested share of all lending", "share"),
    "avg_time_to_reinvest": Label("Mean days to reinvest", "days"),
    "reinvestment_roi": Label("Return on cost of reinvested loans", "share"),
}
"""Key figures of reinvestment."""

RISK = {
    "average_ltv": Label("Average LTV", "share"),
    "hhi_zone": Label("HHI by zone", "index"),
    "hhi_loan": Label("HHI by loan", "index"),
    "top5": Label("Five largest", "share"),
    "top10": Label("Ten largest", "share"),
    "score": Label("Score", "index"),
    "expected_return": Label("Expected return", "share"),
    "diversification_impact": Label("Diversification impact", "index"),
    "risk_adjusted_return_impact": Label("Risk-adjusted return impact", "index"),
}
"""Measures of the book's risk."""

FLOWS = {
    "period": Label("Period", "text"),
    "opening": Label("Opening", "money"),
    "contributions": Label("Paid in", "money"),
    "principal": Label("Principal", "money"),
    "loan_interest": Label("Interest", "money"),
    "loan_gains": Label("Gains", "money"),
    "origination_fees": Label("Orig. fees", "money"),
    "cash_interest": Label("Yield", "money"),
    "fees_and_expenses": Label("Fees", "money"),
    "distributions": Label("Paid out", "money"),
    "carry": Label("Carry", "money"),
    "debt": Label("Debt", "money"),
    "debt_service": Label("Debt service", "money"),
    "closing": Label("Closing", "money"),
}
"""Columns of the cash flows."""

COLUMNS = {
    "event_id": Label("Event", "text"),
    "timestamp": Label("Date", "text"),
    "strategy_used": Label("Strategy", "text"),
    "num_loans_generated": Label("Loans", "count"),
    "cash_reserve_before": Label("Reserve before", "money"),
    "cash_reserve_after": Label("Reserve after", "money"),
}
"""Columns of tables of data whose names are those of the API."""


Kind = Literal["account", "condition", "fate", "flow", "limit", "reason", "rung", "shock", "wait", "zone"]
"""Kinds of names that are no figures: one name may be of several kinds, and each has its own label."""

NAMES: dict[Kind, dict[str, str]] = {
    "account": {
        "Assets:Cash": "Cash",
        "Assets:Reserve": "Cash in the reserve",
        "Assets:Loans:Cost": "Loans at cost",
        "Assets:Loans:AccruedInterest": "Accrued interest on loans",
        "Assets:Loans:UnrealisedGain": "Unrealised gain on loans",
        "Equity:LP:Contributions": "Paid in by LPs",
        "Equity:LP:Distributions": "Paid out to LPs",
        "Equity:GP:Contributions": "Paid in by the GP",
        "Equity:GP:Distributions": "Paid out to the GP",
        "Equity:GP:Carry": "Carry",
        "Liabilities:FeesPayable": "Fees payable",
        "Liabilities:Facility:GreenSleeve": "Green sleeve, balance",
        "Liabilities:Facility:RampLine": "Ramp line, balance",
        "Liabilities:FacilityPayable:GreenSleeve": "Green sleeve, interest and fees payable",
        "Liabilities:FacilityPayable:RampLine": "Ramp line, interest and fees payable",
        "Income:OriginationFees": "Origination fees received",
        "Income:LoanInterest": "Interest on loans",
        "Income:RealisedGain": "Realised gain on loans",
        "Income:ChangeInUnrealisedGain": "Change in unrealised gain",
        "Income:CashInterest": "Yield on cash",
        "Income:DebtForgiven": "Debt forgiven",
        "Expenses:Setup": "Setup costs",
        "Expenses:ManagementFee": "Management fee",
        "Expenses:Operating": "Operating expenses",
        "Expenses:OriginationFee": "Origination fee paid",
        "Expenses:FacilityInterest": "Facility interest",
        "Expenses:FacilityFees": "Facility fees",
    },
    "condition": {
        "covenant ltv": "LTV covenant fails",
        "covenant dscr": "DSCR covenant fails",
        "covenant base": "Borrowing base falls short",
        "covenant liquidity": "Liquidity falls short",
        "nav_fall": "NAV falls",
        "minimum_reached": "Enough proceeds to lend",
    },
    "fate": {
        "promises": "Promised",
        "kept": "Kept",
        "cut": "Cut",
        "declined": "Declined",
        "rejected": "Rejected",
        "cancelled": "Cancelled",
        "pending": "Pending",
    },
    "flow": {
        "exit": "Exits",
        "recovery": "Recoveries",
        "coupon": "Coupons",
        "call_deployment": "Calls for loans",
        "call_reserve": "Calls for the reserve",
        "call_fees": "Calls for fees",
        "call_debt_service": "Calls for debt service",
        "call_cure": "Calls to cure a breach",
        "call_clean_down": "Calls to clean down a line",
        "call_opening_book": "Calls for the opening book",
        "draw_green_sleeve": "Draws, green sleeve",
        "draw_ramp_line": "Draws, ramp line",
        "yield": "Yield on cash",
        "origination_fee": "Origination fees",
        "clawback": "Carry paid back",
        "loans": "Loans",
        "fees": "Fees",
        "debt_service": "Debt service",
        "distribution": "Distributions",
        "repayment": "Repayments",
        "held": "Still there at the end",
    },
    "limit": {
        "longest_delay": "Longest delay",
        "largest_price_fall": "Largest fall of prices",
        "latest_call": "Latest call",
    },
    "reason": {
        "reserve": "Reserve",
        "debt_service_buffer": "Kept for lenders",
        "fee_float": "Kept for fees",
        "sweep": "Swept by a lender",
        "breaker": "Circuit breaker",
        "delay": "Delay",
        "awaiting_check": "Awaiting a check",
        "below_minimum": "Below the minimum",
        "batch_limit": "Over the batch limit",
        "indivisible_remainder": "Less than a loan",
        "uninvested_call": "Called, not lent yet",
        "uninvested_draw": "Drawn, not lent yet",
        "awaiting_distribution": "Awaiting distribution",
        "declined": "Refused by a check",
    },
    "rung": {
        "actual": "Actual",
        "no_delay": "No delay",
        "continuous_checks": "Continuous checks",
        "no_minimum": "No minimum",
        "no_batch_limit": "No batch limit",
        "no_reserve": "No reserve",
        "no_call_notice": "No call notice",
        "no_draw_notice": "No draw notice",
        "without any wait": "Without any wait",
    },
    "shock": {
        "none": "As it was",
        "interest_rate": "Rates up",
        "nav": "NAV down",
        "liquidity": "Less liquidity",
        "combined": "All three",
    },
    "wait": {
        "recovery_wait": "Defaulted loans, until they recover",
        "settlement": "Sold loans, until they settle",
        "call_notice": "Calls, until they are paid",
        "draw_notice": "Draws, until they are paid",
        "repayment_notice": "Repayments, until they are paid",
    },
    "zone": {},  # everyone's own
}
"""What people call them, by kind; whatever is not here is called by its words."""

ROLES: dict[Role, str] = {"with_debt": "with debt", "without_debt": "without debt"}
"""Roles of values that are not called by their words alone."""

SECTIONS = {
    "timing": "Cash and time",
    "reinvestment": "Reinvestment",
    "risk": "Risk",
    "leverage": "Leverage",
    "allocation": "Allocation",
}
"""Headings of figures that are shown together."""

_FIGURES = {**COLUMNS, **RISK, **REINVESTMENT, **TESTS, **RATIOS, **ZONES, **DEBT_METRICS, **METRICS}
LABELS: dict[str, Label] = {
    **_FIGURES,
    **{f"{kind}.{name}": Label(text, "text") for kind, names in NAMES.items() for name, text in names.items()},
}
"""Every label: of a figure by its name, of another name by its kind and name (``reason.delay``)."""


def words(name: str) -> str:
    """A name with underscores as words."""
    return name.replace("_", " ")


def label(name: str, kind: Kind | None = None) -> str:
    """What people call a figure, a column or a test, or a name of a kind; an unknown name as words."""
    found = LABELS.get(name if kind is None else f"{kind}.{name}")
    return _begin(words(name)) if found is None else found.text


def _begin(text: str) -> str:
    return text[:1].upper() + text[1:]


def _inside(text: str) -> str:
    """As it stands inside a sentence: acronyms keep their capitals."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def named(about: Values | Column) -> str:
    """What people call a series, a threshold or a column: whose it is, what it measures, and its role."""
    if isinstance(about, Column):
        return label(about.name) if about.zone is None else label(about.zone, "zone")
    whose: dict[Kind | None, str | None] = {"zone": about.zone, None: about.facility, "reason": about.reason}
    parts = [label(name, kind) for kind, name in whose.items() if name is not None]
    if about.measure is not None or not parts:
        parts.append(label(about.measure or about.name))
    if about.role is not None:
        parts.append(ROLES.get(about.role, about.role))
    if isinstance(about, Series) and about.quantile is not None:
        parts[-1] += f", {about.quantile:.0%} quantile"
    return " ".join([parts[0], *map(_inside, parts[1:])])


def head(about: Values | Column) -> str:
    """The head of its values in a table: with its currency, where it is of money."""
    return f"{named(about)}, {about.unit}" if unit_of(about.unit) == "money" else named(about)


def number(value: Any, unit: Unit, decimals: int | None = None) -> str:
    """A value for people: shares in per cent, money with separators, a dash for what is undefined.

    ``decimals`` are the unit's unless they are given.
    """
    if value is None:
        return "–"
    way = WRITTEN[unit]
    places = way.decimals if decimals is None else decimals
    if way.decimals is None:
        return words(str(value)) if unit == "name" else str(value)
    exact = Decimal(str(value)) if unit == "money" else value
    text = f"{exact:,.{places}%}" if way.percent else f"{exact:,.{places}f}"
    return text if any(digit in text for digit in "123456789") else text.removeprefix("-")


def written(value: Any, column: Column) -> str:
    """A cell of a column for people."""
    return number(value, unit_of(column.unit)) if column.names is None else label(value, column.names)


def metric(name: str, value: Any) -> str:
    """A figure of a run for people, by its name."""
    return number(value, LABELS[name].unit)


def signed(value: Any, unit: Unit, decimals: int | None = None) -> str:
    """A difference for people: with its sign, shares in basis points, a dash for nothing that would be seen."""
    if value is None:
        return "–"
    exact = Decimal(str(value)) * (10_000 if unit == "share" else 1)
    places = WRITTEN[unit].decimals if decimals is None else decimals
    text = f"{exact:+,.{places}f}"
    if not any(digit in text for digit in "123456789"):
        return "–"
    return f"{text} bp" if unit == "share" else text


def difference(value: Any, unit: Unit) -> str:
    """A difference beside the values that it is of: with its sign, shares in percentage points."""
    if value is None:
        return "–"
    exact = Decimal(str(value)) * (100 if unit == "share" else 1)
    text = f"{exact:{'+' if exact else ''},.{WRITTEN[unit].decimals}f}"
    return f"{text} pp" if unit == "share" else text


def short(value: float) -> str:
    """An amount in four characters or so: 60.8m, 1.39bn."""
    for size, name in ((1, ""), (1e3, "k"), (1e6, "m"), (1e9, "bn")):
        text = f"{value / size:.3g}"
        if abs(float(text)) < 1000:
            return f"{text}{name}"
    return f"{value / 1e9:,.0f}bn"


def as_json() -> dict[str, dict[str, Any]]:
    """Labels and units of all figures and names, and how values of each unit are written."""
    units: dict[str, Unit] = {**{unit: unit for unit in WRITTEN}, **DATA_UNITS}
    return {
        "labels": {name: found._asdict() for name, found in sorted(LABELS.items())},
        "units": {name: WRITTEN[unit]._asdict() for name, unit in sorted(units.items())},
    }
