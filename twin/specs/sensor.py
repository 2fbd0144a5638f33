"""What robot.toml says about sensors; noise is a standard deviation, a walk its growth with the root of time."""

from __future__ import annotations

from math import pi
from typing import Annotated, Literal

from pydantic import Field

from twin.registry import SENSORS
from twin.specs.base import Point, Spec
from twin.specs.kinds import Open
from twin.units import (
    AccelerationNoise,
    AccelerationWalk,
    Bytes,
    Metres,
    Newtons,
    NonNegativeNs,
    Pascal,
    Radians,
    RadiansPerSecond,
    RateHz,
    RateNoise,
    RateWalk,
    Seconds,
    Speed,
    unit,
)

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
    electrical: bool = False  # voltage and current as well, where the dynamics has them
    voltage_noise: NonNegative = 0.01  # V
    current_noise: NonNegative = 0.05  # A


class GnssSpec(ReadingSpec):
    """A GPS receiver: the satellites that it sees past the world's faces, and errors of each one's range."""

    kind: Literal["gnss"]
    rate: RateHz | None = 10
    delay: NonNegativeNs = 100_000_000
    noise: Metres = Field(default=0.8, gt=0)  # of a range, white
    bias: Metres = Field(default=0.0, ge=0)  # of a range: air, orbits, multipath; a satellite's and receiver's own
    bias_time: Seconds = Field(default=300.0, gt=0)  # over which the bias changes (first-order Gauss-Markov)
    speed_noise: Speed = Field(default=0.05, ge=0)  # of a range's rate, white
    mask: Radians = Field(default=5 * pi / 180, ge=0, lt=pi / 2)  # elevation below which no satellite is used


class ImuSpec(ReadingSpec):
    """Three accelerometers and three gyros along the body's axes."""

    kind: Literal["imu"]
    accelerometer_noise: AccelerationNoise = 0.0
    accelerometer_bias: Annotated[float, unit("m/s2"), Field(ge=0)] = 0.0  # when it is switched on
    accelerometer_walk: AccelerationWalk = 0.0  # of the bias
    gyro_noise: RateNoise = 0.0
    gyro_bias: RadiansPerSecond = Field(default=0.0, ge=0)  # when it is switched on
    gyro_walk: RateWalk = 0.0  # of the bias


class BarometerSpec(ReadingSpec):
    """An air pressure sensor, set to the pressure at z = 0 at the start."""

    kind: Literal["barometer"]
    noise: Pascal = Field(default=0.0, ge=0)
    walk: Annotated[float, unit("Pa/sqrt(s)"), Field(ge=0)] = 0.0  # of the bias


class AltimeterSpec(ReadingSpec):
    """A lidar that looks down along the robot's -z axis."""

    kind: Literal["altimeter"]
    range: Metres = Field(default=40.0, gt=0)
    mount: Point = (0.0, 0.0, 0.0)  # from the centre of mass
    noise: Metres = Field(default=0.0, ge=0)


class CompassSpec(ReadingSpec):
    """Which way the robot's x axis points."""

    kind: Literal["compass"]
    noise: Radians = Field(default=0.0, ge=0)
    bias: Radians = Field(default=0.0, ge=0)  # iron about it, not calibrated away


class EstimateSpec(ReadingSpec):
    """The fields of `navigation` by a Kalman filter over the robot's other sensors."""

    kind: Literal["estimate"]
    position: Metres = Field(default=0.1, gt=0)  # standard deviations at the start, per axis
    velocity: Speed = Field(default=0.05, gt=0)
    orientation: Radians = Field(default=pi / 180, gt=0)


class VacuumSensorSpec(ReadingSpec):
    """The switch of a suction cup: whether it holds something."""

    kind: Literal["vacuum"]


SensorSpec = Annotated[
    NavigationSpec
    | JointsSpec
    | ToolForceSpec
    | VacuumSensorSpec
    | CameraSpec
    | OdometrySpec
    | LidarSpec
    | BatterySensorSpec
    | GnssSpec
    | ImuSpec
    | BarometerSpec
    | AltimeterSpec
    | CompassSpec
    | EstimateSpec,
    Field(discriminator="kind"),
    Open(SENSORS),
]
