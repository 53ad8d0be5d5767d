"""Debt as it is measured at each quarter's end, and what the configured shocks would do to it."""

from collections.abc import Iterator

from fundclock.events.bus import Output
from fundclock.events.facts import LeverageMeasured, LeverageStressed
from fundclock.handlers.context import Context
from fundclock.handlers.leverage.breaches import Breaches
from fundclock.handlers.leverage.collateral import Collateral
from fundclock.handlers.leverage.lines import Lines
from fundclock.handlers.leverage.service import DebtService
from fundclock.handlers.leverage.stress import table


class LeverageReport:
    """Takes the metrics of a quarter, after everything that the day decides."""

    def __init__(
        self, context: Context, collateral: Collateral, lines: Lines, breaches: Breaches, service: DebtService
    ) -> None:
        self._state = context.state
        self._settings = context.settings
        self._calendar = context.calendar
        self._collateral = collateral
        self._lines = lines
        self._breaches = breaches
        self._service = service

    def measure(self, day: int) -> Iterator[Output]:
        """The metrics of a quarter's end, until no facility has anything to lend or to get any more."""
        facilities = self._state.facilities
        lines = facilities.by_name
        if facilities.closed:
            return
        rates = self._service.rates(day)
        debt = facilities.debt_cents
        weighted = sum(rates[name] * line.balance_cents for name, line in lines.items())
        measures = self._breaches.measures(day)
        yield [
            LeverageMeasured(
                debt_cents=debt,
                nav_cents=self._state.ledger.nav_cents(),
                balance_cents={name: line.balance_cents for name, line in lines.items()},
                available_cents={name: self._lines.available_cents(name, day) for name in lines},
                commitment_cents={name: line.commitment_cents for name, line in lines.items()},
                rate=rates,
                status={name: line.status for name, line in lines.items()},
                maturity_day={name: line.maturity_day for name, line in lines.items()},
                base_cents={name: self._lines.base_cents(name, day) for name in lines},
                ineligible=self._collateral.ineligible(),
                average_rate=weighted / debt if debt else None,
                next_service_cents=self._service.next_service_cents(day),
                **measures,
            )
        ]
        stress = self._settings.leverage.stress_testing
        if stress.enabled and "green_sleeve" in lines and lines["green_sleeve"].balance_cents:
            yield self._stress(day)

    def _stress(self, day: int) -> Output:
        config, stress = self._settings.leverage.green_sleeve, self._settings.leverage.stress_testing
        terms, months = self._breaches.terms("green_sleeve", day), self._calendar.months_since_start(day)
        rows = table(terms, config, months, stress)
        return [
            LeverageStressed(
                failed={name: row.failed for name, row in rows.items()},
                leverage_ratio={name: row.ratios.leverage_ratio for name, row in rows.items()},
                loan_to_value_ratio={name: row.ratios.loan_to_value_ratio for name, row in rows.items()},
                debt_service_coverage_ratio={
                    name: row.ratios.debt_service_coverage_ratio for name, row in rows.items()
                },
            )
        ]
