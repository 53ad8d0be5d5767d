"""Where did the dollar-days go? Every night of every cent of cash, by source, reason and final use.

The sum over all stays of cents × nights is the integral of end-of-day cash and reserve, exactly.
"""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from fundclock.scenarios.runs.recorded import RecordedRun
from fundclock.scenarios.timing.cash_stays import KINDS, CashStays
from fundclock.scenarios.timing.idle_cash import REASONS, Stay


@dataclass(frozen=True)
class DollarDays:
    """The stays of all cash of a run, and what they must sum to, in cents × nights.

    ``flows`` are cents by source and final use, also of cash that was used on its day.
    """

    stays: list[Stay]
    flows: dict[tuple[str, str], int]
    total: int
    cash_integral: int

    def by_reason(self) -> dict[str, int]:
        """Cent-days by reason, in the order of precedence; reasons that never were are left out."""
        sums: defaultdict[str, int] = defaultdict(int)
        for stay in self.stays:
            sums[stay.reason] += stay.cents * (stay.last - stay.first)
        return {reason: sums[reason] for reason in REASONS if sums[reason]}

    @cached_property
    def table(self) -> dict[tuple[str, str, str], int]:
        """Cent-days by source, reason and final use."""
        sums: defaultdict[tuple[str, str, str], int] = defaultdict(int)
        for stay in self.stays:
            sums[stay.source, stay.reason, stay.use] += stay.cents * (stay.last - stay.first)
        return dict(sorted(sums.items()))


def dollar_days(run: RecordedRun) -> DollarDays:
    """Every cent's nights, from a run's log."""
    fold = CashStays(run.manifest.scenario)
    for record in run.log.read(kinds=KINDS):
        fold.apply(record)
    return nights_of(fold, run)


def nights_of(fold: CashStays, run: RecordedRun) -> DollarDays:
    """What a fold of the whole log has found."""
    fold.finish(run.state.day)
    total = sum(stay.cents * (stay.last - stay.first) for stay in fold.book.stays)
    return DollarDays(fold.book.stays, fold.book.flows, total, run.state.ledger.cent_days(run.state.day))
