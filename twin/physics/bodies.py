"""What physics moves, and what tells it of the world round the bodies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

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


@runtime_checkable
class StatesInertia(Protocol):
    """A dynamics that is told mass and inertia itself: they must be those of the URDF."""

    mass: float  # kg
    inertia: F64  # (3,) kg m2 about the body axes
