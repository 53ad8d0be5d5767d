"""The figures of a run, from its folded state. What is undefined, or not computed yet, is None with a reason."""

from typing import Any

from events.state import State
from events.units import from_cents

LATER = {
    "net_irr": "fees and waterfall are not built yet",
    "tvpi": "fees and waterfall are not built yet",
    "dpi": "fees and waterfall are not built yet",
    "rvpi": "fees and waterfall are not built yet",
    "net_irr_without_line": "facilities are not built yet",
    "interest_paid": "facilities are not built yet",
    "commitment_fees_paid": "facilities are not built yet",
    "peak_debt": "facilities are not built yet",
    "max_leverage_ratio": "facilities are not built yet",
    "min_dscr": "facilities are not built yet",
    "covenant_breaches": "facilities are not built yet",
    "management_fees": "fees are not built yet",
    "carry": "the waterfall is not built yet",
}
"""Metrics of engines that are still to come, with the reason that is given."""


def irr(flows: dict[int, int]) -> tuple[float | None, str | None]:
    """Annual internal rate of return of cents by day (ACT/365F), or None and why there is none."""
    days = sorted(day for day, cents in flows.items() if cents)
    values = [flows[day] / 100 for day in days]
    if not any(value > 0 for value in values) or not any(value < 0 for value in values):
        return None, "cash flows have one sign only"
    from datetime import date, timedelta

    import pyxirr

    start = date(2000, 1, 1)
    found = pyxirr.xirr([start + timedelta(days=day) for day in days], values, silent=True)
    return (None, "no rate solves these cash flows") if found is None else (float(found), None)


def metrics(state: State, committed_cents: int) -> tuple[dict[str, Any], list[str]]:
    """Metrics by name, and a warning for each that is None. Money as decimal strings, rates as decimals."""
    results, lots = state.results, state.lots
    zones = results.zones.values()
    gross, why = irr(results.loan_flows)
    lent = sum(zone.lent_cents for zone in zones)
    returned = sum(zone.proceeds_cents + zone.interest_cents for zone in zones)
    waited = lots.waited_cent_days / lots.reinvested_cents if lots.reinvested_cents else None
    found: dict[str, Any] = dict.fromkeys(LATER)
    found |= {
        "gross_irr": gross,
        "moic": returned / lent if lent else None,
        "committed": from_cents(committed_cents),
        "contributed": from_cents(results.lp_contributed_cents),
        "distributed": from_cents(results.lp_distributed_cents),
        "nav": from_cents(state.ledger.nav_cents()),
        "loans_originated": sum(zone.originated for zone in zones),
        "loans_exited": sum(zone.exited for zone in zones),
        "loans_defaulted": sum(zone.defaulted for zone in zones),
        "reinvested": from_cents(lots.reinvested_cents),
        "reinvestment_count": lots.reinvestments,
        "mean_days_to_reinvest": waited,
        "idle_dollar_days": from_cents(state.ledger.cent_days(state.day)),
        "zones": {
            name: {
                "originated": zone.originated,
                "exited": zone.exited,
                "defaulted": zone.defaulted,
                "proceeds": from_cents(zone.proceeds_cents),
                "gain": from_cents(zone.proceeds_cents - zone.cost_cents),
                "return": (zone.proceeds_cents - zone.cost_cents) / zone.cost_cents if zone.cost_cents else None,
            }
            for name, zone in results.zones.items()
        },
    }
    reasons = dict(LATER)
    if why:
        reasons["gross_irr"] = why
    if not lent:
        reasons["moic"] = "no loan was made"
    if waited is None:
        reasons["mean_days_to_reinvest"] = "nothing was reinvested"
    warnings = [f"{name} is null: {reason}" for name, reason in sorted(reasons.items())]
    warnings += [
        f"zones.{name}.return is null: no loan has paid off"
        for name, zone in results.zones.items()
        if not zone.cost_cents
    ]
    return {name: found[name] for name in ORDER}, warnings


ORDER = (
    "net_irr", "gross_irr", "tvpi", "dpi", "rvpi", "moic", "net_irr_without_line", "committed", "contributed",
    "distributed", "nav", "loans_originated", "loans_exited", "loans_defaulted", "reinvested", "reinvestment_count",
    "mean_days_to_reinvest", "idle_dollar_days", "interest_paid", "commitment_fees_paid", "peak_debt",
    "max_leverage_ratio", "min_dscr", "covenant_breaches", "management_fees", "carry", "zones",
)  # fmt: skip
"""All metrics, in the order in which they are shown."""
