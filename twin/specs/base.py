"""The base of everything read from TOML."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from twin.units import Metres

Coordinate = Annotated[Metres, Field(ge=-1e6, le=1e6)]
"""A thousand kilometres from the origin a tangent plane is no map any more."""
Point = tuple[Coordinate, Coordinate, Coordinate]


class Spec(BaseModel):
    """Base of everything read from TOML: unknown keys are errors, values don't change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
