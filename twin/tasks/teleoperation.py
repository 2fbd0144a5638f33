"""Lead a tool along an operator's route."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from twin.clock import NS
from twin.mechanism.kinematics import tool_pose
from twin.mechanism.tree import read_mechanism
from twin.specs import BodySpec, RouteSpec, TeleoperationSpec
from twin.state import F64, Frame, Node, Reference
from twin.tasks.route import Route
from twin.tasks.site import NOWHERE, TaskContext

FELT = "force"
"""Name under which a controller logs the force that it lets the operator feel [N]."""


class Teleoperation:
    """Each robot's tool follows the operator's route; `hand` says where that is."""

    def __init__(self, spec: TeleoperationSpec, count: int, site: TaskContext = NOWHERE) -> None:
        route = RouteSpec(kind="route", **spec.model_dump(include={"waypoints", "speed", "acceleration"}))
        self.spec, self.body, self._route = spec, site.body, Route(route, 1)

    def hand(self, time: float) -> Reference:
        """Return where the operator means the tool to be at `time` [s], world axes."""
        return self._route.reference(0, time)

    def judge(self, group: str, nodes: Sequence[Node]) -> TeleoperationJudge | None:
        """Return what compares tools with the hand; nothing without a body."""
        return None if self.body is None else TeleoperationJudge(self, self.body, group, nodes)


class TeleoperationJudge:
    """Distance of tools from where the operator means them to be, and the strongest force felt."""

    def __init__(self, task: Teleoperation, body: BodySpec, group: str, nodes: Sequence[Node]) -> None:
        self._task, mechanism = task, read_mechanism(body.urdf)
        self._tree, self._tool = mechanism.tree, mechanism.tool(task.spec.link, task.spec.place)
        self._centre = mechanism.base_centre
        self._nodes = {index: node.body for index, node in enumerate(nodes) if node.group == group}
        self._squares = self._worst = self._force = 0.0
        self._count = 0

    def take(self, frame: Frame) -> None:
        """Add one frame."""
        goal = self._task.hand(frame.time / NS).position
        for body in self._nodes.values():
            gap = self._tip(frame, body) - goal
            self._squares += float(gap @ gap)
            self._worst = max(self._worst, float(np.sqrt(gap @ gap)))
            self._count += 1
        for _, node, name, value in frame.logs:
            if name == FELT and node in self._nodes:
                self._force = max(self._force, value)

    def figures(self) -> Mapping[str, float | None]:
        """Return tool_error_rms and tool_error_max [m], felt_force_max [N]."""
        if not self._count:
            return dict.fromkeys(("tool_error_rms", "tool_error_max", "felt_force_max"))
        rms = float(np.sqrt(self._squares / self._count))
        return {"tool_error_rms": rms, "tool_error_max": self._worst, "felt_force_max": self._force}

    def _tip(self, frame: Frame, body: int) -> F64:
        bodies = frame.bodies
        joints = slice(int(bodies.joint_offset[body]), int(bodies.joint_offset[body + 1]))
        at, _ = tool_pose(self._tree, self._tool, np.ascontiguousarray(bodies.joint_position[joints]))
        turn = Rotation.from_quat(bodies.orientation[body])
        place: F64 = bodies.position[body] + turn.apply(at - self._centre)
        return place
