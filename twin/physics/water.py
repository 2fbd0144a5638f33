"""The sea round floating bodies, and surroundings of several kinds together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from twin.media import Floats, Moored
from twin.physics.air import Wind
from twin.physics.bodies import Surroundings
from twin.state import F64, BodyState
from twin.world.waves import Waves


class Sea(Protocol):
    """What knows the sea."""

    depth: float  # m

    def waves(self, time: int) -> Waves:
        """Return the wave components at `time` [ns]."""

    def tide(self, time: int) -> float:
        """Return z [m] of the mean surface."""

    def current(self, time: int) -> tuple[float, float, float]:
        """Return the current at the surface, east and north [m/s], and the exponent of its profile."""


class Together:
    """Several surroundings, told one after another."""

    def __init__(self, parts: Sequence[Surroundings]) -> None:
        self.parts = parts

    def update(self, time: int, bodies: BodyState) -> None:
        """Tell all of them the bodies' places at `time` [ns]."""
        for part in self.parts:
            part.update(time, bodies)


@dataclass(frozen=True, slots=True, eq=False)
class Afloat:
    """Floating bodies of one group: first, first + 1, ..., which start at `position` (n, 3) m."""

    dynamics: Floats
    first: int
    position: F64


_WIND_HELD = 10**8
"""ns between two looks at the wind: gusts take seconds to pass a buoy, and the sea is what moves it."""


class Water:
    """Tells all floating bodies, whatever their group, of the sea and of the wind over it.

    Raises:
        ScenarioError: a body or its mooring doesn't fit the depth.
    """

    def __init__(self, floats: Sequence[Afloat], sea: Sea, wind: Wind | None = None) -> None:
        self.floats, self.sea, self.wind = floats, sea, wind
        self._beat = -1
        for group in floats:
            if isinstance(group.dynamics, Moored):
                group.dynamics.moor(group.position, sea.depth)

    def update(self, time: int, bodies: BodyState) -> None:
        """Set what surrounds every floating body at `time` [ns]."""
        look, self._beat = time == 0 or time // _WIND_HELD != self._beat, time // _WIND_HELD
        waves, tide, current = self.sea.waves(time), self.sea.tide(time), self.sea.current(time)
        for group in self.floats:
            dynamics = group.dynamics
            dynamics.waves, dynamics.time, dynamics.level, dynamics.current = waves, time / 1e9, tide, current
            if self.wind is not None and look:
                places = bodies.position[group.first : group.first + len(dynamics.wind)]
                over = np.array([0.0, 0.0, max(tide + 1.0, 1.0)])  # m, at the height of a small buoy's mast
                dynamics.wind[:] = self.wind.velocity(time, places * (1.0, 1.0, 0.0) + over)
