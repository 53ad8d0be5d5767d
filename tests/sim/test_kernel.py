import pytest

from fundclock.events.bus import EventBus
from fundclock.events.commands import CollectRecovery, PayCall, ReinvestProceeds, SuspendReinvestment
from fundclock.events.facts import CommandCancelled, CommandScheduled, ReinvestmentResumed, ReinvestmentSuspended
from fundclock.events.phases import Phase
from fundclock.events.state import State
from fundclock.events.stores.memory import MemoryLog
from fundclock.sim.kernel import Kernel
from fundclock.sim.processes import loan_exits, on_days


class Clockwork:
    """A kernel whose commands only note when they were carried out."""

    def __init__(self):
        self.done = []
        self.log = MemoryLog()
        commands = dict.fromkeys((CollectRecovery, PayCall, ReinvestProceeds, SuspendReinvestment), self.note)
        self.bus = EventBus(State(), self.log, {CommandScheduled: [self.schedule]}, commands)
        self.kernel = Kernel(self.bus)

    def schedule(self, record, fact):
        self.kernel.put_on_calendar(record, fact)

    def note(self, day, command):
        self.done.append((day, self.bus.phase.name, command.kind, command.business_key))
        return [ReinvestmentResumed()]

    def promise(self, day, command):
        self.bus.publish([CommandScheduled(due_day=day, command=command)])


def test_a_promise_is_kept_on_its_day_in_its_phase_and_named_as_the_cause():
    clock = Clockwork()
    clock.promise(5, ReinvestProceeds(lot=1, source="exit", amount_cents=1))
    assert list(clock.bus.state.agenda.pending) == [1]
    clock.kernel.run(10)
    assert clock.done == [(5, "reinvestment", "proceeds.reinvest/1", "")]
    kept = clock.log.records[-1]
    assert (kept.day, kept.phase, kept.cause) == (5, "reinvestment", 1)
    assert not clock.bus.state.agenda.pending


def test_a_day_runs_by_phase_then_business_key_then_seq_never_by_creation():
    clock = Clockwork()
    clock.promise(3, ReinvestProceeds(lot=1, source="exit", amount_cents=1))
    for loan in ("red-00002", "green-00009", "green-00001"):
        clock.promise(3, CollectRecovery(loan_id=loan))
    clock.promise(3, SuspendReinvestment())
    clock.kernel.run(3)
    assert [entry[1:] for entry in clock.done] == [
        ("market", "reinvestment.suspend/1", ""),
        ("receipts", "recovery.collect/1", "green-00001"),
        ("receipts", "recovery.collect/1", "green-00009"),
        ("receipts", "recovery.collect/1", "red-00002"),
        ("reinvestment", "proceeds.reinvest/1", ""),
    ]


def test_one_simpy_event_serves_all_commands_of_a_day_and_phase():
    clock = Clockwork()
    for number in range(50):
        clock.promise(7, CollectRecovery(loan_id=f"green-{number:05d}"))
    assert len(clock.kernel.env._queue) == 1


def test_a_cancelled_promise_is_not_kept():
    clock = Clockwork()
    clock.promise(4, SuspendReinvestment())
    clock.bus.publish([CommandCancelled(scheduled_seq=1, reason="changed my mind")])
    clock.kernel.run(10)
    assert clock.done == []


def test_a_promise_that_is_due_in_the_past_is_a_mistake():
    clock = Clockwork()
    clock.bus.enter(0, Phase.reinvestment)
    with pytest.raises(Exception, match="has passed"):
        clock.promise(0, SuspendReinvestment())


def test_processes_of_one_phase_go_in_the_order_of_their_names():
    clock = Clockwork()
    seen = []

    def act(name):
        def on_day(day):
            seen.append((day, name))
            yield [ReinvestmentSuspended()]

        return on_day

    kernel = clock.kernel
    kernel.start({name: on_days(kernel, [2, 4], Phase.fees, act(name)) for name in ("zebra", "ant", "mole")})
    kernel.run(9)
    assert seen == [(2, "ant"), (2, "mole"), (2, "zebra"), (4, "ant"), (4, "mole"), (4, "zebra")]
    assert {r.phase for r in clock.log} == {"fees"}


class Endings:
    def __init__(self, days):
        self.days = sorted(days)
        self.ended = []

    def next_day(self):
        return self.days[0] if self.days else 10**6

    def end_loans(self, day, backwards=False):
        while self.days and self.days[0] == day:
            self.ended.append(self.days.pop(0))
        return []


def test_the_exit_process_looks_again_when_an_earlier_ending_is_found():
    clock = Clockwork()
    endings = Endings([8])
    kernel = clock.kernel

    def find(day):
        endings.days.insert(0, 5)
        kernel.interrupt("loan_exits")
        return []

    kernel.start({"loan_exits": loan_exits(kernel, endings), "finder": on_days(kernel, [3], Phase.market, find)})
    kernel.run(9)
    assert endings.ended == [5, 8]
    assert sorted(kernel.processes) == ["finder", "loan_exits"]
