"""The air round bodies: wind, and the wakes of multirotors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from twin.media import FeelsAir, LeavesWake
from twin.numerics.kernels import kernel
from twin.numerics.rotation import rotate
from twin.state import F64, BodyState

DENSITY = 1.225
"""kg/m3, of air at sea level and 15 degrees C"""
DECAY = 6.0
"""Diameters of a round turbulent jet over which its centre keeps its speed; then it falls as 1/distance."""
_EDGE = 16.0  # squared widths from the axis where exp(-16) = 1e-7 of the wake is left


class Wind(Protocol):
    """What knows the wind."""

    def velocity(self, time: int, points: F64) -> F64:
        """Return the velocity [m/s] of the air at points (n, 3) at `time` [ns], (n, 3)."""


@dataclass(frozen=True, slots=True, eq=False)
class Flock:
    """Bodies of one group that feel the air: first, first + 1, ..."""

    dynamics: FeelsAir
    first: int


class Air:
    """Tells all bodies that feel it, whatever their group, how the air moves where they are.

    A multirotor's wake is one round turbulent jet against its thrust: it leaves with twice the induced speed
    of momentum theory, v = sqrt(T / 2 rho A), keeps it for `DECAY` diameters, then slows as 1/distance while
    it widens, with a Gaussian profile; at every distance it carries the momentum of the thrust (Pope,
    Turbulent Flows, 2000, section 5.1). Wakes add up; wind doesn't bend them, and they end at no surface.
    """

    def __init__(self, flocks: Sequence[Flock], wind: Wind | None = None) -> None:
        self.flocks, self.wind = flocks, wind
        self._disk = np.concatenate([np.full(len(flock.dynamics.air), _disk(flock.dynamics)) for flock in flocks])
        self._blowing = [flock.dynamics if isinstance(flock.dynamics, LeavesWake) else None for flock in flocks]
        self._rows = np.concatenate([flock.first + np.arange(len(flock.dynamics.air)) for flock in flocks])

    def update(self, time: int, bodies: BodyState) -> None:
        """Set `air` of every body for the places at `time` [ns]."""
        places, orientation = bodies.position[self._rows], bodies.orientation[self._rows]
        thrust = np.concatenate([
            np.zeros(len(flock.dynamics.air)) if blowing is None else blowing.thrust
            for flock, blowing in zip(self.flocks, self._blowing, strict=True)
        ])  # fmt: skip
        air = np.zeros_like(places) if self.wind is None else self.wind.velocity(time, places)
        add_wakes(places, orientation, thrust, self._disk, air)
        start = 0
        for flock in self.flocks:
            stop = start + len(flock.dynamics.air)
            flock.dynamics.air[:] = air[start:stop]
            start = stop


def _disk(dynamics: FeelsAir) -> float:
    return dynamics.disk if isinstance(dynamics, LeavesWake) else 1.0


@kernel
def add_wakes(places: F64, orientation: F64, thrust: F64, disk: F64, air: F64) -> None:
    """Add to `air` (n, 3) at each of n multirotors what the wakes of the n - 1 others blow there."""
    for j in range(places.shape[0]):
        q = (orientation[j, 0], orientation[j, 1], orientation[j, 2], orientation[j, 3])
        down, first, core = rotate(q, (0.0, 0.0, -1.0)), first_speed(thrust[j], disk[j]), core_length(disk[j])
        if first == 0.0:
            continue
        x, y, z = places[j, 0], places[j, 1], places[j, 2]
        edge, slope = _EDGE * disk[j] / np.pi, 1.0 / core
        for i in range(places.shape[0]):  # most of them are aside: written out, this is all that it costs
            gap_x, gap_y, gap_z = places[i, 0] - x, places[i, 1] - y, places[i, 2] - z
            along = gap_x * down[0] + gap_y * down[1] + gap_z * down[2]
            off_axis = gap_x * gap_x + gap_y * gap_y + gap_z * gap_z - along * along
            slower = max(1.0, along * slope)
            if along > 0.0 and off_axis <= edge * slower * slower:
                speed = wake_speed(first, core, disk[j], along, off_axis)
                air[i, 0] += speed * down[0]
                air[i, 1] += speed * down[1]
                air[i, 2] += speed * down[2]


@kernel
def first_speed(thrust: float, disk: float) -> float:
    """Return the speed [m/s] of the contracted wake of `thrust` [N] by rotors that sweep `disk` m2."""
    speed: float = 2.0 * np.sqrt(max(0.0, thrust) / (2.0 * DENSITY * disk))
    return speed


@kernel
def core_length(disk: float) -> float:
    """Return how far [m] a wake keeps its speed; contracted, it has half the area of the disk."""
    length: float = DECAY * np.sqrt(2.0 * disk / np.pi)
    return length


@kernel
def wake_speed(first: float, core: float, disk: float, along: float, off_axis: float) -> float:
    """Return a wake's speed [m/s] `along` m down its axis, at the square `off_axis` of a distance from it.

    The width keeps its momentum: rho pi w U^2 / 2 is the thrust, rho first^2 disk / 2, at every distance.
    """
    slower = max(1.0, along / core)
    widths = off_axis * np.pi / (disk * slower * slower)
    if widths > _EDGE:
        return 0.0
    speed: float = first / slower * np.exp(-widths)
    return speed
