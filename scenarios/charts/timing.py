"""The figures of timing as data: cash, net asset value, dollar-days, what timing cost, where cash went."""

from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple

from fundclock.events.dates import Calendar
from fundclock.events.postings import CASH, POSTINGS, RESERVE
from fundclock.events.record import Record
from fundclock.events.units import from_cents
from fundclock.scenarios.charts.chart import Chart, Column, DataTable, Series
from fundclock.scenarios.runs.manifest import calendar_of, currency_of
from fundclock.scenarios.runs.recorded import RecordedRun
from fundclock.scenarios.timing.audit import audit, read_log
from fundclock.scenarios.timing.idle_cash import REASONS


class _Evening(NamedTuple):
    """Balances in cents, and the records of the day that moved them."""

    cash: int
    reserve: int
    seqs: list[int]


def cash(run: RecordedRun) -> Chart:
    """Cash and reserve in the evening of each day on which one of them moved."""
    calendar, kinds = calendar_of(run.manifest), {str(fact.model_fields["kind"].default) for fact in POSTINGS}
    balances = dict.fromkeys((CASH, RESERVE), 0)
    evenings: dict[int, _Evening] = {}
    for record in run.log.read(kinds=sorted(kinds)):
        moved = False
        for account, cents in POSTINGS[type(record.payload)](record.payload):
            if account in balances and cents:
                balances[account] += cents
                moved = True
        if moved:
            earlier = evenings[record.day].seqs if record.day in evenings else []
            evenings[record.day] = _Evening(balances[CASH], balances[RESERVE], [*earlier, record.seq])
    dates = [_iso(calendar, day) for day in evenings]
    seqs = [evening.seqs for evening in evenings.values()]
    columns = {
        "cash": [evening.cash / 100 for evening in evenings.values()],
        "reserve": [evening.reserve / 100 for evening in evenings.values()],
    }
    series = [
        Series(name, currency_of(run.manifest), dates, [*values], seqs, "step") for name, values in columns.items()
    ]
    return Chart("cash", "Cash and reserve", "date", series)


def nav(run: RecordedRun) -> Chart:
    """Net asset value at each quarter's end, and what it is made of."""
    calendar, reports = calendar_of(run.manifest), list(run.log.read(kinds=["nav.reported/1"]))
    dates, seqs = [_iso(calendar, record.day) for record in reports], [[record.seq] for record in reports]
    parts: list[tuple[str, Callable[[Record], int]]] = [
        ("net asset value", lambda record: record.payload.nav_cents),
        ("loans", lambda record: record.payload.loans_cents),
        ("cash and reserve", lambda record: record.payload.cash_cents + record.payload.reserve_cents),
        (
            "debt and payables",
            lambda record: (
                record.payload.nav_cents
                - record.payload.loans_cents
                - record.payload.cash_cents
                - record.payload.reserve_cents
            ),
        ),
    ]
    series = [
        Series(name, currency_of(run.manifest), dates, [part(record) / 100 for record in reports], seqs)
        for name, part in parts
    ]
    return Chart("nav", "Net asset value", "quarter's end", series)


def dollar_days(run: RecordedRun) -> Chart:
    """Dollar-days of each quarter by reason; all of them sum to the integral of cash and reserve."""
    calendar, last = calendar_of(run.manifest), run.state.day
    ends = [*calendar.period_ends("quarterly", 0, last - 1), last]
    nights: dict[str, defaultdict[int, int]] = {reason: defaultdict(int) for reason in REASONS}
    origins: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
    for stay in read_log(run).dollar_days.stays:
        first = stay.first
        for place in range(_quarter(ends, first), len(ends)):
            until = min(stay.last, ends[place] + 1)  # the night after a quarter's last day is that quarter's
            nights[stay.reason][place] += stay.cents * (until - first)
            origins[stay.reason, place].add(stay.origin)
            first = until
            if first >= stay.last:
                break
    dates = [_iso(calendar, day) for day in ends]
    series = [
        Series(
            reason,
            f"{currency_of(run.manifest)} × days",
            dates,
            [by_quarter[place] / 100 for place in range(len(ends))],
            [sorted(origins[reason, place]) for place in range(len(ends))],
            "bar",
            reason=reason,
        )
        for reason, by_quarter in nights.items()
        if by_quarter
    ]
    return Chart("dollar_days", "Dollar-days by reason", "quarter's end", series, stacked=True)


def timing_waterfall(run: RecordedRun) -> Chart:
    """The limited partners' net cash as it was, what each wait cost, and what it would have been without any."""
    found = audit(run, ladder=True, shadow=False).ladder
    assert found is not None
    steps = [("actual", found.actual.net_cash_cents)]
    before = found.actual
    for rung in found.rungs:
        if rung.reason is None:
            steps.append((rung.name, rung.value.net_cash_cents - before.net_cash_cents))
        before = rung.value
    steps.append(("without any wait", before.net_cash_cents))
    values = [cents / 100 for _, cents in steps]
    names = [name for name, _ in steps]
    bars = Series("LP net cash", currency_of(run.manifest), names, [*values], [[]] * len(steps), "bar")
    return Chart(
        "timing_waterfall", "What timing cost", "rung", [bars], form="waterfall", axis="category", x_names="rung"
    )


def cash_sankey(run: RecordedRun) -> DataTable:
    """Where cash came from and what took it: source, use, amount; each source sums to what it brought."""
    flows = read_log(run).dollar_days.flows
    rows = [[source, use, from_cents(cents)] for (source, use), cents in sorted(flows.items())]
    columns = [
        Column("source", "name", names="flow"),
        Column("use", "name", names="flow"),
        Column("amount", currency_of(run.manifest)),
    ]
    return DataTable("cash_sankey", "Where cash came from and went", columns, rows, [[] for _ in rows], form="sankey")


def _quarter(ends: list[int], day: int) -> int:
    return next(place for place, end in enumerate(ends) if day <= end)


def _iso(calendar: Calendar, day: int) -> str:
    return calendar.date(day).isoformat()


CHARTS: dict[str, Callable[[RecordedRun], Chart | DataTable]] = {
    "cash": cash,
    "nav": nav,
    "dollar_days": dollar_days,
    "timing_waterfall": timing_waterfall,
    "cash_sankey": cash_sankey,
}
"""Charts and tables by name."""
