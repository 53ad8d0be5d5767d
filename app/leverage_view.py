"""How a run's facilities and its stress table look on a terminal."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

RATIOS = {
    "leverage_ratio": "Debt / NAV",
    "loan_to_value_ratio": "LTV",
    "debt_service_coverage_ratio": "DSCR",
    "interest_coverage_ratio": "ICR",
}
SHOCKS = {
    "none": "as it was",
    "interest_rate": "rates up",
    "nav": "NAV down",
    "liquidity": "less liquidity",
    "combined": "all three",
}
IMPACT = {
    "net_irr": "Net IRR",
    "gross_irr": "Gross IRR of the loans",
    "tvpi": "TVPI",
    "contributed": "Contributed by LPs",
    "distributed": "Distributed to LPs",
    "carry": "Carry",
    "loans_originated": "Loans originated",
    "volatility": "Volatility of NAV returns",
    "max_drawdown": "Largest drawdown",
    "value_at_risk": "Value at risk, a quarter, 95 %",
    "conditional_value_at_risk": "Conditional value at risk",
}
SHARES = ("net_irr", "gross_irr", "volatility", "max_drawdown", "value_at_risk", "conditional_value_at_risk")
TOLD = (
    "covenant_breach", "covenant_cure", "event_of_default", "acceleration", "payment_default", "draw_declined",
    "draw_period_end", "extension", "maturity", "write_off", "sweep_begin", "sweep_end",
)  # fmt: skip
"""Events that a reader wants to see one by one; draws, repayments and payments are in the quarters' figures."""


def leverage_view(report: Mapping[str, Any]) -> RenderableType:
    """The facilities, debt by quarter, what happened to tests, what debt did, and the stress table."""
    parts: list[RenderableType] = [_facilities(report["facilities"]), _quarters(report["metrics"]["by_quarter"])]
    told = [event for event in report["events"] if event["event_type"] in TOLD]
    if told:
        parts.append(_events(told))
    parts.append(_impact(report["impact"]))
    if report["stress_test"]:
        parts.append(stress_view(report["stress_test"]))
    return Group(*parts)


def stress_view(report: Mapping[str, Any]) -> RenderableType:
    """Ratios and tests under each shock, the headroom of the day, and the smallest shocks that break a test."""
    rows = {name: row["details"] for name, row in report["stress_test_results"].items()}
    table = Table(title=f"Shocks on {report['date']}, debt {_money(report['debt'])}", title_justify="left")
    table.add_column("")
    for name, details in rows.items():
        table.add_column(_shock(name, details["shock"]), justify="right")
    for name, label in RATIOS.items():
        table.add_row(label, *(_ratio(details[name]) for details in rows.values()))
    table.add_section()
    for test in rows["none"]["tests"]:
        cells = [details["tests"][test] for details in rows.values()]
        table.add_row(f"{_test(test)}, limit {_ratio(cells[0]['limit'])}", *(_verdict(cell) for cell in cells))
    headroom = Table(title="Headroom as it was", title_justify="left", show_header=False)
    headroom.add_column()
    headroom.add_column(justify="right")
    for test, cell in rows["none"]["tests"].items():
        headroom.add_row(_test(test), _money(cell["headroom"]))
    least = Table(title="Smallest shock that breaks a test", title_justify="left")
    for head in ("Shock", "Size", "Test that breaks first"):
        least.add_column(head, justify="right" if head == "Size" else "left")
    for name, found in report["smallest_shock"].items():
        least.add_row(SHOCKS[name], _size(name, found["size"]), _test(found["binding_test"] or "none"))
    return Group(table, headroom, least)


def _shock(name: str, shock: Mapping[str, float]) -> str:
    size = {"interest_rate": "rate", "nav": "nav", "liquidity": "liquidity"}.get(name)
    if size is None:
        return SHOCKS[name]
    sign = "+" if name == "interest_rate" else "−"
    return f"{SHOCKS[name]} {sign}{100 * shock[size]:.4g}%"


def _size(name: str, size: float | None) -> str:
    if size is None:
        return "none does"
    if size == 0:
        return "one fails already"
    return f"{size:.2f} × the shocks" if name == "combined" else f"{size:.2%}"


def _verdict(cell: Mapping[str, Any]) -> Text:
    text = f"{_ratio(cell['value'])} {'passes' if cell['passed'] else 'FAILS'}"
    return Text(text, style="" if cell["passed"] else "bold red")


def _test(name: str) -> str:
    return {"ltv": "LTV", "dscr": "DSCR"}.get(name, name.replace("_", " ").capitalize())


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:,.3f}"


def _money(value: str | None) -> str:
    return "–" if value is None else f"{Decimal(value):,.2f}"


def _facilities(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="Facilities at the end of the log", title_justify="left")
    for head in (
        "Facility",
        "Status",
        "Ceiling",
        "Spread",
        "Draws until",
        "Matures",
        "Balance",
        "Interest paid",
        "Fees paid",
    ):
        table.add_column(head, justify="left" if head in ("Facility", "Status") else "right", no_wrap=True)
    for row in rows:
        table.add_row(
            row["facility_id"],
            row["status"],
            _money(row["max_amount"]),
            f"{row['spread_bps']:g} bp",
            row["draw_end_date"],
            row["maturity_date"],
            _money(row["current_balance"]),
            _money(row["interest_paid"]),
            _money(row["fees_paid"]),
        )
    return table


def _quarters(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="Debt by quarter", title_justify="left")
    for head in ("Quarter's end", "Debt", "Available", "Used", "Rate", *RATIOS.values(), "Status"):
        left = head in ("Quarter's end", "Status")
        table.add_column(head, justify="left" if left else "right", no_wrap=True)
    for row in rows:
        shares = (row["utilization"], row["weighted_avg_interest_rate"])
        table.add_row(
            row["date"],
            _money(row["total_debt"]),
            _money(row["total_available"]),
            *("–" if share is None else f"{share:.2%}" for share in shares),
            *(_ratio(row[name]) for name in RATIOS),
            ", ".join(row["status"].values()).replace("_", " "),
        )
    return table


def _events(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="What happened to the facilities", title_justify="left")
    for head in ("Date", "Record", "Facility", "Event", "What"):
        table.add_column(head, justify="right" if head == "Record" else "left")
    for row in rows:
        details = row["details"]
        what = details.get("test") or details.get("reason") or ", ".join(details.get("tests", ()))
        if row["event_type"] == "covenant_breach":
            value = "" if details["value"] is None else f" {details['value']:.3f} against {details['limit']:g}"
            short = _money(f"{-details['headroom_cents'] / 100:.2f}")
            what += f"{value}, {short} short"
        elif row["event_type"] == "covenant_cure":
            what += f", after {details['days']} days"
        elif not what and row["amount"] is not None:
            what = _money(row["amount"])
        table.add_row(row["date"], str(row["seq"]), row["facility_id"], row["event_type"].replace("_", " "), what)
    return table


def _impact(impact: Mapping[str, Any]) -> Table:
    table = Table(title="With debt and without (the same fund, played again)", title_justify="left")
    table.add_column("")
    for head in ("with debt", "without"):
        table.add_column(head, justify="right")
    for name, label in IMPACT.items():
        cells = [impact[side][name] for side in ("with_debt", "without_debt")]
        table.add_row(label, *(_cell(name, cell) for cell in cells))
    return table


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return _money(value)
    if name in SHARES:
        return f"{value:.2%}"
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"
