"""What callers hand to the allocator, checked: each error names the argument, the value and what is allowed."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any

import numpy as np
from pydantic import ValidationError

from fundclock.handlers.allocation.qp import Floats
from fundclock.handlers.allocation.types import RiskMetrics

SHARES = ("max_protocol_exposure_pct", "max_transaction_size_pct", "max_asset_concentration_pct")
LARGEST = Decimal("1e30")
"""Beyond it no amount, rate or score means anything."""
CONSTRAINTS = (*SHARES, "assets", "min_expected_return")


def number(name: str, value: Any) -> Decimal:
    """A finite number as Decimal. Raises TypeError or ValueError that names it."""
    if type(value) is Decimal:
        found = value
    elif isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal, np.number)):
        raise TypeError(f"{name} must be a number, got {type(value).__name__}")
    else:
        try:
            found = Decimal(str(value))
        except InvalidOperation:
            raise ValueError(f"{name} must be a number, got {value!r}") from None
    if not found.is_finite():
        raise ValueError(f"{name} must be finite, got {value}")
    if abs(found) > LARGEST:
        raise ValueError(f"{name} must be at most {LARGEST:.0e} in size, got {value}")
    return found


def names(protocols: Any) -> list[str]:
    """Names of buckets. Raises TypeError for what is no list of names, ValueError for duplicates."""
    if isinstance(protocols, (str, bytes, Mapping)) or not isinstance(protocols, Iterable):
        raise TypeError(f"protocols must be a list of names, got {type(protocols).__name__}")
    found = list(protocols)
    for name in found:
        if not isinstance(name, str) or not name:
            raise TypeError(f"protocols must be names, got {name!r}")
    if len(set(found)) < len(found):
        double = sorted({name for name in found if found.count(name) > 1})
        raise ValueError(f"protocols has duplicates: {', '.join(double)}")
    return found


def mapping(argument: str, values: Any) -> Mapping[str, Any]:
    """A mapping. Raises TypeError that names the argument."""
    if not isinstance(values, Mapping):
        raise TypeError(f"{argument} must be a mapping, got {type(values).__name__}")
    return values


def known(argument: str, buckets: Iterable[Any], protocols: Sequence[str]) -> None:
    """Raises ValueError for a bucket that is not one of the protocols."""
    for bucket in buckets:
        if bucket not in protocols:
            close = get_close_matches(str(bucket), protocols, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"allowed: {', '.join(protocols)}"
            raise ValueError(f"{argument}: unknown bucket {bucket!r}; {hint}")


def by_bucket(
    argument: str,
    values: Any,
    protocols: Sequence[str],
    *,
    default: float | None = None,
    least: float | None = None,
    above: float | None = None,
) -> Floats:
    """A mapping from bucket to number as an array in the order of the protocols.

    ``default`` stands for buckets that it does not name; without one, it must name all. Raises ValueError or TypeError.
    """
    given = mapping(argument, values)
    found = []
    for name in protocols:
        value = given.get(name, default)
        if value is None:
            raise ValueError(f"{argument} has no value for {name!r}")
        if type(value) is not float:
            value = float(number(f"{argument}[{name!r}]", value))
        if not -np.inf < value < np.inf:
            raise ValueError(f"{argument}[{name!r}] must be finite, got {value}")
        if least is not None and value < least:
            raise ValueError(f"{argument}[{name!r}] must be at least {least:g}, got {value:g}")
        if above is not None and value <= above:
            raise ValueError(f"{argument}[{name!r}] must be above {above:g}, got {value:g}")
        found.append(value)
    if len(given) > len(found) or not all(name in given for name in protocols):
        known(argument, given, protocols)
    return np.array(found)


def covariance_matrix(values: Any, protocols: Sequence[str]) -> Floats:
    """A covariance of the protocols, symmetric and positive semidefinite, shape (n, n).

    Raises ValueError that says what is wrong; for one with a negative eigenvalue, the smallest.
    """
    n = len(protocols)
    try:
        found = np.array(values, dtype=float)
    except (TypeError, ValueError):
        raise TypeError("covariance must be a two-dimensional array of numbers") from None
    if found.shape != (n, n):
        raise ValueError(f"covariance must have the shape ({n}, {n}) of the protocols, got {found.shape}")
    largest = float(np.abs(found).max(initial=0.0))
    if not largest < np.inf:
        raise ValueError("covariance must be finite")
    if not np.abs(found - found.T).max(initial=0.0) <= 1e-9 * largest:
        raise ValueError("covariance must be symmetric")
    try:
        padded = found.copy()
        padded[np.diag_indices(n)] += 1e-10 * largest + 1e-300
        np.linalg.cholesky(padded)
    except np.linalg.LinAlgError:
        smallest = float(np.linalg.eigvalsh(found)[0])
        raise ValueError(
            f"covariance must be positive semidefinite, its smallest eigenvalue is {smallest:.6g}"
        ) from None
    even: Floats = (found + found.T) / 2
    return even


def scenario_returns(values: Any, protocols: Sequence[str], argument: str = "scenarios") -> Floats:
    """Returns of the protocols by scenario, shape (scenarios, n), none below −1. Raises ValueError or TypeError."""
    try:
        found = np.array(values, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(f"{argument} must be a two-dimensional array of numbers") from None
    if found.ndim != 2 or found.shape[1] != len(protocols) or not len(found):
        raise ValueError(f"{argument} must have the shape ({argument}, {len(protocols)}), got {found.shape}")
    if not np.isfinite(found).all():
        raise ValueError(f"{argument} must be finite")
    if (found < -1).any():
        raise ValueError(f"{argument}: a return can't be below -1, got {found.min():g}")
    return found


def per_cent(argument: str, value: Any) -> float:
    """A percentage as a share. Raises ValueError outside 0 to 100."""
    found = number(argument, value)
    if not 0 <= found <= 100:
        raise ValueError(f"{argument} must be between 0 and 100 per cent, got {found}")
    return float(found / 100)


def constraints(given: Any) -> Mapping[str, Any]:
    """Risk constraints with known keys only; none for None."""
    if given is None:
        return {}
    found = mapping("risk_constraints", given)
    for key in found:
        if key not in CONSTRAINTS:
            close = get_close_matches(str(key), CONSTRAINTS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"allowed: {', '.join(CONSTRAINTS)}"
            raise ValueError(f"risk_constraints: unknown key {key!r}; {hint}")
    return found


def level(confidence: Any) -> float:
    """A confidence level between 0 and 1. Raises ValueError or TypeError."""
    found = float(number("confidence", confidence))
    if not 0 < found < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence}")
    return found


def mean_utilization(given: Any) -> Decimal | None:
    """Mean utilisation, between 0 and 1."""
    if given is None:
        return None
    series = list(given) if isinstance(given, Sequence | np.ndarray) and not isinstance(given, str) else [given]
    if not series:
        raise ValueError("utilization must have at least one number")
    shares = [number("utilization", value) for value in series]
    for share in shares:
        if not 0 <= share <= 1:
            raise ValueError(f"utilization must be between 0 and 1, got {share}")
    return sum(shares, Decimal(0)) / len(shares)


def held(argument: str, values: Any, names: Sequence[str]) -> Floats:
    """What buckets hold, as shares. Raises ValueError for one below 0, or a sum above 1."""
    found = by_bucket(argument, values, names, default=0.0, least=0)
    if found.sum() > 1 + 1e-9:
        raise ValueError(f"{argument} sums to {found.sum():g}, above 1")
    return found


def shares(argument: str, values: Any) -> dict[str, Decimal]:
    """Shares by bucket. Raises ValueError for one below 0, or a sum above 1."""
    found = {name: number(f"{argument}[{name!r}]", value) for name, value in mapping(argument, values).items()}
    for name, share in found.items():
        if share < 0:
            raise ValueError(f"{argument}[{name!r}] must be at least 0, got {share}")
    total = sum(found.values(), Decimal(0))
    if total > 1 + Decimal("1e-9"):
        raise ValueError(f"{argument} sums to {total}, above 1")
    return found


def caps(given: Mapping[str, Any], names: Sequence[str]) -> Floats:
    """The most of each bucket, as shares."""
    cap = given.get("max_protocol_exposure_pct")
    if isinstance(cap, Mapping):
        known("max_protocol_exposure_pct", cap, names)
        shares = {name: per_cent(f"max_protocol_exposure_pct[{name!r}]", share) for name, share in cap.items()}
        return np.array([shares.get(name, 1.0) for name in names])
    return np.full(len(names), 1.0 if cap is None else per_cent("max_protocol_exposure_pct", cap))


def views_of(views: Any, names: Sequence[str]) -> tuple[Floats, Floats, Floats | None]:
    """Views as P, Q and their variances (None for the usual ones)."""
    if isinstance(views, (str, bytes)) or not isinstance(views, Mapping | Sequence | None):
        raise TypeError(f"views must be a mapping or a list, got {type(views).__name__}")
    if not views:
        raise ValueError("views: strategy black_litterman requires at least one")
    if isinstance(views, Mapping):
        known("views", views, names)
        views = [({name: 1}, value) for name, value in views.items()]
    picks, values, variances = [], [], []
    for row, view in enumerate(views):
        if not isinstance(view, Sequence) or len(view) not in (2, 3):
            raise TypeError(f"views[{row}] must be (weights by bucket, return) or (weights, return, variance)")
        pick = by_bucket(f"views[{row}]", view[0], names, default=0.0)
        if not pick.any():
            raise ValueError(f"views[{row}] names no bucket")
        picks.append(pick)
        values.append(float(number(f"views[{row}] return", view[1])))
        variance = float(number(f"views[{row}] variance", view[2])) if len(view) == 3 else None
        if variance is not None and variance < 0:
            raise ValueError(f"views[{row}] variance must be at least 0, got {variance:g}")
        variances.append(variance)
    if all(variance is None for variance in variances):
        return np.array(picks), np.array(values), None
    if None in variances:
        raise ValueError("views: give a variance to all of them, or to none")
    return np.array(picks), np.array(values), np.array(variances, dtype=float)


def risk_metrics(given: RiskMetrics | Mapping[str, Any]) -> RiskMetrics:
    """Raises TypeError or ValueError that names what is wrong."""
    if isinstance(given, RiskMetrics):
        return given
    try:
        return RiskMetrics.model_validate(dict(mapping("risk_metrics", given)))
    except ValidationError as error:
        found = error.errors()[0]
        place = ".".join(map(str, found["loc"]))
        raise ValueError(f"risk_metrics: {place}: {found['msg']}, got {found['input']!r}") from None
