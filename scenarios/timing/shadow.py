"""Shadow tests: a run again, in which every evening the loans are valued and the tests made that nobody made then."""

import numpy as np
from numpy.typing import NDArray

from fundclock.events.state import State
from fundclock.events.state.loan_book import PERFORMING
from fundclock.handlers.leverage.collateral import base_of
from fundclock.handlers.leverage.covenants import base_test, removal_tests
from fundclock.handlers.loans.lifecycle import Marks
from fundclock.handlers.market_state import nav_fall
from fundclock.handlers.settings.leverage import GreenSleeveConfig
from fundclock.scenarios.runs.plan import Plan
from fundclock.scenarios.runs.recorded import RecordedRun
from fundclock.scenarios.runs.rerun import PrefixCheck, plan_of
from fundclock.scenarios.runs.simulation import Simulation
from fundclock.scenarios.timing.latency import Span


class Shadow:
    """Looks at a simulation each evening and notes from when to when something was true."""

    def __init__(self, plan: Plan) -> None:
        self._config = plan.config
        self._period_end = plan.config.calendar().add_months(0, plan.config.fund.reinvestment_period_years * 12)
        self._since: dict[tuple[str, str], int] = {}
        self.spans: list[Span] = []

    def look(self, simulation: Simulation, day: int) -> None:
        """Value the book as of this evening and make the tests."""
        state = simulation.state
        owes = any(line.balance_cents and not line.defaulted for line in state.facilities.by_name.values())
        quarters = state.capital.quarters
        watches_nav = bool(quarters) and day < self._period_end
        if not owes and not watches_nav:
            self._hold(day, set())
            return
        rows = state.book.living_rows()
        marks = simulation.fund.lifecycle.marks(rows, day)
        true: set[tuple[str, str]] = set()
        if watches_nav:
            carried = simulation.fund.lifecycle.carried_cents(rows)
            nav = state.ledger.nav_cents() + int(marks.worth.sum()) - int(marks.principal.sum()) - carried
            if self._fall(state, nav) > self._config.market.breaker.nav_fall:
                true.add(("nav_fall", "fund"))
        if owes:
            true |= self._covenants(simulation, rows, marks, day)
        self._hold(day, true)

    def finish(self, day: int) -> list[Span]:
        """The run's end: what holds has held until now."""
        self._hold(day, set())
        return self.spans

    def _fall(self, state: State, nav: int) -> float:
        """The fall of net asset value since the last quarter's end."""
        capital = state.capital
        paid_in = capital.lp_contributed_cents + capital.gp_contributed_cents
        paid_out = capital.lp_distributed_cents + capital.gp_distributed_cents + capital.carry_cents
        return nav_fall(capital.quarters[-1], nav, paid_in, paid_out)

    def _covenants(
        self, simulation: Simulation, rows: NDArray[np.intp], marks: Marks, day: int
    ) -> set[tuple[str, str]]:
        state, leverage = simulation.state, simulation.fund.leverage
        assert leverage is not None
        true = set()
        for name, facility in state.facilities.by_name.items():
            if not facility.balance_cents or facility.defaulted:
                continue
            line = leverage.lines.config[name]
            if isinstance(line, GreenSleeveConfig):
                base = base_of(state.book, rows, marks.worth, marks.ltv, line)
                claims = int(marks.claim[state.book.status()[rows] == PERFORMING].sum())
                debt = state.facilities.debt_cents
                results = removal_tests(facility.balance_cents, base.base_cents, debt, claims, line)
            else:
                lent = min(leverage.lines.base_cents(name, day), facility.commitment_cents)
                results = [base_test(facility.balance_cents, lent)]
            true |= {(f"covenant {result.test}", name) for result in results if not result.passed}
        return true

    def _hold(self, day: int, true: set[tuple[str, str]]) -> None:
        for key in sorted(true - self._since.keys()):
            self._since[key] = day
        for key in sorted(self._since.keys() - true):
            self.spans.append(Span(*key, self._since.pop(key), day))


def shadow_tests(run: RecordedRun) -> list[Span]:
    """From when to when the breaker's fall and the tests of values were true. Raises Mismatch for another re-run."""
    plan = plan_of(run.manifest, run.log, run.kept)
    shadow = Shadow(plan)
    check = PrefixCheck(run.log, len(run.log), None)
    check.meet_all(Simulation(plan, check, on_evening=shadow.look))
    return shadow.finish(run.state.day)
