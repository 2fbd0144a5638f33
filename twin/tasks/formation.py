"""Fly a route in formation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import cos, sin

import numpy as np

from twin.errors import ScenarioError
from twin.specs import FormationSpec, RouteSpec
from twin.state import F64, Frame, Node, Reference
from twin.tasks.route import Route
from twin.tasks.site import NOWHERE, TaskContext

_STEP = 1e-3
"""s, over which the change of the turning rate is taken"""


class Formation:
    """Robot 0 leads along a route; the others have their places in its axes, which turn with the route.

    Raises:
        ScenarioError: there is not one offset for each of the others.
    """

    def __init__(self, spec: FormationSpec, count: int, site: TaskContext = NOWHERE) -> None:
        if len(spec.offsets) != count - 1:
            raise ScenarioError(f"{count} robots, but {len(spec.offsets)} offsets; allowed: one for each follower")
        route = RouteSpec(kind="route", **spec.model_dump(include={"waypoints", "speed", "acceleration"}))
        self._route = Route(route, 1)
        self.offsets: F64 = np.array([(0.0, 0.0, 0.0), *spec.offsets])

    def reference(self, row: int, time: float) -> Reference:
        """Return where robot `row` should be at `time` [s], had the leader no error (a virtual structure)."""
        leader = self._route.reference(0, time)
        if row == 0:
            return leader
        rate = _turning(leader)
        later, earlier = (_turning(self._route.reference(0, max(0.0, time + step))) for step in (_STEP, -_STEP))
        spin = (later - earlier) / (_STEP + min(_STEP, time))
        arm = turned(self.offsets[row], leader.yaw)
        across = np.array([-arm[1], arm[0], 0.0])
        inward = np.array([-arm[0], -arm[1], 0.0])
        return Reference(
            leader.position + arm,
            leader.velocity + rate * across,
            leader.acceleration + spin * across + rate * rate * inward,
            leader.yaw,
        )

    def judge(self, group: str, nodes: Sequence[Node]) -> FormationJudge:
        """Return what measures the formation of the robots of `group`."""
        return FormationJudge(self.offsets, [node.body for node in nodes if node.group == group])


class FormationJudge:
    """Distances of the followers from their places in the leader's axes, by the true motion of all of them."""

    def __init__(self, offsets: F64, bodies: Sequence[int]) -> None:
        self._offsets, self._bodies = offsets, bodies
        self._squares, self._worst, self._frames = 0.0, 0.0, 0

    def take(self, frame: Frame) -> None:
        """Add one frame."""
        place = frame.bodies.position[self._bodies]
        x, y, z, w = frame.bodies.orientation[self._bodies[0]]
        heading = float(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)))
        wanted = np.array([turned(offset, heading) for offset in self._offsets])
        squares = np.sum((place - place[0] - wanted)[1:] ** 2, axis=1)
        self._squares += float(squares.mean())
        self._worst = max(self._worst, float(squares.max()))
        self._frames += 1

    def figures(self) -> Mapping[str, float | None]:
        """Return formation_error_rms and formation_error_max [m]."""
        if not self._frames:
            return dict.fromkeys(("formation_error_rms", "formation_error_max"))
        return {
            "formation_error_rms": float(np.sqrt(self._squares / self._frames)),
            "formation_error_max": float(np.sqrt(self._worst)),
        }


def turned(offset: F64, heading: float) -> F64:
    """Return an offset (3,) ahead, left, up of something that looks along `heading` [rad], in world axes."""
    c, s = cos(heading), sin(heading)
    return np.array([c * offset[0] - s * offset[1], s * offset[0] + c * offset[1], offset[2]])


def _turning(leader: Reference) -> float:
    """Return the rate [rad/s] at which the direction of flight turns; 0 at rest."""
    v, a = leader.velocity, leader.acceleration
    square = float(v[0] * v[0] + v[1] * v[1])
    return float(v[0] * a[1] - v[1] * a[0]) / square if square > 0.0 else 0.0
