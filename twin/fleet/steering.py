"""Along a lane: from pose and lane to a velocity of the body."""

from __future__ import annotations

from math import atan2, cos, hypot, sin, sqrt

from twin.specs import Spec
from twin.units import RadiansPerSecond, Speed

_ASTRAY = 0.35
"""rad off the lane, beyond which a robot stands and turns"""
_SIDEWAYS = 1.0
"""1/m, angle towards the lane per distance from it"""


class SteeringSpec(Spec):
    """How fast a robot drives along lanes."""

    speed: Speed = 1.2
    turning: RadiansPerSecond = 1.0
    braking: float = 0.6  # m/s2, that is planned with
    gain: float = 2.5  # 1/s, turning per angle


def steer(
    spec: SteeringSpec,
    pose: tuple[float, float, float],
    start: tuple[float, float],
    end: tuple[float, float],
    further: float,
) -> tuple[float, float]:
    """Return speed [m/s] and turning rate [rad/s] along the lane from `start` to `end` [m].

    `pose` is x, y [m] and heading [rad]; `further` is how far [m] the way goes on beyond `end` without a stop.
    """
    x, y, heading = pose
    lane = atan2(end[1] - start[1], end[0] - start[0])
    offset = (y - start[1]) * cos(lane) - (x - start[0]) * sin(lane)  # to the left of the lane
    left = (end[0] - x) * cos(lane) + (end[1] - y) * sin(lane) + further
    astray = turned(lane - atan2(_SIDEWAYS * offset, 1.0) - heading)
    rate = max(-spec.turning, min(spec.turning, spec.gain * astray))
    if abs(astray) > _ASTRAY or left <= 0.0:
        return 0.0, rate
    return min(spec.speed, sqrt(2.0 * spec.braking * left)) * cos(astray), rate


def turned(angle: float) -> float:
    """Return an angle [rad] as one from -pi to pi."""
    return atan2(sin(angle), cos(angle))


def distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Return the distance [m] of two points."""
    return hypot(b[0] - a[0], b[1] - a[1])
