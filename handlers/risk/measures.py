"""Measures of the book's risk, and what a reinvestment does to them. Shares and ratios are decimals."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class BookSums(NamedTuple):
    """A book in sums over its loans; amounts in cents, ``largest`` the ten largest claims, falling."""

    claim_by_zone: dict[str, float]
    claim_squared: float
    claim_ltv: float
    expected_gain: float
    largest: Sequence[float]


def risk_of(book: BookSums) -> dict[str, float] | None:
    """The measures by name; None for an empty book.

    ``average_ltv`` is weighted by claim. ``hhi_zone`` and ``hhi_loan`` are Herfindahl–Hirschman indices, Σ share²,
    ``top5`` and ``top10`` the largest loans' share of all claims. ``score`` is .3 LTV + .2 HHI by zone + .2 HHI by
    loan + .15 top 5 + .15 top 10. ``expected_return`` is what the book may earn in a year, over its claims.
    """
    total = sum(book.claim_by_zone.values())
    if total <= 0:
        return None
    average_ltv = book.claim_ltv / total
    hhi_zone = sum((claim / total) ** 2 for claim in book.claim_by_zone.values())
    hhi_loan = book.claim_squared / (total * total)
    top5, top10 = sum(book.largest[:5]) / total, sum(book.largest[:10]) / total
    return {
        "average_ltv": average_ltv,
        "hhi_zone": hhi_zone,
        "hhi_loan": hhi_loan,
        "top5": top5,
        "top10": top10,
        "score": 0.3 * average_ltv + 0.2 * hhi_zone + 0.2 * hhi_loan + 0.15 * top5 + 0.15 * top10,
        "expected_return": book.expected_gain / total,
    }


def change_of(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """after − before of each measure."""
    return {name: after[name] - value for name, value in before.items()}


def diversification_impact(change: Mapping[str, float]) -> float:
    """Above 0 where the book is spread wider: −.4 ΔHHI by zone − .4 ΔHHI by loan − .1 Δtop 5 − .1 Δtop 10."""
    return -0.4 * change["hhi_zone"] - 0.4 * change["hhi_loan"] - 0.1 * change["top5"] - 0.1 * change["top10"]


def risk_adjusted_return_impact(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    """The change of expected return / score."""
    return after["expected_return"] / after["score"] - before["expected_return"] / before["score"]


def shares_of(claims: Mapping[str, float]) -> dict[str, float]:
    """Each zone's share of all claims; 0 everywhere for an empty book."""
    total = sum(claims.values())
    return {zone: claim / total if total > 0 else 0.0 for zone, claim in claims.items()}
