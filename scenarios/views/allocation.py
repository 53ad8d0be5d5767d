"""What capital allocation did in a run: its checks and triggers, and the conditions of the market, from the log."""

from typing import Any

from fundclock.events.facts import AllocationOptimized, RebalanceTriggered
from fundclock.events.record import Record
from fundclock.events.units import from_cents
from fundclock.scenarios.files.problems import InvalidInput, Problem
from fundclock.scenarios.runs.manifest import calendar_of
from fundclock.scenarios.runs.recorded import RecordedRun

CONDITIONS = ("breaker.tripped/1", "breaker.reset/1", "volatility_state.changed/1", "transaction_cost.changed/1")


def allocation_checks(run: RecordedRun) -> list[Record]:
    """The allocation checks. Raises InvalidInput where there are none."""
    if not run.manifest.scenario.get("capital_allocation"):
        raise InvalidInput([Problem("capital_allocation", "is not enabled in this run")])
    return list(run.log.read(kinds=["allocation.optimized/1"]))


def allocation_rows(run: RecordedRun) -> dict[str, Any]:
    """Checks, triggers and conditions of the market. Raises InvalidInput where nothing allocates."""
    checks, calendar = allocation_checks(run), calendar_of(run.manifest)

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
