"""The solid surface below bodies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.spatial.transform import Rotation

from twin.media import OnFeet, OverGround
from twin.state import F64, BodyState

_HELD = 2 * 10**7
"""ns between two looks below the feet of a body: one that rolls goes 3 cm in that time."""


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
    """Tells all bodies that know it how high the surface below them is; it is level below each foot."""

    def __init__(self, groups: Sequence[Standing], surface: Surface) -> None:
        self.groups, self.surface = groups, surface
        self._beat = -1

    def update(self, time: int, bodies: BodyState) -> None:
        """Set `ground` of every body for the places at `time` [ns]."""
        beat, self._beat = self._beat, time // _HELD
        for group in self.groups:
            ground = group.dynamics.ground
            rows = slice(group.first, group.first + len(ground))
            points = bodies.position[rows]
            if isinstance(group.dynamics, OnFeet):
                if beat == self._beat:
                    continue
                turn = Rotation.from_quat(bodies.orientation[rows]).as_matrix()
                points = points[:, None] + np.einsum("nij,wj->nwi", turn, group.dynamics.feet)
            below = self.surface.height_below(points.reshape(-1, 3)).reshape(ground.shape)
            ground[:] = np.where(np.isnan(below), -np.inf, below)
