"""What bodies must be before they move, and what they can't do meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from twin.errors import RunError, ScenarioError
from twin.mechanism.weld import welded
from twin.physics.bodies import BodyGroup, StatesInertia, is_midway
from twin.protocols import HasLoops
from twin.state import F64, BodyState, Event
from twin.units import time_text

log = logging.getLogger(__name__)

_SAME, _NEAR = 1e-3, 0.1
"""By how much stated numbers may differ: unsaid, and at all where a link on a fixed joint makes the whole heavier."""
_BODY_A, _BODY_B, _DISTANCE = 1, 2, 8  # of a PyBullet point
_OVERLAP = 0.005
"""m by which two robots may be in each other at the start: Bullet's margins and rounded places"""
FASTEST = 340.0
"""m/s, the speed of sound: no drag or rotor here is meant for more"""
_EDGE = 1e6
"""m from the origin: a tangent plane is no map any more"""


def of_one_piece(group: BodyGroup) -> BodyGroup:
    """Return a group whose bodies, where they are free, have no links on fixed joints: nothing else asks for them."""
    if group.spec.fixed:
        return group
    return replace(group, spec=group.spec.model_copy(update={"urdf": welded(group.spec.urdf)}))


def check_base(group: BodyGroup) -> None:
    """Refuse drives that make up for an arm on a base at rest, where the base is free.

    Raises:
        ScenarioError: says so.
    """
    if getattr(group.dynamics, "on_fixed_base", False) and not group.spec.fixed:
        message = (
            f"found a free base under dynamics {group.spec.dynamics!r}, which makes up for an arm on one at rest; "
            "allowed: `fixed = true`, or a dynamics of your own with `joint_effort`"
        )
        raise ScenarioError(message, key=f"robots.{group.name}.spec.body.fixed")


def check_inertia(group: BodyGroup, mass: float, inertia: F64, root: float) -> None:
    """Refuse a mass or inertia of the URDF that the dynamics' parameters contradict; a small difference is told.

    What flies is the URDF's body; the parameters are what its onboard control takes it for. `root` is the mass [kg]
    of the root link.

    Raises:
        ScenarioError: they contradict each other, or a free body has no mass.
    """
    if not group.spec.fixed and root == 0.0:
        message = "its root link has no mass, but it is free to move; allowed: a mass, or `fixed = true`"
        raise ScenarioError(message, file=group.spec.urdf)
    if not isinstance(group.dynamics, StatesInertia):
        return
    for name, value, most in (("mass", np.array(mass), _SAME), ("inertia", inertia, _NEAR)):
        stated = getattr(group.dynamics, name)
        message = f"{name} of the URDF is {value}, but the parameters of {group.name} say {stated}"
        if not np.allclose(value, stated, rtol=most, atol=0):
            raise ScenarioError(message, file=group.spec.urdf)
        if not np.allclose(value, stated, rtol=_SAME, atol=0):
            log.warning("%s: %s", group.spec.urdf.name, message)


def check_loops(group: BodyGroup, rate_hz: int, tick_hz: int) -> None:
    """Refuse control loops on board that a step at `rate_hz` can't hold.

    Raises:
        ScenarioError: names the loop and the nearest rate that holds it.
    """
    if not isinstance(group.dynamics, HasLoops):
        return
    midway = is_midway(group.dynamics)
    for name, (stiffness, damping) in group.dynamics.loops.items():
        if holds(stiffness, damping, 1 / rate_hz, midway=midway):
            continue
        rates = range(tick_hz, 10**7, tick_hz)
        enough = next(rate for rate in rates if holds(stiffness, damping, 1 / rate, midway=midway))
        message = (
            f"found a {name} loop of {stiffness:g} 1/s2 and {damping:g} 1/s, which steps of {1e3 / rate_hz:g} ms make "
            f"unstable; allowed: lower gains, or physics at {enough} Hz and more"
        )
        raise ScenarioError(message, key=f"robots.{group.name}.spec.body.parameters")


def holds(stiffness: float, damping: float, dt: float, *, midway: bool) -> bool:
    """Tell whether x'' = -stiffness x - damping x' dies away in steps of `dt` s of the scheme of `free_flight`.

    The state is x, the step's change of x by its speed, and that by its last acceleration.
    """
    k, c = stiffness * dt * dt, damping * dt
    if midway:
        pull = -np.array([k, 0.5 * k + c, k / 8 + 0.5 * c])
        step = np.array([[1.0, 1.0, 0.0] + 0.5 * pull, [0.0, 1.0, 0.0] + pull, pull])
    else:
        step = np.array([[1.0 - k, 1.0 - c], [-k, 1.0 - c]])
    return float(np.abs(np.linalg.eigvals(step)).max()) < 1.0


def check_apart(points: Iterable[Sequence[Any]], rows: Mapping[int, int], names: Sequence[str]) -> None:
    """Refuse robots that start inside of each other: they would be thrown apart by what nobody did.

    Raises:
        ScenarioError: names the two and how deep they are in each other.
    """
    for point in points:
        pair = rows.get(point[_BODY_A]), rows.get(point[_BODY_B])
        if None not in pair and pair[0] != pair[1] and point[_DISTANCE] < -_OVERLAP:
            a, b = sorted(names[row] for row in pair if row is not None)
            raise ScenarioError(f"{a} and {b} start {-point[_DISTANCE]:.3g} m inside of each other", key="robots")


class Strays:
    """Tells, once for each body, that it is faster than what moves it is meant for."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names, self._told = names, np.zeros(len(names), dtype=bool)

    def look(self, bodies: BodyState, time: int) -> list[Event]:
        """Return an event for each body that went beyond the speed of sound in the tick that ends at `time` [ns].

        Raises:
            RunError: a body is beyond what a local map can show.
        """
        if abs(bodies.position).max(initial=0.0) > _EDGE:
            row = int(np.argmax(np.abs(bodies.position).max(axis=1)))
            place = f"more than {_EDGE / 1e3:g} km from the origin, where a local map is none"
            raise RunError(f"{self._names[row]} is {place}, at {time_text(time)}")
        if abs(bodies.velocity).max(initial=0.0) <= FASTEST:
            return []
        speed = np.linalg.norm(bodies.velocity, axis=1)
        new = np.flatnonzero((speed > FASTEST) & ~self._told).tolist()
        self._told[new] = True
        detail = f"beyond {FASTEST:g} m/s, for which no force here is meant"
        return [Event(time, "too fast", self._names[row], detail, float(speed[row])) for row in new]
