"""The plan of a run: everything that it is made from."""

from typing import NamedTuple

from pydantic import JsonValue

from fundclock.events import commands, facts
from fundclock.events.record import Record
from fundclock.events.stores.store import InputFile
from fundclock.handlers.deployment.opening_book import OpeningBook
from fundclock.scenarios.files.schema import ScenarioConfig
from fundclock.scenarios.scripts.entries import Script
from fundclock.sim.script import PythonScript


class Added(NamedTuple):
    """Script entries that join in the morning of a day: the intervention that makes a fork."""

    day: int
    entries: list[dict[str, JsonValue]]
    script: Script


class Plan(NamedTuple):
    """Everything that a run is made from, read and checked; nothing in it can be rejected any more.

    ``python`` is a Python script that is played, ``recorded`` what one did in a run that is played again.
    ``pinned`` settings are changed by no script. ``backwards`` reverses the order within phases; the order of the
    phases is the manifest's.
    """

    config: ScenarioConfig
    seed: int
    replication: int
    inputs: dict[str, InputFile]
    opening: OpeningBook | None
    script: Script
    manifest: facts.RunStarted
    added: tuple[Added, ...] = ()
    python: PythonScript | None = None
    recorded: tuple[Record, ...] = ()
    pinned: frozenset[str] = frozenset()
    backwards: bool = False

    def may_change(self, key: str) -> bool:
        """Whether some script may change a setting while the fund is played."""
        if self.python is not None:
            return True
        scripts = [self.script, *(added.script for added in self.added)]
        promises = [record.payload for record in self.recorded if isinstance(record.payload, facts.CommandScheduled)]
        by_python = [act.command for act in promises if isinstance(act.command, commands.SetConfig)]
        return any(key in script.settings() for script in scripts) or any(key in act.changes for act in by_python)
