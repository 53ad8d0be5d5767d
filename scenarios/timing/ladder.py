"""What did timing cost? Full counterfactual runs under the same draws, removing one wait after another.

Each step's difference depends on the order, so the order is part of the result; Shapley values do not depend on it.
Both add up to the difference between the last rung and the run as it was, to the cent.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, pairwise
from math import factorial
from typing import Any, NamedTuple

from fundclock.events.day_counts import YEAR
from fundclock.events.record import Record
from fundclock.events.results import as_json
from fundclock.events.units import from_cents
from fundclock.scenarios.files.problems import InvalidInput
from fundclock.scenarios.runs.playing import play_in_memory
from fundclock.scenarios.runs.recorded import RecordedRun
from fundclock.scenarios.timing.counterfactual import check_finished, counterfactual
from fundclock.sim.script import PYTHON

Progress = Callable[[int, int], None]

ENGINE = "reinvestment_engine."
RUNGS: dict[str, dict[str, Any]] = {
    "no_delay": {ENGINE + "reinvestment_delay": 0},
    "continuous_checks": {ENGINE + "reinvestment_frequency": "on_exit"},
    "no_minimum": {ENGINE + "min_reinvestment_amount": 0},
    "no_batch_limit": {ENGINE + "reinvestment_batch_size": 10**9},
    "no_reserve": {ENGINE + "enable_cash_reserve": False},
    "no_call_notice": {"calls.notice_business_days": 0},
    "no_draw_notice": {
        "leverage.green_sleeve.draw_notice_business_days": 1,
        "leverage.ramp_line.draw_notice_business_days": 1,
    },
}
"""What each rung sets, in the order of the ladder; each stands on those before it.

Calls and draws are paid on the next business day at the earliest, so that is what no notice means.
"""


@dataclass(frozen=True)
class Value:
    """The limited partners' result of a run."""

    net_irr: float | None
    net_cash_cents: int
    """Distributions less contributions."""
    future_value_cents: int
    """The same flows at a stated rate, on a stated day."""


@dataclass(frozen=True)
class Step:
    """A row of the ladder: a run, and what it changes against the row before; the first row changes nothing."""

    name: str
    applies: bool
    settings: dict[str, Any]
    reason: str | None
    """Why it does not apply, where it does not."""
    net_irr: float | None
    net_cash_cents: int
    future_value_cents: int
    delta_net_cash_cents: int | None
    delta_future_value_cents: int | None
    delta_irr: float | None


@dataclass(frozen=True)
class Share:
    """A wait's part of the whole difference, as its mean over all orders."""

    net_cash_cents: int
    future_value_cents: int
    net_irr: float | None


class Rung(NamedTuple):
    """A step of the ladder; ``reason`` says why it does not apply, where it does not."""

    name: str
    settings: dict[str, Any]
    value: Value
    reason: str | None = None


@dataclass(frozen=True)
class Ladder:
    """The run as it was and each rung; ``rate`` and ``end`` (day) are those of the future value."""

    actual: Value
    rungs: list[Rung]
    rate: float
    end: int
    end_date: str
    conditions: str
    shapley: dict[str, Share] | None = None

    def residual_cents(self) -> int:
        """What the steps leave unexplained of the whole difference: nothing."""
        values = [self.actual, *(rung.value for rung in self.rungs)]
        steps = sum(after.net_cash_cents - before.net_cash_cents for before, after in pairwise(values))
        return values[-1].net_cash_cents - values[0].net_cash_cents - steps

    def steps(self) -> list[Step]:
        """The run as it was, and each rung with what it changes."""
        steps = [_step("actual", {}, None, self.actual, None)]
        before = self.actual
        for rung in self.rungs:
            steps.append(_step(rung.name, rung.settings, rung.reason, rung.value, before))
            before = rung.value
        return steps

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        found: dict[str, Any] = {
            "steps": [as_json(step) for step in self.steps()],
            "order": [rung.name for rung in self.rungs],
            "residual": from_cents(self.residual_cents()),
            "future_value_rate": self.rate,
            "future_value_date": self.end_date,
            "conditions": self.conditions,
        }
        if self.shapley is not None:
            found["shapley"] = {name: as_json(share) for name, share in self.shapley.items()}
        return found


def _step(name: str, settings: dict[str, Any], reason: str | None, value: Value, before: Value | None) -> Step:
    row = (name, reason is None, settings, reason, value.net_irr, value.net_cash_cents, value.future_value_cents)
    if before is None:
        return Step(*row, None, None, None)
    cash = value.net_cash_cents - before.net_cash_cents
    future = value.future_value_cents - before.future_value_cents
    return Step(*row, cash, future, rate_change(before, value))


def rate_change(before: Value, after: Value) -> float | None:
    """The difference of two net IRRs; None where one is undefined."""
    return None if before.net_irr is None or after.net_irr is None else after.net_irr - before.net_irr


def first_rate(run: RecordedRun) -> float:
    """The base rate of the fund's first day: what the partners' money could earn without risk."""
    moved = next(run.log.read(kinds=("market.moved/1",), limit=1), None)
    return 0.0 if moved is None else float(moved.payload.base_rate)


def value_of_run(run: RecordedRun, rate: float, end: int) -> Value:
    """Net cash, future value at a rate on a day (ACT/365), and net IRR of the limited partners."""
    capital = run.state.capital
    future = sum(cents * (1 + rate) ** ((end - day) / YEAR) for day, cents in sorted(capital.lp_flows.items()))
    net = capital.lp_distributed_cents - capital.lp_contributed_cents
    return Value(run.results.net_irr, net, round(future))


def ladder(
    run: RecordedRun,
    *,
    rate: float | None = None,
    frozen: bool = False,
    shapley: bool = False,
    on_run: Progress | None = None,
) -> Ladder:
    """Climb the ladder from a run. ``rate`` of the future value is the base rate of the first day unless it is given.

    ``shapley`` plays every combination of the applicable rungs. ``on_run`` is called with (runs done, runs to do).
    """
    check_finished(run, "the ladder")
    rate = first_rate(run) if rate is None else rate
    end = run.state.day
    names = {name: _why_not(run, name) for name in RUNGS}
    applying = [name for name, reason in names.items() if reason is None]
    subsets: list[tuple[str, ...]] = [tuple(applying[:count]) for count in range(1, len(applying) + 1)]
    if shapley:
        subsets = [subset for count in range(1, len(applying) + 1) for subset in combinations(applying, count)]
    known: dict[tuple[str, ...], Value] = {(): value_of_run(run, rate, end)}
    for done, subset in enumerate(subsets, start=1):
        settings = {key: value for name in subset for key, value in _settings(run, name).items()}
        known[subset] = value_of_run(play_in_memory(counterfactual(run, settings, frozen=frozen)), rate, end)
        if on_run is not None:
            on_run(done, len(subsets))
    rungs: list[Rung] = []
    climbed: tuple[str, ...] = ()
    for name, reason in names.items():
        climbed = climbed if reason else (*climbed, name)
        rungs.append(Rung(name, {} if reason else _settings(run, name), known[climbed], reason))
    shares = _shapley(applying, known) if shapley else None
    dated = run.manifest.end_date
    conditions = "frozen" if frozen else "looked at again"
    if run.python is None and any(_by_python(record) for record in run.log.read(kinds=("command.scheduled/1",))):
        conditions += ", but what a Python script did is repeated"
    return Ladder(known[()], rungs, rate, end, dated, conditions, shares)


def _settings(run: RecordedRun, name: str) -> dict[str, Any]:
    """What a rung sets in this run: only facilities that it has."""
    scenario: Any = run.manifest.scenario
    found = {}
    for key, value in RUNGS[name].items():
        node = scenario
        for part in key.split(".")[:-1]:
            node = None if node is None else node.get(part)
        if node is not None and node.get("enabled", True):
            found[key] = value
    return found


def _why_not(run: RecordedRun, name: str) -> str | None:
    """Why a rung does not apply: it would change nothing in this run."""
    settings = _settings(run, name)
    if not settings:
        return "the run has no facility"
    try:
        plan = counterfactual(run, settings)
    except InvalidInput as error:
        return str(error)
    before: Any = run.manifest.scenario
    stands = all(_at(before, key) == _at(plan.config.model_dump(mode="json"), key) for key in settings)
    return (
        "the run already has these settings" if stands and not any(plan.may_change(key) for key in settings) else None
    )


def _by_python(record: Record) -> bool:
    return str(record.payload.source or "").startswith(PYTHON)


def _at(scenario: Any, key: str) -> Any:
    for part in key.split("."):
        scenario = scenario[part]
    return scenario


def _shapley(names: Sequence[str], known: Mapping[tuple[str, ...], Value]) -> dict[str, Share]:
    """Each rung's mean difference over all orders; cents are rounded so that they sum to the whole difference."""
    count = len(names)
    cash = dict.fromkeys(names, Fraction(0))
    future = dict.fromkeys(names, Fraction(0))
    rates: dict[str, float | None] = dict.fromkeys(names, 0.0)
    for name in names:
        others = [other for other in names if other != name]
        for size in range(count):
            weight = Fraction(factorial(size) * factorial(count - size - 1), factorial(count))
            for subset in combinations(others, size):
                before = known[subset]
                after = known[tuple(other for other in names if other in subset or other == name)]
                cash[name] += weight * (after.net_cash_cents - before.net_cash_cents)
                future[name] += weight * (after.future_value_cents - before.future_value_cents)
                rate = rates[name]
                if rate is None or after.net_irr is None or before.net_irr is None:
                    rates[name] = None
                else:
                    rates[name] = rate + float(weight) * (after.net_irr - before.net_irr)
    cents, later = _rounded(cash), _rounded(future)
    return {name: Share(cents[name], later[name], rates[name]) for name in names}


def _rounded(parts: Mapping[str, Fraction]) -> dict[str, int]:
    """Whole cents by largest remainder; they sum to the sum of the parts, which is whole."""
    floors = {name: part.numerator // part.denominator for name, part in parts.items()}
    missing = int(sum(parts.values())) - sum(floors.values())
    by_rest = sorted(parts, key=lambda name: parts[name] - floors[name], reverse=True)
    for name in by_rest[:missing]:
        floors[name] += 1
    return floors
