"""The ledger: balances by account, and how long cash lay idle."""

from collections import defaultdict
from typing import Any

from fundclock.events.facts import CashInterestReceived
from fundclock.events.postings import CASH, POSTINGS, RESERVE
from fundclock.events.record import Fact, Record
from fundclock.events.state.folding import InvariantError, Mutator


class CashLedger:
    """Account balances in cents (debits above zero) and the integral of idle cash over nights."""

    def __init__(self) -> None:
        self.balances: defaultdict[str, int] = defaultdict(int)
        self.idle_cents = 0
        self.idle_steps: list[tuple[int, int]] = []
        self._cent_days = 0
        self._since = 0

    def on(self) -> dict[type[Fact], Mutator]:
        """Which facts change it, and how."""
        return {**dict.fromkeys(POSTINGS, self._post), CashInterestReceived: self._post_interest}

    @property
    def cash_cents(self) -> int:
        """Cash, the reserve not included."""
        return self.balances[CASH]

    @property
    def reserve_cents(self) -> int:
        """Cash held in the reserve."""
        return self.balances.get(RESERVE, 0)

    def nav_cents(self) -> int:
        """Assets at the last valuation less liabilities."""
        return sum(cents for account, cents in self.balances.items() if account.startswith(("Assets:", "Liabilities:")))

    def cent_days(self, day: int) -> int:
        """Sum over the nights before ``day`` of end-of-day cash and reserve, in cents × days."""
        return self._cent_days + self.idle_cents * (day - self._since)

    def _post(self, record: Record, fact: Any) -> None:
        balances = self.balances
        total = 0
        for account, cents in POSTINGS[type(fact)](fact):
            total += cents
            balances[account] += cents
        if total:
            raise InvariantError(f"the legs of {fact.kind} at seq {record.seq} sum to {total} cents, not to 0")
        cash, reserve = balances[CASH], balances.get(RESERVE, 0)
        if cash < 0 or reserve < 0:
            raise InvariantError(f"{fact.kind} at seq {record.seq} leaves cash {cash} and reserve {reserve} cents")
        if cash + reserve != self.idle_cents:
            self._move(record.day, cash + reserve)

    def _post_interest(self, record: Record, fact: CashInterestReceived) -> None:
        self._post(record, fact)
        self.idle_steps = [(record.day, self.idle_cents)]

    def _move(self, day: int, idle_cents: int) -> None:
        self._cent_days += self.idle_cents * (day - self._since)
        self._since = day
        self.idle_cents = idle_cents
        if self.idle_steps and self.idle_steps[-1][0] == day:
            self.idle_steps.pop()
        self.idle_steps.append((day, idle_cents))

    def summary(self) -> dict[str, Any]:
        """Balances by account, sorted by name."""
        return {
            "balances": {account: cents for account, cents in sorted(self.balances.items()) if cents},
            "cent_days": self._cent_days,
            "since": self._since,
        }
