"""Small funds for tests."""

from contextlib import suppress
from datetime import date

from fundclock import Run, Scenario
from fundclock.events.dates import Calendar

CALENDAR = Calendar(date(2026, 1, 1))
COLUMNS = "loan_id,zone,principal,property_value,coupon,term_years,exit_on,exit_kind,proceeds"

QUIET = {
    "market": {"base_rate": {"model": "constant", "initial": 0, "floor": 0}},
    "zones": {
        "green": {
            "target_allocation": 1.0,
            "appreciation": 0.0,
            "volatility": 0.0,
            "default_rate": 0.0,
            "recovery_rate": 1.0,
        }
    },
    "fees": {"management": 0, "origination": 0, "expenses": 0, "setup": 0},
    "waterfall": {"hurdle": 0, "carry": 0, "catch_up": 0},
    "loans": {"idiosyncratic_volatility": 0, "selling_cost": 0},
}
"""A market in which nothing moves: one zone, no rate, no default; and a fund without fees and carry."""


def quiet(**changes: object) -> Scenario:
    """A fund in a market where nothing moves; keys are written with __ for dots."""
    return Scenario.from_dict(QUIET, "quiet").with_(
        set={key.replace("__", "."): value for key, value in changes.items()}
    )


def day(text: str) -> int:
    """The day of an ISO date in a fund that starts on 1 January 2026."""
    return CALENDAR.day(date.fromisoformat(text))


def fund(tmp_path, rows, columns=COLUMNS, **changes) -> Run:
    """A quiet fund that holds just these loans of a tape."""
    path = tmp_path / "tape.csv"
    path.write_text("\n".join([columns, *rows]) + "\n")
    size = sum(float(row.split(",")[2]) for row in rows)
    settings = {"fund__size": size, "fund__fee_reserve": 0, "fund__gp_commitment": 0, **changes}
    return quiet(loans__tape=str(path), **settings).run()


def of(run: Run, kind: str) -> list:
    """The records of one kind."""
    return list(run.log.read(kinds=[kind]))


STILL = {"appreciation": 0, "volatility": 0, "default_rate": 0, "recovery_rate": 1}

BOOK = [
    "G,green,400000,1000000,0,30,,,",
    "R,red,600000,1500000,0,30,,,",
    "X,green,1000000,2500000,0,30,2026-05-15,sale,1100000",
    "Y,red,100000,250000,0,30,2026-05-15,sale,105000",
]
"""What lives is .4 green and .6 red; on 15 May X brings 10 % and Y 5 % in 134 days, together 1,205,000."""


def two_zones(tmp_path, **changes) -> Run:
    """The book above, with targets of .6 and .4, loans of 100,000 and no other exits."""
    settings = {
        "zones": {"green": {"target_allocation": 0.6, **STILL}, "red": {"target_allocation": 0.4, **STILL}},
        "loans__size": {"mean": 100e3, "sd": 0, "min": 50e3, "max": 1e6},
        "loans__ltv": {"mean": 0.4, "sd": 0, "min": 0.1, "max": 0.9},
        "exits__age_years": {"mean": 60, "sd": 0.1},
        **changes,
    }
    return fund(tmp_path, BOOK, **settings)


def interrupted(store, scenario: Scenario, after: int) -> Run:
    """A run of the scenario that was interrupted at the first month's end after a day, as the store has it."""

    def stop(today, last):
        if today > after:
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        scenario.run(store, stop)
    return Run.open(store)
