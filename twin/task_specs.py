"""What a scenario says about tasks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from twin.base_spec import Point, Spec
from twin.units import Radians, Speed


class RouteSpec(Spec):
    """Fly a closed route at constant speed after a start from rest; robot i of n starts i/n of the way round."""

    kind: Literal["route"]
    waypoints: tuple[Point, ...] = Field(min_length=3)
    speed: Speed = Field(gt=0)
    acceleration: float = Field(default=2.0, gt=0)  # m/s2, until that speed is reached


class HoverSpec(Spec):
    """Stay at given points, one for each robot."""

    kind: Literal["hover"]
    points: tuple[Point, ...] = Field(min_length=1)
    yaw: Radians = 0.0


TaskSpec = Annotated[RouteSpec | HoverSpec, Field(discriminator="kind")]
