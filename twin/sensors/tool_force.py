"""The force on a tool, as the drives feel it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from twin.clock import NS
from twin.mechanism.dynamics import inverse_dynamics
from twin.mechanism.kinematics import tool_jacobian
from twin.mechanism.tree import Frame, Tree, read_mechanism
from twin.numerics.kernels import kernel
from twin.protocols import Field
from twin.sensors.errors import Delay, Noise
from twin.sensors.setting import Setting
from twin.specs import RobotKind, ToolForceSpec
from twin.state import F64, I64, NEVER, Sample, Truth

_GRAVITY = (0.0, 0.0, -9.81)


class ToolForce:
    """Reads tool_force (3,) N in the root link's axes: what a thing does to the tool, seen through all joints.

    The joints' efforts less those of the rigid arm's motion since the last reading are J^T F (De Luca et al.,
    IROS 2006, without the observer: the acceleration is known); the reading is smoothed. It needs a reading at
    each tick of the physics, since the effort is that of the last tick.
    """

    def __init__(self, spec: ToolForceSpec, setting: Setting) -> None:
        assert setting.kind.body is not None, "only robots with bodies have sensors"
        mechanism = read_mechanism(setting.kind.body.urdf)
        self._tree, self._tool = mechanism.tree, mechanism.tool(spec.link, spec.place)
        self._damping = np.array([joint.damping for joint in mechanism.joints])
        n, joints = len(setting.names), len(mechanism.joints)
        self._filter, self._time = spec.filter, np.full(n, NEVER, dtype=np.int64)
        self._q, self._speed, self._force = np.zeros((n, joints)), np.zeros((n, joints)), np.zeros((n, 3))
        self._delay = Delay(spec.delay, n)
        self._noise = Noise("tool_force", setting.names, setting.seed, np.full(3, spec.noise))

    @staticmethod
    def fields(spec: ToolForceSpec, kind: RobotKind) -> Mapping[str, Field]:
        """Return what a reading is made of."""
        return {"tool_force": Field(3, "N", f"on the tool at {spec.link}, in the root link's axes", spec.noise, "N")}

    def read(self, truth: Truth, index: I64, rows: I64) -> list[Sample]:
        """Return one sample per body in `index` (k,); `rows` (k,) are the robots' rows in their group."""
        time, bodies = truth.time, truth.bodies
        table = np.empty((len(rows), 3))
        for i, (body, row) in enumerate(zip(index, rows, strict=True)):
            joints = slice(int(bodies.joint_offset[body]), int(bodies.joint_offset[body + 1]))
            q, speed = bodies.joint_position[joints], bodies.joint_velocity[joints]
            if 0 <= self._time[row] < time:
                dt = (time - int(self._time[row])) / NS
                effort = bodies.joint_effort[joints] - self._damping * self._speed[row]
                found = _force(self._tree, self._tool, self._q[row], self._speed[row], speed, effort, dt)
                self._force[row] += min(1.0, dt / (self._filter + dt)) * (found - self._force[row])
            self._time[row], self._q[row], self._speed[row] = time, q, speed
            table[i] = self._force[row]
        stamps = self._delay.apply(time, rows, table)
        self._noise.add(time, rows, table)
        return [Sample(stamp, {"tool_force": row}) for stamp, row in zip(stamps, table, strict=True)]

    def reseed(self, seed: int) -> None:
        """Draw by `seed` from now on."""
        self._noise.reseed(seed)


@kernel
def _force(tree: Tree, tool: Frame, q: F64, before: F64, after: F64, effort: F64, dt: float) -> F64:
    """Return the force (3,) at the tool that made up for what the drives did not do."""
    missing = inverse_dynamics(tree, q, before, (after - before) / dt, _GRAVITY) - effort
    jacobian = np.ascontiguousarray(tool_jacobian(tree, tool, q)[:3])
    out = np.empty(3)
    out[:] = np.linalg.solve(jacobian @ jacobian.T + 1e-9 * np.eye(3), jacobian @ missing)
    return out
