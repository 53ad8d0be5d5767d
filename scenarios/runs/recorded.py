"""A recorded run: its log, the state that the log folds to, and its metrics."""

from collections.abc import Callable
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fundclock.events.dates import parse_iso
from fundclock.events.facts import RunStarted
from fundclock.events.state import State
from fundclock.events.stores.store import InputFile, Log
from fundclock.events.units import from_cents, to_cents
from fundclock.handlers.settings.fund import FundConfig, WaterfallConfig
from fundclock.scenarios.runs.metrics import Metrics, QuarterMetrics, by_quarter, metrics

if TYPE_CHECKING:  # whoever looks at a run needs no clock
    from fundclock.sim.script import PythonScript


def no_input(digest: str) -> InputFile:
    """A run whose inputs are not at hand."""
    raise KeyError(digest)


class RecordedRun:
    """What was recorded of a played scenario: its log, the state that the log folds to, and its metrics."""

    def __init__(
        self,
        manifest: RunStarted,
        log: Log,
        state: State,
        head_hash: str,
        name: str | None = None,
        kept: Callable[[str], InputFile] = no_input,
        origin: tuple[str | None, int | None] = (None, None),
        python: "PythonScript | None" = None,
    ) -> None:
        """``kept`` finds the run's inputs by their digests, for runs that are derived from it.

        ``origin`` of a fork is its parent's name and the seq of its first record that the parent does not have.
        ``python`` is the Python script that it was played with.
        """
        self.kept = kept
        self.parent, self.divergence_seq = origin
        self.python = python
        self.manifest = manifest
        self.log = log
        self.state = state
        self.head_hash = head_hash
        self.name = name

    @cached_property
    def _terms(self) -> tuple[int, int, WaterfallConfig]:
        """Commitments, the limited partners' part of them, and the waterfall."""
        scenario = self.manifest.scenario
        fund = FundConfig.model_validate(scenario["fund"])
        committed = to_cents(fund.size)
        lps = committed - round(committed * fund.gp_commitment)
        return committed, lps, WaterfallConfig.model_validate(scenario["waterfall"])

    @cached_property
    def _measured(self) -> tuple[Metrics, list[str]]:
        return metrics(self.state, *self._terms)

    @cached_property
    def quarters(self) -> list[QuarterMetrics]:
        """Net metrics at the end of each quarter."""
        _, lps, waterfall = self._terms
        return by_quarter(self.state, lps, waterfall)

    @property
    def quarterly_returns(self) -> list[float | None]:
        """Returns on net asset value by quarter; None where undefined."""
        return [row.return_ for row in self.quarters]

    @property
    def results(self) -> Metrics:
        """The metrics of the run, money in cents."""
        return self._measured[0]

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """The metrics by name, as in ``run --json``: money as decimal strings."""
        return self.results.as_json()

    @property
    def warnings(self) -> list[str]:
        """Why metrics are None, and which requests of scripts were refused."""
        return self._measured[1] + self.refused

    @property
    def refused(self) -> list[str]:
        """One line for each request of a script that was refused or cut."""
        start = parse_iso(self.manifest.start_date)
        return [
            f"the manual reinvestment of {from_cents(fact.amount_cents)} on {start + timedelta(days=day)}"
            f" was declined: {fact.reason}"
            + ("" if fact.available_cents is None else f", {from_cents(fact.available_cents)} available")
            for day, fact in self.state.lots.refused_by_hand
        ] + [
            f"{source} was cut or refused on {start + timedelta(days=day)}: {reason}"
            for day, source, reason in self.state.agenda.refused
        ]

    def summary(self) -> dict[str, Any]:
        """What ``run --json`` prints."""
        return {
            "schema": "fundclock.run/1",
            "run": self.name,
            "scenario": self.manifest.name,
            "seed": self.manifest.seed,
            "parent": self.parent,
            "divergence_seq": self.divergence_seq,
            "head_hash": self.head_hash,
            "records": len(self.log),
            "days": self.state.day,
            "metrics": self.metrics,
            "warnings": self.warnings,
        }
