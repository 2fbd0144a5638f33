"""A navigation solution: pose and velocities with white noise and delay."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from twin.numerics.draws import key, normal
from twin.numerics.kernels import kernel
from twin.protocols import Field
from twin.sensors.errors import Delay
from twin.sensors.setting import Setting
from twin.specs import NavigationSpec, RobotKind
from twin.state import F64, I64, Readings, Truth

U64 = NDArray[np.uint64]

PARTS = {
    "position": slice(0, 3),
    "velocity": slice(3, 6),
    "angular_velocity": slice(6, 9),
    "orientation": slice(9, 13),
}
_STREAM = key("navigation")


class Navigation:
    """Reads position, velocity, angular_velocity (3,) and orientation (4,) of a group's robots.

    A reading tells of the world exactly `delay` before it is made, interpolated between the two readings
    around that instant (cubic in position, linear in the rest); until the first one is that old, of the world
    at the first. Noise is drawn by robot's name and time of reading; without noise it is the bare truth.
    """

    def __init__(self, spec: NavigationSpec, setting: Setting) -> None:
        noise = spec.noise
        self._sigma = np.repeat(
            [noise.position, noise.velocity, noise.angular_velocity, noise.orientation], 3
        ).astype(float)
        self._is_noisy = self._sigma.any()
        self._keys: U64 = np.array([key(name) for name in setting.names], dtype=np.uint64)
        self._seed = setting.seed
        self._delay = Delay(spec.delay, len(setting.names), _between)

    @staticmethod
    def fields(spec: NavigationSpec, kind: RobotKind) -> Mapping[str, Field]:
        """Return what a reading is made of."""
        noise, place = spec.noise, "of the centre of mass, world axes"
        return {
            "position": Field(3, "m", place, noise.position, "m"),
            "velocity": Field(3, "m/s", place, noise.velocity, "m/s"),
            "angular_velocity": Field(3, "rad/s", "world axes", noise.angular_velocity, "rad/s"),
            "orientation": Field(4, "1", "quaternion xyzw, body to world", noise.orientation, "rad"),
        }

    def read(self, truth: Truth, index: I64, rows: I64) -> Readings:
        """Return one sample per body in `index` (k,); `rows` (k,) are the robots' rows in their group."""
        time, bodies = truth.time, truth.bodies
        table = np.empty((len(index), 13))
        _gather(bodies.position, bodies.velocity, bodies.angular_velocity, bodies.orientation, index, table)
        stamps = self._delay.apply(time, rows, table)
        if self._is_noisy:
            _add_noise(self._seed, _STREAM, self._keys[rows], time, self._sigma, table)
        return Readings(stamps, {name: table[:, part] for name, part in PARTS.items()})

    def reseed(self, seed: int) -> None:
        """Draw by `seed` from now on."""
        self._seed = seed


def _between(before: F64, after: F64, elapsed: int, period: int) -> F64:
    """Return the state `elapsed` ns after `before` and before `after`, which are `period` ns apart."""
    u, seconds = elapsed / period, period * 1e-9
    if before[9:] @ after[9:] < 0:
        after = np.concatenate([after[:9], -after[9:]])  # the same rotation, the short way round
    out = (1 - u) * before + u * after
    out[9:] /= np.sqrt(out[9:] @ out[9:])
    h00, h10 = (1 + 2 * u) * (1 - u) ** 2, u * (1 - u) ** 2 * seconds
    h01, h11 = u * u * (3 - 2 * u), u * u * (u - 1) * seconds
    out[:3] = h00 * before[:3] + h10 * before[3:6] + h01 * after[:3] + h11 * after[3:6]
    return out


@kernel
def _gather(position: F64, velocity: F64, angular_velocity: F64, orientation: F64, index: I64, table: F64) -> None:
    for i in range(len(index)):
        body = index[i]
        for k in range(3):
            table[i, k], table[i, 3 + k] = position[body, k], velocity[body, k]
            table[i, 6 + k] = angular_velocity[body, k]
        for k in range(4):
            table[i, 9 + k] = orientation[body, k]


@kernel
def _add_noise(seed: int, stream: np.uint64, keys: U64, time: int, sigma: F64, table: F64) -> None:
    turn = np.empty(3)
    for i in range(table.shape[0]):
        for j in range(9):
            if sigma[j] > 0.0:
                table[i, j] += sigma[j] * normal(seed, stream, keys[i], time, j)
        if sigma[9] > 0.0:
            for j in range(3):
                turn[j] = 0.5 * sigma[9 + j] * normal(seed, stream, keys[i], time, 9 + j)
            _turn(table[i, 9:], turn)


@kernel
def _turn(q: F64, half: F64) -> None:
    """Turn the orientation `q` by the small rotation vector 2 `half` in body axes."""
    x, y, z, w = q
    a, b, c = half
    scale = 1.0 / np.sqrt(1.0 + a * a + b * b + c * c)
    q[0] = scale * (x + w * a + y * c - z * b)
    q[1] = scale * (y + w * b + z * a - x * c)
    q[2] = scale * (z + w * c + x * b - y * a)
    q[3] = scale * (w - x * a - y * b - z * c)
