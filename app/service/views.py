"""What is computed of stored runs, as JSON text; each function is called in a worker process with the store's path."""

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from fundclock.app.dates import day_of
from fundclock.app.drawing import draw, numbers
from fundclock.app.report.report import report_html
from fundclock.app.service.moments import Moments
from fundclock.app.service.player import sweep_of
from fundclock.app.service.requests import plan_of_request
from fundclock.events.stores.memory import MemoryLog
from fundclock.events.stores.sqlite import SqliteStore
from fundclock.events.stores.store import RunInfo
from fundclock.scenarios.charts.bridges import dollar_days_bridge, net_cash_bridge
from fundclock.scenarios.charts.figures import chart_data, figures_of
from fundclock.scenarios.comparisons.diff import diff
from fundclock.scenarios.files.changes import leaves, why_not_changeable
from fundclock.scenarios.files.problems import InvalidInput
from fundclock.scenarios.files.schema import ScenarioConfig
from fundclock.scenarios.reports import allocation_report, leverage_report, reinvestment_report
from fundclock.scenarios.runs.forks import check_ahead, fork_name
from fundclock.scenarios.runs.manifest import calendar_of, currency_of
from fundclock.scenarios.runs.recorded import RecordedRun
from fundclock.scenarios.runs.stored import fold, load_run, manifest_of
from fundclock.scenarios.scenario import Scenario, shipped
from fundclock.scenarios.scripts.commands import COMMANDS
from fundclock.scenarios.timing.audit import audit
from fundclock.scenarios.timing.headroom import headroom
from fundclock.scenarios.views.leverage import DebtHistory, event_rows, facility_rows, metrics_of
from fundclock.scenarios.views.reinvestment import reinvestment_risk
from fundclock.scenarios.views.state import replay_summary
from fundclock.scenarios.views.stress import stress
from fundclock.scenarios.views.why import why


@cache
def _open(path: str) -> SqliteStore:
    """The store, opened once: opening one takes the file for a moment, and reading it never does."""
    return SqliteStore(path, create=False)


KEPT_RUNS = 4
MAX_KEPT = 600_000
"""Records of the runs that are kept, together; the last one is kept in any case."""

_runs: OrderedDict[str, RecordedRun] = OrderedDict()


def _run(store: SqliteStore, info: RunInfo) -> RecordedRun:
    """A run, folded; the last finished ones are kept."""
    if info.status != "finished":
        return _as_it_stands(store, info)
    if info.run not in _runs:
        _runs[info.run] = load_run(store, info)
        while len(_runs) > 1 and (len(_runs) > KEPT_RUNS or sum(run.state.seq for run in _runs.values()) > MAX_KEPT):
            _runs.popitem(last=False)
    _runs.move_to_end(info.run)
    return _runs[info.run]


def _as_it_stands(store: SqliteStore, info: RunInfo) -> RecordedRun:
    """A run that is still being played, up to the records that it has now: its log does not grow while we look."""
    log = MemoryLog()
    log.append(list(store.log(info.run).read(limit=info.records)))
    origin = (info.parent, info.divergence_seq)
    return RecordedRun(manifest_of(store, info), log, fold(log), info.head_hash, info.run, store.input, origin)


def _figure(data: dict[str, Any]) -> dict[str, Any]:
    heads, rows = numbers(data)
    return {
        "schema": "fundclock.visualization/1",
        "data": data,
        "figure": json.loads(draw(data).to_json()),
        "numbers": {"heads": heads, "rows": rows},
    }


def _summary(run: RecordedRun, _words: Mapping[str, Any]) -> Any:
    manifest = run.manifest
    dates = {"start_date": manifest.start_date, "end_date": manifest.end_date}
    return {**run.summary(), **dates, "changes": _changes(run), "interventions": _interventions(run)}


def _changes(run: RecordedRun) -> dict[str, Any]:
    """The settings in which a run differs from the shipped scenario of its name, or from the defaults."""
    name = run.manifest.name
    try:
        config = Scenario.load(name).resolve() if name in shipped() else ScenarioConfig()
    except InvalidInput:  # one that needs files
        config = ScenarioConfig()
    usual, own = (leaves("", values) for values in (config.model_dump(mode="json"), dict(run.manifest.scenario)))
    left_out = ("name", "description", "script", "sweep")
    return {
        key: value
        for key, value in own.items()
        if key.partition(".")[0] not in left_out and value is not None and value != usual.get(key)
    }


def _interventions(run: RecordedRun) -> list[dict[str, Any]]:
    """What forks have changed: the day and the script entries of each."""
    calendar = calendar_of(run.manifest)
    return [
        {"date": calendar.date(record.day).isoformat(), "seq": record.seq, "entries": record.payload.entries}
        for record in run.log.read(kinds=["script.added/1"])
    ]


def _audit(run: RecordedRun, words: Mapping[str, Any]) -> Any:
    ladder, shapley, ties = (bool(words.get(name)) for name in ("ladder", "shapley", "ties"))
    return audit(run, ladder=ladder, shapley=shapley, ties=ties).as_json()


def _stress(run: RecordedRun, words: Mapping[str, Any]) -> Any:
    calendar, text = calendar_of(run.manifest), words.get("at")
    day = None if text is None else day_of(text, "at", calendar)
    found = {**stress(run, day).as_json(), "headroom": None}
    if words.get("headroom"):
        limits = headroom(run, None if day is None else calendar.date(day))
        found["headroom"] = [limit.as_json() for limit in limits]
    return found


def _why(store: SqliteStore, info: RunInfo, words: Mapping[str, Any]) -> Any:
    found = why(store.log(info.run), words["seq"])
    whole = [[json.loads(record.line()) for record in some] for some in (found.causes, [found.tree.record], found.lots)]
    return {
        "schema": "fundclock.why/1",
        "run": info.run,
        "seq": words["seq"],
        "record": whole[1][0],
        "causes": whole[0],
        "effects": [effect.as_json() for effect in found.tree.effects],
        "lots": whole[2],
    }


def _settings(run: RecordedRun, _words: Mapping[str, Any]) -> Any:
    """What an intervention may say: settings that may change, and commands with what they take."""
    kept = leaves("", {key: value for key, value in run.manifest.scenario.items() if key not in ("script", "sweep")})
    return {
        "schema": "fundclock.settings/1",
        "run": run.name,
        "settings": kept,
        "changeable": [key for key in kept if why_not_changeable(key) is None],
        "commands": {name: row.arguments.model_json_schema() for name, row in COMMANDS.items() if name != "set"},
    }


VIEWS: dict[str, Callable[[RecordedRun, Mapping[str, Any]], Any]] = {
    "summary": _summary,
    "reinvestment": lambda run, _: reinvestment_report(run),
    "reinvestment_risk": lambda run, _: reinvestment_risk(run),
    "leverage": lambda run, _: leverage_report(run),
    "leverage_facilities": lambda run, _: {"facilities": facility_rows(DebtHistory(run))},
    "leverage_events": lambda run, _: {"events": event_rows(DebtHistory(run))},
    "leverage_metrics": lambda run, _: {"metrics": metrics_of(DebtHistory(run))},
    "allocation": lambda run, _: allocation_report(run),
    "visualizations": lambda run, _: {"schema": "fundclock.visualizations/1", "figures": figures_of(run)},
    "visualization": lambda run, words: _figure(chart_data(run, words["figure"])),
    "audit": _audit,
    "stress": _stress,
    "settings": _settings,
}
"""What can be asked of a run, and what it is computed by."""


def view(path: str, run: str, name: str, words: Mapping[str, Any]) -> str:
    """A view of a stored run as JSON text. Raises InvalidInput, StoreError, DamagedLog."""
    store = _open(path)
    info = store.info(run)
    look = OF_LOGS.get(name)
    found = VIEWS[name](_run(store, info), words) if look is None else look(store, info, words)
    return json.dumps(found, ensure_ascii=False)


_moments: OrderedDict[str, Moments] = OrderedDict()


def state_at(store: SqliteStore, info: RunInfo, words: Mapping[str, Any]) -> dict[str, Any]:
    """The state at a day's end, or now."""
    calendar, text = calendar_of(manifest_of(store, info)), words.get("as_of")
    day = None if text is None else day_of(text, "as_of", calendar)
    if info.run not in _moments:
        _moments[info.run] = Moments(store.log(info.run))
        while len(_moments) > KEPT_RUNS:
            _moments.popitem(last=False)
    _moments.move_to_end(info.run)
    return replay_summary(info.run, _moments[info.run].at(day, info.records), calendar, day)


OF_LOGS: dict[str, Callable[[SqliteStore, RunInfo, Mapping[str, Any]], Any]] = {"state": state_at, "why": _why}
"""Views for which the whole run need not be folded."""


def report(path: str, run: str) -> str:
    """A stored run's report."""
    store = _open(path)
    return report_html(_run(store, store.info(run)))


def comparison(path: str, first: str, second: str) -> str:
    """Two stored runs against each other, as JSON text: the difference, and its figures."""
    store = _open(path)
    runs = [_run(store, store.info(name)) for name in (first, second)]
    found = diff(*runs).as_json(200)
    metrics = {name: [run.metrics[name] for run in runs] for name in runs[0].metrics if name != "zones"}
    made = {"metrics": metrics, "interventions": [_interventions(run) for run in runs]}
    figures = {}
    if currency_of(runs[0].manifest) == currency_of(runs[1].manifest):
        bridges = (net_cash_bridge(*runs), dollar_days_bridge(*runs))
        figures = {chart.name: _figure(chart.as_json()) for chart in bridges}
    return json.dumps({**found, **made, "figures": figures}, ensure_ascii=False)


def name_of_fork(path: str, run: str, at: str, settings: Mapping[str, Any], do: list[Any]) -> str:
    """Check an intervention in a stored run: the name that the fork would have. Raises InvalidInput."""
    store = _open(path)
    return fork_name(_run(store, store.info(run)), at, settings, do)


def check_fork(request: Mapping[str, Any], at: str, settings: Mapping[str, Any], do: list[Any]) -> None:
    """Check an intervention in a simulation that is still to be played. Raises InvalidInput."""
    check_ahead(plan_of_request(request), at, settings, do)


def sweep_rows(path: str, request: Mapping[str, Any]) -> str:
    """A finished sweep as JSON text, from the rows that the store has, with its fan where it has draws."""
    found = sweep_of(_open(path), dict(request))
    return json.dumps({**found.as_json(), "figures": {"sweep_fan": _figure(found.figure("sweep_fan"))}})
