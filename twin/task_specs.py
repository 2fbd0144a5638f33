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


class PickingSpec(Spec):
    """Put all robots of the group `parts` into a bin before they get past `end`; one that does is missed."""

    kind: Literal["picking"]
    parts: str
    bin: tuple[Point, Point]  # lower and upper corner of the space where a part has to be
    end: Point  # a part is missed beyond the plane through this point ...
    along: Point  # ... across this direction


class TeleoperationSpec(Spec):
    """Lead an arm's tool along a closed route as an operator's hand means to; below a surface it presses on it."""

    kind: Literal["teleoperation"]
    link: str
    place: Point = (0.0, 0.0, 0.0)  # of the tool, in the link's axes
    waypoints: tuple[Point, ...] = Field(min_length=3)  # world axes
    speed: Speed = Field(gt=0)
    acceleration: float = Field(default=0.2, gt=0)  # m/s2, until that speed is reached


TaskSpec = Annotated[RouteSpec | HoverSpec | PickingSpec | TeleoperationSpec, Field(discriminator="kind")]
