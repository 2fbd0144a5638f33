"""Wheel odometry: pose and velocity from the turning of wheels, as far as they don't slip."""

from __future__ import annotations

from collections.abc import Mapping
from math import cos, sin
from typing import Protocol, runtime_checkable

import numpy as np

from twin.clock import NS
from twin.draws import key, normal
from twin.errors import ScenarioError
from twin.sensors.errors import Delay
from twin.sensors.field import Field, Setting
from twin.specs import OdometrySpec, RobotKind
from twin.state import F64, I64, NEVER, BodyState, Sample

_STREAM = key("odometry")


@runtime_checkable
class Rolls(Protocol):
    """A dynamics with wheels that can be counted."""

    angle: F64  # (n, D) rad, of each driven wheel since the start

    @property
    def kinematics(self) -> F64:
        """The velocity (3,) of the root frame by the speeds of the driven wheels: forward, left, turning; (3, D)."""


class Odometry:
    """Reads odometry (3,) and odometry_velocity (3,) of a group's robots.

    Between two readings the robot is taken to have driven an arc of a circle. The errors of radius and track turn
    and stretch the way, the noise grows with the root of the way; slip and skid come from the wheels themselves.
    """

    def __init__(self, spec: OdometrySpec, setting: Setting) -> None:
        if not isinstance(setting.dynamics, Rolls):
            raise ScenarioError("odometry needs wheels: the dynamics of this robot has none", key="sensors")
        n = len(setting.names)
        self._wheels, self._noise, self._seed = setting.dynamics, spec.noise, setting.seed
        self._keys = [key(name) for name in setting.names]
        stretch = 1.0 + spec.radius_error
        self._kinematics = self._wheels.kinematics * [[stretch], [stretch], [stretch / (1.0 + spec.track_error)]]
        self._delay = Delay(spec.delay, n)
        self._time: I64 = np.full(n, NEVER, dtype=np.int64)
        self._angle, self._pose, self._way = np.zeros_like(self._wheels.angle), np.zeros((n, 3)), np.zeros(n)
        self._velocity = np.zeros((n, 3))

    @staticmethod
    def fields(spec: OdometrySpec, kind: RobotKind) -> Mapping[str, Field]:
        """Return what a reading is made of."""
        start = "x, y [m] and heading [rad] in world axes, from the true ones at the start"
        return {
            "odometry": Field(3, "m, m, rad", start, spec.noise, "m per root of m"),
            "odometry_velocity": Field(3, "m/s, m/s, rad/s", "forward, left, turning", 0.0, "m/s"),
        }

    def read(self, time: int, bodies: BodyState, index: I64, rows: I64) -> list[Sample]:
        """Return one sample per body in `index` (k,); `rows` (k,) are the robots' rows in their group."""
        for body, row in zip(index, rows, strict=True):
            if self._time[row] == NEVER or time <= self._time[row]:
                self._start(row, bodies.position[body], bodies.orientation[body])
            else:
                self._go_on(row, time)
            self._time[row], self._angle[row] = time, self._wheels.angle[row]
        table = np.concatenate([self._pose[rows], self._velocity[rows]], axis=1)
        stamps = self._delay.apply(time, rows, table)
        return [
            Sample(stamp, {"odometry": line[:3], "odometry_velocity": line[3:]})
            for stamp, line in zip(stamps, table, strict=True)
        ]

    def _start(self, row: int, position: F64, orientation: F64) -> None:
        x, y, z, w = orientation
        self._pose[row] = (*position[:2], np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)))
        self._velocity[row] = 0.0

    def _go_on(self, row: int, time: int) -> None:
        move = self._kinematics @ (self._wheels.angle[row] - self._angle[row])
        way = float(np.hypot(move[0], move[1]))
        self._velocity[row] = move * (NS / (time - int(self._time[row])))
        if self._noise:
            sigma = self._noise * np.sqrt(way)
            draws = [normal(self._seed, _STREAM, self._keys[row], time, j) for j in range(3)]
            move = move + sigma * np.array(draws)
        self._pose[row] = _arc(self._pose[row], move)


def _arc(pose: F64, move: F64) -> F64:
    """Return the pose after an arc: `move` is the way along it in body axes, and the turn."""
    x, y, heading = pose.tolist()
    forward, left, turn = move.tolist()
    half = turn / 2
    chord = sin(half) / half if half else 1.0
    u, v = cos(heading + half) * chord, sin(heading + half) * chord
    return np.array([x + u * forward - v * left, y + v * forward + u * left, heading + turn])
