"""Encoders and torque sensors of all joints that move."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from twin.mechanism.urdf import Joint, movable_joints
from twin.numerics.kernels import kernel
from twin.protocols import Field
from twin.sensors.errors import Delay, Noise
from twin.sensors.setting import Setting
from twin.specs import JointsSpec, RobotKind
from twin.state import F64, I64, Sample, Truth


class Joints:
    """Reads joint_position, joint_velocity and joint_effort (J,) of a group's robots, in the order of the URDF."""

    def __init__(self, spec: JointsSpec, setting: Setting) -> None:
        noise, joints = spec.noise, len(_joints(setting.kind))
        white = np.repeat([noise.position, noise.velocity, noise.effort], joints)
        walk = np.repeat([noise.position_walk, 0.0, noise.effort_walk], joints)
        self._joints = joints
        self._delay = Delay(spec.delay, len(setting.names))
        self._noise = Noise("joints", setting.names, setting.seed, white, walk)

    @staticmethod
    def fields(spec: JointsSpec, kind: RobotKind) -> Mapping[str, Field]:
        """Return what a reading is made of."""
        joints, noise = _joints(kind), spec.noise
        what = f"of {', '.join(joint.name for joint in joints)}"
        angle, torque = _unit(joints, "rad", "m"), _unit(joints, "N m", "N")
        return {
            "joint_position": Field(len(joints), angle, what, noise.position, angle),
            "joint_velocity": Field(len(joints), f"{angle}/s", "in this order", noise.velocity, f"{angle}/s"),
            "joint_effort": Field(len(joints), torque, "of their drives", noise.effort, torque),
        }

    def read(self, truth: Truth, index: I64, rows: I64) -> list[Sample]:
        """Return one sample per body in `index` (k,); `rows` (k,) are the robots' rows in their group."""
        time, bodies = truth.time, truth.bodies
        n = self._joints
        table = np.empty((len(index), 3 * n))
        _gather(bodies.joint_position, bodies.joint_velocity, bodies.joint_effort, bodies.joint_offset, index, table)
        stamps = self._delay.apply(time, rows, table)
        self._noise.add(time, rows, table)
        return [
            Sample(stamp, {"joint_position": place, "joint_velocity": speed, "joint_effort": effort})
            for stamp, place, speed, effort in zip(
                stamps, table[:, :n], table[:, n : 2 * n], table[:, 2 * n :], strict=True
            )
        ]

    def reseed(self, seed: int) -> None:
        """Draw by `seed` from now on."""
        self._noise.reseed(seed)


@kernel
def _gather(position: F64, velocity: F64, effort: F64, offset: I64, index: I64, table: F64) -> None:
    n = table.shape[1] // 3
    for i in range(index.size):
        first = offset[index[i]]
        for j in range(n):
            table[i, j], table[i, n + j] = position[first + j], velocity[first + j]
            table[i, 2 * n + j] = effort[first + j]


def _joints(kind: RobotKind) -> tuple[Joint, ...]:
    assert kind.body is not None, "only robots with bodies have sensors"
    return movable_joints(kind.body.urdf)


def _unit(joints: tuple[Joint, ...], turning: str, sliding: str) -> str:
    units = {turning if joint.turns else sliding for joint in joints}
    return " or ".join(unit for unit in (turning, sliding) if unit in units)
