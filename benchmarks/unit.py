"""The unit U: bare SimPy living the same loans, three timeouts each, drawn beforehand."""

import random
import time
from collections.abc import Generator
from typing import Any

import simpy


def unit_seconds(loans: int) -> float:
    """Processor time of one process a loan with three integer timeouts, nothing else."""
    drawn = random.Random(0)
    waits = [[drawn.randint(1, 1500) for _ in range(3)] for _ in range(loans)]
    began = time.process_time()
    env = simpy.Environment()

    def live(days: list[int]) -> Generator[simpy.Event, Any, None]:
        for day in days:
            yield env.timeout(day)

    for days in waits:
        env.process(live(days))
    env.run()
    return time.process_time() - began
