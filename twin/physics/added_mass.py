"""Contacts of floating bodies: Bullet knows no added mass, so its impulses move a body too fast."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from twin.numerics.rotation import axes_of
from twin.state import F64, BodyState

_BODY_A, _BODY_B, _ON_A, _ON_B, _NORMAL_ON_B, _FORCE = 1, 2, 5, 6, 7, 9  # of a PyBullet point
_FRICTION = ((10, 11), (12, 13))  # size and direction


@runtime_checkable
class Immersed(Protocol):
    """A dynamics whose bodies carry water along."""

    mass: float  # kg
    inertia: F64  # (3,) kg m2 about the body axes
    added_mass: F64  # (n, 6, 6) kg, kg m, kg m2 about the centre of mass, world axes


class Waterborne:
    """The bodies with added mass among those of all dynamics, each with its number of bodies."""

    def __init__(self, dynamics: Iterable[tuple[object, int]]) -> None:
        self._bodies: dict[int, tuple[Immersed, int]] = {}
        first = 0
        for kind, n in dynamics:
            if isinstance(kind, Immersed):
                self._bodies |= {first + i: (kind, i) for i in range(n)}
            first += n

    def moved(
        self, points: Sequence[Sequence[Any]], rows: Mapping[int, int], bodies: BodyState, motion: F64, dt: float
    ) -> dict[int, F64]:
        """Return the motion (6,) [m/s, rad/s] of each body that the contacts of a step of `dt` s moved, by its row.

        `rows` leads from Bullet's ids to rows; `bodies` is the state before the step, `motion` (N, 6) what Bullet
        made of it. (M + A)^-1 J takes the place of M^-1 J. What a body then still has of its speed towards the
        other one meets the next step's contact, so that all impulses add up to those of bodies with their water.
        """
        if not (points and self._bodies):
            return {}
        impulses = contact_impulses(points, rows, bodies.position, dt)
        found = {}
        for row in sorted(self._bodies.keys() & impulses.keys()):
            kind, i = self._bodies[row]
            turn = axes_of(bodies.orientation[row])
            bare = np.zeros((6, 6))
            bare[:3, :3], bare[3:, 3:] = kind.mass * np.eye(3), turn @ np.diag(kind.inertia) @ turn.T
            both = np.linalg.solve(bare + kind.added_mass[i], impulses[row])
            found[row] = motion[row] + both - np.linalg.solve(bare, impulses[row])
        return found


def contact_impulses(
    points: Iterable[Sequence[Any]], rows: Mapping[int, int], position: F64, dt: float
) -> dict[int, F64]:
    """Return the impulse (6,) [N s, N m s] that contacts gave each body of `rows` (Bullet's id -> row) in `dt` s.

    It is about the centre of mass, at `position` (N, 3) m, in world axes; friction included.
    """
    found: dict[int, F64] = {}
    for point in points:
        force = point[_FORCE] * np.array(point[_NORMAL_ON_B])
        for size, direction in _FRICTION:
            force = force + point[size] * np.array(point[direction])
        for body, at, sign in ((point[_BODY_A], point[_ON_A], dt), (point[_BODY_B], point[_ON_B], -dt)):
            if body in rows and force.any():
                row = rows[body]
                impulse = found.setdefault(row, np.zeros(6))
                impulse[:3] += sign * force
                impulse[3:] += sign * np.cross(np.array(at) - position[row], force)
    return found
