"""What a scenario says about tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from twin.registry import TASKS
from twin.specs.base import Coordinate, Point, Spec
from twin.specs.kinds import Open
from twin.units import Metres, Radians, Seconds, Speed


class RouteSpec(Spec):
    """Fly a closed route at constant speed after a start from rest; robot i of n starts i/n of the way round."""

    kind: Literal["route"]
    waypoints: tuple[Point, ...] = Field(min_length=3)
    speed: Speed = Field(gt=0)
    acceleration: float = Field(default=2.0, gt=0)  # m/s2, until that speed is reached


class FormationSpec(Spec):
    """Fly a closed route behind a leader, robot 0; the others each at an offset in its axes: ahead, left, up."""

    kind: Literal["formation"]
    waypoints: tuple[Point, ...] = Field(min_length=3)
    speed: Speed = Field(gt=0)
    acceleration: float = Field(default=2.0, gt=0)  # m/s2, until that speed is reached
    offsets: tuple[Point, ...] = Field(min_length=1)  # of robots 1, 2, ...


class HoverSpec(Spec):
    """Stay at given points, one for each robot."""

    kind: Literal["hover"]
    points: tuple[Point, ...] = Field(min_length=1)
    yaw: Radians = 0.0


class LandingSpec(Spec):
    """Land on another robot, and stay within `radius` of its pad."""

    kind: Literal["landing"]
    vessel: str
    pad: Point = (0.0, 0.0, 0.0)  # in the vessel's axes, from its centre of mass
    radius: Metres = Field(default=1.0, gt=0)


class MissionSpec(Spec):
    """Fly QGroundControl's plans: robot i plan i modulo their number."""

    kind: Literal["mission"]
    plans: tuple[Path, ...] = Field(min_length=1, max_length=100)  # from here, the project, or what is built in
    home: Point | None = None  # where a plan's home lies in the world; None: where the world's origin puts it
    interval: Seconds = Field(default=0.0, ge=0)  # between the starts of two robots of one plan
    offset: Point = (0.0, 0.0, 0.0)  # of each further robot of a plan from the one before
    speed: Speed | None = Field(default=None, gt=0)  # None: the plan's `hoverSpeed`
    acceleration: float = Field(default=2.0, gt=0)  # m/s2
    climb: Speed = Field(default=3.0, gt=0)  # and down to `flare` above the ground
    flare: Metres = Field(default=3.0, ge=0)
    descent: Speed = Field(default=0.7, gt=0)  # below that
    gear: Metres = Field(default=0.09, ge=0)  # from the feet to the centre of mass
    reach: Metres = Field(default=1.0, gt=0)  # from a place that counts as being there, where the plan has no other


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


class HandOverSpec(Spec):
    """Hand the robots of the group `parts` from the first arm of a pair to the second, which puts them into a bin."""

    kind: Literal["hand_over"]
    parts: str
    bin: tuple[Point, Point]  # lower and upper corner of the space in which a part is let go at last


class ToolPathSpec(Spec):
    """Lead the tools of all arms of a group along one closed path in their root links' axes, from rest on."""

    kind: Literal["tool_path"]
    link: str
    place: Point = (0.0, 0.0, 0.0)  # of the tool, in the link's axes
    waypoints: tuple[Point, ...] = Field(min_length=3)  # the first where the tool is at the arm's start
    speed: Speed = Field(gt=0)
    acceleration: float = Field(default=0.5, gt=0)  # m/s2, until that speed is reached


Spot = tuple[Coordinate, Coordinate]
"""A point of the floor, x and y [m]."""


class RoundsSpec(Spec):
    """Drive from place to place along lanes, each robot its own round; robot i starts at the first place of round i.

    Lanes are one-way paths; they meet where a point of one lies on another. Each is cut into pieces of at most
    `spacing`, and no two robots are let into one piece, nor nearer than `clearance` to each other.
    """

    kind: Literal["rounds"]
    lanes: tuple[tuple[Spot, ...], ...] = Field(min_length=1)
    places: dict[str, Spot]
    rounds: tuple[tuple[str, ...], ...] = Field(min_length=1)
    chargers: tuple[str, ...] = ()  # places
    dwell: Seconds = Field(default=5.0, ge=0)  # at each place
    spacing: Metres = Field(default=2.25, gt=0)
    clearance: Metres = Field(default=1.1, gt=0)  # from middle to middle


TaskSpec = Annotated[
    FormationSpec
    | RouteSpec
    | HoverSpec
    | LandingSpec
    | MissionSpec
    | PickingSpec
    | HandOverSpec
    | ToolPathSpec
    | TeleoperationSpec
    | RoundsSpec,
    Field(discriminator="kind"),
    Open(TASKS),
]
