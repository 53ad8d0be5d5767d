"""What capital allocation did in a run: its checks and triggers, and its figure, as data."""

from typing import Any

from events.facts import AllocationOptimized, RebalanceTriggered
from events.record import Record
from events.units import from_cents
from scenarios.charts import Chart, Series, Threshold
from scenarios.manifest import calendar_of
from scenarios.problems import InvalidInput, Problem
from scenarios.run import Run

CONDITIONS = ("breaker.tripped/1", "breaker.reset/1", "volatility_state.changed/1", "transaction_cost.changed/1")


def _checks(run: Run) -> list[Record]:
    """The allocation checks. Raises InvalidInput where there are none."""
    if not run.manifest.scenario.get("capital_allocation"):
        raise InvalidInput([Problem("capital_allocation", "is not enabled in this run")])
    return list(run.log.read(kinds=["allocation.optimized/1"]))


def allocation_drift(run: Run) -> Chart:
    """Each zone's share and its target at each check, and the largest drift beside the threshold."""
    checks, calendar = _checks(run), calendar_of(run.manifest)
    dates, seqs = [calendar.date(record.day).isoformat() for record in checks], [[record.seq] for record in checks]
    series = []
    for zone in run.state.book.zones:
        lent = [record.payload.capital_cents > 0 and any(record.payload.current.values()) for record in checks]
        shares = [record.payload.current[zone] if there else None for record, there in zip(checks, lent, strict=True)]
        series.append(Series(f"{zone} share", "share", dates, shares, seqs, "line"))
        aims = [record.payload.weights[zone] for record in checks]
        series.append(Series(f"{zone} target", "share", dates, [*aims], seqs, "step"))
    worst = [record.payload.max_drift for record in checks]
    series.append(Series("largest drift", "share", dates, [*worst], seqs, "bar"))
    config: Any = run.manifest.scenario["capital_allocation"]
    limit = Threshold("threshold", "share", dates[:1], [config["rebalance_threshold"]] if dates else [])
    return Chart("allocation_drift", "Allocation and drift", "date", series, [limit])


def allocation_report(run: Run) -> dict[str, Any]:
    """Checks, triggers, conditions of the market and the figure. Raises InvalidInput where nothing allocates."""
    checks, calendar = _checks(run), calendar_of(run.manifest)

    def date(record: Record) -> str:
        return calendar.date(record.day).isoformat()

    triggers = {record.day: record for record in run.log.read(kinds=["rebalance.triggered/1"])}
    rows = []
    for record in checks:
        fact: AllocationOptimized = record.payload
        trigger = triggers.get(record.day)
        rows.append(
            {
                "seq": record.seq,
                "date": date(record),
                **fact.model_dump(exclude={"kind", "capital_cents"}, mode="json"),
                "capital": from_cents(fact.capital_cents),
                "rebalance": None if trigger is None else _orders(trigger.payload),
            }
        )
    return {
        "checks": rows,
        "conditions": [
            {"seq": record.seq, "date": date(record), **record.payload.model_dump(mode="json")}
            for record in run.log.read(kinds=CONDITIONS)
        ],
        "visualization": {"charts": {"allocation_drift": allocation_drift(run).as_json()}},
    }


def _orders(fact: RebalanceTriggered) -> dict[str, Any]:
    return {
        "orders": [
            {"zone": zone, "action": action, "amount": from_cents(cents), "priority": priority}
            for zone, action, cents, priority in fact.orders
        ],
        "dropped": fact.dropped,
        "net": from_cents(fact.net_cents),
    }


CHARTS = {"allocation_drift": allocation_drift}
"""Charts by name."""
