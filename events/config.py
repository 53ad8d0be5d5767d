"""What the configs of all engines share."""

from pydantic import BaseModel, ConfigDict


class Config(BaseModel):
    """A section of a scenario: frozen, with unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)
