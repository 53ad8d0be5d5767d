"""What may be asked for over HTTP: how large it may be, and what it means."""

from collections.abc import Mapping
from typing import Any

from fundclock.events.units import to_cents
from fundclock.scenarios.files.axes import DRAWS, axis_values
from fundclock.scenarios.files.documents import parse
from fundclock.scenarios.files.inputs import KEYS
from fundclock.scenarios.files.problems import InvalidInput, Problem, closest
from fundclock.scenarios.runs.plan import Plan
from fundclock.scenarios.runs.playing import run_name
from fundclock.scenarios.scenario import Scenario, shipped

MAX_VALUES = 20_000
MAX_DEPTH = 30
MAX_TEXT = 200_000
"""Characters of a scenario that is sent as a file's text."""

MAX_LOANS = 250_000
"""Loans that the commitments would buy at the mean size; a larger fund is played from the command line."""

MAX_PATHS = 5_000
"""Runs of a sweep."""

MAX_SETTINGS = 100
"""Values of a sweep's axes of settings: each is checked when the sweep is asked for."""


def scenario_of(request: Mapping[str, Any]) -> Scenario:
    """The scenario that a request names or holds. Raises InvalidInput; files of the machine can't be named."""
    check_size(request)
    chosen, text = request.get("scenario"), request.get("document")
    settings = dict(request.get("set") or {})
    if (chosen is None) == (text is None):
        raise InvalidInput([Problem("scenario", "give a scenario, or a document with its text", "request")])
    sections: list[Any] = [settings]
    if text is not None:
        if len(text) > MAX_TEXT:
            raise InvalidInput([Problem("document", f"has more than {MAX_TEXT:,} characters", "request")])
        document = parse(text, "document")
        check_size(document.values)
        scenario = Scenario(document, str(document.values.get("name") or "scenario"))
        sections.append(document.values)
    elif isinstance(chosen, str):
        if chosen not in shipped():
            message = f"there is no '{chosen}'; there are {', '.join(shipped())}"
            raise InvalidInput([Problem("scenario", message, "request", suggestion=closest(chosen, shipped()))])
        scenario = Scenario.load(chosen)
    else:
        scenario = Scenario.from_dict(chosen or {})
        sections.append(chosen)
    _refuse_files(sections)
    return scenario.with_(seed=request.get("seed"), set=settings)


def plan_of_request(request: Mapping[str, Any]) -> Plan:
    """What a request asks to be played, checked whole. Raises InvalidInput."""
    return plan_of_scenario(scenario_of(request))


def plan_of_scenario(scenario: Scenario) -> Plan:
    """What a scenario plays, checked whole. Raises InvalidInput, also where it is too large to be served."""
    config = scenario.resolve()
    loans = to_cents(config.fund.size) // max(1, to_cents(config.loans.size.mean))
    if loans > MAX_LOANS:
        message = f"would buy some {loans:,} loans; the service plays funds of up to {MAX_LOANS:,}"
        raise InvalidInput([Problem("fund.size", message, "request")])
    return scenario.plan()


def name_of_request(request: Mapping[str, Any]) -> str:
    """Check a request for a simulation: the name that its run would have. Raises InvalidInput."""
    return run_name(plan_of_request(request))


def axes_of_request(request: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Check a request for a sweep: its axes. Raises InvalidInput, also where it asks for too much."""
    plan = plan_of_request(request)
    axes: dict[str, list[Any]] = {}
    settings: list[dict[str, Any]] = []
    paths = 1
    for key, given in (request["sweep"] or plan.config.sweep).items():
        if isinstance(given, str) and len(given) > MAX_TEXT:
            raise InvalidInput([Problem(key, f"has more than {MAX_TEXT:,} characters", "request")])
        if key.partition(".")[0] in ("script", "sweep", "name", "description"):
            raise InvalidInput([Problem(key, "is no setting that can be swept", "request")])
        axes[key] = axis_values(key, given)
        if key not in DRAWS:
            settings += [{key: value} for value in axes[key]]
        _refuse_files([{key: value} for value in axes[key]])
        paths *= len(axes[key])
    if len(settings) > MAX_SETTINGS:
        message = f"has {len(settings):,} values of settings; the service plays sweeps of up to {MAX_SETTINGS}"
        raise InvalidInput([Problem("sweep", message, "request")])
    scenario = scenario_of(request)
    for one in settings:
        plan_of_scenario(scenario.with_(set=one, origin="sweep"))
    if not axes:
        raise InvalidInput([Problem("sweep", "empty; give an axis like seed: '1:100'", "request")])
    if paths > MAX_PATHS:
        message = f"has {paths:,} runs; the service plays sweeps of up to {MAX_PATHS:,}"
        raise InvalidInput([Problem("sweep", message, "request")])
    return axes


def check_size(value: Any) -> None:
    """Raises InvalidInput for a request with too many values or levels."""
    count, level = 0, [value]
    for _ in range(MAX_DEPTH + 1):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner += item.values()
            elif isinstance(item, list):
                inner += item
        count += len(inner)
        if count > MAX_VALUES:
            raise InvalidInput([Problem("", f"has more than {MAX_VALUES:,} values", "request")])
        if not inner:
            return
        level = inner
    raise InvalidInput([Problem("", f"has more than {MAX_DEPTH} levels", "request")])


def _refuse_files(sections: list[Any]) -> None:
    files = [key for key in KEYS if any(_names_file(values, key) for values in sections)]
    if files:
        raise InvalidInput(Problem(key, "names a file; files can't be named over HTTP", "request") for key in files)


def _names_file(values: Any, key: str) -> bool:
    if not isinstance(values, dict):
        return False
    section, name = key.split(".")
    inner = values.get(section)
    return values.get(key) is not None or (isinstance(inner, dict) and inner.get(name) is not None)
