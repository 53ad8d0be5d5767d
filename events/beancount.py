"""The ledger for plain-text accounting: a journal in beancount's syntax, with its balances asserted at the end."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from fundclock.events.dates import Calendar
from fundclock.events.postings import POSTINGS
from fundclock.events.record import Record
from fundclock.events.units import from_cents

FIXED_LINES = 2
"""Lines of a transaction before its postings."""


def to_beancount(records: Iterable[Record], calendar: Calendar, currency: str, title: str) -> Iterator[bytes]:
    """A transaction for each record that moves money; accounts open on the first day, balances close the journal."""
    yield f'option "title" "{title}"\noption "operating_currency" "{currency}"\n'.encode()
    balances: dict[str, int] = {}
    body: list[str] = []
    last = 0
    for record in records:
        last = record.day
        posting = POSTINGS.get(type(record.payload))
        if posting is None:
            continue
        legs = posting(record.payload)
        lines = [f'{calendar.date(record.day)} * "{record.kind}" "{_narration(record)}"', f"  seq: {record.seq}"]
        for account, cents in legs:
            balances[account] = balances.get(account, 0) + cents
            if cents:
                lines.append(f"  {account}  {from_cents(cents)} {currency}")
        if len(lines) > FIXED_LINES:
            body.append("\n".join(lines))
    opened = "\n".join(f"{calendar.date(0)} open {account} {currency}" for account in sorted(balances))
    yield f"\n{opened}\n\n".encode()
    for transaction in body:
        yield f"{transaction}\n\n".encode()
    end = calendar.date(last) + timedelta(days=1)
    for account, cents in sorted(balances.items()):
        yield f"{end} balance {account}  {from_cents(cents)} ~ 0 {currency}\n".encode()


def _narration(record: Record) -> str:
    """What the transaction is about: a loan, or the purpose of a call."""
    fields = record.payload.model_fields_set
    for name in ("loan_id", "purpose", "fee"):
        if name in fields:
            return str(record.payload[name]).replace('"', "'")
    return ""
