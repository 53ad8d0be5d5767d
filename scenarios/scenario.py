"""Scenarios: load one, change it, run it."""

import copy
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from events.commands import Reinvest
from events.facts import RunStarted
from events.stores.memory import MemoryLog
from events.stores.sqlite import SqliteStore
from events.stores.store import Status, StoreError
from handlers.allocation.settings import CapitalSettings
from scenarios.axes import DRAWS, MAX_SEED, axis_values
from scenarios.changes import leaves
from scenarios.compose import Simulation
from scenarios.inputs import KEYS, Reader, load_inputs
from scenarios.loader import Document, lay_on, parse, validate
from scenarios.manifest import make_manifest
from scenarios.market import make_market
from scenarios.plan import Plan
from scenarios.problems import InvalidInput, Problem, closest
from scenarios.run import Run
from scenarios.schema import ScenarioConfig
from scenarios.scripts import read_script
from scenarios.tape import read_tape
from sim.script import PythonScript
from sim.streams import Streams

LIBRARY = Path(__file__).parent / "library"


def shipped() -> list[str]:
    """Names of the scenarios that come with Fundclock."""
    return sorted(path.stem for path in LIBRARY.glob("*.yaml"))


class Scenario:
    """A scenario document with the seed it will run with. Never changed in place: ``with_`` makes another."""

    def __init__(
        self, document: Document, name: str, seed: int = 0, replication: int = 0, kept: Reader | None = None
    ) -> None:
        self.name = name
        self.seed = seed
        self.replication = replication
        self._document = document
        self._kept = kept

    @classmethod
    def load(cls, name: str | Path) -> Self:
        """A shipped scenario by name, or a YAML or JSON file. Raises InvalidInput where it can't be read."""
        path = LIBRARY / f"{name}.yaml" if str(name) in shipped() else Path(name)
        try:
            content = path.read_bytes()
        except OSError as error:
            near = closest(str(name), shipped())
            hint = f"; shipped scenarios: {', '.join(shipped())}"
            reason = "no such file or shipped scenario" if isinstance(error, FileNotFoundError) else str(error.strerror)
            raise InvalidInput([Problem("", reason + ("" if near else hint), str(name), suggestion=near)]) from None
        document = parse(content, path.name)
        _anchor_files(document, path.parent)
        return cls(document, str(document.values.get("name") or path.stem))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], name: str = "scenario") -> Self:
        """A scenario from sections as plain values."""
        return cls(Document(name, copy.deepcopy(dict(values))), str(values.get("name") or name))

    @classmethod
    def from_manifest(cls, manifest: RunStarted, kept: Reader) -> Self:
        """The scenario of a stored run; ``kept`` finds its inputs."""
        values = {key: value for key, value in manifest.scenario.items() if value is not None}
        return cls(
            Document(f"manifest of {manifest.name}", values), manifest.name, manifest.seed, manifest.replication, kept
        )

    def with_(
        self,
        *,
        seed: int | None = None,
        replication: int | None = None,
        set: Mapping[str, Any] | None = None,
        origin: str = "set",
    ) -> Self:
        """Another scenario: other seed, other replication, settings by dotted key."""
        document = copy.deepcopy(self._document)
        for key, value in (set or {}).items():
            lay_on(document, key, value, f"{origin} {key}")
        if seed is not None and (type(seed) is not int or not 0 <= seed <= MAX_SEED):
            raise InvalidInput([Problem("seed", f"must be a whole number from 0 to {MAX_SEED}, got {seed}")])
        return type(self)(
            document,
            self.name,
            self.seed if seed is None else seed,
            self.replication if replication is None else replication,
            self._kept,
        )

    @property
    def config(self) -> ScenarioConfig:
        """The resolved sections. Raises InvalidInput with every problem found."""
        return validate(_with_environment(self._document))

    def plan(self) -> Plan:
        """Everything read and checked, files too. Raises InvalidInput with every problem found; nothing is written."""
        config = self.config
        script = read_script(config, self._document)
        _check_axes(config, self._document)
        inputs = load_inputs(config, self._kept)
        calendar = config.calendar()
        make_market(config, calendar, [0, config.last_day()], Streams(0), inputs)
        opening = None
        if "loans.tape" in inputs:
            tape = inputs["loans.tape"]
            opening = read_tape(tape.content, tape.name, config.zones, calendar, config.last_day())
        manifest = make_manifest(self.name, config, self.seed, self.replication, inputs)
        return Plan(config, self.seed, self.replication, inputs, opening, script, manifest)

    def run(
        self,
        store: str | Path | SqliteStore | None = None,
        on_day: Callable[[int, int], None] | None = None,
        script: PythonScript | None = None,
    ) -> Run:
        """Play the scenario. ``store`` None keeps the log in memory, a path keeps it in that file.

        ``on_day`` is told (day, last day) at each month's end; ``script`` is a Python script, see
        ``sim.script.ScriptEnvironment``. Raises InvalidInput, StoreError, and what the script raises.
        """
        plan = with_script(self.plan(), script)
        if store is None:
            return play_in_memory(plan, on_day)
        opened = store if isinstance(store, SqliteStore) else SqliteStore(store)
        return play_into(opened, plan, on_day)

    def warnings(self) -> list[str]:
        """What this scenario asks for that has no effect yet."""
        config = self.config
        return [*unused(config), *self._declined(config)]

    def _declined(self, config: ScenarioConfig) -> list[str]:
        """One line for each manual reinvestment on a day on which nothing is reinvested any more."""
        calendar = config.calendar()
        period_end = calendar.add_months(0, config.fund.reinvestment_period_years * 12)
        return [
            f"{place}: will be declined: {calendar.date(day)} is after the reinvestment period,"
            f" whose last day is {calendar.date(period_end - 1)}"
            for day, place, act in read_script(config, self._document).acts
            if isinstance(act, Reinvest) and day >= period_end
        ]


def with_script(plan: Plan, script: PythonScript | None) -> Plan:
    """The plan with a Python script, whose name is in the manifest."""
    if script is None:
        return plan
    name = getattr(script, "__name__", "script")
    return plan._replace(python=script, manifest=plan.manifest.model_copy(update={"python": name}))


@contextmanager
def closing(close: Callable[[Status], None]) -> Iterator[None]:
    """Close a run's writer with what became of the run; what was recorded is kept."""
    try:
        yield
    except KeyboardInterrupt:
        close("interrupted")
        raise
    except StoreError:
        raise
    except Exception:
        close("failed")
        raise
    close("finished")


def play_in_memory(plan: Plan, on_day: Callable[[int, int], None] | None = None) -> Run:
    """Run a plan with its log in memory."""
    log = MemoryLog()
    simulation = Simulation(plan, log, _progress(plan, on_day))
    simulation.run()
    inputs = {item.digest: item for item in plan.inputs.values()}
    return Run(plan.manifest, log, simulation.state, log.head_hash, kept=inputs.__getitem__, python=plan.python)


def play_into(
    store: SqliteStore, plan: Plan, on_day: Callable[[int, int], None] | None = None, name: str | None = None
) -> Run:
    """Run a plan into a store. On an interrupt or an error what was recorded is kept and the run's status says so.

    The run has the ``name``, or one that depends on its manifest.
    """
    writer = store.begin(name or run_name(plan), plan.manifest.name, plan.seed, plan.inputs.values())
    simulation = Simulation(plan, writer, _progress(plan, on_day))
    with closing(writer.close):
        simulation.run()
    return Run(
        plan.manifest,
        store.log(writer.run),
        simulation.state,
        writer.head_hash,
        writer.run,
        store.input,
        python=plan.python,
    )


def run_name(plan: Plan) -> str:
    """A short name that depends on the manifest alone."""
    return f"{plan.manifest.name}-{hashlib.sha256(plan.manifest.to_json()).hexdigest()[:8]}"


def _progress(plan: Plan, on_day: Callable[[int, int], None] | None) -> Callable[[int], None] | None:
    if on_day is None:
        return None
    last = plan.config.last_day()
    return lambda day: on_day(day, last)


def _with_environment(document: Document) -> Document:
    """The document with what ``CAPITAL_*`` variables say of allocation, where it allocates and does not say itself.

    Runs keep all settings in their manifests, so that variables play no part when one is played again.
    """
    section = document.values.get("capital_allocation")
    if not isinstance(section, dict) or not ("strategy" in section or section.get("enabled") is True):
        return document
    try:
        from_environment = CapitalSettings()
    except ValidationError as error:
        raise InvalidInput(
            Problem(f"CAPITAL_{'_'.join(map(str, found['loc'])).upper() or '*'}", found["msg"], "environment")
            for found in error.errors()
        ) from None
    missing = from_environment.model_fields_set - set(section)
    if not missing:
        return document
    added = {name: getattr(from_environment, name) for name in missing}
    values = {**document.values, "capital_allocation": {**section, **added}}
    return Document(document.source, values, document.positions, document.origins)


def _check_axes(config: ScenarioConfig, document: Document) -> None:
    """Whether the scenario's own sweep can be read. Raises InvalidInput with every axis that can't."""
    known = leaves("", config.model_dump(mode="json", exclude={"script", "sweep"}))
    problems: list[Problem] = []
    for key, given in config.sweep.items():
        try:
            axis_values(key, given)
        except InvalidInput as error:
            problems += [document.problem(("sweep", key), problem.message) for problem in error.problems]
        if key not in (*known, *DRAWS) and not any(name.startswith(f"{key}.") for name in known):
            hint = closest(key, known)
            problems.append(document.problem(("sweep", key), "there is no such setting", hint))
    if problems:
        raise InvalidInput(problems)


def _anchor_files(document: Document, folder: Path) -> None:
    """Files that a scenario file names are looked for beside it."""
    for key in KEYS:
        section, name = key.split(".")
        inner = document.values.get(section)
        if isinstance(inner, dict) and isinstance(inner.get(name), str):
            inner[name] = str(folder / inner[name])


def unused(config: ScenarioConfig) -> list[str]:
    """One line for each setting that differs from its default and has no effect yet."""
    values, defaults = (made.model_dump(mode="json") for made in (config, ScenarioConfig()))
    found: list[str] = []
    if not config.capital_allocation.enabled and values["capital_allocation"] != defaults["capital_allocation"]:
        found.append("capital_allocation: has no effect, enabled is false")
    if config.waterfall.pref_clock == "facility_draw" and "ramp_line" not in config.leverage.lines():
        found.append("waterfall.pref_clock: has no effect without leverage.ramp_line, whose draws it counts from")
    return found
