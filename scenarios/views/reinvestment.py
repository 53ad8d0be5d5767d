"""What reinvestment did in a run: its events, statistics and risk, from the log alone.

Money is in decimal strings, shares and rates are decimals, times are in days unless the name says otherwise. What is
undefined is None.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from fundclock.events.dates import Calendar
from fundclock.events.day_counts import YEAR
from fundclock.events.facts import CapitalReinvested, LoanExited, LoanRecovered
from fundclock.events.units import from_cents, to_cents
from fundclock.scenarios.runs.recorded import RecordedRun
from fundclock.scenarios.views.cash_flows import Period, period_of
from fundclock.scenarios.views.reinvestment_history import Event, History, read_history

PERIODS: dict[str, Period] = {"monthly": "month", "quarterly": "quarter", "annual": "year"}
"""The bucket of each ``reinvestment_tracking_granularity``."""


def years_and_months(calendar: Calendar, day: int) -> tuple[float, int]:
    """Years since the start as a decimal, in whole months, and the months after the last whole year."""
    months = calendar.months_since_start(day)
    return round(months / 12, 4), months % 12


def event_rows(history: History) -> list[dict[str, Any]]:
    """One row per reinvestment; ``year`` and ``month`` count from the fund's start, as for a manual reinvestment."""
    rows = []
    for number, event in enumerate(history.events, 1):
        fact, when = event.fact, history.date(event.record.day)
        year, month = years_and_months(history.calendar, event.record.day)
        rows.append(
            {
                "event_id": f"reinvestment-{number}",
                "seq": event.record.seq,
                "timestamp": when.isoformat(),
                "year": year,
                "month": month,
                "amount": from_cents(fact.amount_cents),
                "source": max(fact.by_source, key=lambda name: (fact.by_source[name], name)),
                "source_details": {
                    **fact.details,
                    **{name: from_cents(cents) for name, cents in fact.by_source.items()},
                },
                "details": fact.details,
                "trigger": fact.trigger,
                "strategy_used": fact.strategy,
                "offered": from_cents(fact.offered_cents),
                "carried": from_cents(fact.carried_cents),
                "target_allocations": fact.target,
                "actual_allocations": fact.actual,
                "num_loans_generated": fact.loans,
                "loan_ids": fact.loan_ids,
                "performance_adjustments": event.adjustments,
                "cash_reserve_before": from_cents(event.reserve_before),
                "cash_reserve_after": from_cents(event.reserve_after),
                "lots": [{"seq": seq, "amount": from_cents(cents)} for seq, cents in fact.lots],
            }
        )
    return rows


def calculate_reinvestment_statistics(run: RecordedRun) -> dict[str, Any]:
    """The summary of a run's reinvestment; see docs/reinvestment.md for each field."""
    return summary_of(read_history(run))


def summary_of(history: History) -> dict[str, Any]:
    """The statistics of what a pass has found."""
    facts = [event.fact for event in history.events]
    total = sum(fact.amount_cents for fact in facts)
    zones, by_strategy, by_source = Counter[str](), Counter[str](), Counter[str]()
    for fact in facts:
        by_strategy[fact.strategy] += fact.amount_cents
        by_source.update(fact.by_source)
        zones.update(by_zone(fact))
    years = buckets(history, "year")
    return {
        "total_reinvested": from_cents(total),
        "num_reinvestment_events": len(facts),
        "avg_reinvestment_amount": from_cents(round(total / len(facts))) if facts else None,
        "num_reinvestment_loans": sum(fact.loans for fact in facts),
        "reinvestment_by_year": {name: from_cents(amount_of(events)) for name, events in years.items()},
        "reinvestment_by_period": [
            {
                "period": name,
                "amount": from_cents(amount_of(events)),
                "events": len(events),
                "loans": sum(event.fact.loans for event in events),
            }
            for name, events in buckets(history, PERIODS[history.engine.reinvestment_tracking_granularity]).items()
        ],
        "reinvestment_by_zone": {zone: from_cents(zones[zone]) for zone in history.zones},
        "reinvestment_by_strategy": _money(by_strategy),
        "reinvestment_by_source": _money(by_source),
        "reinvestment_efficiency": _efficiency(history, total),
        "reinvestment_performance": _performance(history.paid_off),
        "reinvestment_timing": _timing(history),
        "declined": _declined(history),
        "declined_by_hand": [
            {
                "seq": record.seq,
                "date": history.date(record.day).isoformat(),
                "reason": record.payload.reason,
                "amount": from_cents(record.payload.amount_cents),
                "available": _or_none(record.payload.available_cents),
                "shortfall": _or_none(record.payload.shortfall_cents),
            }
            for record in history.declined
            if record.payload.trigger == "manual"
        ],
        "cash_reserve_history": [
            {
                "seq": moved.record.seq,
                "date": history.date(moved.record.day).isoformat(),
                "what": moved.what,
                "change": from_cents(moved.change),
                "balance": from_cents(moved.cents),
            }
            for moved in history.reserve
        ],
        "cash_reserve_metrics": _reserve_metrics(history),
        "allocation_comparison": comparison_rows(history),
    }


def comparison_rows(history: History) -> list[dict[str, Any]]:
    """Target, actual and gap by event and zone."""
    return [
        {
            "event_id": row["event_id"],
            "seq": row["seq"],
            "year": row["year"],
            "zone": zone,
            "target": event.fact.target[zone],
            "actual": event.fact.actual[zone],
            "gap": event.fact.gap[zone],
        }
        for row, event in zip(event_rows(history), history.events, strict=True)
        for zone in history.zones
    ]


def reinvestment_risk(run: RecordedRun) -> dict[str, Any]:
    """Risk before and after each reinvestment, what each changed, and the change over the run.

    ``trend`` is from before the first to after the last; ``by_reinvestment`` is the part of it due to
    reinvestments; the rest came from exits, prices and time.
    """
    return risk_of_events(read_history(run))


def risk_of_events(history: History) -> dict[str, Any]:
    """The risk of what a pass has found."""
    rows = []
    for number, event in enumerate(history.events, 1):
        if event.risk is not None:
            rows.append(
                {
                    "event_id": f"reinvestment-{number}",
                    "seq": event.risk.seq,
                    "timestamp": history.date(event.risk.day).isoformat(),
                    **event.risk.payload.model_dump(exclude={"kind"}),
                }
            )
    first = next((row["before"] or row["after"] for row in rows), None)
    last = rows[-1]["after"] if rows else None
    trend = {name: last[name] - value for name, value in first.items()} if first and last else None
    changes = [row["change"] for row in rows if row["change"] is not None]
    by_reinvestment = {name: sum(change[name] for change in changes) for name in last} if last else None
    return {"events": rows, "latest": last, "trend": trend, "by_reinvestment": by_reinvestment}


def by_zone(fact: CapitalReinvested) -> dict[str, int]:
    """Cents that each zone got of a reinvestment."""
    return {zone: round(share * fact.amount_cents) for zone, share in fact.actual.items()}


def amount_of(events: Iterable[Event]) -> int:
    """Cents that these reinvestments lent."""
    return sum(event.fact.amount_cents for event in events)


def _money(sums: Counter[str]) -> dict[str, str]:
    return {name: from_cents(sums[name]) for name in sorted(sums)}


def buckets(history: History, by: Period) -> dict[str, list[Event]]:
    """Events by period; periods without any, between the first and the last, are there and empty."""
    if not history.events:
        return {}
    days = [event.record.day for event in history.events]
    names: dict[str, list[Event]] = {}
    for day in [*history.calendar.period_ends("monthly", days[0], days[-1]), days[-1]]:
        names.setdefault(period_of(history.calendar, day, by), [])
    for event in history.events:
        names[period_of(history.calendar, event.record.day, by)].append(event)
    return names


def _or_none(cents: int | None) -> str | None:
    return None if cents is None else from_cents(cents)


def _efficiency(history: History, total: int) -> dict[str, Any]:
    """Ratio: lent again over what came in. Impact: lent again over all that was lent. Time: days, by amount."""
    lent = [
        (cents, event.record.day - history.received[seq])
        for event in history.events
        for seq, cents in event.fact.lots
        if seq in history.received  # not what was called into the reserve
    ]
    recycled = sum(cents for cents, _ in lent)
    return {
        "reinvestment_ratio": recycled / history.proceeds_cents if history.proceeds_cents else None,
        "avg_time_to_reinvest": sum(cents * days for cents, days in lent) / recycled if recycled else None,
        "reinvestment_portfolio_impact": total / history.lent_cents if history.lent_cents else None,
    }


def _performance(paid_off: list[LoanExited | LoanRecovered]) -> dict[str, Any]:
    """Of reinvested loans that have paid off: gain over cost, mean years held by cost, kinds of exit by number."""
    cost = sum(fact.principal_cents for fact in paid_off)
    if not cost:
        return {"roi": None, "avg_hold_period": None, "exit_type_distribution": {}}
    got = sum(fact.proceeds_cents + fact.coupons_cents for fact in paid_off)
    held = sum(fact.principal_cents * fact.held_days for fact in paid_off)
    kinds = Counter(fact.exit_kind for fact in paid_off)
    return {
        "roi": (got - cost) / cost,
        "avg_hold_period": held / cost / YEAR,
        "exit_type_distribution": {kind: kinds[kind] / len(paid_off) for kind in sorted(kinds)},
    }


def _timing(history: History) -> dict[str, dict[str, str]]:
    """What was reinvested in each quarter of each calendar year."""
    years: dict[str, dict[str, int]] = {}
    for event in history.events:
        when = history.date(event.record.day)
        quarters = years.setdefault(str(when.year), dict.fromkeys(("q1", "q2", "q3", "q4"), 0))
        quarters[f"q{(when.month + 2) // 3}"] += event.fact.amount_cents
    return {year: {name: from_cents(cents) for name, cents in row.items()} for year, row in years.items()}


def _declined(history: History) -> dict[str, dict[str, Any]]:
    """How often a check or a lot was declined, by reason, and over what amounts (the same cash may count again)."""
    times, cents = Counter[str](), Counter[str]()
    for record in history.declined:
        times[record.payload.reason] += 1
        cents[record.payload.reason] += record.payload.amount_cents
    return {reason: {"times": times[reason], "amount": from_cents(cents[reason])} for reason in sorted(times)}


def reserve_by_day(history: History) -> dict[int, tuple[int, list[int]]]:
    """The reserve's balance at the end of each day on which it moved, and the seqs of that day's movements."""
    days: dict[int, tuple[int, list[int]]] = {}
    for moved in history.reserve:
        _, seqs = days.get(moved.record.day, (0, []))
        days[moved.record.day] = (moved.cents, [*seqs, moved.record.seq])
    return days


def _reserve_metrics(history: History) -> dict[str, Any]:
    """The band as it stood last, balances at days' ends from the first filling to the period's end, movements."""
    end = history.last_day if history.period_end is None else history.period_end
    days = {day: cents for day, (cents, _) in reserve_by_day(history).items()}
    area = sum(cents * (until - day) for (day, cents), until in zip(days.items(), [*days, end][1:], strict=True))
    sums = Counter[str]()
    for moved in history.reserve:
        sums[moved.what] += abs(moved.change)
    open_days = end - next(iter(days)) if days else 0
    engine = history.engine
    band = {name: history.fund.size * getattr(engine, f"cash_reserve_{name}") for name in ("target", "min", "max")}
    return {
        "enabled": engine.enable_cash_reserve,
        **{name: from_cents(to_cents(level)) for name, level in band.items()},
        "average": from_cents(round(area / open_days)) if open_days > 0 else None,
        "peak": from_cents(max(days.values(), default=0)),
        "movements": _money(sums),
    }
