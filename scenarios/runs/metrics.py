"""The metrics of a run, from its folded state. An undefined metric is None, with a reason."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fundclock.events.results import as_json
from fundclock.events.state import State
from fundclock.events.state.capital import Quarter
from fundclock.events.units import split_pro_rata
from fundclock.handlers.fund.waterfall import account_of, distribute, moved_to_draws
from fundclock.handlers.settings.fund import WaterfallConfig
from fundclock.scenarios.runs.returns import Irr, irr


@dataclass(frozen=True)
class IrrMetrics:
    """Internal rates of return in full: rate, status, number of roots."""

    gross: Irr
    gross_levered: Irr
    net: Irr
    net_without_line: Irr


@dataclass(frozen=True)
class ZoneMetrics:
    """The loans of a zone."""

    originated: int
    exited: int
    defaulted: int
    proceeds_cents: int
    """What exits and recoveries have paid."""
    gain_cents: int
    """Proceeds less the cost of the loans that have paid them."""
    return_: float | None
    """The gain over that cost; None where no loan has paid off."""


@dataclass(frozen=True)
class Metrics:
    """The metrics of a run. Rates are annual decimals, multiples ratios; None means undefined.

    Net metrics are the limited partners': their contributions (fees included), their distributions, and what they
    would receive of the net asset value last reported. Gross metrics are of the loans alone.
    """

    net_irr: float | None
    gross_irr: float | None
    """Of the loans' cash flows, unlevered, before fees."""
    gross_levered_irr: float | None
    """With the facilities' cash flows."""
    tvpi: float | None
    """What the partners got, and the value that is left, over what they paid in."""
    dpi: float | None
    rvpi: float | None
    pic: float
    """Paid in over committed."""
    moic: float | None
    """What loans returned over what was lent."""
    net_irr_without_line: float | None
    """As if calls had been paid when the subscription line was drawn for them."""
    committed_cents: int
    """All partners' commitments."""
    contributed_cents: int
    distributed_cents: int
    nav_cents: int
    """Net asset value at the end of the log."""
    loans_originated: int
    loans_exited: int
    loans_defaulted: int
    reinvested_cents: int
    reinvestment_count: int
    mean_days_to_reinvest: float | None
    """Days from the receipt of a cent until it was lent again, weighted by cents."""
    idle_dollar_days_cents: int
    """Sum over nights of cash and reserve, in cent-days."""
    interest_paid_cents: int
    """To lenders."""
    commitment_fees_paid_cents: int
    """All fees of facilities."""
    peak_debt_cents: int
    max_leverage_ratio: float | None
    """The largest debt over net asset value at a quarter's end."""
    min_dscr: float | None
    """The lowest debt service coverage ratio that was tested."""
    covenant_breaches: int
    management_fees_cents: int
    """What was paid of them."""
    carry_cents: int
    """Paid to the general partner, less what was returned."""
    irr: IrrMetrics
    zones: dict[str, ZoneMetrics]

    def as_json(self) -> dict[str, Any]:
        """The metrics by name, money as decimal strings; what ``run --json`` prints."""
        return as_json(self)


def metrics(
    state: State, committed_cents: int, lp_committed_cents: int, waterfall: WaterfallConfig
) -> tuple[Metrics, list[str]]:
    """The metrics of a folded state, and a warning for each that is None.

    While loans are still held, gross metrics are None: their cash flows have no terminal value.
    """
    results, lots, capital, facilities = state.results, state.lots, state.capital, state.facilities
    zones, lines, finished = results.zones.values(), facilities.by_name.values(), results.finished
    last = capital.quarters[-1] if capital.quarters else None
    ends = last.day if last else state.day
    lp_nav = lp_value(state, last, waterfall) if last else 0
    net = irr(with_value(capital.lp_flows, ends, lp_nav))
    bridged = facilities.bridged or facilities.line_costs
    without = irr(with_value(without_line(state), ends, lp_nav)) if bridged else net
    found = IrrMetrics(irr(results.loan_flows), irr(_added(results.loan_flows, facilities.flows)), net, without)
    paid_in, paid_out = capital.lp_contributed_cents, capital.lp_distributed_cents
    lent = sum(zone.lent_cents for zone in zones)
    returned = sum(zone.proceeds_cents + zone.interest_cents for zone in zones)
    made = Metrics(
        net_irr=net.rate,
        gross_irr=found.gross.rate if finished else None,
        gross_levered_irr=found.gross_levered.rate if finished else None,
        tvpi=(paid_out + lp_nav) / paid_in if paid_in else None,
        dpi=paid_out / paid_in if paid_in else None,
        rvpi=lp_nav / paid_in if paid_in else None,
        pic=paid_in / lp_committed_cents,
        moic=returned / lent if lent and finished else None,
        net_irr_without_line=without.rate,
        committed_cents=committed_cents,
        contributed_cents=paid_in,
        distributed_cents=paid_out,
        nav_cents=state.ledger.nav_cents(),
        loans_originated=sum(zone.originated for zone in zones),
        loans_exited=sum(zone.exited for zone in zones),
        loans_defaulted=sum(zone.defaulted for zone in zones),
        reinvested_cents=lots.reinvested_cents,
        reinvestment_count=lots.reinvestments,
        mean_days_to_reinvest=lots.waited_cent_days / lots.recycled_cents if lots.recycled_cents else None,
        idle_dollar_days_cents=state.ledger.cent_days(state.day),
        interest_paid_cents=sum(line.interest_paid_cents for line in lines),
        commitment_fees_paid_cents=sum(line.fees_paid_cents for line in lines),
        peak_debt_cents=facilities.peak_cents,
        max_leverage_ratio=facilities.max_leverage if facilities.by_name else 0.0,
        min_dscr=facilities.min_coverage,
        covenant_breaches=facilities.breached,
        management_fees_cents=capital.paid["management"],
        carry_cents=capital.carry_cents,
        irr=found,
        zones={
            name: ZoneMetrics(
                originated=zone.originated,
                exited=zone.exited,
                defaulted=zone.defaulted,
                proceeds_cents=zone.proceeds_cents,
                gain_cents=zone.proceeds_cents - zone.cost_cents,
                return_=(zone.proceeds_cents - zone.cost_cents) / zone.cost_cents if zone.cost_cents else None,
            )
            for name, zone in results.zones.items()
        },
    )
    return made, _warnings(made, bool(lent), finished)


def _warnings(made: Metrics, lent: bool, finished: bool) -> list[str]:
    """Why figures are None, those that are."""
    held = None if finished else "the run is not finished: loans are still held"
    reasons = {
        "min_dscr": "debt service coverage was never tested",
        "max_leverage_ratio": "net asset value was never above 0 at a quarter's end",
        "gross_irr": held or made.irr.gross.reason(),
        "gross_levered_irr": held or made.irr.gross_levered.reason(),
        "net_irr": made.irr.net.reason(),
        "net_irr_without_line": made.irr.net_without_line.reason(),
        "moic": held if lent else "no loan was made",
        **dict.fromkeys(("tvpi", "dpi", "rvpi"), "nothing was paid in"),
        "mean_days_to_reinvest": "nothing was reinvested",
    }
    warnings = [f"{name} is null: {reasons[name]}" for name in sorted(reasons) if getattr(made, name) is None]
    unpaid = [name for name, zone in made.zones.items() if zone.return_ is None]
    return warnings + [f"zones.{name}.return is null: no loan has paid off" for name in unpaid]


def _added(first: Mapping[int, int], second: Mapping[int, int]) -> dict[int, int]:
    """Cash flows by day, summed."""
    return {day: first.get(day, 0) + second.get(day, 0) for day in first.keys() | second.keys()}


def without_line(state: State) -> dict[int, int]:
    """The limited partners' cash flows as if calls had been paid when the subscription line was drawn for them.

    Contributions move to the days of the draws that they repaid, and the line's interest and fees are added back on
    the days on which they were paid, both in proportion to the limited partners' share of contributions.
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
    """The limited partners' part of a quarter's net asset value under the whole-fund waterfall, in cents."""
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


@dataclass(frozen=True)
class QuarterMetrics:
    """Net metrics at a quarter-end, since the fund's start; rates and multiples are None where undefined."""

    day: int
    nav_cents: int
    lp_nav_cents: int
    """What the limited partners would get of the net asset value."""
    contributed_cents: int
    distributed_cents: int
    tvpi: float | None
    dpi: float | None
    rvpi: float | None
    pic: float
    net_irr: float | None
    irr_status: str
    return_: float | None
    """Net asset value plus what went out less what came in, over the value that the quarter began with, less 1."""

    def as_json(self) -> dict[str, Any]:
        """The metrics by name, money as decimal strings."""
        return as_json(self)


def by_quarter(state: State, committed_cents: int, waterfall: WaterfallConfig) -> list[QuarterMetrics]:
    """Net metrics at the end of each quarter; ``committed_cents`` are the limited partners' commitments."""
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
            QuarterMetrics(
                day=quarter.day,
                nav_cents=quarter.nav_cents,
                lp_nav_cents=lp_nav,
                contributed_cents=paid_in,
                distributed_cents=paid_out,
                tvpi=(paid_out + lp_nav) / paid_in if paid_in else None,
                dpi=paid_out / paid_in if paid_in else None,
                rvpi=lp_nav / paid_in if paid_in else None,
                pic=paid_in / committed_cents,
                net_irr=rate.rate,
                irr_status=rate.status,
                return_=earned,
            )
        )
        before = quarter
    return rows


RISK_FREE = 0.02
"""Annual rate that the Sharpe ratio subtracts."""


@dataclass(frozen=True)
class NavRisk:
    """Risk of the quarterly returns on net asset value, as decimals; None with fewer than two returns."""

    volatility: float | None
    """A year's: the sample standard deviation of a quarter × √4."""
    sharpe: float | None
    """A year's: (mean − RISK_FREE/4) / standard deviation × √4; None where returns do not vary."""
    max_drawdown: float | None
    """The largest fall of the compounded returns from a peak, the starting value included."""


def nav_risk(quarterly: Sequence[float | None]) -> NavRisk:
    """Volatility, Sharpe ratio and largest drawdown of quarterly returns; those that are None are left out."""
    returns = [earned for earned in quarterly if earned is not None]
    if len(returns) < 2:
        return NavRisk(None, None, None)
    deviation = statistics.stdev(returns)
    value = peak = 1.0
    drawdown = 0.0
    for earned in returns:
        value *= 1 + earned
        peak = max(peak, value)
        drawdown = max(drawdown, 1 - value / peak)
    sharpe = (statistics.fmean(returns) - RISK_FREE / 4) / deviation * 2 if deviation > 0 else None
    return NavRisk(deviation * 2, sharpe, drawdown)


def with_value(flows: Mapping[int, int], day: int, cents: int) -> dict[int, int]:
    """Cash flows up to a day, with a value that is held at its end."""
    until = {when: flow for when, flow in flows.items() if when <= day}
    until[day] = until.get(day, 0) + cents
    return until
