"""Lead the tools of arms along a path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from twin.clock import NS
from twin.errors import ScenarioError
from twin.mechanism.joint_path import JointPath, joints_at, plan_joints
from twin.mechanism.kinematics import tool_pose
from twin.mechanism.tree import Frame as ToolFrame
from twin.mechanism.tree import Tree, read_mechanism
from twin.numerics.kernels import kernel
from twin.specs import BodySpec, RouteSpec, ToolPathSpec
from twin.state import F64, I64, Frame, Node, Reference
from twin.tasks.route import Route, along
from twin.tasks.site import NOWHERE, TaskContext

_AT_START = 2e-3
"""m by which the tool may be off the path's first point at the start"""


class ToolPath:
    """Each robot's tool follows the path; `goal` says where that is, the same for all in their own root links' axes.

    Raises:
        ScenarioError: the path doesn't begin where the tool is at the start.
    """

    def __init__(self, spec: ToolPathSpec, count: int, site: TaskContext = NOWHERE) -> None:
        route = RouteSpec(kind="route", **spec.model_dump(include={"waypoints", "speed", "acceleration"}))
        self.spec, self.body, self._route = spec, site.body, Route(route, 1)
        if (body := site.body) is not None:
            mechanism = read_mechanism(body.urdf)
            at, _ = tool_pose(mechanism.tree, mechanism.tool(spec.link, spec.place), body.joint_start())
            if np.linalg.norm(at - np.array(spec.waypoints[0])) > _AT_START:
                tool = ", ".join(f"{x:.3f}" for x in at)
                raise ScenarioError(f"the first waypoint isn't where the tool starts: ({tool}) m", key="waypoints[0]")

    @property
    def length(self) -> float:
        """Way [m] of once round."""
        return self._route.length

    @cached_property
    def joints(self) -> JointPath:
        """The joints (J,) that lead the tool once round, planned when they are first asked for.

        Raises:
            ValueError: the arm can't do it.
        """
        assert self.body is not None, "only arms have joints"
        mechanism = read_mechanism(self.body.urdf)
        tool = mechanism.tool(self.spec.link, self.spec.place)
        lower, upper = (np.array([getattr(joint, name) for joint in mechanism.joints]) for name in ("lower", "upper"))
        return plan_joints(mechanism.tree, tool, (lower, upper), self.body.joint_start(), self.point, self.length)

    def planned(self, time: F64) -> tuple[F64, F64]:
        """Return joints and their velocities, both (n, J), at the times (n,) [s]."""
        joints = np.empty((len(time), self.joints.pieces.shape[2]))
        velocity = np.empty_like(joints)
        _plan(self.joints, self._route.speed, self._route.acceleration, time, joints, velocity)
        return joints, velocity

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
        self._bodies: I64 = np.array([node.body for node in nodes if node.group == group], dtype=np.int64)
        self._squares = self._worst = 0.0
        self._count = 0

    def take(self, frame: Frame) -> None:
        """Add one frame."""
        goal, bodies = self._task.goal(frame.time / NS).position, frame.bodies
        squares = np.empty(len(self._bodies))
        _misses(self._tree, self._tool, bodies.joint_position, bodies.joint_offset, self._bodies, goal, squares)
        self._squares = sum(squares.tolist(), self._squares)
        self._worst = max(self._worst, float(squares.max(initial=0.0)))
        self._count += len(squares)

    def figures(self) -> Mapping[str, float | None]:
        """Return tool_error_rms and tool_error_max [m]."""
        if not self._count:
            return dict.fromkeys(("tool_error_rms", "tool_error_max"))
        rms = float(np.sqrt(self._squares / self._count))
        return {"tool_error_rms": rms, "tool_error_max": float(np.sqrt(self._worst))}


@kernel
def _plan(path: JointPath, speed: float, acceleration: float, time: F64, joints: F64, velocity: F64) -> None:
    for i in range(time.size):
        way, now, _ = along(speed, acceleration, time[i])
        joints[i], change = joints_at(path, way)
        velocity[i] = change * now


@kernel
def _misses(tree: Tree, tool: ToolFrame, joints: F64, offset: I64, bodies: I64, goal: F64, squares: F64) -> None:
    """Write the squared distance [m2] of each body's tool from `goal` (3,)."""
    for i in range(bodies.size):
        at, _ = tool_pose(tree, tool, joints[offset[bodies[i]] : offset[bodies[i] + 1]])
        squares[i] = (at - goal) @ (at - goal)
