"""What the standing surroundings of a site leave in every Doppler cell, by range, receive beam and transmit beam.

Static clutter falls into the cell of Doppler zero and is taken out there, but for what phase noise and limited
cancelling leave of it: white over Doppler, so it adds to the noise of its range and direction.
"""

from __future__ import annotations

from math import pi

import numpy as np

from twin.channel.clutter import Clutter
from twin.link import SPEED_OF_LIGHT
from twin.sensing.arrays import FINER, Array
from twin.sensing.windows import dirichlet, response
from twin.state import F64, I64

_SKIRT = 3
"""Cells beside its own in which the taper over subcarriers leaves more than -40 dB of an echo."""


class Surroundings:
    """The power of clutter by range cell, receive beam and transmit beam, over what one element is sent."""

    def __init__(self, receiver: Array, cell: float, power: F64) -> None:
        """Take the power (range cells of `cell` metres, receive beams, transmit beams B)."""
        self._cell, self._power = cell, power
        self._shape = FINER * np.array([receiver.rows, receiver.columns])

    @classmethod
    def none(cls, receiver: Array, cell: float, beams: int) -> Surroundings:
        """Return surroundings that send nothing back."""
        return cls(receiver, cell, np.zeros((1, FINER**2 * receiver.elements, beams)))

    @classmethod
    def of(
        cls, clutter: Clutter, sender: Array, receiver: Array, beams: F64, cell: float, reach: float
    ) -> Surroundings:
        """Return the surroundings by the echoes of a site, seen through transmit `beams` (B, 2) up to `reach` [m].

        Echoes of one cell add by their power: which of them agree in phase is as random as their places.
        """
        place = np.round(0.5 * SPEED_OF_LIGHT * clutter.delay / cell).astype(int)
        cells = int(reach / cell) + 1
        kept = place < cells + _SKIRT
        place, phase, strength = place[kept], clutter.phase[:, kept], np.abs(clutter.amplitude[kept]) ** 2
        up, across = _heard(receiver, phase[1])
        found = np.zeros((cells + 2 * _SKIRT, len(up), len(across), len(beams)))
        for b, beam in enumerate(beams):
            sent = strength * sender.alike(phase[0], beam) ** 2 * sender.elements
            for v, row in enumerate(up):
                weight = sent * row
                for h, column in enumerate(across):
                    found[:, v, h, b] = np.bincount(place, weight * column, len(found))[: len(found)]
        power = found.reshape(len(found), -1, len(beams))
        skirt = response(np.arange(-_SKIRT, _SKIRT + 1.0)) ** 2
        spread = sum(w * np.roll(power, k - _SKIRT, axis=0) for k, w in enumerate(skirt))
        return cls(receiver, cell, np.asarray(spread)[:cells])

    def level(self, distance: F64, phase: F64) -> F64:
        """Return the power (B, n) in the cells at distances (n,) [m] and receive beams (n, 2) [rad]."""
        step: I64 = np.round(phase * self._shape / (2.0 * pi)).astype(np.int64) % self._shape
        row = np.clip(np.round(distance / self._cell).astype(int), 0, len(self._power) - 1)
        return np.asarray(self._power[row, step[:, 0] * self._shape[1] + step[:, 1]].T)

    @property
    def strongest(self) -> float:
        """The most power in any cell."""
        return float(self._power.max())


def _heard(array: Array, phase: F64) -> tuple[F64, F64]:
    """Return how much of waves of `phase` (P, 2) each row and each column of receive beams takes, (beams, P) of power.

    A planar array's response is the product of those of a column and of a row.
    """
    shape = FINER * np.array([array.rows, array.columns])
    found = []
    for axis, count in enumerate((array.rows, array.columns)):
        beams = 2.0 * pi * np.arange(shape[axis]) / shape[axis]
        found.append(dirichlet(count, phase[None, :, axis] - beams[:, None]) ** 2)
    return found[0], found[1]
