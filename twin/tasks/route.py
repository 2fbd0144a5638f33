"""Fly round a closed route: from rest to a constant speed."""

from __future__ import annotations

from collections.abc import Sequence
from math import atan2

import numpy as np

from twin.errors import ScenarioError
from twin.numerics.kernels import kernel
from twin.specs import RouteSpec
from twin.state import F64, I64, Node, Reference
from twin.tasks.site import NOWHERE, TaskContext

SPEED_TOLERANCE = 1e-4
"""How far, relatively, the speed along a route may be from the constant it should be."""
_MOST_PIECES = 2**16


class Route:
    """A smooth closed curve through all waypoints; robot i of n is i/n of its length ahead of robot 0.

    The curve is a periodic cubic spline over the chord lengths. It is then laid out anew over its arc length,
    with as many pieces as keep the speed within `SPEED_TOLERANCE`. The nose points along the way.

    Raises:
        ScenarioError: two successive waypoints are the same.
    """

    def __init__(self, spec: RouteSpec, count: int, site: TaskContext = NOWHERE) -> None:
        points = np.array([*spec.waypoints, spec.waypoints[0]], dtype=float)
        chords = np.linalg.norm(np.diff(points, axis=0), axis=1)
        if np.any(chords < 1e-6):
            first = int(np.argmin(chords))
            raise ScenarioError(f"waypoints {first} and {(first + 1) % len(chords)} of a route are the same")
        self.speed, self.acceleration, self.count = spec.speed, spec.acceleration, count
        self.length, self._pieces = _by_arc_length(points, np.concatenate([[0.0], np.cumsum(chords)]))
        self._step = self.length / len(self._pieces)

    def judge(self, group: str, nodes: Sequence[Node]) -> None:
        """Return nothing: the tracking error is the only figure."""

    def reference(self, row: int, time: float) -> Reference:
        """Return where robot `row` should be at `time` [s]."""
        place, speed, gain = self.along(time)
        out = np.empty((3, 3))
        place = (place + self.length * row / self.count) % self.length
        yaw = _evaluate(self._pieces, self._step, place, speed, gain, out)
        return Reference(out[0], out[1], out[2], yaw)

    def positions(self, rows: I64, time: float) -> F64:
        """Return where robots `rows` (k,) should be at `time` [s], (k, 3) m."""
        way, _, _ = self.along(time)
        out = np.empty((len(rows), 3))
        _places(self._pieces, self._step, (way + self.length * rows / self.count) % self.length, out)
        return out

    def point(self, way: float) -> F64:
        """Return the point (3,) m that is so far [m] along the route from its first waypoint."""
        out = np.empty((3, 3))
        _evaluate(self._pieces, self._step, way % self.length, 0.0, 0.0, out)
        point: F64 = out[0]
        return point

    def along(self, time: float) -> tuple[float, float, float]:
        """Return way [m], speed [m/s] and change of speed [m/s2] of everyone at `time` [s]."""
        return along(self.speed, self.acceleration, time)


def _by_arc_length(points: F64, knots: F64) -> tuple[float, F64]:
    """Return the length [m] and coefficients (pieces, 4, 3) over arc length of the curve through `points`."""
    from scipy.integrate import cumulative_simpson  # 0.2 s, and most routes need neither
    from scipy.interpolate import CubicSpline

    curve = CubicSpline(knots, points, bc_type="periodic")
    fine = np.linspace(0.0, knots[-1], 2**16 + 1)
    speed = np.linalg.norm(curve(fine, 1), axis=1)
    arc = cumulative_simpson(speed, x=fine, initial=0.0)
    length, pieces = float(arc[-1]), 16 * len(points)
    while True:
        along = np.linspace(0.0, length, pieces + 1)
        places = curve(np.interp(along, arc, fine))
        places[-1] = places[0]
        spline = CubicSpline(along, places, bc_type="periodic")
        between = np.linspace(0.0, length, 8 * pieces + 1)
        worst = np.abs(np.linalg.norm(spline(between, 1), axis=1) - 1.0).max()
        if worst <= SPEED_TOLERANCE:
            return length, np.ascontiguousarray(spline.c.transpose(1, 0, 2))
        if pieces >= _MOST_PIECES:
            raise ScenarioError(f"the route turns too sharply: its speed would vary by {worst:.1%}")
        pieces *= 2


@kernel
def along(speed: float, acceleration: float, time: float) -> tuple[float, float, float]:
    """Return way [m], speed [m/s] and change of speed [m/s2] at `time` [s] after a start from rest."""
    start = speed / acceleration
    if time < start:
        return 0.5 * acceleration * time * time, acceleration * time, acceleration
    return speed * (time - 0.5 * start), speed, 0.0


@kernel
def _evaluate(pieces: F64, step: float, place: float, speed: float, gain: float, out: F64) -> float:
    """Write position, velocity and acceleration at arc length `place` into `out`; return the heading."""
    i = min(int(place / step), pieces.shape[0] - 1)
    s = place - i * step
    tangent = np.empty(3)
    for k in range(3):
        a, b, c, d = pieces[i, 0, k], pieces[i, 1, k], pieces[i, 2, k], pieces[i, 3, k]
        out[0, k] = ((a * s + b) * s + c) * s + d
        tangent[k] = (3.0 * a * s + 2.0 * b) * s + c
        out[1, k] = speed * tangent[k]
        out[2, k] = speed * speed * (6.0 * a * s + 2.0 * b) + gain * tangent[k]
    return atan2(tangent[1], tangent[0])


@kernel
def _places(pieces: F64, step: float, place: F64, out: F64) -> None:
    """Write positions at the arc lengths `place` (k,) into `out` (k, 3)."""
    for n in range(place.size):
        i = min(int(place[n] / step), pieces.shape[0] - 1)
        s = place[n] - i * step
        for k in range(3):
            a, b, c, d = pieces[i, 0, k], pieces[i, 1, k], pieces[i, 2, k], pieces[i, 3, k]
            out[n, k] = ((a * s + b) * s + c) * s + d
