"""The figures of a run, from its folded state. What is undefined, or not computed yet, is None with a reason."""

from typing import Any

from events.state import State
from events.units import from_cents
from scenarios.returns import irr

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


def metrics(state: State, committed_cents: int) -> tuple[dict[str, Any], list[str]]:
    """Metrics by name, and a warning for each that is None. Money as decimal strings, rates as decimals."""
    results, lots = state.results, state.lots
    zones = results.zones.values()
    gross = irr(results.loan_flows)
    lent = sum(zone.lent_cents for zone in zones)
    returned = sum(zone.proceeds_cents + zone.interest_cents for zone in zones)
    waited = lots.waited_cent_days / lots.reinvested_cents if lots.reinvested_cents else None
    found: dict[str, Any] = dict.fromkeys(LATER)
    found |= {
        "gross_irr": gross.rate,
        "irr": {"gross": gross.as_json()},
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
    reasons: dict[str, str | None] = dict(LATER)
    if gross.rate is None:
        reasons["gross_irr"] = gross.reason()
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
    "max_leverage_ratio", "min_dscr", "covenant_breaches", "management_fees", "carry", "irr", "zones",
)  # fmt: skip
"""All metrics, in the order in which they are shown."""
