"""A run's facilities, and the stress table."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fundclock.app.cli.tables.style import pairs, titled
from fundclock.app.labels import IMPACT, RATIOS, label, number

TOLD = (
    "covenant_breach", "covenant_cure", "event_of_default", "acceleration", "payment_default", "draw_declined",
    "draw_period_end", "extension", "maturity", "write_off", "sweep_begin", "sweep_end",
)  # fmt: skip
"""Events that a reader wants to see one by one; draws, repayments and payments are in the quarters' figures."""


def leverage_tables(report: Mapping[str, Any]) -> RenderableType:
    """The facilities, debt by quarter, what happened to tests, what debt did, and the stress table."""
    parts: list[RenderableType] = [_facilities(report["facilities"]), _quarters(report["metrics"]["by_quarter"])]
    told = [event for event in report["events"] if event["event_type"] in TOLD]
    if told:
        parts.append(_events(told))
    parts.append(_impact(report["impact"]))
    if report["stress_test"]:
        parts.append(stress_tables(report["stress_test"]))
    return Group(*parts)


def stress_tables(report: Mapping[str, Any]) -> RenderableType:
    """Ratios and tests under each shock, the headroom of the day, and the smallest shocks that break a test."""
    rows = {name: row["details"] for name, row in report["stress_test_results"].items()}
    table = Table(title=f"Shocks on {report['date']}, debt {number(report['debt'], 'money')}", title_justify="left")
    table.add_column("")
    for name, details in rows.items():
        table.add_column(_shock(name, details["shock"]), justify="right")
    for name, found in RATIOS.items():
        table.add_row(found.text, *(number(details[name], "ratio") for details in rows.values()))
    table.add_section()
    for test in rows["none"]["tests"]:
        cells = [details["tests"][test] for details in rows.values()]
        table.add_row(f"{label(test)}, limit {number(cells[0]['limit'], 'ratio')}", *(_verdict(cell) for cell in cells))
    headroom = pairs("Headroom as it was")
    for test, cell in rows["none"]["tests"].items():
        headroom.add_row(label(test), number(cell["headroom"], "money"))
    least = Table(title="Smallest shock that breaks a test", title_justify="left")
    for head in ("Shock", "Size", "Test that breaks first"):
        least.add_column(head, justify="right" if head == "Size" else "left")
    for name, found in report["smallest_shock"].items():
        least.add_row(label(name, "shock"), _size(name, found["size"]), label(found["binding_test"] or "none"))
    return Group(table, headroom, least)


def _shock(name: str, shock: Mapping[str, float]) -> str:
    size = {"interest_rate": "rate", "nav": "nav", "liquidity": "liquidity"}.get(name)
    if size is None:
        return label(name, "shock")
    sign = "+" if name == "interest_rate" else "−"
    return f"{label(name, 'shock')} {sign}{number(shock[size], 'share')}"


def _size(name: str, size: float | None) -> str:
    if size is None:
        return "none does"
    if size == 0:
        return "one fails already"
    return f"{number(size, 'multiple')} × the shocks" if name == "combined" else number(size, "share")


def _verdict(cell: Mapping[str, Any]) -> Text:
    text = f"{number(cell['value'], 'ratio')} {'passes' if cell['passed'] else 'FAILS'}"
    return Text(text, style="" if cell["passed"] else "bold red")


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
            label(row["facility_id"]),
            label(row["status"]),
            number(row["max_amount"], "money"),
            f"{row['spread_bps']:g} bp",
            row["draw_end_date"],
            row["maturity_date"],
            number(row["current_balance"], "money"),
            number(row["interest_paid"], "money"),
            number(row["fees_paid"], "money"),
        )
    return table


def _quarters(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="Debt by quarter", title_justify="left")
    for head in (
        "Quarter-end",
        "Debt",
        "Available",
        "Used",
        "Rate",
        *(found.text for found in RATIOS.values()),
        "Status",
    ):
        left = head in ("Quarter-end", "Status")
        table.add_column(head, justify="left" if left else "right", no_wrap=True)
    for row in rows:
        shares = (row["utilization"], row["weighted_avg_interest_rate"])
        table.add_row(
            row["date"],
            number(row["total_debt"], "money"),
            number(row["total_available"], "money"),
            *(number(share, "share") for share in shares),
            *(number(row[name], "ratio") for name in RATIOS),
            ", ".join(map(label, row["status"].values())),
        )
    return table


def _events(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="What happened to the facilities", title_justify="left")
    for head in ("Date", "Record", "Facility", "Event", "What"):
        table.add_column(head, justify="right" if head == "Record" else "left")
    for row in rows:
        details = row["details"]
        tests = [details["test"]] if "test" in details else details.get("tests", ())
        what = ", ".join(map(label, tests)) or label(details.get("reason") or "")
        if row["event_type"] == "covenant_breach":
            value, limit = (number(details[key], "ratio") for key in ("value", "limit"))
            missing = number(-details["headroom_cents"] / 100, "money")
            what += f"{'' if details['value'] is None else f' {value} against {limit}'}, {missing} short"
        elif row["event_type"] == "covenant_cure":
            what += f", after {details['days']} days"
        elif not what and row["amount"] is not None:
            what = number(row["amount"], "money")
        table.add_row(row["date"], str(row["seq"]), label(row["facility_id"]), label(row["event_type"]), what)
    return table


def _impact(impact: Mapping[str, Any]) -> Table:
    table = titled("With debt and without (the same fund, played again)", "", "With debt", "Without")
    for name, found in IMPACT.items():
        table.add_row(found.text, *(number(impact[side][name], found.unit) for side in ("with_debt", "without_debt")))
    return table
