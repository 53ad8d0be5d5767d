"""Documents that commands print: resolved scenarios, the starter, the state of a replay."""

import io
from typing import Any

from events.dates import Calendar
from events.state import State
from events.units import from_cents
from scenarios.schema import ScenarioConfig

STARTER = """\
# A fund to start from. What is left out has its default: see `fundclock explain base`.
name: my-fund
description: What this fund is for.

fund:
  size: 50m
  start_date: 2026-01-01
  term_years: 8
  reinvestment_period_years: 4

zones:
  green: {target_allocation: 50%, appreciation: 6%}
  orange: {target_allocation: 30%, appreciation: 5%}
  red: {target_allocation: 20%, appreciation: 4%}

reinvestment_engine:
  reinvestment_delay: 1            # months from an exit until its cash may be lent again
  reinvestment_frequency: quarterly
  min_reinvestment_amount: 250k

script:
  - {at: 2028-03-31, do: {shock_price: {zone: red, change: -15%}}}
"""


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


def resolved_yaml(config: ScenarioConfig) -> str:
    """A scenario with all its keys; what differs from the default has the default beside it."""
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap

    def build(values: dict[str, Any], defaults: Any) -> CommentedMap:
        made = CommentedMap()
        for key, value in values.items():
            default = defaults.get(key) if isinstance(defaults, dict) else None
            if isinstance(value, dict) and value:
                made[key] = build(value, default)
                continue
            made[key] = value
            if isinstance(defaults, dict) and key in defaults and default != value and key != "script":
                made.yaml_add_eol_comment(f"default: {default}", key)
        return made

    out = io.StringIO()
    yaml = YAML()
    yaml.width = 160
    yaml.dump(build(config.model_dump(mode="json"), ScenarioConfig().model_dump(mode="json")), out)
    return out.getvalue()
