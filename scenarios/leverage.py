"""What a run's facilities did, from its log: facilities, metrics, events, tests, stress, returns without debt."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from events.facts import CovenantTested, FacilityOpened, LeverageMeasured
from events.record import Record
from events.units import from_cents
from handlers.fund.config import FundConfig
from handlers.leverage.config import LeverageConfig
from handlers.leverage.covenants import Terms
from handlers.leverage.stress import Smallest, Stressed, smallest, table
from scenarios.manifest import calendar_of
from scenarios.metrics import nav_risk
from scenarios.problems import InvalidInput, Problem
from scenarios.reinvestment import years_and_months
from scenarios.rerun import plan_of
from scenarios.run import Run
from scenarios.scenario import play_in_memory
from scenarios.vocabulary import BY_FACILITY

EVENTS = {
    "facility.opened/1": "opened",
    "facility.raised/1": "commitment_raised",
    "facility.drawn/1": "draw",
    "draw.declined/1": "draw_declined",
    "facility.repaid/1": "repayment",
    "debt_service.paid/1": "interest_payment",
    "payment.defaulted/1": "payment_default",
    "covenant.breached/1": "covenant_breach",
    "covenant.cured/1": "covenant_cure",
    "event_of_default.declared/1": "event_of_default",
    "facility.accelerated/1": "acceleration",
    "sweep.begun/1": "sweep_begin",
    "sweep.ended/1": "sweep_end",
    "draw_period.ended/1": "draw_period_end",
    "facility.extended/1": "extension",
    "facility.matured/1": "maturity",
    "facility.written_off/1": "write_off",
}
"""Kinds of records that are a facility's events, and their types; a payment of fees is a row of its own."""

DEBT_COMMANDS = ("draw", "repay")
LINES = ("green_sleeve", "ramp_line")

RATIOS = ("leverage_ratio", "loan_to_value_ratio", "debt_service_coverage_ratio", "interest_coverage_ratio")
CONFIDENCE = 0.95


@dataclass
class DebtHistory:
    """What a pass over a log has found about facilities. Raises InvalidInput where there are none."""

    run: Run

    def __post_init__(self) -> None:
        scenario: Any = self.run.manifest.scenario
        if not scenario.get("leverage"):
            raise InvalidInput([Problem("leverage", "is not enabled in this run: it has no facilities")])
        self.config = LeverageConfig.model_validate(scenario["leverage"])
        fund = FundConfig.model_validate(scenario["fund"])
        self.currency = fund.currency
        self.calendar = calendar_of(self.run.manifest)

    def date(self, day: int) -> str:
        """The ISO date of a day."""
        return self.calendar.date(day).isoformat()

    def of(self, *kinds: str) -> list[Record]:
        """Records of these kinds, in their order."""
        return list(self.run.log.read(kinds=kinds))

    @cached_property
    def measured(self) -> list[Record]:
        """The quarters' metrics."""
        return self.of("leverage.measured/1")

    @cached_property
    def tests(self) -> list[Record]:
        """All tests."""
        return self.of("covenant.tested/1")

    def full_tests(self, facility: str) -> list[Record]:
        """Those of a facility that have all terms: not the ones that follow a loan's exit or default."""
        return [
            record
            for record in self.tests
            if record.payload.facility == facility and record.payload.trigger not in ("exit", "default")
        ]

    @cached_property
    def names(self) -> list[str]:
        """The facilities."""
        return [record.payload.facility for record in self.of("facility.opened/1")]


def facility_rows(history: DebtHistory) -> list[dict[str, Any]]:
    """One row a facility, as it stands at the end of the log."""
    rows = []
    last: LeverageMeasured | None = history.measured[-1].payload if history.measured else None
    for record in history.of("facility.opened/1"):
        opened: FacilityOpened = record.payload
        name = opened.facility
        line = history.run.state.facilities.by_name[name]
        rows.append(
            {
                "facility_id": name,
                "seq": record.seq,
                "facility_type": opened.facility_type,
                "status": line.status,
                "max_amount": from_cents(opened.ceiling_cents),
                "commitment": from_cents(line.commitment_cents),
                "interest_rate": None if last is None else last.rate[name],
                "spread_bps": round(opened.spread * 10_000, 6),
                "commitment_fee_bps": round(opened.commitment_fee * 10_000, 6),
                "term_years": (line.maturity_day - record.day) / 365,
                "advance_rate": opened.advance_rate,
                "current_balance": from_cents(line.balance_cents),
                "available_amount": from_cents(0 if last is None or line.matured else last.available_cents[name]),
                "interest_paid": from_cents(line.interest_paid_cents),
                "fees_paid": from_cents(line.fees_paid_cents),
                "inception_date": history.date(record.day),
                "draw_end_date": history.date(line.draw_end_day),
                "maturity_date": history.date(line.maturity_day),
                "extensions_left": line.extensions_left,
            }
        )
    return rows


def event_rows(history: DebtHistory) -> list[dict[str, Any]]:
    """One row an event; ``year`` and ``month`` count from the fund's start, as for reinvestment."""
    rows: list[dict[str, Any]] = []
    for record in history.of(*EVENTS):
        fact = record.payload
        details = {key: value for key, value in dict(fact).items() if key not in ("kind", "facility", "lots", "draws")}
        parts = [(EVENTS[record.kind], _amount(fact))]
        if record.kind == "debt_service.paid/1":
            named = (("interest_payment", fact.interest_cents), ("fee_payment", fact.fee_cents))
            parts = [(name, cents) for name, cents in named if cents]
        for name, cents in parts:
            year, month = years_and_months(history.calendar, record.day)
            rows.append(
                {
                    "facility_id": fact.facility,
                    "seq": record.seq,
                    "date": history.date(record.day),
                    "amount": None if cents is None else from_cents(cents),
                    "year": year,
                    "month": month,
                    "event_type": name,
                    "details": details,
                }
            )
    return rows


def _amount(fact: Any) -> int | None:
    """The cents that an event is about."""
    for name in ("amount_cents", "commitment_cents", "balance_cents", "unpaid_cents", "principal_cents"):
        if name in dict(fact):
            cents: int = fact[name]
            return cents
    return None


def metric_rows(history: DebtHistory) -> list[dict[str, Any]]:
    """The metrics of each quarter's end."""
    rows = []
    for record in history.measured:
        fact: LeverageMeasured = record.payload
        committed = sum(fact.commitment_cents.values())
        rows.append(
            {
                "seq": record.seq,
                "date": history.date(record.day),
                "total_debt": from_cents(fact.debt_cents),
                "total_available": from_cents(sum(fact.available_cents.values())),
                "utilization": fact.debt_cents / committed if committed else None,
                "weighted_avg_interest_rate": fact.average_rate,
                **{name: fact[name] for name in RATIOS},
                "balances": {name: from_cents(cents) for name, cents in fact.balance_cents.items()},
                "status": fact.status,
                "borrowing_base": {name: from_cents(cents) for name, cents in fact.base_cents.items()},
                "ineligible_loans": fact.ineligible,
                "maturity_profile": {
                    name: {"date": history.date(day), "balance": from_cents(fact.balance_cents[name])}
                    for name, day in fact.maturity_day.items()
                },
                "next_quarter_service": from_cents(fact.next_service_cents),
            }
        )
    return rows


def metrics_of(history: DebtHistory) -> dict[str, Any]:
    """The last quarter with debt, and the sums of the run."""
    rows = metric_rows(history)
    drawn = [row for row in rows if row["total_debt"] != "0.00"]
    last = (drawn or rows)[-1] if rows else {}
    lines = history.run.state.facilities.by_name.values()
    shown = ("date", "total_debt", "total_available", "utilization", "weighted_avg_interest_rate", *RATIOS)
    return {
        **{name: last.get(name) for name in (*shown, "maturity_profile")},
        "total_interest_paid": from_cents(sum(line.interest_paid_cents for line in lines)),
        "total_commitment_fees_paid": from_cents(sum(line.fees_paid_cents for line in lines)),
        "peak_debt": history.run.metrics["peak_debt"],
        "by_quarter": rows,
    }


@dataclass(frozen=True)
class StressReport:
    """The shocks of a day: before (``none``) and after, and the smallest of each kind that breaks a test."""

    record: Record
    date: str
    rows: dict[str, Stressed]
    smallest: dict[str, Smallest]

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return {
            "schema": "fundclock.stress/1",
            "date": self.date,
            "seq": self.record.seq,
            "debt": from_cents(self.rows["none"].terms.debt_cents),
            "stress_test_results": {
                name: {
                    "is_compliant": not row.failed,
                    "details": {
                        "shock": row.shock._asdict(),
                        "failed": row.failed,
                        **row.figures,
                        "tests": {
                            result.test: {
                                "value": result.value,
                                "limit": result.limit,
                                "passed": result.passed,
                                "headroom": from_cents(result.headroom_cents),
                            }
                            for result in row.results
                        },
                        "terms": {
                            key.removesuffix("_cents"): from_cents(cents) for key, cents in row.terms._asdict().items()
                        },
                    },
                }
                for name, row in self.rows.items()
            },
            "smallest_shock": {
                name: {"size": found.size, "binding_test": found.test} for name, found in self.smallest.items()
            },
        }


def stress_tests(history: DebtHistory) -> list[Record]:
    """The tests of the NAV line that ``stress`` chooses from where it is not told a day: those of quarters' ends."""
    return [record for record in history.full_tests("green_sleeve") if record.payload.trigger == "quarter_end"]


def stress(run: Run, at: int | None = None) -> StressReport:
    """What shocks would have done to the NAV line's tests on a day, from the terms of the last test until then.

    Without a day, the quarter's end with the most debt. Raises InvalidInput where there was no test. Nothing of
    the run is touched: the terms are in its log.
    """
    history = DebtHistory(run)
    tests = stress_tests(history)
    if at is not None and at > run.state.day:
        raise InvalidInput([Problem("--at", f"{history.date(at)} is after the run's last day")])
    if at is not None:
        found = [record for record in history.full_tests("green_sleeve") if record.day <= at]
    else:
        found = sorted(tests, key=lambda record: (record.payload.terms["debt_cents"], record.seq))
    if not found:
        place = "leverage" if at is None else "--at"
        when = " at a quarter's end" if at is None else f" until {history.date(at)}"
        raise InvalidInput([Problem(place, f"the NAV line was not tested{when}; there is nothing to stress")])
    record = found[-1]
    fact: CovenantTested = record.payload
    terms, months = Terms(**fact.terms), history.calendar.months_since_start(record.day)
    config, sizes = history.config.green_sleeve, history.config.stress_testing
    return StressReport(
        record,
        history.date(record.day),
        table(terms, config, months, sizes),
        dict(smallest(terms, config, months, sizes)),
    )


def without_debt(run: Run) -> Run:
    """The same fund without facilities: a run of its own, in memory, from the same manifest, inputs and draws.

    What scripts and forks ask of facilities, or on conditions that name them, is left out.
    """
    scenario: dict[str, Any] = dict(run.manifest.scenario)
    scenario["script"] = [entry for entry in scenario["script"] if not _about_debt(entry)]
    manifest = run.manifest.model_copy(update={"scenario": {**scenario, "leverage": None}})
    return play_in_memory(plan_of(manifest, run.log, run.kept, lambda entry: not _about_debt(entry)))


def _about_debt(entry: Mapping[str, Any]) -> bool:
    """Whether a script entry asks something of facilities, or on a condition that names one."""
    do = entry["do"]
    if do.get("command") in DEBT_COMMANDS or any(name in do for name in DEBT_COMMANDS):
        return True
    settings = do.get("set", do) if isinstance(do.get("set", do), dict) else {}
    if any(str(key).split(".")[0] == "leverage" for key in settings):
        return True
    named = [f"{kind}.{line}" for kind in BY_FACILITY for line in LINES]
    return any(name in (entry.get("when") or "") for name in named)


def value_at_risk(quarters: list[dict[str, Any]]) -> dict[str, float | None]:
    """Value at risk and conditional value at risk of a quarter, as losses, from the run's own quarterly returns.

    Historical simulation: of n returns on net asset value the ⌈.05·n⌉-th worst, and the mean of those not better than
    it. None with fewer than two returns.
    """
    returns = sorted(row["return"] for row in quarters if row["return"] is not None)
    if len(returns) < 2:
        return {"value_at_risk": None, "conditional_value_at_risk": None, "returns": len(returns)}
    worst = returns[: math.ceil((1 - CONFIDENCE) * len(returns) - 1e-9)]
    return {
        "value_at_risk": -worst[-1],
        "conditional_value_at_risk": -math.fsum(worst) / len(worst),
        "returns": len(returns),
    }


IMPACT = ("net_irr", "gross_irr", "tvpi", "dpi", "contributed", "distributed", "carry", "loans_originated")


def impact_of(run: Run, twin: Run) -> dict[str, Any]:
    """Returns and risk with debt and without: the paired run is the same fund without its facilities."""
    return {
        name: {
            **{key: one.metrics[key] for key in IMPACT},
            **nav_risk(one.quarters),
            **value_at_risk(one.quarters),
        }
        for name, one in (("with_debt", run), ("without_debt", twin))
    }
