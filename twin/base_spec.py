"""The base of everything read from TOML."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from twin.units import Metres

Point = tuple[Metres, Metres, Metres]


class Spec(BaseModel):
    """Base of everything read from TOML: unknown keys are errors, values don't change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
