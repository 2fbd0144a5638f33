"""Arrays of antennas of a site: beams that it sends through, and directions that it measures."""

from __future__ import annotations

from math import pi
from typing import NamedTuple

import numpy as np

from twin.sensing.windows import dirichlet
from twin.state import F64

FINER = 2
"""Receive beams a DFT beam: directions are looked into half a beam apart."""


class Array(NamedTuple):
    """A planar array; elements lie in its y-z plane, x is its boresight."""

    rows: int
    columns: int
    spacing: tuple[float, float]  # wavelengths, between rows and between columns
    axes: F64  # (3, 3) its axes to world axes

    @property
    def elements(self) -> int:
        """How many there are."""
        return self.rows * self.columns

    def alike(self, phase: F64, beam: F64) -> F64:
        """Return how alike waves of `phase` (..., 2) and `beam` (..., 2) [rad] are on the array: 1 the same."""
        return dirichlet(self.rows, phase[..., 0] - beam[..., 0]) * dirichlet(
            self.columns, phase[..., 1] - beam[..., 1]
        )

    def nearest(self, phase: F64) -> F64:
        """Return the phases (..., 2) of the receive beams that are nearest to `phase`."""
        step = 2.0 * pi / (FINER * np.array([self.rows, self.columns]))
        return np.asarray(np.round(phase / step) * step)

    def directions(self, phase: F64) -> F64:
        """Return the unit vectors (n, 3), world axes, of waves with phases (n, 2), in front of the array."""
        across = wrapped(phase) / (2.0 * pi * np.array(self.spacing))
        z, y = across[:, 0], across[:, 1]
        size = np.maximum(1.0, np.hypot(y, z))
        y, z = y / size, z / size
        return np.asarray(np.stack([np.sqrt(np.maximum(0.0, 1.0 - y * y - z * z)), y, z], axis=1) @ self.axes.T)


def wrapped(phase: F64) -> F64:
    """Return phases [rad] between -pi and pi."""
    return np.asarray((phase + pi) % (2.0 * pi) - pi)


def swept(array: Array, across: int, up: int) -> F64:
    """Return the phases (B, 2) of `across` x `up` transmit beams, evenly spaced in sine space about the boresight.

    Those of one elevation follow one another, the lowest first.
    """
    reach = np.minimum(pi, 2.0 * pi * np.array(array.spacing))
    v = reach[0] * (2.0 * np.arange(up) + 1.0 - up) / up
    h = reach[1] * (2.0 * np.arange(across) + 1.0 - across) / across
    return np.stack([np.repeat(v, across), np.tile(h, up)], axis=1)
