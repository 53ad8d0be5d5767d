"""A replayed state as JSON values."""

from typing import Any

from fundclock.events.dates import Calendar
from fundclock.events.state import State
from fundclock.events.units import from_cents


def replay_summary(run: str, state: State, calendar: Calendar, until: int | None) -> dict[str, Any]:
    """What ``replay --json`` prints; ``until`` is the day that was asked for."""
    day = state.day if until is None or state.results.finished else until
    ledger = state.ledger
    return {
        "schema": "fundclock.replay/1",
        "run": run,
        "state_digest": state.digest(),
        "seq": state.seq,
        "day": day,
        "date": calendar.date(day).isoformat(),
        "cash": from_cents(ledger.cash_cents),
        "reserve": from_cents(ledger.reserve_cents),
        "nav": from_cents(ledger.nav_cents()),
        "loans": {
            "originated": len(state.book),
            "performing": state.book.performing,
            "in_recovery": state.book.in_recovery,
        },
        "facilities": {
            name: {
                "status": line.status,
                "balance": from_cents(line.balance_cents),
                "commitment": from_cents(line.commitment_cents),
                "undrawn": from_cents(line.undrawn_cents),
                "owed": from_cents(line.owed_cents),
                "maturity_date": calendar.date(line.maturity_day).isoformat(),
                "breaches": sorted(line.breaches),
            }
            for name, line in state.facilities.by_name.items()
        },
        "pending_commands": len(state.agenda.pending),
        "ledger": {account: from_cents(cents) for account, cents in sorted(ledger.balances.items())},
    }
