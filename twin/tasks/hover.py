"""Stay at given points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from twin.clock import NS
from twin.errors import ScenarioError
from twin.specs import HoverSpec
from twin.state import F64, Frame, Node, Reference
from twin.tasks.site import NOWHERE, TaskContext

STEP = 0.1
"""m from its point at which a robot that starts nearer has no step to make."""
BAND = 0.05
"""Of the step, within which a robot has settled."""


class Hover:
    """Robot i stays at point i, heading `yaw`.

    Raises:
        ScenarioError: there is not one point for each robot.
    """

    def __init__(self, spec: HoverSpec, count: int, site: TaskContext = NOWHERE) -> None:
        if len(spec.points) != count:
            raise ScenarioError(f"{count} robots hover, but there are {len(spec.points)} points")
        zero = np.zeros(3)
        self._references = [Reference(np.array(point), zero, zero, spec.yaw) for point in spec.points]

    def judge(self, group: str, nodes: Sequence[Node]) -> StepJudge:
        """Return what judges the way from the starts to the points."""
        robots = [node for node in nodes if node.group == group and node.body >= 0]
        return StepJudge({node.body: self._references[node.row].position for node in robots})

    def reference(self, row: int, time: float) -> Reference:
        """Return the point of robot `row`."""
        return self._references[row]


class StepJudge:
    """Settling time and overshoot of robots that start away from their points (ISO 9283 has both for manipulators).

    A robot has settled when it comes within 5 % of the step, not to leave that again; it overshoots by what it goes
    beyond its point along the way from the start, over the step. Figures are of the worst robot.
    """

    def __init__(self, points: Mapping[int, F64]) -> None:
        self._points, self._steps = points, dict[int, F64]()
        self._outside = dict[int, int]()  # ns, when a robot was outside of its band last
        self._beyond = dict[int, float]()  # of the step
        self._time = -1

    def take(self, frame: Frame) -> None:
        """Look where all robots are."""
        for body, point in self._points.items():
            place = frame.bodies.position[body]
            if self._time < 0:
                step = point - place
                if np.sqrt(step @ step) > STEP:
                    self._steps[body], self._beyond[body] = step, 0.0
            if body in self._steps:
                self._judge(body, frame.time, place - point)
        self._time = frame.time

    def _judge(self, body: int, time: int, gap: F64) -> None:
        step = self._steps[body]
        squared = float(step @ step)
        self._beyond[body] = max(self._beyond[body], float(gap @ step) / squared)
        if gap @ gap > BAND**2 * squared:
            self._outside[body] = time

    def figures(self) -> Mapping[str, float | None]:
        """Return settling_time [s], None if one has not settled, and overshoot; nothing if nobody had a step."""
        if not self._steps:
            return {}
        settled = all(self._outside[body] < self._time for body in self._steps)
        worst = max(self._outside.values()) / NS if settled else None
        return {"settling_time": worst, "overshoot": max(self._beyond.values())}
