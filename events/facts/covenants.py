"""Facts about tests of facilities and what follows from them, in cents. Columns are by test or by facility."""

from typing import Literal

from fundclock.events.record import Fact

TestTrigger = Literal["quarter_end", "exit", "default", "repaid", "cure_deadline", "payment", "maturity", "clean_down"]
"""What led to a test: its day, a loan that left the base, a repayment in a cure, a day on which something is due."""


class CovenantTested(Fact):
    """The tests of a facility on a day, passed or failed, with all that they are made from (``terms``, in cents).

    A loan that leaves the base is followed by the tests that this may break, base and LTV, with their terms alone.
    ``base`` are the terms of the base: loans, eligible, loan_excess and zone_excess of a NAV line; uncalled and
    commitment of a subscription line.

    ``value`` is None where it is undefined; ``headroom_cents`` is by how much debt may rise, or what it is measured
    against fall, before the test fails.
    """

    kind: Literal["covenant.tested/1"] = "covenant.tested/1"
    facility: str
    trigger: TestTrigger
    passed: dict[str, bool]
    value: dict[str, float | None]
    limit: dict[str, float]
    headroom_cents: dict[str, int]
    terms: dict[str, int]
    base: dict[str, int]


class CovenantBreached(Fact):
    """A test has failed that had not before; it must be cured by ``cure_due_day``."""

    kind: Literal["covenant.breached/1"] = "covenant.breached/1"
    facility: str
    test: str
    value: float | None
    limit: float
    headroom_cents: int
    cure_due_day: int


class CovenantCured(Fact):
    """A test that had failed passes again, ``days`` after the breach."""

    kind: Literal["covenant.cured/1"] = "covenant.cured/1"
    facility: str
    test: str
    days: int


class EventOfDefaultDeclared(Fact):
    """The time to cure is over and these tests still fail."""

    kind: Literal["event_of_default.declared/1"] = "event_of_default.declared/1"
    facility: str
    tests: list[str]


class FacilityAccelerated(Fact):
    """The lender has called the whole balance; nothing can be drawn any more."""

    kind: Literal["facility.accelerated/1"] = "facility.accelerated/1"
    facility: str
    balance_cents: int


class SweepBegun(Fact):
    """From now on what comes in goes to this lender: nothing is reinvested or distributed."""

    kind: Literal["sweep.begun/1"] = "sweep.begun/1"
    facility: str
    reason: Literal["cure", "default", "deleveraging", "draw_period_over"]


class SweepEnded(Fact):
    """What comes in is the fund's own again."""

    kind: Literal["sweep.ended/1"] = "sweep.ended/1"
    facility: str


class LeverageOptimized(Fact):
    """The optimiser's decision of a quarter: debt to NAV against its target, and what is done about it.

    ``asked_cents`` is what the target would need, ``amount_cents`` what is drawn or repaid by ``facility``.
    """

    kind: Literal["leverage.optimized/1"] = "leverage.optimized/1"
    leverage_ratio: float | None
    target: float
    action: Literal["draw", "repay", "hold"]
    facility: str | None
    asked_cents: int
    amount_cents: int
    reason: str


class LeverageMeasured(Fact):
    """Debt at a quarter's end, after the optimiser; columns by facility. Ratios are decimals, None where undefined.

    ``ineligible`` are the loans that do not count at the valuation that the base goes by, by reason.
    ``service_cents`` and ``collected_cents`` are of the last twelve months; ``average_rate`` is the cost of debt
    weighted by balance, spread included.
    """

    kind: Literal["leverage.measured/1"] = "leverage.measured/1"
    debt_cents: int
    nav_cents: int
    balance_cents: dict[str, int]
    available_cents: dict[str, int]
    commitment_cents: dict[str, int]
    rate: dict[str, float]
    status: dict[str, str]
    maturity_day: dict[str, int]
    base_cents: dict[str, int]
    ineligible: dict[str, list[str]]
    leverage_ratio: float | None
    loan_to_value_ratio: float | None
    debt_service_coverage_ratio: float | None
    interest_coverage_ratio: float | None
    average_rate: float | None
    service_cents: int
    collected_cents: int
    next_service_cents: int


class LeverageStressed(Fact):
    """What shocks would do to today's tests; rows by shock, see ``fundclock.handlers.leverage.stress``."""

    kind: Literal["leverage.stressed/1"] = "leverage.stressed/1"
    failed: dict[str, list[str]]
    leverage_ratio: dict[str, float | None]
    loan_to_value_ratio: dict[str, float | None]
    debt_service_coverage_ratio: dict[str, float | None]
