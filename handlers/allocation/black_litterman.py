"""Black and Litterman's blend of what a market implies with what someone thinks (He and Litterman, 1999)."""

from typing import NamedTuple

import numpy as np

from fundclock.handlers.allocation.qp import Floats
from fundclock.handlers.allocation.types import AllocationError


class Posterior(NamedTuple):
    """Expected returns after the views, and the covariance of returns with what is still uncertain about their mean."""

    returns: Floats
    covariance: Floats


def implied_returns(covariance: Floats, market: Floats, risk_aversion: float) -> Floats:
    """Excess returns under which the market's weights are optimal: δ Σ w."""
    implied: Floats = risk_aversion * (covariance @ market)
    return implied


def posterior(
    prior: Floats, covariance: Floats, tau: float, views: Floats, values: Floats, variances: Floats | None = None
) -> Posterior:
    """Returns and covariance after the views P·r = Q with variances Ω; by default Ω = diag(P τΣ Pᵀ).

    Shapes: views P (k, n), values Q (k,), variances (k,).
    """
    spread = tau * covariance
    cross = spread @ views.T
    own = views @ cross
    omega = own.diagonal() if variances is None else variances
    try:
        gain = np.linalg.solve(own + np.diag(omega), cross.T).T
    except np.linalg.LinAlgError:
        raise AllocationError("views: they contradict each other, or are on what has no risk") from None
    return Posterior(prior + gain @ (values - views @ prior), covariance + spread - gain @ cross.T)
