"""What robot.toml says about sensors; noise is a standard deviation, a walk its growth with the root of time."""

from __future__ import annotations

from math import pi
from typing import Annotated, Literal

from pydantic import Field

from twin.base_spec import Point, Spec
from twin.units import Bytes, Metres, Newtons, NonNegativeNs, Radians, RadiansPerSecond, RateHz, Seconds, Speed

NonNegative = Annotated[float, Field(ge=0)]


class ReadingSpec(Spec):
    """What all sensors have: how often they read, and how long before a reading is there the world was so."""

    rate: RateHz | None = None  # at control ticks, the last reading holds between; None: at each of them
    delay: NonNegativeNs = 0


class NavigationNoise(Spec):
    """Standard deviations of a navigation solution's white noise, per axis."""

    position: Metres = Field(default=0.0, ge=0)
    velocity: Speed = Field(default=0.0, ge=0)
    orientation: Radians = Field(default=0.0, ge=0)
    angular_velocity: RadiansPerSecond = Field(default=0.0, ge=0)


class NavigationSpec(ReadingSpec):
    """A navigation solution of pose and velocities."""

    kind: Literal["navigation"] = "navigation"
    noise: NavigationNoise = NavigationNoise()


class JointsNoise(Spec):
    """Standard deviations of what joints measure; metres where a joint slides."""

    position: Radians = Field(default=0.0, ge=0)
    velocity: RadiansPerSecond = Field(default=0.0, ge=0)
    effort: NonNegative = 0.0  # N m or N
    position_walk: NonNegative = 0.0  # rad/sqrt(s) or m/sqrt(s)
    effort_walk: NonNegative = 0.0  # N m/sqrt(s) or N/sqrt(s)


class JointsSpec(ReadingSpec):
    """Encoders and torque sensors of all joints that move."""

    kind: Literal["joints"]
    noise: JointsNoise = JointsNoise()


class ToolForceSpec(ReadingSpec):
    """The force that something exerts on a tool, from what the drives do beyond the arm's own motion."""

    kind: Literal["tool_force"]
    link: str
    place: Point = (0.0, 0.0, 0.0)  # of the tool, in the link's axes
    filter: Seconds = Field(default=0.005, ge=0)  # time constant
    noise: Newtons = Field(default=0.0, ge=0)  # per axis


class CameraSpec(Spec):
    """A camera whose pictures leave the robot as packets of their own: picture n is taken at n/rate, to the ns.

    What it tells of a picture is where the parts in it are; finding them is part of `delay`.
    """

    kind: Literal["camera"]
    rate: RateHz = 30
    delay: NonNegativeNs = 20_000_000  # exposure and coding, before a picture leaves
    frame: Bytes = 40_000
    sees: str = ""  # group of robots that it looks for; none: it only makes traffic
    range: Metres = Field(default=1.5, gt=0)  # from its place, sideways, in which it sees them
    mount: Point = (0.0, 0.0, 1.5)  # from the robot's root link
    slots: int = Field(default=4, ge=1)  # parts in a picture at most, the nearest first
    noise: Metres = Field(default=0.0, ge=0)  # per axis


class OdometrySpec(ReadingSpec):
    """Encoders on driven wheels; the errors say by how much the robot has its wheels too large, its track too wide."""

    kind: Literal["odometry"]
    radius_error: float = Field(default=0.0, gt=-0.5, lt=0.5)  # relative
    track_error: float = Field(default=0.0, gt=-0.5, lt=0.5)  # relative
    noise: NonNegative = 0.0  # m and rad, per axis and root of a metre


class LidarSpec(ReadingSpec):
    """A lidar that scans one plane, counter-clockwise round the robot's z axis."""

    kind: Literal["lidar"]
    beams: int = Field(default=120, ge=1)
    view: Radians = Field(default=2 * pi, gt=0, le=2 * pi + 1e-6)  # field of view, its middle ahead
    range: Metres = Field(default=8.0, gt=0)
    mount: Point = (0.0, 0.0, 0.0)  # from the centre of mass
    noise: Metres = Field(default=0.0, ge=0)


class BatterySensorSpec(ReadingSpec):
    """What is left in a battery."""

    kind: Literal["battery"]
    noise: NonNegative = 0.0  # of the state of charge


SensorSpec = Annotated[
    NavigationSpec | JointsSpec | ToolForceSpec | CameraSpec | OdometrySpec | LidarSpec | BatterySensorSpec,
    Field(discriminator="kind"),
]
