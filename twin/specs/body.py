"""What robot.toml says of a body: plain data for physics."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import ConfigDict, Field, model_validator

from twin.errors import ScenarioError
from twin.mechanism.urdf import movable_joints
from twin.specs.base import Point, Spec
from twin.state import F64
from twin.units import Kilograms, Radians, RateHz

Moment = Annotated[float, Field(gt=0)]


class CommandField(Spec):
    """One named part of a robot's command vector."""

    name: str
    size: int = Field(default=1, ge=1)
    unit: str
    description: str = ""
    lower: float = -float("inf")
    upper: float = float("inf")
    initial: float = 0.0
    joints: Literal["position", "velocity", "effort"] | None = None  # of the first `size` joints, with their limits

    model_config = ConfigDict(allow_inf_nan=True)


class BodySpec(Spec):
    """A body for physics: its URDF, what turns commands into forces, and the command's fields."""

    urdf: Path  # beside robot.toml, "package:path" in an installed package, or "from parameters" of rotors
    fixed: bool = False  # its root link is bolted to the world
    mass: Kilograms | None = Field(default=None, gt=0)  # in place of the URDF's, of a body of one link
    inertia: tuple[Moment, Moment, Moment] | None = None  # kg m2 about the axes of the link's inertial frame, likewise
    rate: RateHz | None = None  # of its physics, a multiple or a part of the scenario's; None: that one
    zone: tuple[Point, Point] | None = None  # m, box that its centre of mass never leaves; else the run ends
    dynamics: str
    parameters: dict[str, Any] = {}
    command: tuple[CommandField, ...]
    start: tuple[Radians, ...] = ()  # rad or m, position of each joint that moves; none: all at 0

    @model_validator(mode="after")
    def _has_a_box_for_a_zone(self) -> Self:
        if self.zone is not None and (self.fixed or not all(a < b for a, b in zip(*self.zone, strict=True))):
            what = "a fixed body" if self.fixed else f"{self.zone}"
            raise ValueError(f"found a zone of {what}; allowed: lower and upper corner of a box, of one that moves")
        return self

    @property
    def width(self) -> int:
        """Length of the command vector."""
        return sum(field.size for field in self.command)

    @property
    def components(self) -> list[str]:
        """Names of the command vector's numbers."""
        return [f.name if f.size == 1 else f"{f.name}.{i}" for f in self.command for i in range(f.size)]

    def vector(self, bound: Literal["lower", "upper", "initial"]) -> F64:
        """Return that bound of the command vector, shape (width,).

        Raises:
            ScenarioError: a field stands for more joints than the URDF has, or `start` for others than it has.
        """
        return np.concatenate([np.zeros(0), *(self._bound(field, bound) for field in self.command)])

    def joint_start(self) -> F64:
        """Return the position (J,) of each movable joint at the start.

        Raises:
            ScenarioError: `start` doesn't have one for each.
        """
        joints = len(movable_joints(self.urdf))
        if self.start and len(self.start) != joints:
            message = f"found {len(self.start)} positions; allowed: {joints}, one for each joint of {self.urdf.name}"
            raise ScenarioError(message, key="body.start")
        return np.array(self.start) if self.start else np.zeros(joints)

    def _bound(self, field: CommandField, bound: Literal["lower", "upper", "initial"]) -> F64:
        if field.joints is None:
            return np.full(field.size, getattr(field, bound))
        joints = movable_joints(self.urdf)[: field.size]
        if len(joints) < field.size:
            message = f"{field.name} stands for {field.size} joints, but {self.urdf.name} has {len(joints)}"
            raise ScenarioError(message, key="body.command")
        if bound == "initial":
            return self.joint_start()[: field.size] if field.joints == "position" else np.zeros(field.size)
        if field.joints == "position":
            return np.array([getattr(joint, bound) for joint in joints])
        sign = -1.0 if bound == "lower" else 1.0
        return sign * np.array([getattr(joint, field.joints) for joint in joints])
