"""Scenarios and runs: load a scenario, change it, play it; look at a run, fork it."""

import copy
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Self

from fundclock.events.stores.sqlite import SqliteStore
from fundclock.scenarios.charts.figures import chart_data
from fundclock.scenarios.files.axes import MAX_SEED
from fundclock.scenarios.files.documents import Document, lay_on, parse, validate
from fundclock.scenarios.files.inputs import KEYS
from fundclock.scenarios.files.problems import InvalidInput, Problem, closest
from fundclock.scenarios.files.schema import ScenarioConfig
from fundclock.scenarios.runs import forks
from fundclock.scenarios.runs.plan import Plan
from fundclock.scenarios.runs.planning import make_plan, with_environment
from fundclock.scenarios.runs.playing import play_in_memory, play_into, with_script
from fundclock.scenarios.runs.recorded import RecordedRun
from fundclock.scenarios.runs.stored import load_run
from fundclock.sim.script import PythonScript

LIBRARY = Path(__file__).parent / "library"


def shipped() -> list[str]:
    """Names of the scenarios that come with Fundclock."""
    return sorted(path.stem for path in LIBRARY.glob("*.yaml"))


class Run(RecordedRun):
    """A played scenario: its record, and everything that can be derived from it."""

    @classmethod
    def of(cls, recorded: RecordedRun) -> Self:
        """A recorded run as a ``Run``."""
        run = cls.__new__(cls)
        run.__dict__.update(recorded.__dict__)
        return run

    @classmethod
    def open(cls, store: str | Path | SqliteStore, name: str = "last") -> Self:
        """A stored run by its id, a unique prefix of it, or ``last``. Raises StoreError, DamagedLog.

        A store that is opened here is closed when the run is no longer in use.
        """
        opened = store if isinstance(store, SqliteStore) else SqliteStore(store, create=False)
        return cls.of(load_run(opened, opened.find(name)))

    def fork(
        self,
        at: str | date,
        set: Mapping[str, Any] | None = None,
        do: Sequence[Mapping[str, Any]] = (),
        store: str | Path | SqliteStore | None = None,
    ) -> Self:
        """This run again with an intervention in the morning of a day.

        ``at`` is an ISO date inside the fund's life. ``set`` changes settings by dotted key; ``do`` lists commands of
        the day (``{"shock_price": "-20%"}``) or script entries. Until that day the records are this run's, checked by
        hash; the random draws are the same to the end. Raises InvalidInput for what can't be done.
        """
        return self.of(forks.fork(self, at, set, do, store))

    def figure(self, name: str) -> dict[str, Any]:
        """The data of a chart or table by its name, as JSON values. Raises InvalidInput for an unknown name."""
        return chart_data(self, name)


class Scenario:
    """A scenario document with the seed it will run with. Never changed in place: ``with_`` makes another."""

    def __init__(self, document: Document, name: str, seed: int = 0, replication: int = 0) -> None:
        self.name = name
        self.seed = seed
        self.replication = replication
        self._document = document

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

    def with_(
        self,
        *,
        seed: int | None = None,
        replication: int | None = None,
        set: Mapping[str, Any] | None = None,
        origin: str = "set",
    ) -> Self:
        """A copy of the scenario with another seed or replication, or other settings by dotted key.

        ``origin`` is what errors name as the source of the settings. Raises InvalidInput for an invalid seed.
        """
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
        )

    def resolve(self) -> ScenarioConfig:
        """All sections with their defaults filled in, and what ``CAPITAL_*`` variables say of allocation.

        Raises InvalidInput with every problem found.
        """
        return validate(with_environment(self._document))

    def plan(self) -> Plan:
        """Everything read and checked, files too. Raises InvalidInput with every problem found; nothing is written."""
        return make_plan(with_environment(self._document), self.name, self.seed, self.replication)

    def run(
        self,
        store: str | Path | SqliteStore | None = None,
        on_day: Callable[[int, int], None] | None = None,
        script: PythonScript | None = None,
    ) -> Run:
        """Play the scenario. ``store`` None keeps the log in memory, a path keeps it in that file.

        ``on_day`` is called with (day, last day) at each month's end; ``script`` is a Python script, see
        ``fundclock.sim.script.ScriptEnvironment``. Raises InvalidInput, StoreError, and what the script raises.
        """
        plan = with_script(self.plan(), script)
        if store is None:
            return Run.of(play_in_memory(plan, on_day))
        opened = store if isinstance(store, SqliteStore) else SqliteStore(store)
        return Run.of(play_into(opened, plan, on_day))


def _anchor_files(document: Document, folder: Path) -> None:
    """Files that a scenario file names are looked for beside it."""
    for key in KEYS:
        section, name = key.split(".")
        inner = document.values.get(section)
        if isinstance(inner, dict) and isinstance(inner.get(name), str):
            inner[name] = str(folder / inner[name])
