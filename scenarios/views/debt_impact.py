"""What debt did to returns: the run beside a paired run of the same fund without its facilities."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fundclock.events.results import as_json
from fundclock.scenarios.runs.metrics import nav_risk
from fundclock.scenarios.runs.playing import play_in_memory
from fundclock.scenarios.runs.recorded import RecordedRun
from fundclock.scenarios.runs.rerun import plan_of
from fundclock.scenarios.scripts.vocabulary import BY_FACILITY

DEBT_COMMANDS = ("draw", "repay")
LINES = ("green_sleeve", "ramp_line")
CONFIDENCE = 0.95


def without_debt(run: RecordedRun) -> RecordedRun:
    """The same fund without facilities: a run of its own, in memory, from the same manifest, inputs and draws.

    Requests of scripts and forks that concern facilities, or conditions that name them, are left out.
    """
    scenario: dict[str, Any] = dict(run.manifest.scenario)
    scenario["script"] = [entry for entry in scenario["script"] if not _about_debt(entry)]
    manifest = run.manifest.model_copy(update={"scenario": {**scenario, "leverage": None}})
    return play_in_memory(plan_of(manifest, run.log, run.kept, lambda entry: not _about_debt(entry)))


def _about_debt(entry: Mapping[str, Any]) -> bool:
    """Whether a script entry asks something of facilities, or on a condition that names one."""
    do = entry["do"]
    if do.get("command") in DEBT_COMMANDS or any(name in do for name in DEBT_COMMANDS):
        return True
    settings = do.get("set", do) if isinstance(do.get("set", do), dict) else {}
    if any(str(key).split(".")[0] == "leverage" for key in settings):
        return True
    named = [f"{kind}.{line}" for kind in BY_FACILITY for line in LINES]
    return any(name in (entry.get("when") or "") for name in named)


@dataclass(frozen=True)
class TailRisk:
    """Losses of a quarter as shares of net asset value, at 95 %; None with fewer than two returns."""

    value_at_risk: float | None
    conditional_value_at_risk: float | None
    returns: int
    """How many quarterly returns there are."""


def value_at_risk(quarterly: Sequence[float | None]) -> TailRisk:
    """Value at risk and conditional value at risk of a quarter, from quarterly returns; None values are left out.

    Historical simulation: of n returns on net asset value the ⌈.05·n⌉-th worst, and the mean of those not better than
    it.
    """
    returns = sorted(earned for earned in quarterly if earned is not None)
    if len(returns) < 2:
        return TailRisk(None, None, len(returns))
    worst = returns[: math.ceil((1 - CONFIDENCE) * len(returns) - 1e-9)]
    return TailRisk(-worst[-1], -math.fsum(worst) / len(worst), len(returns))


IMPACT = ("net_irr", "gross_irr", "tvpi", "dpi", "contributed", "distributed", "carry", "loans_originated")


def impact_of(run: RecordedRun, twin: RecordedRun) -> dict[str, Any]:
    """Returns and risk with debt and without: the paired run is the same fund without its facilities."""
    return {
        name: {
            **{key: one.metrics[key] for key in IMPACT},
            **as_json(nav_risk(one.quarterly_returns)),
            **as_json(value_at_risk(one.quarterly_returns)),
        }
        for name, one in (("with_debt", run), ("without_debt", twin))
    }
