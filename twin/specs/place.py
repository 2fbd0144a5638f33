"""`[places.NAME]` of a scenario: parts of space that requirements can name."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from twin.specs.base import Point, Spec
from twin.state import F64, Bool
from twin.units import Metres


class BoxSpec(Spec):
    """A box along the axes, from its lower to its upper corner."""

    kind: Literal["box"]
    lower: Point
    upper: Point

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        for axis, low, high in zip("xyz", self.lower, self.upper, strict=True):
            if not low < high:
                raise ValueError(f"is empty: found {low:g} to {high:g} m along {axis}; allowed: lower less than upper")
        return self

    def holds(self, position: F64) -> Bool:
        """Tell which positions (n, 3) m lie inside."""
        return np.asarray(np.all((position >= self.lower) & (position <= self.upper), axis=1))


class CorridorSpec(Spec):
    """All that is at most `radius` from a line through the waypoints."""

    kind: Literal["corridor"]
    waypoints: tuple[Point, ...] = Field(min_length=2)
    radius: Metres = Field(gt=0)

    def holds(self, position: F64) -> Bool:
        """Tell which positions (n, 3) m lie inside."""
        points = np.array(self.waypoints, dtype=float)
        start, way = points[:-1], np.diff(points, axis=0)  # (m, 3)
        size = np.maximum(np.sum(way**2, axis=1), 1e-300)
        offset = position[:, None] - start
        share = np.clip(np.sum(offset * way, axis=2) / size, 0.0, 1.0)
        square = np.sum((offset - share[..., None] * way) ** 2, axis=2)
        return np.asarray(square.min(axis=1) <= self.radius**2)


PlaceSpec = Annotated[BoxSpec | CorridorSpec, Field(discriminator="kind")]
