"""Shadow tests reckon what the covenants reckon."""

from fundclock import Scenario
from fundclock.events.stores.memory import MemoryLog
from fundclock.handlers.leverage.collateral import base_of
from fundclock.handlers.market_state import nav_fall
from fundclock.scenarios.runs.simulation import Simulation


def test_on_quarter_ends_the_base_of_an_evening_is_that_of_the_test():
    plan = Scenario.load("levered").with_(seed=7).plan()
    config, log = plan.config.leverage.green_sleeve, MemoryLog()
    evenings = {}

    def look(simulation, day):
        book = simulation.state.book
        rows = book.living_rows()
        rows = rows[book.column("bought_day")[rows] < day]  # what is bought after the test is not in it
        marks = simulation.fund.lifecycle.marks(rows, day)
        evenings[day] = base_of(book, rows, marks.worth, marks.ltv, config)

    Simulation(plan, log, on_evening=look).run()
    tests = [r for r in log.read(kinds=["covenant.tested/1"]) if r.payload.trigger == "quarter_end"]
    tests = [record for record in tests if record.payload.facility == "green_sleeve"]
    assert len(tests) > 20
    for record in tests:
        assert evenings[record.day].terms() == record.payload.base
        assert evenings[record.day].base_cents == record.payload.terms["base_cents"]


def test_a_breaker_that_trips_at_a_quarters_end_was_seen_by_the_same_sum():
    script = [{"at": "2028-05-15", "do": {"shock_nav": -0.3}}]
    run = Scenario.load("base").with_(seed=3, set={"script": script}).run()
    tripped = [
        record.payload for record in run.log.read(kinds=["breaker.tripped/1"]) if record.payload.nav_fall is not None
    ]
    falls = []
    for before, now in zip(run.state.capital.quarters, run.state.capital.quarters[1:], strict=False):
        falls.append(nav_fall(before, now.nav_cents, now.contributed_cents, now.distributed_cents))
    assert tripped
    assert {fact.nav_fall for fact in tripped} <= set(falls)
