"""Lead the tools of arms along a path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from twin.clock import NS
from twin.errors import ScenarioError
from twin.mechanism.kinematics import tool_pose
from twin.mechanism.tree import read_mechanism
from twin.specs import BodySpec, RouteSpec, ToolPathSpec
from twin.state import F64, Frame, Node, Reference
from twin.tasks.route import Route

_AT_START = 2e-3
"""m by which the tool may be off the path's first point at the start"""


class ToolPath:
    """Each robot's tool follows the path; `goal` says where that is, the same for all in their own root links' axes.

    Raises:
        ScenarioError: the path doesn't begin where the tool is at the start.
    """

    def __init__(self, spec: ToolPathSpec, count: int, body: BodySpec | None = None) -> None:
        route = RouteSpec(kind="route", **spec.model_dump(include={"waypoints", "speed", "acceleration"}))
        self.spec, self.body, self._route = spec, body, Route(route, 1)
        if body is not None:
            mechanism = read_mechanism(body.urdf)
            at, _ = tool_pose(mechanism.tree, mechanism.tool(spec.link, spec.place), body.joint_start())
            if np.linalg.norm(at - np.array(spec.waypoints[0])) > _AT_START:
                tool = ", ".join(f"{x:.3f}" for x in at)
                raise ScenarioError(f"the first waypoint isn't where the tool starts: ({tool}) m", key="waypoints[0]")

    @property
    def length(self) -> float:
        """Way [m] of once round."""
        return self._route.length

    def along(self, time: float) -> tuple[float, float]:
        """Return way [m] and speed [m/s] of the tools at `time` [s]."""
        way, speed, _ = self._route.along(time)
        return way, speed

    def point(self, way: float) -> F64:
        """Return the path's point (3,) m after so much way [m], in root link axes."""
        return self._route.point(way)

    def goal(self, time: float) -> Reference:
        """Return where the tools should be at `time` [s], in their arms' root links' axes."""
        return self._route.reference(0, time)

    def judge(self, group: str, nodes: Sequence[Node]) -> ToolPathJudge | None:
        """Return what compares tools with the path; nothing without a body."""
        return None if self.body is None else ToolPathJudge(self, self.body, group, nodes)


class ToolPathJudge:
    """Distance of tools from where they should be on the path."""

    def __init__(self, task: ToolPath, body: BodySpec, group: str, nodes: Sequence[Node]) -> None:
        self._task, mechanism = task, read_mechanism(body.urdf)
        self._tree, self._tool = mechanism.tree, mechanism.tool(task.spec.link, task.spec.place)
        self._bodies = [node.body for node in nodes if node.group == group]
        self._squares = self._worst = 0.0
        self._count = 0

    def take(self, frame: Frame) -> None:
        """Add one frame."""
        goal, bodies = self._task.goal(frame.time / NS).position, frame.bodies
        for body in self._bodies:
            joints = slice(int(bodies.joint_offset[body]), int(bodies.joint_offset[body + 1]))
            at, _ = tool_pose(self._tree, self._tool, np.ascontiguousarray(bodies.joint_position[joints]))
            square = float((at - goal) @ (at - goal))
            self._squares += square
            self._worst = max(self._worst, square)
            self._count += 1

    def figures(self) -> Mapping[str, float | None]:
        """Return tool_error_rms and tool_error_max [m]."""
        rms = float(np.sqrt(self._squares / self._count)) if self._count else None
        return {"tool_error_rms": rms, "tool_error_max": float(np.sqrt(self._worst))}
