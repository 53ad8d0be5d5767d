"""The figures of a run, from its folded state. What is undefined, or not computed yet, is None with a reason."""

import statistics
from collections.abc import Mapping
from typing import Any

from fundclock.events.state import State
from fundclock.events.state.capital import Quarter
from fundclock.events.units import from_cents, split_pro_rata
from fundclock.handlers.fund.distributions import moved_to_draws
from fundclock.handlers.fund.waterfall import account_of, distribute
from fundclock.handlers.settings.fund import WaterfallConfig
from fundclock.scenarios.runs.returns import irr


def metrics(
    state: State, committed_cents: int, lp_committed_cents: int, waterfall: WaterfallConfig
) -> tuple[dict[str, Any], list[str]]:
    """Metrics by name, and a warning for each that is None. Money as decimal strings, rates as decimals.

    Net figures are the limited partners': what they paid in (fees included), what they got, and what they would
    get of the net asset value last reported. Gross figures are of the loans alone.
    """
    results, lots, capital = state.results, state.lots, state.capital
    zones = results.zones.values()
    gross = irr(results.loan_flows)
    last = capital.quarters[-1] if capital.quarters else None
    lp_nav = lp_value(state, last, waterfall) if last else 0
    net = irr(with_value(capital.lp_flows, last.day if last else state.day, lp_nav))
    paid_in, paid_out = capital.lp_contributed_cents, capital.lp_distributed_cents
    lent = sum(zone.lent_cents for zone in zones)
    returned = sum(zone.proceeds_cents + zone.interest_cents for zone in zones)
    waited = lots.waited_cent_days / lots.recycled_cents if lots.recycled_cents else None
    facilities = state.facilities
    levered = irr(_added(results.loan_flows, facilities.flows))
    without = net
    if facilities.bridged or facilities.line_costs:
        without = irr(with_value(without_line(state), last.day if last else state.day, lp_nav))
    found: dict[str, Any] = {
        "gross_irr": gross.rate,
        "gross_levered_irr": levered.rate,
        "net_irr": net.rate,
        "net_irr_without_line": without.rate,
        "irr": {
            "gross": gross.as_json(),
            "gross_levered": levered.as_json(),
            "net": net.as_json(),
            "net_without_line": without.as_json(),
        },
        "interest_paid": from_cents(sum(line.interest_paid_cents for line in facilities.by_name.values())),
        "commitment_fees_paid": from_cents(sum(line.fees_paid_cents for line in facilities.by_name.values())),
        "peak_debt": from_cents(facilities.peak_cents),
        "max_leverage_ratio": facilities.max_leverage if facilities.by_name else 0.0,
        "min_dscr": facilities.min_coverage,
        "covenant_breaches": facilities.breached,
        "tvpi": (paid_out + lp_nav) / paid_in if paid_in else None,
        "dpi": paid_out / paid_in if paid_in else None,
        "rvpi": lp_nav / paid_in if paid_in else None,
        "pic": paid_in / lp_committed_cents,
        "management_fees": from_cents(capital.paid["management"]),
        "carry": from_cents(capital.carry_cents),
        "moic": returned / lent if lent else None,
        "committed": from_cents(committed_cents),
        "contributed": from_cents(paid_in),
        "distributed": from_cents(paid_out),
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
    reasons: dict[str, str | None] = {}
    if facilities.min_coverage is None:
        reasons["min_dscr"] = "debt service coverage was never tested"
    if found["max_leverage_ratio"] is None:
        reasons["max_leverage_ratio"] = "net asset value was never above 0 at a quarter's end"
    named = (
        ("gross_irr", gross),
        ("gross_levered_irr", levered),
        ("net_irr", net),
        ("net_irr_without_line", without),
    )
    for name, found_irr in named:
        if found_irr.rate is None:
            reasons[name] = found_irr.reason()
    if not paid_in:
        reasons |= dict.fromkeys(("tvpi", "dpi", "rvpi"), "nothing was paid in")
    if not results.finished:
        held = ("gross_irr", "gross_levered_irr", "moic")
        found |= dict.fromkeys(held)
        reasons |= dict.fromkeys(held, "the run is not finished: loans are still held")
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


def _added(first: Mapping[int, int], second: Mapping[int, int]) -> dict[int, int]:
    """Cash flows by day, summed."""
    return {day: first.get(day, 0) + second.get(day, 0) for day in first.keys() | second.keys()}


def without_line(state: State) -> dict[int, int]:
    """The limited partners' cash flows as if calls had been paid when the subscription line was drawn for them.

    Contributions move to the days of the draws that they paid back, and the line's interest and fees are given back
    on the days on which they were paid: both by the limited partners' share of what was paid in.
    """
    capital, facilities = state.capital, state.facilities
    share = [capital.lp_contributed_cents, capital.gp_contributed_cents]
    flows = dict(capital.lp_flows)
    if not sum(share):
        return flows
    for drawn, paid, cents in facilities.bridged:
        lps = split_pro_rata(cents, share)[0]
        flows[paid] = flows.get(paid, 0) + lps
        flows[drawn] = flows.get(drawn, 0) - lps
    for day, cents in facilities.line_costs.items():
        flows[day] = flows.get(day, 0) + split_pro_rata(cents, share)[0]
    return flows


def lp_value(state: State, quarter: Quarter, terms: WaterfallConfig) -> int:
    """What the limited partners would get of a quarter's net asset value by the whole-fund waterfall, in cents."""
    capital = state.capital
    paid_in = [quarter.lp_contributed_cents, quarter.contributed_cents - quarter.lp_contributed_cents]
    if not sum(paid_in):
        return 0
    lps = split_pro_rata(abs(quarter.nav_cents), paid_in)[0]
    if quarter.nav_cents <= 0:
        return -lps
    flows_in, flows_out = capital.lp_paid_in[: quarter.flows_in], capital.lp_paid_out[: quarter.flows_out]
    flows_in = flows_in + moved_to_draws(state, terms, quarter.day)
    account = account_of(flows_in, flows_out, quarter.carry_cents, quarter.day, terms.hurdle)
    return distribute(lps, account, catch_up=terms.catch_up, carry=terms.carry).to_lps


def by_quarter(state: State, committed_cents: int, waterfall: WaterfallConfig) -> list[dict[str, Any]]:
    """Net figures at each quarter's end: money as decimal strings, multiples and rates as decimals or None.

    ``return`` is the quarter's net asset value plus what went out less what came in, over the value it began with.
    """
    rows = []
    before: Quarter | None = None
    for quarter in state.capital.quarters:
        lp_nav = lp_value(state, quarter, waterfall)
        paid_in, paid_out = quarter.lp_contributed_cents, quarter.lp_distributed_cents
        earned = None
        if before is not None and before.nav_cents > 0:
            flows = quarter.distributed_cents - before.distributed_cents
            flows -= quarter.contributed_cents - before.contributed_cents
            earned = (quarter.nav_cents + flows) / before.nav_cents - 1
        rate = irr(with_value(state.capital.lp_flows, quarter.day, lp_nav))
        rows.append(
            {
                "day": quarter.day,
                "nav": from_cents(quarter.nav_cents),
                "lp_nav": from_cents(lp_nav),
                "contributed": from_cents(paid_in),
                "distributed": from_cents(paid_out),
                "tvpi": (paid_out + lp_nav) / paid_in if paid_in else None,
                "dpi": paid_out / paid_in if paid_in else None,
                "rvpi": lp_nav / paid_in if paid_in else None,
                "pic": paid_in / committed_cents,
                "net_irr": rate.rate,
                "irr_status": rate.status,
                "return": earned,
            }
        )
        before = quarter
    return rows


RISK_FREE = 0.02
"""Annual rate that the Sharpe ratio subtracts."""


def nav_risk(quarters: list[dict[str, Any]]) -> dict[str, float | None]:
    """Volatility, Sharpe ratio and largest drawdown of the quarterly returns on net asset value.

    Volatility is the sample standard deviation × √4; Sharpe is (mean − RISK_FREE/4) / standard deviation × √4; the
    drawdown is of the compounded returns, starting value included. None with fewer than two returns (Sharpe: or
    where they do not vary).
    """
    returns = [row["return"] for row in quarters if row["return"] is not None]
    if len(returns) < 2:
        return {"volatility": None, "sharpe": None, "max_drawdown": None}
    deviation = statistics.stdev(returns)
    value = peak = 1.0
    drawdown = 0.0
    for earned in returns:
        value *= 1 + earned
        peak = max(peak, value)
        drawdown = max(drawdown, 1 - value / peak)
    sharpe = (statistics.fmean(returns) - RISK_FREE / 4) / deviation * 2 if deviation > 0 else None
    return {"volatility": deviation * 2, "sharpe": sharpe, "max_drawdown": drawdown}


def with_value(flows: Mapping[int, int], day: int, cents: int) -> dict[int, int]:
    """Cash flows up to a day, with a value that is held at its end."""
    until = {when: flow for when, flow in flows.items() if when <= day}
    until[day] = until.get(day, 0) + cents
    return until


ORDER = (
    "net_irr", "gross_irr", "gross_levered_irr", "tvpi", "dpi", "rvpi", "pic", "moic", "net_irr_without_line",
    "committed", "contributed", "distributed", "nav", "loans_originated", "loans_exited", "loans_defaulted",
    "reinvested", "reinvestment_count", "mean_days_to_reinvest", "idle_dollar_days", "interest_paid",
    "commitment_fees_paid", "peak_debt", "max_leverage_ratio", "min_dscr", "covenant_breaches", "management_fees",
    "carry", "irr", "zones",
)  # fmt: skip
"""All metrics, in the order in which they are shown."""
