"""What a run's facilities did, from its log: facilities, metrics, events, tests."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fundclock.events.day_counts import YEAR
from fundclock.events.facts import FacilityOpened, LeverageMeasured
from fundclock.events.record import Record
from fundclock.events.units import from_cents
from fundclock.handlers.settings.fund import FundConfig
from fundclock.handlers.settings.leverage import LeverageConfig
from fundclock.scenarios.files.problems import InvalidInput, Problem
from fundclock.scenarios.runs.manifest import calendar_of
from fundclock.scenarios.runs.recorded import RecordedRun
from fundclock.scenarios.views.reinvestment import years_and_months

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

RATIOS = ("leverage_ratio", "loan_to_value_ratio", "debt_service_coverage_ratio", "interest_coverage_ratio")


@dataclass
class DebtHistory:
    """What a pass over a log has found about facilities. Raises InvalidInput where there are none."""

    run: RecordedRun

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
    """One row per facility, as it stands at the end of the log."""
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
                "term_years": (line.maturity_day - record.day) / YEAR,
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
    """One row per event; ``year`` and ``month`` count from the fund's start, as for reinvestment."""
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
