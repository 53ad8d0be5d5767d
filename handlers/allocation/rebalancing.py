"""Orders that bring a portfolio to its targets, where they are worth their cost."""

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Literal

from fundclock.handlers.allocation.types import RebalanceOrder, RebalanceOrders

MOST_PARTS = 10_000
"""No order is split into more."""


def orders(
    current: Mapping[str, Decimal],
    target: Mapping[str, Decimal],
    total: Decimal,
    threshold: Decimal,
    largest: Decimal | None,
    costs: Mapping[str, Decimal],
    risk_aversion: Decimal,
) -> RebalanceOrders:
    """Orders where a bucket is off its target by ``threshold`` or more, by deviation and then name.

    An order is worth its cost, cost rate · amount, where that is less than the loss of staying off the target,
    γ/2 · deviation² · total: inside ± 2·cost/γ nothing is traded (Constantinides, 1986, has the same shape). An order
    above ``largest`` is split into parts of that size and a remainder.
    """
    names = sorted(set(current) | set(target))
    zero = Decimal(0)
    off = {name: target.get(name, zero) - current.get(name, zero) for name in names}
    wanted = sorted((name for name in names if off[name] and abs(off[name]) >= threshold), key=lambda n: -abs(off[n]))
    kept: list[RebalanceOrder] = []
    dropped: list[RebalanceOrder] = []
    priority = 0
    for name in wanted:
        deviation = abs(off[name])
        amount = deviation * total
        action: Literal["increase", "decrease"] = "increase" if off[name] > 0 else "decrease"
        if costs.get(name, zero) * amount >= risk_aversion / 2 * deviation**2 * total:
            dropped.append(RebalanceOrder(name, action, amount, 0))
            continue
        priority += 1
        parts = 1 if largest is None else max(1, int((amount / largest).to_integral_value(ROUND_CEILING)))
        if parts > MOST_PARTS:
            raise ValueError(
                f"max_transaction_size_pct would split {name!r} into {parts:,} orders, at most {MOST_PARTS:,}"
            )
        sizes = [amount] if largest is None else [largest] * (parts - 1) + [amount - largest * (parts - 1)]
        kept += [RebalanceOrder(name, action, size, priority, n, parts) for n, size in enumerate(sizes, 1)]
    return RebalanceOrders(kept, dropped)
