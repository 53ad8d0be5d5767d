"""A run, ready to be played: the parts of its fund on a clock, with a bus, a log and scripts."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fundclock.events import facts
from fundclock.events.bus import EventBus, LogWriter, Output, Rejected
from fundclock.events.commands import SetConfig
from fundclock.events.parts import Commands, Part, Reactions, joined
from fundclock.events.phases import Phase
from fundclock.events.record import Record
from fundclock.events.state import State
from fundclock.scenarios.files.changes import changed, current
from fundclock.scenarios.files.problems import InvalidInput
from fundclock.scenarios.runs.assembly import Fund, assemble, settings_of
from fundclock.scenarios.runs.plan import Plan
from fundclock.scenarios.runs.script_player import ScriptPlayer
from fundclock.scenarios.runs.timetable import Root, timetable
from fundclock.scenarios.scripts.vocabulary import View
from fundclock.sim.kernel import Kernel, Process


class Simulation(Part):
    """One run. It puts promises on the calendar, moves the market, and changes settings that a script changes."""

    def __init__(
        self,
        plan: Plan,
        log: LogWriter,
        on_month: Callable[[int], None] | None = None,
        on_evening: Callable[["Simulation", int], None] | None = None,
    ) -> None:
        """``on_month`` is told the day of each month's end as it is reached, ``on_evening`` each day when it is over.

        Who looks in the evening may look at everything and change nothing.
        """
        self._plan, self._config = plan, plan.config
        self._on_month, self._on_evening = on_month, on_evening
        calendar = plan.config.calendar()
        self.last_day = plan.config.last_day()
        knots = [0, *calendar.period_ends("monthly", 1, self.last_day - 1), self.last_day]
        self._index_of = {day: index for index, day in enumerate(knots)}
        self.state = State()
        self.fund: Fund = assemble(plan, self.state, knots, self._wake)
        self.bus = EventBus(self.state, log, *joined([self, *self.fund.parts()]))
        self.kernel = Kernel(self.bus, [Phase[name] for name in plan.manifest.phases], plan.backwards)
        self._script = ScriptPlayer(plan, self.kernel, self.bus, _view(self.fund), lambda: self._config)
        root = Root(self._enter_month, self._finish)
        self._processes = timetable(plan, self.fund, self.kernel, knots, root)

    def reactions(self) -> Reactions:
        """Put promises on the calendar, add interventions and apply settings, before any engine reacts."""
        return {
            facts.CommandScheduled: [self._schedule],
            facts.ScriptAdded: [self._add_script],
            facts.ConfigChanged: [self._apply_config],
        }

    def commands(self) -> Commands:
        """Settings are the simulation's to change."""
        return {SetConfig: self._set_config}

    def run(self) -> None:
        """Play the fund from its first day to its last."""
        self.bus.publish([self._plan.manifest])
        self._script.start()
        watched = {} if self._on_evening is None else {"observer": lambda _name: self._observe()}
        self.kernel.start(self._processes | self._script.processes() | watched)
        try:
            with _rare_collections():
                self.kernel.run(self.last_day)
        finally:
            self._dismantle()

    def _observe(self) -> Process:
        assert self._on_evening is not None
        for day in range(self.last_day):
            yield self.kernel.evening(day, 3)
            self._on_evening(self, day)

    def _dismantle(self) -> None:
        """Undo what refers back to itself, so that a run is freed when nobody holds it, not when it is collected."""
        self.bus.dismantle()
        self.kernel.dismantle()
        self._processes.clear()
        self._script.dismantle()
        del self.fund, self._script  # they can wake and ask this

    def _schedule(self, record: Record, fact: facts.CommandScheduled) -> Output:
        self.kernel.put_on_calendar(record, fact)
        return None

    def _add_script(self, record: Record, fact: facts.ScriptAdded) -> Output:
        return self._script.add_on_script_added(record, fact)

    def _wake(self) -> None:
        self.kernel.interrupt("loan_exits")

    def _enter_month(self, day: int) -> Iterator[Output]:
        index = self._index_of[day]
        self.fund.values.enter_month(index)
        yield from self.fund.market.move(day)
        yield self.fund.market_state.watch(day)
        self.fund.clock.begin_month(index, day)
        if self._on_month is not None:
            self._on_month(day)

    def _set_config(self, _day: int, command: SetConfig) -> Output | Rejected:
        changes = {key: value for key, value in command.changes.items() if key not in self._plan.pinned}
        if not changes:
            return Rejected("these settings are pinned")
        try:
            changed(self._config, changes)
        except InvalidInput as error:
            return Rejected(str(error))
        return [facts.ConfigChanged(changes=changes, previous=current(self._config, changes))]

    def _apply_config(self, _record: Record, fact: facts.ConfigChanged) -> Output:
        self._config = changed(self._config, fact.changes)
        self.fund.context.settings.__dict__.update(settings_of(self._config).__dict__)
        return None

    def _finish(self, _day: int) -> Iterator[Output]:
        zones = self.state.results.zones.values()
        yield [
            facts.RunFinished(
                loans_originated=sum(zone.originated for zone in zones),
                loans_exited=sum(zone.exited for zone in zones),
                loans_defaulted=sum(zone.defaulted for zone in zones),
            )
        ]


def _view(fund: Fund) -> View:
    """What scripts may look at."""
    context = fund.context
    return View(
        context.state, context.calendar, context.market, fund.exposure, fund.leverage, fund.partners.total_cents
    )


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Let Python look for reference cycles a hundred times less often than it does by itself.

    A run keeps what it makes (records) or drops it at once (SimPy events); it leaves no cycles, and
    searching hundreds of thousands of kept records for some costs a quarter of the run.
    """
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], 70_000) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.freeze()  # and back: what has survived is old now, without a look at each of it
        gc.unfreeze()
        gc.set_threshold(*before)
