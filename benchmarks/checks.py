"""What a reinvestment check costs with few and with many living loans, all else being equal.

In both funds the same twenty loans exit in each quarter and their proceeds buy the same loans; the others only live.
"""

import statistics
import time
from pathlib import Path
from typing import Any

from fundclock import Scenario
from fundclock.handlers.reinvestment.engine import Reinvestment
from fundclock.scenarios.runs.playing import play_in_memory

EXITS = 20


def seconds_a_check(loans: int, folder: Path, repeats: int = 5) -> tuple[float, float]:
    """Median processor time of a check that buys loans, in a fund that opens with so many: at first, and once more.

    A check answers and changes nothing, so it can be asked twice. The first time the processor's caches still hold
    the valuation of all loans that came just before it; the second time is the check alone.
    """
    tape = folder / f"checks-{loans}.csv"
    with tape.open("w") as out:
        out.write("loan_id,zone,principal,property_value,coupon,term_years,exit_on,exit_kind,proceeds\n")
        for number in range(loans):
            zone = ("green", "orange", "red")[number % 3]
            month, year = (2, 5, 8, 11)[number // EXITS % 4], 2026 + number // EXITS // 4
            ending = f"{year}-{month:02d}-{1 + number % EXITS:02d},sale,400000" if number < 16 * EXITS else ",,"
            out.write(f"T{number:07d},{zone},400000,1000000,0.05,30,{ending}\n")
    settings = {
        "loans.tape": str(tape),
        "fund": {"size": 400_000 * loans * 1.1, "fee_reserve": 0.0, "deployment_months": 1},
        "exits.age_years": {"mean": 60, "sd": 0.1},
        "zones": {name: {"default_rate": 0} for name in ("green", "orange", "red")},
        "reinvestment_engine.enable_dynamic_allocation": True,
    }
    plan = Scenario.load("base").with_(seed=7, set=settings).plan()
    first: list[float] = []
    again: list[float] = []
    check = Reinvestment._check

    def timed(self: Reinvestment, *arguments: Any) -> Any:
        began = time.process_time()
        answer = check(self, *arguments)
        if answer is not None and not isinstance(answer, list):  # a purchase, not a refusal
            between = time.process_time()
            check(self, *arguments)
            first.append(between - began)
            again.append(time.process_time() - between)
        return answer

    Reinvestment._check = timed  # type: ignore[method-assign]
    try:
        for _ in range(repeats):
            play_in_memory(plan)
    finally:
        Reinvestment._check = check  # type: ignore[method-assign]
    return statistics.median(first), statistics.median(again)
