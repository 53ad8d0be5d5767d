"""How figures are called and written: one table of labels and one formatter, for terminal, report and dashboard.

A figure has a label and a unit; the unit says how its value is written. The dashboard asks for ``as_json`` and writes
numbers by the same units.
"""

from decimal import Decimal
from typing import Any, NamedTuple

UNITS = {
    "money": "currency units, as a decimal string",
    "share": "a decimal, written in per cent",
    "multiple": "a ratio of sums, with two decimals",
    "ratio": "a ratio that a covenant tests, with three decimals",
    "index": "a measure between 0 and 1, with four decimals",
    "count": "a whole number",
    "days": "a mean of days, with two decimals",
    "text": "words, dates, names",
}
"""Units of values. Any other unit is a currency, or a currency times days, and written as money."""


class Label(NamedTuple):
    """What people call a figure, and the unit of its value."""

    text: str
    unit: str


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

SHOCKS = {
    "none": Label("as it was", "text"),
    "interest_rate": Label("rates up", "text"),
    "nav": Label("NAV down", "text"),
    "liquidity": Label("less liquidity", "text"),
    "combined": Label("all three", "text"),
}
"""Shocks of the stress table."""

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
    "average_ltv": Label("Average LTV", "index"),
    "hhi_zone": Label("HHI by zone", "index"),
    "hhi_loan": Label("HHI by loan", "index"),
    "top5": Label("Five largest", "index"),
    "top10": Label("Ten largest", "index"),
    "score": Label("Score", "index"),
    "expected_return": Label("Expected return", "index"),
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

_ALL = {**COLUMNS, **RISK, **REINVESTMENT, **TESTS, **RATIOS, **ZONES, **DEBT_METRICS, **METRICS}


def words(name: str) -> str:
    """A name with underscores as words."""
    return name.replace("_", " ")


def label(name: str) -> str:
    """What people call a figure, a column or a test; an unknown name as words."""
    found = _ALL.get(name)
    return words(name).capitalize() if found is None else found.text


def number(value: Any, unit: str) -> str:
    """A value for people: shares in per cent, money with separators, a dash for what is undefined."""
    if value is None:
        return "–"
    match unit:
        case "text" | "name" | "date" | "year":
            return str(value)
        case "share" | "decimal":
            text = f"{value:.2%}"
            return "0.00%" if text == "-0.00%" else text
        case "multiple" | "days":
            return f"{value:,.2f}"
        case "ratio":
            return f"{value:,.3f}"
        case "index":
            return f"{value:.4f}"
        case "count" | "number":
            return f"{value:,.0f}"
        case _:
            return f"{Decimal(str(value)):,.2f}"


def metric(name: str, value: Any) -> str:
    """A figure of a run for people, by its name."""
    return number(value, _ALL[name].unit)


def signed(value: Any, unit: str) -> str:
    """A difference for people: with its sign, shares in basis points, a dash for nothing that would be seen."""
    if value is None:
        return "–"
    if unit == "share":
        return "–" if abs(value) < 5e-7 else f"{value * 1e4:+.2f} bp"
    exact = Decimal(str(value))
    if abs(exact) < (Decimal("0.5") if unit == "count" else Decimal("0.005")):
        return "–"
    return f"{exact:+,.0f}" if unit == "count" else f"{exact:+,.2f}"


def as_json() -> dict[str, dict[str, str]]:
    """The labels and units of all figures, by name."""
    return {name: found._asdict() for name, found in sorted(_ALL.items())}
