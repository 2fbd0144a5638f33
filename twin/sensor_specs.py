"""What robot.toml says about sensors; noise is a standard deviation, a walk its growth with the root of time."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from twin.base_spec import Spec
from twin.units import Metres, NonNegativeNs, Radians, RadiansPerSecond, RateHz, Speed

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


SensorSpec = Annotated[NavigationSpec | JointsSpec, Field(discriminator="kind")]
