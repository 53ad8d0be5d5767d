"""Parts are put together in the order of their list."""

import pytest

from fundclock import Scenario
from fundclock.events.commands import SetTransactionCost, TripBreaker
from fundclock.events.facts import LoanExited, LoanRecovered
from fundclock.events.parts import Part, joined
from fundclock.events.stores.memory import MemoryLog
from fundclock.scenarios.runs.simulation import Simulation


def _one(record, fact):
    return None


def _other(record, fact):
    return None


class First(Part):
    def reactions(self):
        return {LoanExited: [_one]}

    def commands(self):
        return {TripBreaker: self.trip}

    def trip(self, day, command):
        return None


class Second(Part):
    def reactions(self):
        return {LoanExited: [_other], LoanRecovered: [_other]}


def test_of_one_fact_the_earlier_part_reacts_first():
    assert joined([First(), Second()])[0] == {LoanExited: [_one, _other], LoanRecovered: [_other]}
    assert joined([Second(), First()])[0][LoanExited] == [_other, _one]
    assert joined([Part()]) == ({}, {})


def test_a_command_has_one_handler():
    with pytest.raises(ValueError, match=r"TripBreaker has two handlers: First\.trip and First\.trip"):
        joined([First(), First()])


def test_every_command_of_a_fund_has_a_handler():
    simulation = Simulation(Scenario.load("levered").plan(), MemoryLog())
    reactions, handlers = joined([simulation, *simulation.fund.parts()])
    assert SetTransactionCost in handlers
    assert [handler.__qualname__ for handler in reactions[LoanExited]] == [
        "Exposure.end_on_paid_off",
        "Reinvestment.schedule_on_loan_exited",
        "Breaches.test_on_loan_exited",
        "Remedies.sweep_on_inflow",
    ]
