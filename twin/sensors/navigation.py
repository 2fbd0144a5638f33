"""A navigation solution: pose and velocities with white noise and delay."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.draws import key, normal
from twin.kernels import kernel
from twin.specs import NavigationSpec
from twin.state import F64, I64, BodyState, Sample

U64 = NDArray[np.uint64]



@dataclass(frozen=True, slots=True)
class Field:
    """One part of a reading: where it stands among the 13 numbers, and what it is."""

    part: slice
    unit: str
    description: str
    noise_unit: str

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return int(self.part.stop - self.part.start)


FIELDS = {
    "position": Field(slice(0, 3), "m", "of the centre of mass, world axes", "m"),
    "velocity": Field(slice(3, 6), "m/s", "of the centre of mass, world axes", "m/s"),
    "angular_velocity": Field(slice(6, 9), "rad/s", "world axes", "rad/s"),
    "orientation": Field(slice(9, 13), "1", "quaternion xyzw, body to world", "rad"),
}
_STREAM = key("navigation")


class Navigation:
    """Reads position, velocity, angular_velocity (3,) and orientation (4,) of a group's robots.

    A reading tells of the world exactly `delay` before it is made, interpolated between the two readings
    around that instant (cubic in position, linear in the rest); until the first one is that old, of the world
    at the first. Noise is drawn by robot's name and time of reading; without noise it is the bare truth.
    """

    def __init__(self, spec: NavigationSpec, names: Sequence[str], seed: int) -> None:
        noise = spec.noise
        self._sigma = np.repeat(
            [noise.position, noise.velocity, noise.angular_velocity, noise.orientation], 3
        ).astype(float)
        self._keys: U64 = np.array([key(name) for name in names], dtype=np.uint64)
        self._seed, self._delay = seed, spec.delay
        self._past: list[deque[tuple[int, F64]]] = [deque() for _ in names]

    def read(self, time: int, bodies: BodyState, index: I64, rows: I64) -> list[Sample]:
        """Return one sample per body in `index` (k,); `rows` (k,) are the robots' rows in their group."""
        table = np.concatenate(
            [
                bodies.position[index],
                bodies.velocity[index],
                bodies.angular_velocity[index],
                bodies.orientation[index],
            ],
            axis=1,
        )
        stamps = [time] * len(table)
        if self._delay:
            for i, row in enumerate(rows):
                stamps[i], table[i] = self._delayed(self._past[row], time, table[i].copy())
        _add_noise(self._seed, _STREAM, self._keys[rows], time, self._sigma, table)
        return [
            Sample(stamp, {name: values[field.part] for name, field in FIELDS.items()})
            for stamp, values in zip(stamps, table, strict=True)
        ]

    def _delayed(self, past: deque[tuple[int, F64]], time: int, truth: F64) -> tuple[int, F64]:
        if past and past[-1][0] >= time:
            past.clear()  # a new run
        past.append((time, truth))
        wanted = max(time - self._delay, past[0][0])
        while len(past) > 1 and past[1][0] <= wanted:
            past.popleft()
        (start, before), (end, after) = past[0], past[min(1, len(past) - 1)]
        return wanted, before if wanted == start else _between(before, after, wanted - start, end - start)


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
