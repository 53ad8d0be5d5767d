"""What is computed of stored runs, as JSON text; each function is called in a worker process with the store's path."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from app.documents import replay_summary
from app.figures import draw
from app.options import day_of
from app.report import report_html
from events.stores.sqlite import SqliteStore
from scenarios.allocation_charts import allocation_report
from scenarios.diff import diff
from scenarios.figures import chart_data
from scenarios.leverage import DebtHistory, event_rows, facility_rows, metrics_of
from scenarios.leverage_charts import leverage_report
from scenarios.manifest import calendar_of
from scenarios.reinvestment import reinvestment_risk
from scenarios.reinvestment_charts import reinvestment_report
from scenarios.run import Run
from scenarios.timing.audit import audit
from scenarios.verify import fold, load_run


def _state(run: Run, words: Mapping[str, Any]) -> Any:
    calendar, text = calendar_of(run.manifest), words.get("as_of")
    until = None if text is None else day_of(text, "as_of", calendar)
    state = run.state if until is None else fold(run.log, until)
    return replay_summary(run.name or "", state, calendar, until)


def _figure(run: Run, words: Mapping[str, Any]) -> Any:
    data = chart_data(run, words["name"])
    return {"schema": "fundclock.visualization/1", "data": data, "figure": json.loads(draw(data).to_json())}


def _audit(run: Run, words: Mapping[str, Any]) -> Any:
    ladder, shapley, ties = (bool(words.get(name)) for name in ("ladder", "shapley", "ties"))
    return audit(run, ladder=ladder, shapley=shapley, ties=ties).as_json()


VIEWS: dict[str, Callable[[Run, Mapping[str, Any]], Any]] = {
    "summary": lambda run, _: run.summary(),
    "state": _state,
    "reinvestment": lambda run, _: reinvestment_report(run),
    "reinvestment_risk": lambda run, _: reinvestment_risk(run),
    "leverage": lambda run, _: leverage_report(run),
    "leverage_facilities": lambda run, _: {"facilities": facility_rows(DebtHistory(run))},
    "leverage_events": lambda run, _: {"events": event_rows(DebtHistory(run))},
    "leverage_metrics": lambda run, _: {"metrics": metrics_of(DebtHistory(run))},
    "allocation": lambda run, _: allocation_report(run),
    "visualization": _figure,
    "audit": _audit,
}
"""What can be asked of a run, and what it is computed by."""


def view(path: str, run: str, name: str, words: Mapping[str, Any]) -> str:
    """A view of a stored run as JSON text. Raises InvalidInput, StoreError, DamagedLog."""
    store = SqliteStore(path, create=False)
    try:
        return json.dumps(VIEWS[name](load_run(store, store.find(run)), words), ensure_ascii=False)
    finally:
        store.close()


def report(path: str, run: str) -> str:
    """A stored run's report."""
    store = SqliteStore(path, create=False)
    try:
        return report_html(load_run(store, store.find(run)))
    finally:
        store.close()


def comparison(path: str, first: str, second: str) -> str:
    """Two stored runs against each other, as JSON text."""
    store = SqliteStore(path, create=False)
    try:
        runs = [load_run(store, store.find(name)) for name in (first, second)]
        return json.dumps(diff(*runs).as_json(200), ensure_ascii=False)
    finally:
        store.close()


def fork(path: str, run: str, at: str, settings: Mapping[str, Any], do: list[Any]) -> str:
    """Fork a stored run in its store: the new run's name."""
    store = SqliteStore(path, create=False)
    try:
        made = load_run(store, store.find(run)).fork(at, settings, do, store)
        assert made.name is not None
        return made.name
    finally:
        store.close()
