"""What physics moves, and what tells it of the world round the bodies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from twin.protocols import Dynamics
from twin.specs import BodySpec
from twin.state import F64, BodyState


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


@runtime_checkable
class StatesInertia(Protocol):
    """A dynamics that is told mass and inertia itself: they must be those of the URDF."""

    mass: float  # kg
    inertia: F64  # (3,) kg m2 about the body axes


def rows_of(bodies: BodyState, start: int, stop: int) -> BodyState:
    """Return bodies start:stop as a state of their own."""
    offset = bodies.joint_offset[start : stop + 1]
    joints = slice(int(offset[0]), int(offset[-1]))
    return BodyState(
        bodies.position[start:stop],
        bodies.orientation[start:stop],
        bodies.velocity[start:stop],
        bodies.angular_velocity[start:stop],
        bodies.joint_position[joints],
        bodies.joint_velocity[joints],
        offset - offset[0],
        bodies.joint_effort[joints],
    )
