"""An inertial measurement unit: specific force and angular rate in body axes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from twin.clock import NS
from twin.numerics.kernels import kernel
from twin.numerics.rotation import conjugate, multiply, unrotate
from twin.protocols import Field
from twin.sensors.errors import Delay, Noise
from twin.sensors.setting import Setting
from twin.specs import ImuSpec, RobotKind
from twin.state import F64, I64, NEVER, Readings, Truth

GRAVITY = 9.81
"""m/s2, as in the physics"""


class Imu:
    """Reads specific_force and angular_rate (3,): means since the reading before, as a unit that integrates gives.

    Turning by angular_rate times that time leads from the orientation then to the one now; specific_force is in the
    axes half way. White noise of density N is N / sqrt(that time) on a mean (IEEE Std 952, annex C); biases are drawn
    when the run begins, and walk. The first reading is of a body at rest, without white noise.
    """

    def __init__(self, spec: ImuSpec, setting: Setting) -> None:
        n = len(setting.names)
        self._density = np.repeat([spec.accelerometer_noise, spec.gyro_noise], 3)
        walk = np.repeat([spec.accelerometer_walk, spec.gyro_walk], 3)
        start = np.repeat([spec.accelerometer_bias, spec.gyro_bias], 3)
        self._noise = Noise("imu", setting.names, setting.seed, np.zeros(6), walk, start)
        self._delay = Delay(spec.delay, n)
        self._time: I64 = np.full(n, NEVER, dtype=np.int64)
        self._before = np.zeros((n, 7))  # velocity, orientation

    @staticmethod
    def fields(spec: ImuSpec, kind: RobotKind) -> Mapping[str, Field]:
        """Return what a reading is made of."""
        force, rate = spec.accelerometer_noise, spec.gyro_noise
        return {
            "specific_force": Field(3, "m/s2", "mean since the last one, body axes", force, "/sqrt(Hz)"),
            "angular_rate": Field(3, "rad/s", "mean since the last one, body axes", rate, "/sqrt(Hz)"),
        }

    def read(self, truth: Truth, index: I64, rows: I64) -> Readings:
        """Return one sample per body in `index` (k,); `rows` (k,) are the robots' rows in their group."""
        time, bodies = truth.time, truth.bodies
        now = np.concatenate([bodies.velocity[index], bodies.orientation[index]], axis=1)
        last = self._time[rows]
        fresh = (last == NEVER) | (time <= last)
        seconds = np.where(fresh, 0.0, (time - last) / NS)
        table = np.empty((len(rows), 6))
        _means(self._before[rows], now, seconds, table)
        self._before[rows], self._time[rows] = now, time
        stamps = self._delay.apply(time, rows, table)
        shorter = np.where(fresh, 0.0, 1.0 / np.sqrt(np.where(fresh, 1.0, seconds)))
        self._noise.add(time, rows, table, shorter[:, None] * self._density)
        return Readings(stamps, {"specific_force": table[:, :3], "angular_rate": table[:, 3:]})

    def reseed(self, seed: int) -> None:
        """Draw by `seed` from now on."""
        self._noise.reseed(seed)


@kernel
def _means(before: F64, now: F64, seconds: F64, out: F64) -> None:
    for i in range(now.shape[0]):
        dt = seconds[i]
        q = (now[i, 3], now[i, 4], now[i, 5], now[i, 6])
        if dt == 0.0:
            out[i, 0], out[i, 1], out[i, 2] = unrotate(q, (0.0, 0.0, GRAVITY))
            out[i, 3:] = 0.0
            continue
        p = (before[i, 3], before[i, 4], before[i, 5], before[i, 6])
        x, y, z, w = multiply(conjugate(p), q)  # the turn between them, in body axes
        sign = -1.0 if w < 0.0 else 1.0  # the short way round
        size = np.sqrt(x * x + y * y + z * z)
        scale = sign * (2.0 * np.arctan2(size, sign * w) / size if size > 0.0 else 2.0) / dt
        out[i, 3], out[i, 4], out[i, 5] = scale * x, scale * y, scale * z
        h = (p[0] + sign * q[0], p[1] + sign * q[1], p[2] + sign * q[2], p[3] + sign * q[3])
        root = np.sqrt(h[0] ** 2 + h[1] ** 2 + h[2] ** 2 + h[3] ** 2)
        force = (
            (now[i, 0] - before[i, 0]) / dt,
            (now[i, 1] - before[i, 1]) / dt,
            (now[i, 2] - before[i, 2]) / dt + GRAVITY,
        )
        out[i, 0], out[i, 1], out[i, 2] = unrotate((h[0] / root, h[1] / root, h[2] / root, h[3] / root), force)
