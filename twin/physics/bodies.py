"""What physics moves, and what tells it of the world round the bodies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from twin.numerics.kernels import kernel
from twin.protocols import Dynamics
from twin.specs import BodySpec
from twin.state import F64, I64, BodyState


@dataclass(frozen=True, slots=True, eq=False)
class BodyGroup:
    """Bodies of one kind that one dynamics moves: n robots of one entry of a scenario."""

    name: str  # of the commands that drive it
    spec: BodySpec
    dynamics: Dynamics
    position: F64  # (n, 3) m, where the URDF's root link starts
    orientation: F64  # (n, 4) quaternion xyzw
    names: Sequence[str]  # (n,)


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


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Where the bodies of a group are among all."""

    rows: slice
    joints: slice
    offset: I64  # (n + 1,) where each body's joints are among the group's

    @staticmethod
    def of(offset: I64, rows: slice) -> Part:
        """Return the part `rows` of N bodies whose joints are at `offset` (N + 1,)."""
        first, last = int(offset[rows.start]), int(offset[rows.stop])
        return Part(rows, slice(first, last), offset[rows.start : rows.stop + 1] - first)

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
