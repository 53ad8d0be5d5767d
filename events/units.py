"""Units: integer cents, annual rates, and the spellings that people write for both."""

import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

CENT = Decimal("0.01")
_NUMBER = re.compile(r"([+-]?\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*([a-zA-Z%]*)")
_RATE_UNITS = {"": Decimal(1), "%": Decimal("0.01"), "bp": Decimal("0.0001"), "bps": Decimal("0.0001")}
_AMOUNT_UNITS = {"": Decimal(1), "k": Decimal(10**3), "m": Decimal(10**6), "bn": Decimal(10**9)}


@lru_cache(maxsize=4096)
def to_cents(amount: float | Decimal) -> int:
    """Whole cents of an amount in currency units, rounded half-even."""
    return int((Decimal(str(amount)) / CENT).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def from_cents(cents: int) -> str:
    """An amount in cents as a decimal string in currency units: ``123456`` is ``"1234.56"``."""
    sign = "-" if cents < 0 else ""
    whole, part = divmod(abs(cents), 100)
    return f"{sign}{whole}.{part:02d}"


def split_pro_rata(total: int, weights: Sequence[int]) -> list[int]:
    """Split ``total`` cents by integer weights so that the parts sum to it exactly.

    Largest remainder; among equal remainders the earlier part gets the cent.
    Raises ValueError where no weight is positive.
    """
    weight = sum(weights)
    if weight <= 0:
        raise ValueError(f"weights must have a positive sum, got {list(weights)}")
    parts = [total * w // weight for w in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % weight), i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts


def _parse(value: Any, units: Mapping[str, Decimal], what: str) -> Any:
    if isinstance(value, bool):
        raise PydanticCustomError("not_a_number", f"expected {what}, got {str(value).lower()}")
    if not isinstance(value, str):
        return value
    match = _NUMBER.fullmatch(value.strip())
    if match is None or match[2].lower() not in units:
        allowed = ", ".join(f"'{unit}'" for unit in units if unit)
        hint = f" (a number, optionally followed by {allowed})" if allowed else ""
        raise PydanticCustomError("not_a_number", f"expected {what}{hint}, got '{value}'")
    try:
        return float(Decimal(match[1].replace("_", "")) * units[match[2].lower()])
    except ArithmeticError:
        raise PydanticCustomError("not_a_number", f"expected {what} of a reasonable size, got '{value}'") from None


def _parse_rate(value: Any) -> Any:
    return _parse(value, _RATE_UNITS, "a rate")


def _parse_amount(value: Any) -> Any:
    return _parse(value, _AMOUNT_UNITS, "an amount")


def _parse_number(value: Any) -> Any:
    return _parse(value, {"": Decimal(1)}, "a number")


def _schema(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema(
        {"anyOf": [{"type": "number"}, {"type": "string", "pattern": pattern}], "examples": [example]}
    )


Rate = Annotated[
    float,
    Field(allow_inf_nan=False),
    BeforeValidator(_parse_rate),
    _schema(r"^[+-]?\d+(\.\d+)?\s*(%|bps?)?$", "4.25%"),
]
"""An annual decimal; ``75%`` and ``275bp`` are accepted spellings."""

Amount = Annotated[
    float,
    Field(allow_inf_nan=False, le=1e13),
    BeforeValidator(_parse_amount),
    _schema(r"^[+-]?\d+(\.\d+)?\s*(k|m|bn)?$", "25m"),
]
"""Currency units; ``400k``, ``25m`` and ``1bn`` are accepted spellings."""

Number = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_parse_number)]
"""A plain finite number; true and false are refused."""


def _no_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise PydanticCustomError("not_a_number", f"expected a whole number, got {str(value).lower()}")
    return value


Count = Annotated[int, BeforeValidator(_no_bool)]
"""A whole number; true and false are refused."""
