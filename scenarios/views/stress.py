"""What shocks would have done to the tests of the NAV line on a day, from the terms of a test in the log."""

from dataclasses import dataclass
from typing import Any

from fundclock.events.facts import CovenantTested
from fundclock.events.record import Record
from fundclock.events.units import from_cents
from fundclock.handlers.leverage.covenants import Terms
from fundclock.handlers.leverage.stress import Smallest, Stressed, smallest, table
from fundclock.scenarios.files.problems import InvalidInput, Problem
from fundclock.scenarios.runs.recorded import RecordedRun
from fundclock.scenarios.views.leverage import DebtHistory


@dataclass(frozen=True)
class StressReport:
    """The shocks of a day: before (``none``) and after, and the smallest of each kind that breaks a test."""

    record: Record
    date: str
    rows: dict[str, Stressed]
    smallest: dict[str, Smallest]

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return {
            "schema": "fundclock.stress/1",
            "date": self.date,
            "seq": self.record.seq,
            "debt": from_cents(self.rows["none"].terms.debt_cents),
            "stress_test_results": {
                name: {
                    "is_compliant": not row.failed,
                    "details": {
                        "shock": row.shock._asdict(),
                        "failed": row.failed,
                        **row.ratios._asdict(),
                        "tests": {
                            result.test: {
                                "value": result.value,
                                "limit": result.limit,
                                "passed": result.passed,
                                "headroom": from_cents(result.headroom_cents),
                            }
                            for result in row.results
                        },
                        "terms": {
                            key.removesuffix("_cents"): from_cents(cents) for key, cents in row.terms._asdict().items()
                        },
                    },
                }
                for name, row in self.rows.items()
            },
            "smallest_shock": {
                name: {"size": found.size, "binding_test": found.test} for name, found in self.smallest.items()
            },
        }


def stress_tests(history: DebtHistory) -> list[Record]:
    """The tests of the NAV line that ``stress`` chooses from where it is not told a day: those of quarters' ends."""
    return [record for record in history.full_tests("green_sleeve") if record.payload.trigger == "quarter_end"]


def stress(run: RecordedRun, at: int | None = None) -> StressReport:
    """What shocks would have done to the NAV line's tests on a day, from the terms of the last test until then.

    Without a day, at the quarter-end with the most debt. Raises InvalidInput if there was no test. The run is not
    touched: the terms are in its log.
    """
    history = DebtHistory(run)
    tests = stress_tests(history)
    if at is not None and at > run.state.day:
        raise InvalidInput([Problem("--at", f"{history.date(at)} is after the run's last day")])
    if at is not None:
        found = [record for record in history.full_tests("green_sleeve") if record.day <= at]
    else:
        found = sorted(tests, key=lambda record: (record.payload.terms["debt_cents"], record.seq))
    if not found:
        place = "leverage" if at is None else "--at"
        when = " at a quarter's end" if at is None else f" until {history.date(at)}"
        raise InvalidInput([Problem(place, f"the NAV line was not tested{when}; there is nothing to stress")])
    record = found[-1]
    fact: CovenantTested = record.payload
    terms, months = Terms(**fact.terms), history.calendar.months_since_start(record.day)
    config, sizes = history.config.green_sleeve, history.config.stress_testing
    return StressReport(
        record,
        history.date(record.day),
        table(terms, config, months, sizes),
        dict(smallest(terms, config, months, sizes)),
    )
