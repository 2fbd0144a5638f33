"""Where the radios are: rigid on their bodies, or fixed in the world."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import numpy as np

from twin.errors import RunError, ScenarioError
from twin.link import Radio
from twin.numerics.kernels import kernel
from twin.state import F64, I32, BodyState

CARRIER_RANGE = (0.5e9, 300e9)
"""Hz"""


class Radios:
    """The radios of a twin as arrays, and the pairs that form links: shape R radios, L links.

    `peers` tells whether two terminals are a pair; None: where there is no cell on their carrier.
    """

    def __init__(self, radios: Sequence[Radio], peers: bool | None = None) -> None:
        for row, radio in enumerate(radios):
            _check(row, radio)
        self.radios = tuple(radios)
        self.body = np.array([-1 if r.body is None else r.body for r in radios], dtype=np.int32)
        self.mount = np.array([r.mount for r in radios], dtype=float).reshape(-1, 3)
        self.carrier = np.array([r.carrier for r in radios], dtype=float)
        self.gain_db = np.array([r.gain_db for r in radios], dtype=float)
        self.a, self.b = self._pairs(peers)

    def _pairs(self, peers: bool | None) -> tuple[I32, I32]:
        """Return all pairs a < b on one carrier that don't share their owner."""
        owner = np.array([r.owner for r in self.radios])
        cell = np.array([r.role == "cell" for r in self.radios], dtype=bool)
        cells = np.flatnonzero(cell)
        with_cell = np.isin(self.carrier, self.carrier[cell]) | (peers is False)
        first, second = [], []
        for a in range(len(self.radios)):
            cells_only = peers is not True and with_cell[a] and not cell[a]
            b = cells[np.searchsorted(cells, a) :] if cells_only else np.arange(a + 1, len(self.radios))
            if not len(b):
                continue
            b = b[(self.carrier[b] == self.carrier[a]) & (owner[b] != owner[a])]
            first.append(np.full(len(b), a, dtype=np.int32))
            second.append(b.astype(np.int32))
        return np.concatenate([np.zeros(0, np.int32), *first]), np.concatenate([np.zeros(0, np.int32), *second])

    def places(self) -> tuple[I32, I32, I32, I32]:
        """Return the place of each radio, the pair of places of each link, and each pair's two places.

        Radios of several carriers at one mount share a place, and links between the same places share a search.
        """
        spots: dict[tuple[object, ...], int] = {}
        place = [spots.setdefault((r.body, r.mount), len(spots)) for r in self.radios]
        pairs: dict[tuple[int, int], int] = {}
        pair = [
            pairs.setdefault((place[i], place[j]), len(pairs))
            for i, j in zip(self.a.tolist(), self.b.tolist(), strict=True)
        ]
        ends = np.array(list(pairs), dtype=np.int32).reshape(-1, 2)
        return (
            np.array(place, dtype=np.int32),
            np.array(pair, dtype=np.int32),
            ends[:, 0].copy(),
            ends[:, 1].copy(),
        )

    def motion(self, time: int, bodies: BodyState) -> tuple[F64, F64]:
        """Return position [m] and velocity [m/s] of all radios, each (R, 3), world axes.

        Raises:
            RunError: a radio's position or velocity isn't a finite number, or its body isn't there.
        """
        check_rows("radio", self.body, bodies)
        position, velocity = np.empty_like(self.mount), np.empty_like(self.mount)
        row = _motion(
            self.body,
            self.mount,
            bodies.position,
            bodies.orientation,
            bodies.velocity,
            bodies.angular_velocity,
            position,
            velocity,
        )
        if row >= 0:
            found = f"position {position[row].tolist()}, velocity {velocity[row].tolist()}"
            who = f"radio {row} of node {self.radios[row].owner}"
            raise RunError(f"{who} at t = {time} ns: {found} must be finite")
        return position, velocity


def check_rows(what: str, body: I32, bodies: BodyState) -> None:
    """Refuse rows that `bodies` doesn't have: a kernel would read whatever lies there.

    Raises:
        RunError: there is such a row.
    """
    if body.max(initial=-1) >= len(bodies.position):
        row = int(np.argmax(body))
        raise RunError(f"{what} {row} is on body {body[row]}, of {len(bodies.position)} bodies")


def _check(row: int, radio: Radio) -> None:
    lower, upper = CARRIER_RANGE
    if radio.index != row:
        raise ScenarioError(f"radio {row} has index {radio.index}; indices must count from 0")
    if not lower <= radio.carrier <= upper:
        raise ScenarioError(f"radio {row}: carrier {radio.carrier} Hz, allowed 0.5 GHz to 300 GHz")
    if not all(map(isfinite, (*radio.mount, radio.gain_db))):
        raise ScenarioError(f"radio {row}: mount {radio.mount} and gain {radio.gain_db} dB must be finite")


@kernel
def _motion(
    body: I32,
    mount: F64,
    body_position: F64,
    orientation: F64,
    body_velocity: F64,
    angular_velocity: F64,
    position: F64,
    velocity: F64,
) -> int:
    """Write position and velocity of points that are rigid on bodies, v + w x (R m); return a row that isn't finite."""
    wrong = -1
    for i in range(body.size):
        n = body[i]
        if n < 0:
            for k in range(3):
                position[i, k], velocity[i, k] = mount[i, k], 0.0
            continue  # the mount was checked
        qx, qy, qz, qw = orientation[n]
        mx, my, mz = mount[i]
        tx, ty, tz = 2 * (qy * mz - qz * my), 2 * (qz * mx - qx * mz), 2 * (qx * my - qy * mx)
        x = mx + qw * tx + qy * tz - qz * ty
        y = my + qw * ty + qz * tx - qx * tz
        z = mz + qw * tz + qx * ty - qy * tx
        wx, wy, wz = angular_velocity[n]
        position[i, 0] = body_position[n, 0] + x
        position[i, 1] = body_position[n, 1] + y
        position[i, 2] = body_position[n, 2] + z
        velocity[i, 0] = body_velocity[n, 0] + wy * z - wz * y
        velocity[i, 1] = body_velocity[n, 1] + wz * x - wx * z
        velocity[i, 2] = body_velocity[n, 2] + wx * y - wy * x
        sum_of_all = position[i, 0] + position[i, 1] + position[i, 2] + velocity[i, 0] + velocity[i, 1] + velocity[i, 2]
        if wrong < 0 and not np.isfinite(sum_of_all):
            wrong = i
    return wrong
