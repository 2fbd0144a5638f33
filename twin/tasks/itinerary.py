"""Where something is that goes by straight ways and circles, from rest to rest, and stays in between."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from math import atan2, cos, hypot, pi, sin, sqrt

import numpy as np

from twin.state import F64, Reference

_TURNING = pi / 2
"""rad/s at which the nose turns to where a stretch wants it"""
_LEVEL = 0.1
"""m of level way from which on a stretch has a direction"""
_ZERO = np.zeros(3)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A way from rest to rest with a trapezoidal speed, or a time at one place."""

    begin: float  # s
    duration: float  # s
    start: F64  # (3,) m
    way: F64  # (3,) m, to its end; of a circle, to its middle
    length: float = 0.0  # m
    speed: float = 1.0  # m/s, at most
    acceleration: float = 1.0  # m/s2
    clockwise: int = 0  # of a circle: 1 or -1; 0: straight
    yaw_before: float = 0.0  # rad
    yaw: float | None = None  # rad; None: along a circle
    parked: bool = False

    def at(self, time: float) -> Reference:
        """Return where that is `time` [s] after its beginning."""
        along, speed, gain = _trapezoid(self.length, self.speed, self.acceleration, min(time, self.duration))
        if self.clockwise:
            return self._on_circle(along, speed, gain, time)
        ahead = self.way / self.length if self.length else _ZERO
        yaw = self._eased(self.yaw or 0.0, self.yaw or 0.0, time)
        return Reference(self.start + along * ahead, speed * ahead, gain * ahead, yaw, self.parked)

    def _on_circle(self, along: float, speed: float, gain: float, time: float) -> Reference:
        radius = hypot(self.way[0], self.way[1])
        angle = -self.clockwise * along / radius
        c, s = cos(angle), sin(angle)
        out = -self.way
        arm = np.array([c * out[0] - s * out[1], s * out[0] + c * out[1], 0.0])
        ahead = self.clockwise * np.array([arm[1], -arm[0], 0.0]) / radius
        heading, first = atan2(ahead[1], ahead[0]), atan2(self.clockwise * self.way[0], -self.clockwise * self.way[1])
        yaw = heading if self.yaw is None else self.yaw
        eased = self._eased(yaw, first if self.yaw is None else self.yaw, time)
        inward = -speed * speed / radius**2 * arm
        return Reference(self.start + self.way + arm, speed * ahead, gain * ahead + inward, eased, False)

    def _eased(self, yaw: float, first: float, time: float) -> float:
        """Return a heading that starts from the one before and comes to `yaw` at a steady rate."""
        turn = _wrapped(self.yaw_before - first)
        left = max(0.0, 1.0 - _TURNING * time / abs(turn)) if turn else 0.0
        return yaw + turn * left


class Itinerary:
    """Stretches one after another; it is put together from its start, then asked where one is."""

    def __init__(self, start: F64, acceleration: float) -> None:
        self.place, self.time, self.yaw, self._wanted = start, 0.0, 0.0, 0.0
        self.acceleration = acceleration
        self.stretches: list[Stretch] = []
        self._begins: list[float] = []

    def stay(self, duration: float, *, parked: bool = False, yaw: float | None = None) -> None:
        """Stay for some seconds."""
        then = self._wanted if yaw is None else yaw
        self._add(Stretch(self.time, duration, self.place, _ZERO, yaw_before=self.yaw, yaw=then, parked=parked))

    def go(self, place: F64, speed: float, yaw: float | None = None) -> None:
        """Go straight to a place (3,) m, nose ahead unless `yaw` [rad] says where it looks."""
        way = place - self.place
        length = sqrt(float(way @ way))
        if length < 1e-6:
            if yaw is not None:
                self.stay(abs(_wrapped(yaw - self.yaw)) / _TURNING, yaw=yaw)
            return
        if yaw is None:
            yaw = atan2(way[1], way[0]) if hypot(way[0], way[1]) > _LEVEL else self._wanted
        duration = _duration(length, speed, self.acceleration)
        self._add(Stretch(self.time, duration, self.place, way, length, speed, self.acceleration,
                          yaw_before=self.yaw, yaw=yaw))  # fmt: skip

    def circle(self, middle: F64, turns: float, speed: float, *, clockwise: bool, yaw: float | None = None) -> None:
        """Go round a point (3,) m of the same height, back to where it is after whole turns."""
        way = np.array([middle[0] - self.place[0], middle[1] - self.place[1], 0.0])
        length = 2 * pi * turns * hypot(way[0], way[1])
        duration = _duration(length, speed, self.acceleration)
        self._add(Stretch(self.time, duration, self.place, way, length, speed, self.acceleration,
                          1 if clockwise else -1, self.yaw, yaw))  # fmt: skip

    def _add(self, stretch: Stretch) -> None:
        self.stretches.append(stretch)
        self._begins.append(stretch.begin)
        self.time += stretch.duration
        end = stretch.at(stretch.duration)
        self.place, self.yaw = end.position, end.yaw
        self._wanted = end.yaw if stretch.yaw is None else stretch.yaw

    def at(self, time: float) -> Reference:
        """Return where one is at `time` [s]; before the start at the start, after the end at the end."""
        stretch = self.stretches[max(0, bisect_right(self._begins, time) - 1)]
        return stretch.at(max(0.0, time - stretch.begin))


def _duration(length: float, speed: float, acceleration: float) -> float:
    top = min(speed, sqrt(acceleration * length))
    return length / top + top / acceleration


def _trapezoid(length: float, speed: float, acceleration: float, time: float) -> tuple[float, float, float]:
    """Return way [m], speed [m/s] and its change [m/s2] at `time` [s] of a way from rest to rest."""
    if length == 0.0:
        return 0.0, 0.0, 0.0
    top = min(speed, sqrt(acceleration * length))
    ramp, whole = top / acceleration, length / top + top / acceleration
    if time >= whole:
        return length, 0.0, 0.0
    if time < ramp:
        return 0.5 * acceleration * time * time, acceleration * time, acceleration
    left = whole - time
    if left < ramp:
        return length - 0.5 * acceleration * left * left, acceleration * left, -acceleration
    return top * (time - 0.5 * ramp), top, 0.0


def _wrapped(angle: float) -> float:
    return atan2(sin(angle), cos(angle))
