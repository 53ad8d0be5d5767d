"""Facts about the run itself: its manifest, its promises, its end."""

from typing import Literal

from pydantic import JsonValue

from fundclock.events.commands import AnyCommand
from fundclock.events.record import Fact


class RunStarted(Fact):
    """The manifest, always the first record: all that a byte-identical re-run needs beside the inputs.

    ``python`` is the name of a Python script, whose acts are in the log.
    """

    kind: Literal["run.started/1"] = "run.started/1"
    name: str
    seed: int
    replication: int
    start_date: str
    end_date: str
    scenario: dict[str, JsonValue]
    inputs: dict[str, str]
    phases: list[str]
    versions: dict[str, str]
    lock_digest: str | None
    python: str | None = None


class RunFinished(Fact):
    """The fund's life is over; a log without this record is incomplete."""

    kind: Literal["run.finished/1"] = "run.finished/1"
    loans_originated: int
    loans_exited: int
    loans_defaulted: int


class CommandScheduled(Fact):
    """A promise: the command is carried out on ``due_day``, in the command's own phase."""

    kind: Literal["command.scheduled/1"] = "command.scheduled/1"
    due_day: int
    command: AnyCommand
    source: str | None = None


class CommandRejected(Fact):
    """A command that came due could not be carried out."""

    kind: Literal["command.rejected/1"] = "command.rejected/1"
    command: AnyCommand
    reason: str


class CommandCancelled(Fact):
    """A promise is taken back before its day."""

    kind: Literal["command.cancelled/1"] = "command.cancelled/1"
    scheduled_seq: int
    reason: str


class ConditionMet(Fact):
    """A script's condition holds in the evening of this day; ``values`` is the state that it names."""

    kind: Literal["condition.met/1"] = "condition.met/1"
    source: str
    condition: str
    values: dict[str, JsonValue]


class ScriptAdded(Fact):
    """From this day on the fund is played with these script entries too: the intervention that makes a fork."""

    kind: Literal["script.added/1"] = "script.added/1"
    entries: list[dict[str, JsonValue]]


class ConfigChanged(Fact):
    """Settings have other values from this day on, by dotted key. Promises already made keep their due day."""

    kind: Literal["config.changed/1"] = "config.changed/1"
    changes: dict[str, JsonValue]
    previous: dict[str, JsonValue]
