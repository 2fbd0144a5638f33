"""The floor under wheeled robots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from twin.physics.air import Surface
from twin.physics.dynamics.wheels import Wheels
from twin.state import BodyState

_HELD = 2 * 10**7
"""ns between two looks at the floor: a robot goes 3 cm in that time."""


@dataclass(frozen=True, slots=True, eq=False)
class Rolling:
    """Wheeled robots of one group, and which bodies they are: first, first + 1, ..."""

    dynamics: Wheels
    first: int


class Floor:
    """Tells all wheels how high the floor below them is; it is level under each wheel, whatever its slope."""

    def __init__(self, groups: Sequence[Rolling], surface: Surface) -> None:
        self.groups, self.surface = groups, surface
        self._beat = -1

    def update(self, time: int, bodies: BodyState) -> None:
        """Set `ground` of every wheel for the bodies' places at `time` [ns]."""
        beat = time // _HELD
        if beat == self._beat:
            return
        self._beat = beat
        for group in self.groups:
            dynamics = group.dynamics
            rows = slice(group.first, group.first + len(dynamics.ground))
            hubs = dynamics.chassis.place + (0.0, 0.0, dynamics.chassis.radius)
            turn = Rotation.from_quat(bodies.orientation[rows]).as_matrix()
            points = bodies.position[rows, None] + np.einsum("nij,wj->nwi", turn, hubs)
            below = self.surface.height_below(points.reshape(-1, 3)).reshape(dynamics.ground.shape)
            dynamics.ground[:] = np.where(np.isnan(below), -np.inf, below)
