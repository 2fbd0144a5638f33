"""Wheel odometry: pose and velocity from the turning of wheels, as far as they don't slip."""

from __future__ import annotations

from collections.abc import Mapping
from math import cos, sin
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from twin.clock import NS
from twin.errors import ScenarioError
from twin.numerics.draws import key, normal
from twin.numerics.kernels import kernel
from twin.sensors.errors import Delay
from twin.sensors.field import Field, Setting
from twin.specs import OdometrySpec, RobotKind
from twin.state import F64, I64, NEVER, Sample, Truth

U64 = NDArray[np.uint64]
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
        self._keys: U64 = np.array([key(name) for name in setting.names], dtype=np.uint64)
        stretch = 1.0 + spec.radius_error
        scale = [[stretch], [stretch], [stretch / (1.0 + spec.track_error)]]
        self._kinematics = np.ascontiguousarray(self._wheels.kinematics * scale)
        self._delay = Delay(spec.delay, n)
        self._time: I64 = np.full(n, NEVER, dtype=np.int64)
        self._angle, self._reading = np.zeros_like(self._wheels.angle), np.zeros((n, 6))

    @staticmethod
    def fields(spec: OdometrySpec, kind: RobotKind) -> Mapping[str, Field]:
        """Return what a reading is made of."""
        start = "x, y [m] and heading [rad] in world axes, from the true ones at the start"
        return {
            "odometry": Field(3, "m, m, rad", start, spec.noise, "m per root of m"),
            "odometry_velocity": Field(3, "m/s, m/s, rad/s", "forward, left, turning", 0.0, "m/s"),
        }

    def read(self, truth: Truth, index: I64, rows: I64) -> list[Sample]:
        """Return one sample per body in `index` (k,); `rows` (k,) are the robots' rows in their group."""
        time, bodies = truth.time, truth.bodies
        table = np.empty((len(rows), 6))
        _count(self._kinematics, self._wheels.angle, index, rows, bodies.position, bodies.orientation, self._seed,
               self._keys, self._noise, time, self._time, self._angle, self._reading, table)  # fmt: skip
        stamps = self._delay.apply(time, rows, table)
        return [
            Sample(stamp, {"odometry": pose, "odometry_velocity": velocity})
            for stamp, pose, velocity in zip(stamps, table[:, :3], table[:, 3:], strict=True)
        ]


@kernel
def _count(
    kinematics: F64,
    angle: F64,
    index: I64,
    rows: I64,
    position: F64,
    orientation: F64,
    seed: int,
    names: U64,
    noise: float,
    now: int,
    time: I64,
    before: F64,
    reading: F64,
    table: F64,
) -> None:
    """Bring the `reading` (n, 6) of robots `rows` from their `time` [ns] and angles `before` to now, and to `table`."""
    for i in range(rows.size):
        row = rows[i]
        if time[row] == NEVER or now <= time[row]:  # a new run
            x, y, z, w = orientation[index[i]]
            reading[row, 0], reading[row, 1] = position[index[i], 0], position[index[i], 1]
            reading[row, 2] = np.arctan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
            reading[row, 3:] = 0.0
        else:
            _go_on(kinematics, angle[row] - before[row], seed, names[row], noise, now, now - time[row], reading[row])
        time[row], before[row], table[i] = now, angle[row], reading[row]


@kernel
def _go_on(
    kinematics: F64, turned: F64, seed: int, name: np.uint64, noise: float, now: int, elapsed: int, reading: F64
) -> None:
    """Add an arc of a circle to a reading (6,)."""
    move = np.zeros(3)
    for k in range(3):
        for wheel in range(turned.size):
            move[k] += kinematics[k, wheel] * turned[wheel]
        reading[3 + k] = move[k] * (NS / elapsed)
    if noise > 0.0:
        sigma = noise * np.sqrt(np.hypot(move[0], move[1]))
        for k in range(3):
            move[k] += sigma * normal(seed, _STREAM, name, now, k)
    half = move[2] / 2
    chord = sin(half) / half if half != 0.0 else 1.0
    u, v = cos(reading[2] + half) * chord, sin(reading[2] + half) * chord
    reading[0] += u * move[0] - v * move[1]
    reading[1] += v * move[0] + u * move[1]
    reading[2] += move[2]
