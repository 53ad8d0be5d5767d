"""The same fund under other terms: a run's plan with settings pinned from the first day on, and the same draws."""

from collections.abc import Mapping
from typing import Any

from fundclock.events.facts import CommandScheduled
from fundclock.scenarios.files.documents import Document, lay_on
from fundclock.scenarios.files.problems import InvalidInput, Problem
from fundclock.scenarios.runs.plan import Plan
from fundclock.scenarios.runs.recorded import RecordedRun
from fundclock.scenarios.runs.rerun import plan_of
from fundclock.scenarios.scripts.entries import Act, Script


def counterfactual(run: RecordedRun, settings: Mapping[str, Any], *, frozen: bool = False) -> Plan:
    """A run's plan with these settings pinned, so that no script changes them back.

    Script conditions are re-evaluated in the new run; with ``frozen``, their commands keep the days on which they were
    carried out. Raises InvalidInput if the settings are inconsistent with the others.
    """
    document = Document("counterfactual", {k: v for k, v in run.manifest.scenario.items() if v is not None})
    document = Document(document.source, _copied(document.values))
    for key, value in settings.items():
        lay_on(document, key, value, f"counterfactual {key}")
    manifest = run.manifest.model_copy(
        update={"scenario": {**document.values, **{k: None for k, v in run.manifest.scenario.items() if v is None}}}
    )
    plan = plan_of(manifest, run.log, run.kept)._replace(pinned=frozenset(settings))
    if run.python is not None and not frozen:
        plan = plan._replace(python=run.python, recorded=())
    return _frozen(plan, run) if frozen else plan


def check_finished(run: RecordedRun, what: str) -> None:
    """Raises InvalidInput for an unfinished run: it can't be compared with complete ones."""
    if not run.state.results.finished:
        message = f"is not finished, and {what} compares complete runs; use `run --resume` first"
        raise InvalidInput([Problem("run", message)])


def _frozen(plan: Plan, run: RecordedRun) -> Plan:
    fired = [
        Act(record.payload.due_day, record.payload.source, record.payload.command)
        for record in run.log.read(kinds=("command.scheduled/1",))
        if isinstance(record.payload, CommandScheduled) and record.payload.source is not None
    ]

    def acts(script: Script) -> Script:
        watched = {watch.source for watch in script.watches}
        return Script([*script.acts, *(act for act in fired if act.source in watched)], ())

    added = tuple(added._replace(script=acts(added.script)) for added in plan.added)
    return plan._replace(script=acts(plan.script), added=added)


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value
