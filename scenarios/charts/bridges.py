"""Bridges from one run to another: what each account, and each reason for waiting, did to the difference."""

from fundclock.events.postings import LP_CONTRIBUTIONS, LP_DISTRIBUTIONS
from fundclock.scenarios.charts.chart import Chart, Series
from fundclock.scenarios.runs.manifest import currency_of
from fundclock.scenarios.runs.recorded import RecordedRun
from fundclock.scenarios.timing.dollar_days import dollar_days

LPS = (LP_CONTRIBUTIONS, LP_DISTRIBUTIONS)


def net_cash_bridge(first: RecordedRun, second: RecordedRun) -> Chart:
    """The limited partners' net cash in the first run, what every other account changes, and that in the second.

    A ledger sums to zero, so that what the partners get more is what all other accounts have less, to the cent.
    """
    balances = [run.state.ledger.balances for run in (first, second)]
    ends = [sum(found.get(account, 0) for account in LPS) for found in balances]
    steps = {
        account: balances[0].get(account, 0) - balances[1].get(account, 0)
        for account in sorted(balances[0].keys() | balances[1].keys())
        if account not in LPS
    }
    bars = _bars("LP net cash", currency_of(first.manifest), ends, steps)
    title = "From one run's LP net cash to the other's"
    return Chart("net_cash_bridge", title, "step", [bars], form="waterfall", axis="category", x_names="account")


def dollar_days_bridge(first: RecordedRun, second: RecordedRun) -> Chart:
    """The dollar-days of the first run, what each reason adds or takes, and those of the second."""
    found = [dollar_days(run).by_reason() for run in (first, second)]
    ends = [sum(days.values()) for days in found]
    steps = {
        reason: found[1].get(reason, 0) - found[0].get(reason, 0) for reason in dict.fromkeys([*found[0], *found[1]])
    }
    return Chart(
        "dollar_days_bridge",
        "From one run's dollar-days to the other's",
        "step",
        [_bars("dollar-days", f"{currency_of(first.manifest)} × days", ends, steps)],
        form="waterfall",
        axis="category",
        x_names="reason",
        more_is_worse=True,
    )


def _bars(subject: str, unit: str, ends: list[int], steps: dict[str, int]) -> Series:
    """Steps of nothing are left out; what is left adds up to the second end."""
    moved = {what: cents for what, cents in steps.items() if cents}
    places = ["first run", *moved, "second run"]
    values = [cents / 100 for cents in (ends[0], *moved.values(), ends[1])]
    return Series(subject, unit, places, [*values], [[]] * len(places), "bar")
