import pytest

from fundclock.events.bus import EventBus, HandlerError, Led, Rejected
from fundclock.events.commands import SuspendReinvestment
from fundclock.events.facts import CommandRejected, ReinvestmentResumed, ReinvestmentSuspended, RunFinished
from fundclock.events.record import FIRST_HASH, chain
from fundclock.events.state import State
from fundclock.events.stores.memory import MemoryLog

FINISHED = RunFinished(loans_originated=0, loans_exited=0, loans_defaulted=0)


def make(reactions=None, commands=None):
    state, log = State(), MemoryLog()
    return EventBus(state, log, reactions or {}, commands or {}), state, log


def test_the_bus_stamps_seq_cause_and_correlation():
    def resume(record, fact):
        return [ReinvestmentResumed()]

    bus, _, log = make({ReinvestmentSuspended: [resume]})
    bus.publish([ReinvestmentSuspended()])
    bus.publish([ReinvestmentSuspended()])
    assert [(r.seq, r.cause, r.correlation) for r in log] == [(1, None, 1), (2, 1, 1), (3, None, 3), (4, 3, 3)]


def test_a_whole_batch_is_appended_and_folded_before_anyone_reacts():
    seen = []

    def look(record, fact):
        seen.append((record.seq, len(log), state.seq, state.lots.suspended))

    bus, state, log = make({ReinvestmentResumed: [look]})
    bus.publish([ReinvestmentResumed(), ReinvestmentSuspended()])
    assert seen == [(1, 2, 2, True)]


def test_the_lead_of_a_batch_is_the_cause_of_the_rest():
    bus, _, log = make()
    bus.publish(Led(ReinvestmentSuspended(), [ReinvestmentResumed(), ReinvestmentResumed()]), cause=None)
    assert [r.cause for r in log] == [None, 1, 1]


def test_reactions_run_breadth_first_in_the_order_of_the_table():
    order = []

    def first(record, fact):
        order.append(("first", record.seq))
        return [FINISHED]

    def second(record, fact):
        order.append(("second", record.seq))

    def third(record, fact):
        order.append(("third", record.seq))

    bus, _, _ = make({ReinvestmentSuspended: [first, second], RunFinished: [third]})
    bus.publish([ReinvestmentSuspended(), ReinvestmentSuspended()])
    assert order == [("first", 1), ("second", 1), ("first", 2), ("second", 2), ("third", 3), ("third", 4)]


def test_the_head_hash_is_the_chain_over_the_lines():
    bus, _, log = make()
    bus.publish([ReinvestmentSuspended(), ReinvestmentResumed()])
    log.seal()
    head = FIRST_HASH
    for record, digest in zip(log, log.hashes(len(log)), strict=True):
        head = chain(head, record.line())
        assert head == digest
    assert log.head_hash == head


def test_a_refused_command_is_recorded_with_its_reason():
    bus, _, log = make(commands={SuspendReinvestment: lambda day, command: Rejected("not today")})
    bus.publish([FINISHED])
    bus.execute(SuspendReinvestment(), cause=1, correlation=1)
    refusal = log.records[-1]
    assert isinstance(refusal.payload, CommandRejected)
    assert (refusal.payload.reason, refusal.cause) == ("not today", 1)


def test_a_command_that_leaves_nothing_is_a_mistake():
    bus, _, _ = make(commands={SuspendReinvestment: lambda day, command: None})
    with pytest.raises(HandlerError, match="must produce a fact"):
        bus.execute(SuspendReinvestment(), cause=1, correlation=1)


def test_a_handler_that_fails_stops_the_run_and_names_the_record():
    def fail(record, fact):
        raise RuntimeError("no luck")

    bus, _, log = make({ReinvestmentSuspended: [fail]})
    with pytest.raises(HandlerError, match=r"fail.* seq 1: RuntimeError: no luck"):
        bus.publish([ReinvestmentSuspended()])
    assert len(log) == 1
