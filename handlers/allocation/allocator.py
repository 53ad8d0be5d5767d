"""The capital allocator: target weights, capital scaled by risk, orders, and how well capital has worked.

Decimal in, Decimal out; in between, arrays of floats. A *protocol* is any bucket that can hold capital, as a zone can.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from fundclock.handlers.allocation import inputs
from fundclock.handlers.allocation.black_litterman import Posterior, implied_returns, posterior
from fundclock.handlers.allocation.efficiency import (
    correlations,
    drawdown,
    historical_tail,
    normal_tail,
    rolling_covariance,
    sharpe_ratio,
    toward_one,
)
from fundclock.handlers.allocation.kelly import exact_kelly, gaussian_kelly, growth, sigma_points
from fundclock.handlers.allocation.limits import Group, Limits, limits
from fundclock.handlers.allocation.qp import Answer, Floats
from fundclock.handlers.allocation.rebalancing import orders
from fundclock.handlers.allocation.risk_budgets import risk_budgets as equal_risk
from fundclock.handlers.allocation.settings import resolved
from fundclock.handlers.allocation.strategies import (
    Trades,
    equal_weight,
    inverse_risk,
    mean_variance,
    multi_objective,
)
from fundclock.handlers.allocation.types import (
    AllocationError,
    AllocationTarget,
    PortfolioMetrics,
    RebalanceOrders,
    RiskMetrics,
    VolatilityState,
    Weights,
)
from fundclock.handlers.settings.allocation import AllocationStrategy

VOLATILITY_MULTIPLIERS = {
    VolatilityState.LOW: Decimal(1),
    VolatilityState.MEDIUM: Decimal("0.8"),
    VolatilityState.HIGH: Decimal("0.6"),
    VolatilityState.EXTREME: Decimal("0.3"),
}
"""What is deployed of what could be, by the volatility state."""

COST_MULTIPLIERS = ((Decimal(100), Decimal("0.7")), (Decimal(50), Decimal("0.9")))
"""Above which level of transaction costs how much of it is left."""

DIGITS = 12
"""Decimals of a weight; weights are rounded down to them, so that they never sum to more than 1."""

Numbers = Mapping[str, Any]
Returns = Numbers | Callable[[Sequence[str]], Numbers]
"""Expected returns by bucket, or what predicts them: a model of one's own goes here."""


Loss = Callable[[], float] | None


class _Problem(NamedTuple):
    """What an optimisation knows, by bucket; None where the caller did not say."""

    names: list[str]
    limits: Limits
    returns: Floats | None
    scores: Floats | None
    covariance: Floats | None
    budgets: Floats | None
    current: Floats | None
    costs: Floats | None
    least_return: float | None


def risk_multiplier(metrics: RiskMetrics) -> Decimal:
    """The share of capital that may be deployed in a state of the market, 0 to 1."""
    if metrics.circuit_breaker_triggered:
        return Decimal(0)
    of_costs = next((part for level, part in COST_MULTIPLIERS if metrics.gas_price_gwei > level), Decimal(1))
    return VOLATILITY_MULTIPLIERS[metrics.volatility_state] * of_costs


class CapitalAllocator:
    """Finds weights by a strategy and turns them into amounts and orders.

    ``config`` is flat or has a section ``capital_allocation``; what it leaves out comes from ``CAPITAL_*`` variables.
    """

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        """Raises ValueError or TypeError that names the key."""
        self.settings = resolved(config)
        self.allocation_strategy: AllocationStrategy = self.settings.strategy
        self.risk_free_rate = Decimal(str(self.settings.risk_free_rate))
        self.rebalance_threshold = Decimal(str(self.settings.rebalance_threshold))
        self.max_protocols: int = self.settings.max_protocols

    def optimize_portfolio(
        self,
        protocols: Sequence[str],
        risk_constraints: Mapping[str, Any] | None = None,
        expected_returns: Returns | None = None,
        risk_scores: Numbers | None = None,
        covariance: Any = None,
        risk_budgets: Numbers | None = None,
        views: Any = None,
        current: Numbers | None = None,
        costs: Numbers | None = None,
        *,
        scenarios: Any = None,
    ) -> Weights:
        """Target weights by bucket, ≥ 0, inside the caps, with a sum of at most 1; see ``Weights``.

        ``covariance`` and the columns of ``scenarios`` (returns of a period, one row a scenario) are in the order of
        ``protocols``; the others map bucket to number. ``risk_constraints`` has ``max_protocol_exposure_pct`` (for
        all, or by bucket) and ``max_asset_concentration_pct`` (of the buckets that ``assets`` maps to the same asset;
        without it, each is its own), in per cent, and ``min_expected_return``. ``views`` maps bucket to expected
        return, or is a list of (weights by bucket, return) or (weights, return, variance).

        Where the covariance is missing, risk scores serve as standard deviations with zero correlation. Raises
        ValueError (AllocationError where limits can't be met) or TypeError that names the argument.
        """
        names = inputs.names(sorted(protocols) if isinstance(protocols, (set, frozenset)) else protocols)
        given = inputs.constraints(risk_constraints)
        if not names:
            return Weights({})
        if callable(expected_returns):
            expected_returns = expected_returns(names)
        returns = None if expected_returns is None else inputs.by_bucket("expected_returns", expected_returns, names)
        scores = None if risk_scores is None else inputs.by_bucket("risk_scores", risk_scores, names, least=0)
        matrix = None if covariance is None else inputs.covariance_matrix(covariance, names)
        budgets = None if risk_budgets is None else inputs.by_bucket("risk_budgets", risk_budgets, names, above=0)
        held = None if current is None else inputs.held("current", current, names)
        rates = None if costs is None else inputs.by_bucket("costs", costs, names, default=0.0, least=0)
        outcomes = None if scenarios is None else inputs.scenario_returns(scenarios, names)
        least = given.get("min_expected_return")
        if self.allocation_strategy is AllocationStrategy.BLACK_LITTERMAN:
            blend = self._blend(names, returns, scores, matrix, held, views)
            returns, matrix = blend.returns, blend.covariance
        best = self._best(names, returns, scores, matrix)
        caps, known = inputs.caps(given, names), names
        if best is not None:
            names, caps = [names[row] for row in best], caps[best]
            returns, scores, budgets, held, rates = (
                None if part is None else part[best] for part in (returns, scores, budgets, held, rates)
            )
            matrix = None if matrix is None else matrix[np.ix_(best, best)]
            outcomes = None if outcomes is None else outcomes[:, best]
        problem = _Problem(
            names,
            self._limits(given, names, known, caps),
            returns,
            scores,
            matrix,
            budgets,
            held,
            rates,
            None if least is None else float(inputs.number("min_expected_return", least)),
        )
        return self._weights(problem, *self._solve(problem, outcomes))

    def _best(
        self, names: list[str], returns: Floats | None, scores: Floats | None, covariance: Floats | None
    ) -> list[int] | None:
        """Rows of the best ``max_protocols`` buckets in their order: by return a unit of risk, or by what of it is
        known, then by name; without either the first ones. None where there are not too many."""
        if len(names) <= self.max_protocols:
            return None
        risk = scores if covariance is None else np.sqrt(np.maximum(covariance.diagonal(), 0))
        if returns is None and risk is None:
            return list(range(self.max_protocols))
        if returns is None:
            merit = -risk  # type: ignore[operator]
        elif risk is None:
            merit = returns
        else:
            merit = returns / np.maximum(risk, 1e-12)
        ranked = sorted(range(len(names)), key=lambda row: (-merit[row], names[row]))
        return sorted(ranked[: self.max_protocols])

    def _limits(self, given: Mapping[str, Any], names: list[str], protocols: Sequence[str], caps: Floats) -> Limits:
        upper = np.minimum(caps, self.settings.max_protocol_allocation)
        groups: list[Group] = []
        cap = given.get("max_asset_concentration_pct")
        assets = inputs.mapping("assets", given.get("assets", {}))
        inputs.known("assets", assets, protocols)
        if cap is not None:
            share = inputs.per_cent("max_asset_concentration_pct", cap)
            upper = np.minimum(upper, share)
            members: dict[str, list[int]] = {}
            for row, name in enumerate(names):
                members.setdefault(str(assets.get(name, name)), []).append(row)
            groups = [Group(rows, share) for rows in members.values() if len(rows) > 1]
        lower = np.full(len(names), self.settings.min_protocol_allocation)
        return limits(lower, upper, groups, self.settings.infeasible)

    def _solve(self, problem: _Problem, outcomes: Floats | None) -> tuple[Answer, Loss]:
        """The answer of the strategy, and of the Gaussian Kelly approximation what it loses."""
        strategy, limited, settings = self.allocation_strategy, problem.limits, self.settings
        match strategy:
            case AllocationStrategy.EQUAL_WEIGHT:
                return equal_weight(limited), None
            case AllocationStrategy.RISK_PARITY:
                return self._risk_parity(problem), None
            case AllocationStrategy.MEAN_VARIANCE | AllocationStrategy.BLACK_LITTERMAN:
                returns, covariance = self._needed(problem.returns, "expected_returns"), self._covariance(problem)
                return mean_variance(returns, covariance, settings.risk_aversion, limited, problem.least_return), None
            case AllocationStrategy.KELLY_CRITERION:
                return self._kelly(problem, outcomes)
            case AllocationStrategy.MULTI_OBJECTIVE:
                return self._multi_objective(problem), None

    def _needed(self, given: Floats | None, argument: str) -> Floats:
        if given is None:
            raise ValueError(f"{argument}: required by strategy {self.allocation_strategy.value}")
        return given

    def _covariance(self, problem: _Problem) -> Floats:
        if problem.covariance is not None:
            return problem.covariance
        if problem.scores is None:
            raise ValueError(f"covariance or risk_scores: required by strategy {self.allocation_strategy.value}")
        return np.diag(problem.scores**2)

    def _risk_parity(self, problem: _Problem) -> Answer:
        budgets = np.ones(len(problem.names)) if problem.budgets is None else problem.budgets
        if problem.covariance is not None:
            return equal_risk(problem.covariance, budgets, problem.limits)
        scores = problem.scores
        if scores is None:
            raise ValueError("risk_scores or covariance: required by strategy risk_parity")
        if not scores.all():
            name = problem.names[int(np.flatnonzero(scores == 0)[0])]
            raise ValueError(f"risk_scores[{name!r}] must be above 0 for risk_parity, got 0")
        return inverse_risk(scores, budgets, problem.limits)

    def _kelly(self, problem: _Problem, outcomes: Floats | None) -> tuple[Answer, Loss]:
        free, limited = float(self.risk_free_rate), problem.limits
        if outcomes is not None:
            odds = np.full(len(outcomes), 1 / len(outcomes))
            return exact_kelly(outcomes, odds, free, limited), None
        returns, covariance = self._needed(problem.returns, "expected_returns"), self._covariance(problem)
        answer = gaussian_kelly(returns, covariance, free, limited)

        def loss() -> float:
            points = sigma_points(returns, covariance)
            odds = np.full(len(points), 1 / len(points))
            try:
                best = exact_kelly(points, odds, free, limited)
            except AllocationError:  # the floors alone lose everything in one of these scenarios
                return float("inf")
            return growth(best.x, points, odds, free) - growth(answer.x, points, odds, free)

        return answer, loss

    def _blend(
        self,
        names: list[str],
        returns: Floats | None,
        scores: Floats | None,
        covariance: Floats | None,
        held: Floats | None,
        views: Any,
    ) -> Posterior:
        """Returns and covariance after the views, of all buckets; the market's weights are what is held, or equal."""
        settings, n = self.settings, len(names)
        if covariance is None:
            if scores is None:
                raise ValueError("covariance or risk_scores: required by strategy black_litterman")
            covariance = np.diag(scores**2)
        market = np.full(n, 1 / n) if held is None else held
        prior = implied_returns(covariance, market, settings.risk_aversion) if returns is None else returns
        picks, values, variances = inputs.views_of(views, names)
        return posterior(prior, covariance, settings.tau, picks, values, variances)

    def _multi_objective(self, problem: _Problem) -> Answer:
        settings, n = self.settings, len(problem.names)
        returns, covariance = self._needed(problem.returns, "expected_returns"), self._covariance(problem)
        none = np.zeros(n)
        scores = none if problem.scores is None else problem.scores
        held = none if problem.current is None else problem.current
        costs = none if problem.costs is None else problem.costs
        return multi_objective(
            settings.return_weight * returns,
            covariance,
            settings.risk_score_weight * scores,
            Trades(held, settings.turnover_weight * costs),
            settings.risk_aversion,
            problem.limits,
        )

    def _weights(self, problem: _Problem, answer: Answer, loss: Loss) -> Weights:
        limited, x = problem.limits, answer.x
        total = float(x.sum())
        if not np.isfinite(x).all() or not limited.hold(x) or total > limited.total + 1e-9:
            raise AllocationError("the weights found are outside their limits")
        reason = limited.idle_reason
        if total < limited.total - 1e-9:
            reason = "more in these buckets would earn less than it risks"
        scale = 10**DIGITS
        rounded: dict[str, Decimal] = {
            name: Decimal(int(weight * scale + 1e-3)).scaleb(-DIGITS).normalize()
            for name, weight in zip(problem.names, x.tolist(), strict=True)
        }
        above = sum(rounded.values(), Decimal(0)) - 1
        if above > 0:  # by what the solver leaves open
            largest = max(rounded, key=lambda name: rounded[name])
            rounded[largest] -= above
        return Weights(rounded, reason, answer.gap, loss)

    def targets(
        self,
        target: Numbers,
        current: Numbers | None = None,
        risk_scores: Numbers | None = None,
        expected_returns: Numbers | None = None,
    ) -> list[AllocationTarget]:
        """Each bucket's target beside what it holds, in the order of the names."""
        aims, held = inputs.mapping("target", target), inputs.mapping("current", {} if current is None else current)
        risks = inputs.mapping("risk_scores", {} if risk_scores is None else risk_scores)
        returns = inputs.mapping("expected_returns", {} if expected_returns is None else expected_returns)

        def of(argument: str, values: Numbers, name: str) -> Decimal | None:
            return inputs.number(f"{argument}[{name!r}]", values[name]) if name in values else None

        return [
            AllocationTarget(
                protocol=name,
                target_percentage=of("target", aims, name) or Decimal(0),
                current_percentage=of("current", held, name) or Decimal(0),
                risk_score=of("risk_scores", risks, name),
                expected_return=of("expected_returns", returns, name),
            )
            for name in sorted(set(aims) | set(held))
        ]

    def allocate_risk_adjusted_capital(
        self, total_capital: Any, allocation: Numbers, risk_metrics: RiskMetrics | Mapping[str, Any]
    ) -> dict[str, Decimal]:
        """Amounts by bucket: capital × weight × the multiplier of the market's state.

        Raises ValueError for capital that is not positive, weights below 0 or that sum to more than 1, and unknown
        states.
        """
        total = inputs.number("total_capital", total_capital)
        if total <= 0:
            raise ValueError(f"Total capital must be positive, got {total}")
        shares = inputs.shares("allocation", allocation)
        multiplier = risk_multiplier(inputs.risk_metrics(risk_metrics))
        return {name: total * share * multiplier for name, share in shares.items()}

    def rebalance_portfolio(
        self,
        current: Numbers,
        target: Numbers,
        total: Any,
        *,
        risk_constraints: Mapping[str, Any] | None = None,
        costs: Numbers | None = None,
    ) -> RebalanceOrders:
        """Orders where a bucket is off its target by the threshold or more; see ``rebalancing.orders``.

        ``costs`` maps bucket to the trading cost as a share of the amount traded. Raises ValueError or TypeError.
        """
        value = inputs.number("total", total)
        if value <= 0:
            raise ValueError(f"total must be positive, got {value}")
        held, aims = inputs.shares("current", current), inputs.shares("target", target)
        limit = inputs.constraints(risk_constraints).get("max_transaction_size_pct")
        largest = None if limit is None else Decimal(str(inputs.per_cent("max_transaction_size_pct", limit))) * value
        if largest is not None and not largest:
            raise ValueError("max_transaction_size_pct must be above 0 per cent, got 0")
        rates = {} if costs is None else inputs.mapping("costs", costs)
        inputs.known("costs", rates, sorted(set(held) | set(aims)))
        paid = {name: inputs.number(f"costs[{name!r}]", rate) for name, rate in rates.items()}
        if any(rate < 0 for rate in paid.values()):
            raise ValueError(f"costs must be at least 0, got {min(paid.values())}")
        aversion = Decimal(str(self.settings.risk_aversion))
        return orders(held, aims, value, self.rebalance_threshold, largest, paid, aversion)

    def rolling_correlations(self, returns: Any, protocols: Sequence[str], window: int) -> dict[tuple[str, str], float]:
        """Correlation of each pair of buckets over the last ``window`` rows of returns, shape (periods, buckets).

        0 for what does not vary. Raises ValueError with fewer than two rows, or a shape that does not fit.
        """
        names = inputs.names(protocols)
        found = correlations(rolling_covariance(inputs.scenario_returns(returns, names, "returns"), window))
        pairs = ((a, b) for a in range(len(names)) for b in range(a))
        return {(names[b], names[a]): float(found[a, b]) for a, b in pairs}

    def stress_test(
        self,
        allocation: Numbers,
        shocks: Mapping[str, Numbers] | None = None,
        covariance: Any = None,
        *,
        correlation_shift: Any = 0,
        confidence: Any = 0.95,
    ) -> dict[str, Decimal]:
        """What weights lose, as shares of the whole: under each named shock, and in a crisis of correlations.

        A shock maps buckets to their returns in it, 0 where it names none. With a ``covariance`` (in the order of the
        weights), ``value_at_risk`` and ``conditional_value_at_risk`` of a normal return without drift, all correlations
        moved toward 1 by ``correlation_shift``. Raises ValueError or TypeError that names the argument.
        """
        names = list(inputs.shares("allocation", allocation))
        weights = inputs.by_bucket("allocation", allocation, names, least=0)
        found: dict[str, Decimal] = {}
        for shock, moves in inputs.mapping("shocks", {} if shocks is None else shocks).items():
            returns = inputs.by_bucket(f"shocks[{shock!r}]", moves, names, default=0.0, least=-1)
            found[shock] = _decimal(-float(weights @ returns) + 0.0)
        if covariance is not None:
            shift = float(inputs.number("correlation_shift", correlation_shift))
            if not 0 <= shift <= 1:
                raise ValueError(f"correlation_shift must be between 0 and 1, got {shift:g}")
            moved = toward_one(inputs.covariance_matrix(covariance, names), shift)
            spread = float(weights @ moved @ weights) ** 0.5
            at_risk, beyond = normal_tail(0.0, spread, inputs.level(confidence))
            found |= {"value_at_risk": _decimal(at_risk), "conditional_value_at_risk": _decimal(beyond)}
        return found

    def calculate_efficiency_metrics(
        self,
        returns: Sequence[Any],
        *,
        utilization: Any = None,
        periods_per_year: float | None = None,
        confidence: float = 0.95,
    ) -> PortfolioMetrics:
        """Metrics of a series of returns; ``utilization`` is the share of capital that was deployed, or a series of it.

        Sharpe as ``efficiency.sharpe_ratio`` has it: per period with the risk-free rate as it stands, annualised where
        ``periods_per_year`` is given. ROI is the gain on what was deployed: total return / mean utilisation. Raises
        ValueError with fewer than two returns, and for one below −1.
        """
        if isinstance(returns, (str, bytes, Mapping)) or not isinstance(returns, Sequence | np.ndarray):
            raise TypeError(f"returns must be a list of numbers, got {type(returns).__name__}")
        exact = [inputs.number(f"returns[{row}]", value) for row, value in enumerate(returns)]
        if len(exact) < 2:
            raise ValueError(f"returns: a Sharpe ratio needs at least two, got {len(exact)}")
        if min(exact) < -1:
            raise ValueError(f"returns: a return can't be below -1, got {min(exact)}")
        level = inputs.level(confidence)
        periods = None if periods_per_year is None else float(inputs.number("periods_per_year", periods_per_year))
        if periods is not None and periods <= 0:
            raise ValueError(f"periods_per_year must be above 0, got {periods_per_year}")
        wealth = Decimal(1)
        for value in exact:
            wealth *= 1 + value
        used = inputs.mean_utilization(utilization)
        floats = np.array([float(value) for value in exact])
        at_risk, tail = historical_tail(floats, level)
        return PortfolioMetrics(
            total_return=wealth - 1,
            sharpe_ratio=_decimal(sharpe_ratio(floats, float(self.risk_free_rate), periods)),
            max_drawdown=_decimal(drawdown(floats)),
            volatility=_decimal(float(floats.std(ddof=1)) * (periods or 1) ** 0.5),
            value_at_risk=_decimal(at_risk),
            conditional_value_at_risk=_decimal(tail),
            roi=wealth - 1 if not used else (wealth - 1) / used,
            capital_utilization=used,
        )


def _decimal(value: float) -> Decimal:
    return Decimal(repr(value))
