"""Land on a vessel and stay there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from twin.clock import NS
from twin.errors import ScenarioError, nearest
from twin.specs import LandingSpec
from twin.state import F64, Frame, Node
from twin.tasks.site import NOWHERE, TaskContext


class Landing:
    """All robots of a group down on the pad of a vessel."""

    def __init__(self, spec: LandingSpec, count: int, site: TaskContext = NOWHERE) -> None:
        self.spec = spec

    def judge(self, group: str, nodes: Sequence[Node]) -> LandingJudge:
        """Return what counts landings.

        Raises:
            ScenarioError: the vessel isn't there, or has no body.
        """
        bodies = {node.name: node.body for node in nodes if node.body >= 0}
        if self.spec.vessel not in bodies:
            there = ", ".join(bodies) + nearest(self.spec.vessel, bodies)
            message = f"found {self.spec.vessel!r}; allowed: a robot with a body: {there}"
            raise ScenarioError(message, key=f"robots.{group}.task.vessel")
        return LandingJudge(self.spec, [node for node in nodes if node.group == group], bodies[self.spec.vessel])


class LandingJudge:
    """Takes the touchdowns, and whether a robot has been near the pad ever since its first one."""

    def __init__(self, spec: LandingSpec, robots: Sequence[Node], vessel: int) -> None:
        self.spec, self._vessel = spec, vessel
        self._bodies = {node.name: node.body for node in robots}
        self._touched: dict[str, int] = {}  # robot -> ns
        self._speed = 0.0
        self._aside: dict[str, float] = {}  # m, the most since the touchdown

    def take(self, frame: Frame) -> None:
        """Look for contacts between the robots and the vessel, and where robots on it are."""
        for event in frame.events:
            pair = (event.robot, event.detail)
            if event.kind == "contact" and self.spec.vessel in pair:
                robot = pair[pair[0] == self.spec.vessel]
                if robot in self._bodies:
                    self._touched.setdefault(robot, event.time)
                    self._speed = max(self._speed, event.value)
        for robot in self._touched:
            gap = self._offset(frame, self._bodies[robot])
            self._aside[robot] = max(self._aside.get(robot, 0.0), float(np.sqrt(gap @ gap)))

    def figures(self) -> Mapping[str, float | None]:
        """Return landings, touchdown_speed [m/s] of the hardest touch, landing_error [m] and landing_time [s]."""
        down = [robot for robot in self._touched if self._aside[robot] <= self.spec.radius]
        return {
            "landings": len(down),
            "touchdown_speed": self._speed if self._touched else None,
            "landing_error": max((self._aside[robot] for robot in down), default=None),
            "landing_time": max(self._touched[robot] for robot in down) / NS if down else None,
        }

    def _offset(self, frame: Frame, body: int) -> F64:
        """Return the way (3,) [m] from the pad to a robot, in the vessel's axes."""
        bodies, vessel = frame.bodies, self._vessel
        gap = bodies.position[body] - bodies.position[vessel]
        offset: F64 = Rotation.from_quat(bodies.orientation[vessel]).inv().apply(gap) - np.array(self.spec.pad)
        return offset
