"""The solid surface below bodies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.spatial.transform import Rotation

from twin.media import OnFeet, OnSlopes, OverGround
from twin.state import F64, BodyState

_HELD = 2 * 10**7
"""ns between two looks below the feet of a body: one that rolls goes 3 cm in that time."""


_SPAN = 0.01
"""m between two looks that tell how steep a surface is"""
_LEVEL = 1e-6
"""m per m below which it is rounding"""


class Surface(Protocol):
    """What knows the height of the solid surface below points."""

    def height_below(self, points: F64) -> F64:
        """Return z [m] of the first surface straight below points (n, 3); nan where there is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """Bodies of one group over the ground: first, first + 1, ..."""

    dynamics: OverGround
    first: int


class Floor:
    """Tells all bodies that know it how high the surface below them is; below each foot it is level or a slope."""

    def __init__(self, groups: Sequence[Standing], surface: Surface) -> None:
        self.groups, self.surface = groups, surface
        self._beat = -1
        # Asked once: a protocol's isinstance takes longer than a look.
        self._feet = {group.first: group.dynamics for group in groups if isinstance(group.dynamics, OnFeet)}
        self._slopes = {group.first: group.dynamics for group in groups if isinstance(group.dynamics, OnSlopes)}
        self._looked: dict[int, tuple[F64, F64]] = {}  # by first body: where the feet were (n, F, 3), and the heights

    def update(self, time: int, bodies: BodyState) -> None:
        """Set `ground` of every body for the places at `time` [ns]."""
        beat, self._beat = self._beat, time // _HELD
        for group in self.groups:
            ground = group.dynamics.ground
            rows = slice(group.first, group.first + len(ground))
            points = bodies.position[rows]
            standing, sloping = self._feet.get(group.first), self._slopes.get(group.first)
            if standing is not None:
                if beat == self._beat and (sloping is None or not sloping.slope.any()):
                    continue
                turn = Rotation.from_quat(bodies.orientation[rows]).as_matrix()
                points = points[:, None] + np.einsum("nij,wj->nwi", turn, standing.feet)
                if beat == self._beat and sloping is not None:
                    before, heights = self._looked[group.first]
                    ground[:] = heights + ((points - before)[..., :2] * sloping.slope).sum(axis=-1)
                    continue
            below = self._heights(points)
            ground[:] = np.where(np.isnan(below), -np.inf, below)
            if sloping is not None:  # until the next look, the heights follow the slopes
                sloping.slope[:] = self._steepness(points, below)
                self._looked[group.first] = points, ground.copy()

    def _heights(self, points: F64) -> F64:
        return self.surface.height_below(points.reshape(-1, 3)).reshape(points.shape[:-1])

    def _steepness(self, points: F64, here: F64) -> F64:
        """Return (..., 2) by how much the surface rises to the east and north; a kerb's edge is none."""
        found = np.zeros((*here.shape, 2))
        for axis in range(2):
            step = _SPAN * np.eye(3)[axis]
            up, down = (self._heights(points + step) - here) / _SPAN, (here - self._heights(points - step)) / _SPAN
            found[..., axis] = np.where(np.abs(up) < np.abs(down), up, down)
        return np.where(np.isfinite(found) & (np.abs(found) > _LEVEL), found, 0.0)
