"""Allocation inside the fund: checks that set the targets, measure the drift and trigger rebalancing."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np

from fundclock.events.bus import Led, Output
from fundclock.events.commands import LendDraw, OriginateLoans, SellLoan
from fundclock.events.dates import MONTHS_BETWEEN
from fundclock.events.facts import (
    AllocationFailed,
    AllocationOptimized,
    CommandScheduled,
    LoanSaleAgreed,
    RebalanceTriggered,
)
from fundclock.events.record import Fact
from fundclock.events.state.loan_book import PERFORMING
from fundclock.handlers.allocation.allocator import CapitalAllocator
from fundclock.handlers.allocation.efficiency import correlations, rolling_covariance
from fundclock.handlers.allocation.qp import Floats
from fundclock.handlers.allocation.settings import CapitalSettings
from fundclock.handlers.allocation.targets import Targets
from fundclock.handlers.allocation.types import AllocationError, RebalanceOrders, Weights
from fundclock.handlers.context import Context
from fundclock.handlers.loans.purchases import Purchases
from fundclock.handlers.risk.exposure import Exposure
from fundclock.handlers.settings.allocation import AllocationConfig

DIGITS = 10
"""Weights and rates in records are rounded to so many decimals: what differs below that differs by machine."""


class AllocationEngine:
    """Made only where allocation is enabled; without it a run has no trace of it."""

    def __init__(
        self,
        context: Context,
        exposure: Exposure,
        purchases: Purchases,
        targets: Targets,
        correlation: Floats,
        months_a_return: int,
    ) -> None:
        """``correlation`` of the zones' prices stands until there are enough returns, each of so many months."""
        self._state = context.state
        self._settings = context.settings
        self._calendar = context.calendar
        self._market = context.market
        self._exposure = exposure
        self._purchases = purchases
        self._targets = targets
        self._correlation = correlation
        self._step = months_a_return
        self._last_day = context.last_day
        self._made_for: AllocationConfig | None = None
        self._allocator: CapitalAllocator

    @property
    def _config(self) -> AllocationConfig:
        return self._settings.capital_allocation

    def check_on_month_end(self, day: int) -> Iterator[Output]:
        """A check where a period of the frequency ends, and on the first day."""
        months = MONTHS_BETWEEN[self._config.optimization_frequency]
        if day == 0 or (self._exposure.open and self._calendar.date(day).month % months == 0):
            yield from self._check(day)

    def _check(self, day: int) -> Iterator[Output]:
        config, names = self._config, list(self._settings.zones)
        returns, covariance = self._outlook(day)
        try:
            weights = self._optimise(names, returns, covariance)
        except AllocationError as error:
            yield [AllocationFailed(strategy=config.strategy.value, reason=str(error))]
            return
        claims = self._exposure.claims()
        lent = sum(claims.values())
        invested = float(sum(weights.values())) or 1.0
        aims = {name: float(weights.get(name, Decimal(0))) for name in names}
        current = {name: claims[name] / lent if lent else 0.0 for name in names}
        drift = {name: current[name] - aims[name] / invested if lent else 0.0 for name in names}
        worst = max(map(abs, drift.values()))
        conditions, correlated = self._state.conditions, correlations(covariance)
        yield [
            AllocationOptimized(
                strategy=config.strategy.value,
                weights=_rounded(aims),
                idle=round(float(weights.idle), DIGITS),
                idle_reason=weights.idle_reason,
                expected_returns=_rounded(dict(zip(names, returns.tolist(), strict=True))),
                deviations=_rounded(dict(zip(names, np.sqrt(covariance.diagonal()).tolist(), strict=True))),
                correlations=_rounded(
                    {f"{names[b]}-{names[a]}": float(correlated[a, b]) for a in range(len(names)) for b in range(a)}
                ),
                current=_rounded(current),
                drift=_rounded(drift),
                max_drift=round(worst, DIGITS),
                volatility_state=conditions.volatility_state,
                cost_level=conditions.cost_level,
                multiplier=self._targets.multiplier(),
                capital_cents=self._targets.capital_cents(),
            )
        ]
        if lent and worst >= config.rebalance_threshold:
            orders = self._orders(current, {name: aims[name] / invested for name in names}, lent)
            if orders:
                yield self._trigger(day, worst, orders)
        waiting = self._state.capital.undeployed_cents if day else 0  # on the first day the opening book comes first
        least, lines = self._purchases.smallest_cents(), self._state.facilities
        if waiting and self._targets.room_cents(waiting) >= least:
            yield [CommandScheduled(due_day=day, command=OriginateLoans(call=0))]
        if lines.unlent_cents >= least and self._targets.room_cents(lines.unlent_cents) >= least:
            yield [CommandScheduled(due_day=day, command=LendDraw(facility=next(iter(lines.by_name))))]

    def _outlook(self, day: int) -> tuple[Floats, Floats]:
        """Yearly expected returns and covariance of loans in each zone, from what is known on the day.

        A loan earns its coupon and ``share/LTV`` times its zone's trailing appreciation (the share of the first cent
        above the opening value), less default rate × (1 − recovery rate); it varies by ``share/LTV`` times its zone's
        prices.
        """
        loans, zones = self._settings.loans, list(self._settings.zones.values())
        flat = loans.appreciation_share
        lever = (flat if isinstance(flat, float) else loans.tiers()[1][0]) / loans.ltv.mean
        trailing = np.array(self._market.appreciation(day))
        losses = np.array([zone.default_rate * (1 - zone.recovery_rate) for zone in zones])
        returns = loans.coupon.mean + lever * np.maximum(trailing, 0.0) - losses
        return returns, lever**2 * self._price_covariance(day)

    def _price_covariance(self, day: int) -> Floats:
        """Yearly covariance of the zones' prices: of the monthly returns so far, or as the settings have it."""
        step = self._step
        window = max(2, self._config.lookback_months // step)
        known = min(window, self._calendar.months_since_start(day) // step)
        if known >= max(len(self._settings.zones) + 1, window // 2):  # fewer say nothing of so many zones
            months = [self._calendar.months_before(day, step * back) for back in range(known, -1, -1)]
            levels = [self._market.known_levels(month) for month in months]
            steps = np.array([np.subtract(now, then) for then, now in pairwise(levels)])
            return 12 / step * rolling_covariance(np.expm1(steps), window)
        spread = np.array([zone.volatility for zone in self._settings.zones.values()])
        settled: Floats = self._correlation * np.outer(spread, spread)
        return settled

    def _optimise(self, names: Sequence[str], returns: Floats, covariance: Floats) -> Weights:
        config = self._config
        if config is not self._made_for:
            given = {key: getattr(config, key) for key in CapitalSettings.model_fields}
            self._allocator, self._made_for = CapitalAllocator(given), config
        claims = self._exposure.claims()
        lent = sum(claims.values())
        held = {name: cents / lent for name, cents in claims.items()} if lent else None
        market = {name: zone.target_allocation for name, zone in self._settings.zones.items()}
        budgets = {name: config.risk_budgets.get(name, 1.0) for name in names} if config.risk_budgets else None
        spread = np.sqrt(np.maximum(covariance.diagonal(), 1e-12))
        limits = config.risk_constraints
        shares = {
            "max_protocol_exposure_pct": limits.max_protocol_exposure_pct,
            "max_asset_concentration_pct": limits.max_asset_concentration_pct,
        }
        given_limits: dict[str, Any] = {key: value for key, value in shares.items() if value is not None}
        return self._allocator.optimize_portfolio(
            names,
            given_limits,
            expected_returns=dict(zip(names, returns.tolist(), strict=True)),
            risk_scores=dict(zip(names, spread.tolist(), strict=True)),
            covariance=covariance if covariance.any() else np.eye(len(names)) * 1e-12,
            risk_budgets=budgets,
            views=config.views or None,
            current=market if config.strategy.value == "black_litterman" else held,
            costs=config.costs or None,
        )

    def _orders(self, current: dict[str, float], target: dict[str, float], lent: float) -> RebalanceOrders:
        limit = self._config.risk_constraints.max_transaction_size_pct
        return self._allocator.rebalance_portfolio(
            _shares(current),
            _shares(target),
            Decimal(round(lent)),
            risk_constraints=None if limit is None else {"max_transaction_size_pct": limit},
            costs=self._config.costs or None,
        )

    def _trigger(self, day: int, worst: float, orders: RebalanceOrders) -> Output:
        triggered = RebalanceTriggered(
            max_drift=round(worst, DIGITS),
            threshold=self._config.rebalance_threshold,
            orders=[
                (order.protocol, order.action, int(order.amount.to_integral_value()), order.priority)
                for order in orders
            ],
            dropped=[order.protocol for order in orders.dropped],
            net_cents=int(orders.net.to_integral_value()),
        )
        return Led(triggered, self._sales(day, orders))

    def _sales(self, day: int, orders: RebalanceOrders) -> list[Fact]:
        """Loans that decreases sell, the oldest first, as far as whole loans go; each is settled on its day."""
        sales, book = self._config.sell_loans, self._state.book
        if not sales.enabled:
            return []
        settled = self._calendar.add_business_days(day, sales.settlement_business_days)
        if settled >= self._last_day:
            return []
        sold = {command.loan_id for _, command in self._state.agenda.promises(SellLoan)}
        left: dict[str, Decimal] = {}
        for order in orders:
            if order.action == "decrease":
                left[order.protocol] = left.get(order.protocol, Decimal(0)) + order.amount
        facts: list[Fact] = []
        status = book.status()
        for row in book.living_rows().tolist() if left else ():
            zone, loan_id = book.zones[book.value("zone", row)], book.ids[row]
            principal = book.value("principal_cents", row)
            if status.item(row) != PERFORMING or loan_id in sold or principal > left.get(zone, 0):
                continue
            left[zone] -= principal
            facts += [
                LoanSaleAgreed(
                    loan_id=loan_id,
                    zone=zone,
                    principal_cents=principal,
                    haircut=sales.haircut,
                    settlement_day=settled,
                ),
                CommandScheduled(due_day=settled, command=SellLoan(loan_id=loan_id, haircut=sales.haircut)),
            ]
        return facts


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, DIGITS) + 0.0 for name, value in values.items()}


def _shares(values: dict[str, float]) -> dict[str, Decimal]:
    """Floats as Decimals that do not sum to more than 1."""
    return {name: Decimal(int(value * 10**DIGITS)).scaleb(-DIGITS) for name, value in values.items()}
