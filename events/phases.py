"""The order of a day: the one table of phases.

Inside a day, records come in the order of this table. Inside a phase, promises are
kept by business key (loan, facility, zone) and then by the seq of the promise. The
table is logged with every run.
"""

from enum import IntEnum


class Phase(IntEnum):
    """A phase of the day; its value is the SimPy priority of what happens in it."""

    market = 1
    accrual = 2
    exits = 3
    receipts = 4
    debt_service = 5
    fees = 6
    tests = 7
    cure = 8
    notices = 9
    rebalance = 10
    reinvestment = 11
    originations = 12
    distributions = 13
    report = 14


PHASES: tuple[str, ...] = tuple(phase.name for phase in Phase)
