"""What the service is sent, and what it answers about simulations."""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from fundclock.app.service.jobs import JobStatus
from fundclock.app.service.requests import MAX_TEXT
from fundclock.scenarios.files.axes import MAX_SEED

Scenario = Annotated[
    str | dict[str, JsonValue], Field(description="The name of a shipped scenario, or the sections of one.")
]
Settings = Annotated[dict[str, JsonValue], Field(description="Settings by dotted key.", max_length=1000)]


class Body(BaseModel):
    """A request's body: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _is_text(cls, values: Any) -> Any:
        try:
            json.dumps(values, ensure_ascii=False, default=repr).encode()
        except UnicodeEncodeError:
            raise ValueError("has half a character (a surrogate without its other half)") from None
        except RecursionError:
            raise ValueError("has too many levels") from None
        return values


class SimulationRequest(Body):
    """A simulation to be played: of a ``scenario``, or of a ``document``, which is the text of a scenario file."""

    scenario: Scenario | None = None
    document: Annotated[str, Field(max_length=MAX_TEXT)] | None = None
    seed: Annotated[int, Field(ge=0, le=MAX_SEED, strict=True)] = 0
    set: Settings = Field(default_factory=dict)


class SweepRequest(SimulationRequest):
    """A scenario under every combination of the axes' values; without axes under those of its own ``sweep:``."""

    sweep: dict[str, str | list[JsonValue]] = Field(
        default_factory=dict,
        max_length=20,
        examples=[{"reinvestment_engine.reinvestment_delay": [0, 3], "seed": "1:20"}],
    )


class ForkRequest(Body):
    """An intervention in the morning of a day."""

    at: str = Field(description="The day, an ISO date.", examples=["2028-03-31"])
    set: Settings = Field(default_factory=dict)
    do: list[dict[str, JsonValue]] = Field(
        default_factory=list, max_length=1000, description="Script entries or commands."
    )


class ReinvestRequest(Body):
    """A manual reinvestment; its day is ``year`` (and ``month``) after the fund's start."""

    amount: float | str
    year: float
    month: int | None = None
    strategy: str | None = None
    source: str | None = None
    source_details: dict[str, JsonValue] = Field(default_factory=dict)
    zone_preference_multipliers: dict[str, float] | None = None
    enable_dynamic_allocation: bool | None = None


class Simulation(BaseModel):
    """How a simulation stands."""

    id: str
    status: JobStatus
    scenario: str
    seed: int
    progress: float = Field(ge=0, le=1)
    records: int
    head_hash: str | None
    parent: str | None
    divergence_seq: int | None
    problem: dict[str, Any] | None = None


class Sweep(BaseModel):
    """How a sweep stands; ``rows``, ``summary`` and ``figures`` are there when it is finished."""

    id: str
    status: JobStatus
    scenario: str
    progress: float = Field(ge=0, le=1)
    axes: dict[str, Any]
    problem: dict[str, Any] | None = None


class Sweeps(BaseModel):
    """Every sweep, the newest first."""

    sweeps: list[Sweep]


class Record(BaseModel):
    """One record of a log."""

    seq: int
    day: int
    phase: str
    kind: str
    cause: int | None
    correlation: int
    payload: dict[str, Any]


class Events(BaseModel):
    """A page of records; ``next`` is where the page after it is."""

    model_config = ConfigDict(populate_by_name=True)

    schema_: Literal["fundclock.events/1"] = Field(alias="schema")
    records: list[Record]
    next: str | None


class Simulations(BaseModel):
    """A page of simulations, the newest first; ``next`` is where the page after it is."""

    simulations: list[Simulation]
    next: str | None
