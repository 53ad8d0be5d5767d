"""Scripts of a run while it is played: entries of the scenario, interventions of forks, Python scripts."""

from collections.abc import Callable, Sequence
from typing import Any

from fundclock.events import facts
from fundclock.events.bus import EventBus, Output
from fundclock.events.commands import AnyCommand
from fundclock.events.record import Record
from fundclock.scenarios.files.problems import InvalidInput, Problem, closest
from fundclock.scenarios.files.schema import ScenarioConfig
from fundclock.scenarios.runs.plan import Plan
from fundclock.scenarios.scripts.conditions import read_condition
from fundclock.scenarios.scripts.entries import Script, Watch, read_command
from fundclock.scenarios.scripts.vocabulary import View, names_of, value_of
from fundclock.sim.evenings import Evenings, Holds, Watched
from fundclock.sim.kernel import Kernel, Process
from fundclock.sim.script import ScriptEnvironment, repeat_recorded


class ScriptPlayer:
    """Publishes the requests of scripts when they are made, and reads state, conditions and commands for them."""

    def __init__(
        self, plan: Plan, kernel: Kernel, bus: EventBus, view: View, settings: Callable[[], ScenarioConfig]
    ) -> None:
        """``settings`` are those of the day."""
        self._plan = plan
        self._kernel = kernel
        self._bus = bus
        self._view = view
        self._settings = settings
        self._last_day = plan.config.last_day()
        self._evenings = Evenings(kernel, bus, self, self._last_day)
        self._joining = Script()
        self._names = names_of(plan.config)

    def start(self) -> None:
        """Schedule the dated acts, and evaluate the conditions from the first evening on."""
        for day, source, command in self._plan.script.acts:
            self._bus.publish([facts.CommandScheduled(due_day=day, command=command, source=source)])
        self._watch(self._plan.script.watches)

    def dismantle(self) -> None:
        """Let go of the conditions, which read their state here."""
        del self._evenings

    def processes(self) -> dict[str, Callable[[str], Process]]:
        """What scripts need: interventions in the morning, conditions in the evening, Python scripts beside them."""
        plan, kernel, bus = self._plan, self._kernel, self._bus
        found: dict[str, Callable[[str], Process]] = {}
        if plan.script.watches or plan.python is not None or any(added.script.watches for added in plan.added):
            found["evenings"] = self._evenings.process
        if plan.added:
            found["interventions"] = lambda _name: self._intervene()
        if plan.recorded:
            found["recorded_script"] = lambda _name: repeat_recorded(kernel, bus, plan.recorded)
        if plan.python is not None:
            script = plan.python
            given = ScriptEnvironment(kernel, bus, plan.config.calendar(), self._evenings, self, self._last_day)
            found["python_script"] = lambda _name: given.process(script)
        return found

    def _intervene(self) -> Process:
        for added in self._plan.added:
            yield self._kernel.morning(added.day, 1)
            self._joining = added.script
            self._bus.publish([facts.ScriptAdded(entries=added.entries)])

    def add_on_script_added(self, _record: Record, _fact: facts.ScriptAdded) -> Output:
        """Entries that join: acts are scheduled, conditions are evaluated from this evening on."""
        self._watch(self._joining.watches)
        return [
            facts.CommandScheduled(due_day=day, command=command, source=source)
            for day, source, command in self._joining.acts
        ]

    def _watch(self, watches: Sequence[Watch]) -> None:
        for source, condition, command, repeat in watches:
            self._evenings.watch(Watched(source, condition.text, condition.names, condition.holds, command, repeat))

    def value(self, name: str) -> Any:
        """State by name. Raises InvalidInput for an unknown name."""
        if name not in self._names:
            hint = closest(name, self._names)
            raise InvalidInput([Problem("script", f"unknown name '{name}'", suggestion=hint)])
        return value_of(self._view, name, self._kernel.day)

    def condition(self, text: str) -> tuple[tuple[str, ...], Holds]:
        """A condition that a Python script waits for. Raises ConditionError."""
        condition = read_condition(text, self._names)
        return condition.names, condition.holds

    def command(self, do: dict[str, Any]) -> AnyCommand:
        """A command that a Python script asks for. Raises InvalidInput."""
        return read_command(do, self._settings())
