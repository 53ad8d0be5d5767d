"""What weights cost, beside the bare solver and a general modelling library on the same problem."""

import statistics
import time
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import daqp
import numpy as np

from fundclock.handlers.allocation import CapitalAllocator

BARS = {3: 200, 10: 400}
"""Microseconds that an optimisation may take, by the number of buckets; at 100 twice the bare solver."""


def median_micros(work: Callable[[], Any], repeats: int) -> float:
    """Median of single calls, in µs."""
    for _ in range(3):
        work()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e6


def problem(n: int) -> tuple[list[str], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Names, covariance and returns of n buckets, always the same."""
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(n, 2 * n))
    return [f"b{row:03d}" for row in range(n)], factors @ factors.T / (2 * n) * 0.04, rng.uniform(0.02, 0.12, n)


def bare_micros(n: int, cap: float, repeats: int) -> float:
    """The solver alone on arrays that are ready: the mean-variance problem."""
    _, covariance, returns = problem(n)
    rows, sense = np.ones((1, n)), np.zeros(n + 1, dtype=np.int32)
    sense[n] = 5
    upper, lower = np.append(np.full(n, cap), 1.0), np.append(np.zeros(n), 1.0)
    curvature, slope = 2.5 * covariance, -returns
    return median_micros(lambda: daqp.solve(curvature, slope, rows, upper, lower, sense), repeats)


def modelled_micros(n: int, cap: float, repeats: int) -> float:
    """The same problem through cvxpy with CLARABEL, built and solved."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import cvxpy

        _, covariance, returns = problem(n)

        def solve() -> None:
            w = cvxpy.Variable(n)
            value = returns @ w - 1.25 * cvxpy.quad_form(w, cvxpy.psd_wrap(covariance))
            asked = cvxpy.Problem(cvxpy.Maximize(value), [w >= 0, w <= cap, cvxpy.sum(w) == 1])
            asked.solve(solver=cvxpy.CLARABEL)

        return median_micros(solve, repeats)


def rows_of(n: int) -> list[tuple[str, str, str, bool]]:
    """Each strategy with n buckets."""
    names, covariance, returns = problem(n)
    cap, repeats = max(0.4, 3 / n) if n < 100 else 0.1, 400 if n < 100 else 40
    by_name = {name: Decimal(str(round(value, 6))) for name, value in zip(names, returns, strict=True)}
    risks = {name: Decimal(str(round(r, 6))) for name, r in zip(names, covariance.diagonal() ** 0.5, strict=True)}
    limit = {"max_protocol_exposure_pct": Decimal(str(100 * cap))}

    def micros(strategy: str, given: dict[str, Any]) -> float:
        allocator = CapitalAllocator({"strategy": strategy, "max_protocols": 1000})
        return median_micros(lambda: allocator.optimize_portfolio(names, limit, **given), repeats)

    bare, modelled = bare_micros(n, cap, repeats), modelled_micros(n, cap, 10)
    bar, allowed = (f"≤ {BARS[n]} µs", BARS[n]) if n in BARS else ("≤ 2 × the bare solver", 2 * bare)
    found = [
        (f"mean-variance of {n} buckets, the bare solver", f"{bare:.0f} µs", "", True),
        (f"mean-variance of {n} buckets, cvxpy with CLARABEL", f"{modelled:.0f} µs", "", True),
    ]
    for strategy, given in (
        ("equal_weight", {}),
        ("risk_parity", {"risk_scores": risks}),
        ("mean_variance", {"expected_returns": by_name, "covariance": covariance}),
        ("kelly_criterion", {"expected_returns": by_name, "covariance": covariance}),
        ("black_litterman", {"covariance": covariance, "views": {names[0]: 0.1}}),
        ("multi_objective", {"expected_returns": by_name, "covariance": covariance, "risk_scores": risks}),
    ):
        taken = micros(strategy, given)
        found.append((f"  {strategy}, {n} buckets", f"{taken:.0f} µs", bar, taken <= allowed))
    taken = micros("risk_parity", {"covariance": covariance})
    return [*found, (f"  risk_parity with a covariance, {n} buckets", f"{taken:.0f} µs", "", True)]


def allocation() -> list[tuple[str, str, str, bool]]:
    """Rows of the table, with 3, 10 and 100 buckets."""
    return [row for n in (3, 10, 100) for row in rows_of(n)]
