"""Wheel odometry: pose and velocity from the turning of wheels, as far as they don't slip."""

from __future__ import annotations

from collections.abc import Mapping
from math import cos, sin
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from twin.clock import NS
from twin.errors import ScenarioError
from twin.numerics.draws import key, normal
from twin.numerics.kernels import kernel
from twin.numerics.rotation import quaternion_of
from twin.protocols import Field
from twin.sensors.errors import Delay
from twin.sensors.setting import Setting
from twin.specs import OdometrySpec, RobotKind
from twin.state import F64, I64, NEVER, Rigid, Sample, Truth

U64 = NDArray[np.uint64]
_STREAM = key("odometry")


@runtime_checkable
class Rolls(Protocol):
    """A dynamics with wheels that can be counted."""

    angle: F64  # (n, D) rad, of each driven wheel since the start

    @property
    def kinematics(self) -> F64:
        """The velocity (3,) of the root frame by the speeds of the driven wheels: forward, left, turning; (3, D)."""


class Counters(NamedTuple):
    """What n robots' odometry is made with, and where it stands; D driven wheels."""

    kinematics: F64  # (3, D) forward, left, turning by the speeds of the wheels, as the robot takes them
    noise: float  # m per root of m
    seed: int
    names: U64  # (n,) keys
    time: I64  # (n,) ns, of the last reading, or NEVER
    angle: F64  # (n, D) rad, then
    reading: F64  # (n, 6) pose and velocity, then


class Odometry:
    """Reads odometry (3,) and odometry_velocity (3,) of a group's robots.

    Between two readings the robot is taken to have driven an arc of a circle. The errors of radius and track turn
    and stretch the way, the noise grows with the root of the way; slip and skid come from the wheels themselves.
    """

    def __init__(self, spec: OdometrySpec, setting: Setting) -> None:
        if not isinstance(setting.dynamics, Rolls):
            raise ScenarioError("odometry needs wheels: the dynamics of this robot has none", key="sensors")
        n = len(setting.names)
        self._wheels = setting.dynamics
        stretch = 1.0 + spec.radius_error
        scale = [[stretch], [stretch], [stretch / (1.0 + spec.track_error)]]
        self._delay = Delay(spec.delay, n)
        self._counters = Counters(
            kinematics=np.ascontiguousarray(self._wheels.kinematics * scale),
            noise=spec.noise,
            seed=setting.seed,
            names=np.array([key(name) for name in setting.names], dtype=np.uint64),
            time=np.full(n, NEVER, dtype=np.int64),
            angle=np.zeros_like(self._wheels.angle),
            reading=np.zeros((n, 6)),
        )

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
        _count(self._counters, self._wheels.angle, rows, bodies.rigid, index, time, table)
        stamps = self._delay.apply(time, rows, table)
        return [
            Sample(stamp, {"odometry": pose, "odometry_velocity": velocity})
            for stamp, pose, velocity in zip(stamps, table[:, :3], table[:, 3:], strict=True)
        ]

    def reseed(self, seed: int) -> None:
        """Draw by `seed` from now on."""
        self._counters = self._counters._replace(seed=seed)


@kernel
def _count(c: Counters, angle: F64, rows: I64, bodies: Rigid, index: I64, now: int, table: F64) -> None:
    """Bring the readings of robots `rows`, which are bodies `index`, to `now` [ns] and to `table` (k, 6)."""
    for i in range(rows.size):
        row, body = rows[i], index[i]
        if c.time[row] == NEVER or now <= c.time[row]:  # a new run
            x, y, z, w = quaternion_of(bodies.orientation, body)
            c.reading[row, 0], c.reading[row, 1] = bodies.position[body, 0], bodies.position[body, 1]
            c.reading[row, 2] = np.arctan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
            c.reading[row, 3:] = 0.0
        else:
            _go_on(c, row, angle[row] - c.angle[row], now)
        c.time[row], c.angle[row], table[i] = now, angle[row], c.reading[row]


@kernel
def _go_on(c: Counters, row: int, turned: F64, now: int) -> None:
    """Add an arc of a circle to a robot's reading."""
    move, reading, elapsed = np.zeros(3), c.reading[row], now - c.time[row]
    for k in range(3):
        for wheel in range(turned.size):
            move[k] += c.kinematics[k, wheel] * turned[wheel]
        reading[3 + k] = move[k] * (NS / elapsed)
    if c.noise > 0.0:
        sigma = c.noise * np.sqrt(np.hypot(move[0], move[1]))
        for k in range(3):
            move[k] += sigma * normal(c.seed, _STREAM, c.names[row], now, k)
    half = move[2] / 2
    chord = sin(half) / half if half != 0.0 else 1.0
    u, v = cos(reading[2] + half) * chord, sin(reading[2] + half) * chord
    reading[0] += u * move[0] - v * move[1]
    reading[1] += v * move[0] + u * move[1]
    reading[2] += move[2]
