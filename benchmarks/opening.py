"""One fund that opens with many loans, in a process of its own: ``python -m benchmarks.opening LOANS FOLDER``.

Prints JSON: records, processor seconds of the path, peak memory of the process in bytes.
"""

import json
import resource
import sys
import time
from pathlib import Path

from fundclock import Scenario
from fundclock.events.stores.sqlite import SqliteStore
from fundclock.scenarios.runs.playing import play_into


def main(loans: int, folder: Path) -> None:
    tape = folder / f"tape-{loans}.csv"
    with tape.open("w") as out:
        out.write("loan_id,zone,principal,property_value,coupon,term_years\n")
        for number in range(loans):
            zone = ("green", "orange", "red")[number % 3]
            out.write(f"T{number:07d},{zone},{350_000 + number % 1000 * 100},1000000,0.05,10\n")
    settings = {
        "loans.tape": str(tape),
        "fund.size": 400_000 * loans * 1.1,
        "reinvestment_engine.reinvestment_batch_size": loans,
        "fund.reinvestment_period_years": 1,
        "fund.deployment_months": 1,
    }
    plan = Scenario.load("base").with_(seed=7, set=settings).plan()
    with SqliteStore(folder / f"runs-{loans}.db") as store:
        began = time.process_time()
        run = play_into(store, plan)
        spent = time.process_time() - began
        print(json.dumps({"records": len(run.log), "seconds": spent, "peak_bytes": peak_bytes()}))


def peak_bytes() -> int:
    """The most memory that this process has held; on Linux getrusage may tell its parent's."""
    if not Path("/proc/self/status").exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) * 1024


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
