"""Does the order of a day matter? The run again with two neighbouring phases swapped, or with ties reversed.

Some neighbours can't change places: everything needs the day's market, a remedy answers a test of the same day, and a
report describes the end of the day. The others are listed with what each swap means.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fundclock.events.bus import HandlerError
from fundclock.events.state import InvariantError
from fundclock.events.units import from_cents
from fundclock.scenarios.runs.plan import Plan
from fundclock.scenarios.runs.playing import play_in_memory
from fundclock.scenarios.runs.recorded import RecordedRun
from fundclock.scenarios.runs.rerun import plan_of
from fundclock.scenarios.timing.counterfactual import check_finished
from fundclock.scenarios.timing.ladder import Value, first_rate, rate_change, value_of_run

PERMUTABLE = {
    ("accrual", "exits"): "a quarter is valued after the exits of its last day",
    ("exits", "receipts"): "calls, draws and recoveries come in before the exits of the day",
    ("receipts", "debt_service"): "interest is paid before what comes in on the day",
    ("debt_service", "fees"): "fees are paid before interest",
    ("fees", "tests"): "tests are made before fees are paid",
    ("cure", "notices"): "notices go out before a breach is remedied",
    ("notices", "rebalance"): "capital is called after targets and leverage are set",
    ("rebalance", "reinvestment"): "proceeds are lent before targets and leverage are set",
    ("reinvestment", "originations"): "called and drawn cash is lent before proceeds",
    ("originations", "distributions"): "partners are paid before called and drawn cash is lent",
}
"""Neighbouring phases that can change places, and what that means."""


@dataclass(frozen=True)
class TieOrder:
    """What the limited partners get by each variant of the order; ``failed`` says why one could not be played."""

    actual: Value
    variants: dict[str, Value]
    failed: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """The range of each metric over the run and its variants, and each variant's difference."""
        values = [self.actual, *self.variants.values()]
        rates = [value.net_irr for value in values if value.net_irr is not None]
        cash = [value.net_cash_cents for value in values]
        actual = self.actual
        return {
            "net_cash": [from_cents(min(cash)), from_cents(max(cash))],
            "net_irr": [min(rates), max(rates)] if rates else None,
            "variants": {
                name: {
                    "delta_net_cash": from_cents(value.net_cash_cents - actual.net_cash_cents),
                    "delta_irr": rate_change(actual, value),
                }
                for name, value in self.variants.items()
            },
            "failed": self.failed,
        }


def tie_order(run: RecordedRun, on_run: Callable[[int, int], None] | None = None) -> TieOrder:
    """Play a run under each permutable swap, and with the order within phases reversed."""
    check_finished(run, "the order of a day")
    plan = plan_of(run.manifest, run.log, run.kept)
    rate, end = first_rate(run), run.state.day
    order = list(run.manifest.phases)
    plans: dict[str, Plan] = {"ties inside phases turned round": plan._replace(backwards=True)}
    for first, second in PERMUTABLE:
        place = order.index(first)
        if order[place + 1 : place + 2] == [second]:
            swapped = [*order[:place], second, first, *order[place + 2 :]]
            plans[f"{second} before {first}"] = plan._replace(
                manifest=plan.manifest.model_copy(update={"phases": swapped})
            )
    variants: dict[str, Value] = {}
    failed: dict[str, str] = {}
    for done, (name, variant) in enumerate(plans.items(), start=1):
        try:
            variants[name] = value_of_run(play_in_memory(variant), rate, end)
        except (HandlerError, InvariantError, ValueError) as error:
            failed[name] = str(error).splitlines()[0]
        if on_run is not None:
            on_run(done, len(plans))
    return TieOrder(value_of_run(run, rate, end), variants, failed)
