"""Two runs side by side."""

from decimal import Decimal
from typing import Any

from fundclock.scenarios.runs.recorded import RecordedRun


def compare(first: RecordedRun, second: RecordedRun) -> list[dict[str, Any]]:
    """One row per metric that is a number in both runs: its name, both values, and second − first.

    Money is compared as Decimal, so that differences are exact to the cent.
    """
    rows = []
    for name, value in first.metrics.items():
        other = second.metrics[name]
        if isinstance(value, dict) or value is None or other is None:
            continue
        if isinstance(value, str):
            rows.append(
                {"metric": name, "first": value, "second": other, "delta": str(Decimal(other) - Decimal(value))}
            )
        else:
            rows.append({"metric": name, "first": value, "second": other, "delta": other - value})
    return rows
