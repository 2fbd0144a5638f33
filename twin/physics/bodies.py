"""What physics moves, and what tells it of the world round the bodies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from twin.numerics.kernels import kernel
from twin.numerics.rotation import Quaternion, Vector, dot, multiply, quaternion_of
from twin.numerics.vectors import plus, row_of, times
from twin.protocols import Dynamics
from twin.specs import BodySpec
from twin.state import F64, I64, BodyState, Rigid


@dataclass(frozen=True, slots=True, eq=False)
class BodyGroup:
    """Bodies of one kind that one dynamics moves: n robots of one entry of a scenario."""

    name: str  # of the commands that drive it
    spec: BodySpec
    dynamics: Dynamics
    position: F64  # (n, 3) m, where the URDF's root link starts
    orientation: F64  # (n, 4) quaternion xyzw
    names: Sequence[str]  # (n,)


def is_midway(dynamics: object) -> bool:
    """Tell whether a dynamics tells its forces in the middle of each step, from the state there."""
    return bool(getattr(dynamics, "midway", False))


class Surroundings(Protocol):
    """Tells dynamics what is round their bodies (air, ground, water) before each step."""

    def update(self, time: int, bodies: BodyState) -> None:
        """Take the bodies' places at `time` [ns]."""


@dataclass(slots=True, eq=False)
class Motion:
    """How N bodies with K joints are and move, as Bullet tells it: about centres of mass, in world axes."""

    pose: F64  # (N, 7) m, and quaternion xyzw of the principal axes of inertia
    twist: F64  # (N, 6) m/s and rad/s
    joint: F64  # (K,) rad or m, all bodies' joints one after another
    speed: F64  # (K,) rad/s or m/s
    change: F64  # (N, 6) m/s2 and rad/s2, of `twist` in the last step; 0 after one in which Bullet moved it
    joint_change: F64  # (K,) rad/s2 or m/s2


@dataclass(frozen=True, slots=True, eq=False)
class GroupRows:
    """Where the bodies of a group are among all."""

    rows: slice
    joints: slice
    offset: I64  # (n + 1,) where each body's joints are among the group's

    @staticmethod
    def of(offset: I64, rows: slice) -> GroupRows:
        """Return the part `rows` of N bodies whose joints are at `offset` (N + 1,)."""
        first, last = int(offset[rows.start]), int(offset[rows.stop])
        return GroupRows(rows, slice(first, last), offset[rows.start : rows.stop + 1] - first)

    def halfway(self, bodies: BodyState, now: Motion, dt: float) -> BodyState:
        """Return the state of this part `dt`/2 s from now, as far as can be told."""
        rows, joints, half = self.rows, self.joints, 0.5 * dt
        rigid = Rigid(bodies.position[rows], bodies.orientation[rows], bodies.velocity[rows],
                      bodies.angular_velocity[rows])  # fmt: skip
        speed = bodies.joint_velocity[joints] + half * now.joint_change[joints]
        position = bodies.joint_position[joints] + 0.5 * half * (bodies.joint_velocity[joints] + speed)
        moved = ahead(rigid, now.change[rows], half)
        return BodyState(*moved, position, speed, self.offset, bodies.joint_effort[joints])

    def state(self, bodies: BodyState) -> BodyState:
        """Return the state of this part alone."""
        rows, joints = self.rows, self.joints
        return BodyState(
            bodies.position[rows],
            bodies.orientation[rows],
            bodies.velocity[rows],
            bodies.angular_velocity[rows],
            bodies.joint_position[joints],
            bodies.joint_velocity[joints],
            self.offset,
            bodies.joint_effort[joints],
        )


@kernel
def ahead(bodies: Rigid, change: F64, dt: float) -> Rigid:
    """Return where n bodies will be and how they will move `dt` s from now, if they go on accelerating as they did.

    `change` (n, 6) m/s2 and rad/s2 is how their motion changed in the last step.
    """
    out = Rigid(bodies.position.copy(), bodies.orientation.copy(), bodies.velocity.copy(),
                bodies.angular_velocity.copy())  # fmt: skip
    for i in range(len(change)):
        for k in range(3):
            out.velocity[i, k] += dt * change[i, k]
            out.position[i, k] += 0.5 * dt * (bodies.velocity[i, k] + out.velocity[i, k])
            out.angular_velocity[i, k] += dt * change[i, 3 + k]
        turning = times(0.5, plus(row_of(bodies.angular_velocity, i), row_of(out.angular_velocity, i)))
        q = turned(quaternion_of(bodies.orientation, i), turning, dt)
        out.orientation[i, 0], out.orientation[i, 1], out.orientation[i, 2], out.orientation[i, 3] = q
    return out


@kernel
def turned(q: Quaternion, spin: Vector, dt: float) -> Quaternion:
    """Return `q` turned for `dt` s at `spin` [rad/s] in world axes."""
    speed = np.sqrt(dot(spin, spin))
    half = 0.5 * speed * dt
    share = np.sin(half) / speed if speed > 1e-9 else 0.5 * dt
    x, y, z, w = multiply((spin[0] * share, spin[1] * share, spin[2] * share, np.cos(half)), q)
    size = np.sqrt(x * x + y * y + z * z + w * w)
    return x / size, y / size, z / size, w / size


@kernel
def parted(pose: F64, twist: F64) -> tuple[int, F64, F64, F64, F64]:
    """Return the first row that isn't finite, N if all are, and position, orientation, velocity and turning rate."""
    n = len(pose)
    wrong = n
    position, orientation, velocity, turning = np.empty((n, 3)), np.empty((n, 4)), np.empty((n, 3)), np.empty((n, 3))
    for i in range(n):
        total = 0.0
        for k in range(3):
            position[i, k], velocity[i, k], turning[i, k] = pose[i, k], twist[i, k], twist[i, 3 + k]
            total += abs(position[i, k]) + abs(velocity[i, k]) + abs(turning[i, k])
        for k in range(4):
            orientation[i, k] = pose[i, 3 + k]
            total += abs(orientation[i, k])
        if wrong == n and not np.isfinite(total):
            wrong = i
    return wrong, position, orientation, velocity, turning


@runtime_checkable
class StatesInertia(Protocol):
    """A dynamics that is told mass and inertia itself: they must be those of the URDF."""

    mass: float  # kg
    inertia: F64  # (3,) kg m2 about the body axes
