"""Arms on a fixed base: the drives of all joints of a group, controlled by computed torque in one kernel.

A command has one number per joint of the arm, by `interface` a position, a velocity or an effort on top of what
gravity takes; then, where there are `fingers`, their opening; where there is a `vacuum`, 1 to hold; at the end
the brake: 1 stops the arm and holds it where it came to rest, and its gripper as it is.
"""

from __future__ import annotations

from math import pi
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from pydantic import Field

from twin.errors import ScenarioError, nearest
from twin.mechanism.dynamics import inverse_dynamics
from twin.mechanism.tree import Mechanism, Tree, read_mechanism, with_load
from twin.numerics.kernels import kernel
from twin.physics.grip import Grip, VacuumSpec
from twin.specs import Point, Spec
from twin.state import F64, I64, BodyState, Bool
from twin.units import Hertz, Kilograms, unit

GRAVITY = (0.0, 0.0, -9.81)
"""m/s2, that the drives make up for, in the axes of a base that stands upright"""
_MODES = ("position", "velocity", "effort")


class PayloadSpec(Spec):
    """What the drives take to be at the link of the suction cup while it holds something."""

    mass: Kilograms = Field(gt=0)
    place: Point  # of its centre of mass, in the link's axes
    inertia: Annotated[float, unit("kg m2")] = Field(default=0.0, ge=0)  # about that, round any axis


class ManipulatorParameters(Spec):
    """How an arm's drives are controlled, and what it grips with."""

    interface: Literal["position", "velocity", "effort"] = "position"
    bandwidth: Hertz = Field(default=8.0, gt=0)  # natural frequency of the critically damped position loop
    acceleration: float = Field(default=15.0, gt=0)  # rad/s2 or m/s2, of each joint at most
    fingers: tuple[str, ...] = ()  # joints that the command's opening moves
    vacuum: VacuumSpec | None = None
    payload: PayloadSpec | None = None


class Drives(NamedTuple):
    """Constants of a kind of arm, as kernels take them; J joints, A of them of the arm."""

    tree: Tree
    loaded: Tree  # the same while the suction cup holds something
    place: I64  # (J,) of each joint in the command
    mode: int  # of _MODES
    rate: float  # rad/s, of the position loop
    acceleration: float  # rad/s2 or m/s2
    lower: F64  # (J,)
    upper: F64  # (J,)
    velocity: F64  # (J,)
    effort: F64  # (J,)
    damping: F64  # (J,)
    fingers: Bool  # (J,)


class Arms(NamedTuple):
    """State of n arms between steps."""

    holds: Bool  # (n,) whether the suction cup holds something
    held: F64  # (n, J) rad or m, where the brake holds the joints
    braking: Bool  # (n,)
    saturated: I64  # (n,) ticks


class Manipulator:
    """Turns joint commands of n arms into the efforts of their drives.

    The position loop asks for a velocity and the velocity loop for an acceleration, both within the joint's limits;
    the effort for it is that of the rigid arm, with its payload while it holds something, and of its friction (computed
    torque: Siciliano et al., Robotics, 2009, section 8.5.2), within the drive's limit.

    Public between steps, one row per arm: `saturated` (n,), ticks in which a drive could not give what was asked
    of it; `effort` (n, J) of the last tick.
    """

    Parameters = ManipulatorParameters
    midway = True
    takes_urdf = True
    on_fixed_base = True

    def __init__(self, parameters: dict[str, Any] | ManipulatorParameters, n: int, urdf: Path) -> None:
        p = ManipulatorParameters.model_validate(parameters)
        self.mechanism = read_mechanism(urdf)
        self.drives = _drives(p, self.mechanism)
        joints = len(self.mechanism.joints)
        self.arm_joints = joints - len(p.fingers)
        self.width = self.arm_joints + bool(p.fingers) + (p.vacuum is not None) + 1
        self.grip = None if p.vacuum is None else Grip(p.vacuum, self.mechanism, self.arm_joints + bool(p.fingers), n)
        self.effort, self.saturated = np.zeros((n, joints)), np.zeros(n, dtype=np.int64)
        self._held, self._braking, self._empty = np.zeros((n, joints)), np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)

    @property
    def loops(self) -> dict[str, tuple[float, float]]:
        """What the drives' position loop asks for per gap and per speed [1/s2, 1/s]."""
        return {"position": (self.drives.rate**2, 2 * self.drives.rate)}

    def reset(self) -> None:
        """Release the brakes and forget what the drives did."""
        self.effort[:] = 0.0
        self.saturated[:] = 0
        self._braking[:] = False
        if self.grip is not None:
            self.grip.reset()

    def wrench(self, state: BodyState, command: F64, dt: float) -> F64:
        """Return (n, 6) zeros: only joints are driven."""
        return np.zeros((len(command), 6))

    def joint_effort(self, state: BodyState, command: F64, dt: float) -> F64:
        """Return torque [N m] or force [N] of each joint's drive: (n, J)."""
        if command.shape[1] != self.width:
            raise ScenarioError(f"the command has {command.shape[1]} numbers, but this arm takes {self.width}")
        shape = self.effort.shape
        holds = self._empty if self.grip is None else self.grip.holds
        arms = Arms(holds=holds, held=self._held, braking=self._braking, saturated=self.saturated)
        position, velocity = state.joint_position.reshape(shape), state.joint_velocity.reshape(shape)
        _efforts(self.drives, arms, position, velocity, command, self.effort)
        return self.effort


def _drives(p: ManipulatorParameters, mechanism: Mechanism) -> Drives:
    joints, tree = mechanism.joints, mechanism.tree
    names = [joint.name for joint in joints]
    for name in p.fingers:
        if name not in names:
            raise ValueError(f"fingers: no joint {name!r}; allowed: {', '.join(names)}{nearest(name, names)}")
    fingers = np.array([name in p.fingers for name in names], dtype=bool)
    place = np.where(fingers, np.sum(~fingers), np.cumsum(~fingers) - 1)
    limits = ("lower", "upper", "velocity", "effort", "damping")
    lower, upper, velocity, effort, damping = (np.array([getattr(joint, name) for joint in joints]) for name in limits)
    return Drives(
        tree=tree,
        loaded=_loaded(p, mechanism),
        place=place.astype(np.int64),
        mode=_MODES.index(p.interface),
        rate=2 * pi * p.bandwidth,
        acceleration=p.acceleration,
        lower=lower,
        upper=upper,
        velocity=velocity,
        effort=effort,
        damping=damping,
        fingers=fingers,
    )


def _loaded(p: ManipulatorParameters, mechanism: Mechanism) -> Tree:
    if p.payload is None:
        return mechanism.tree
    if p.vacuum is None:
        raise ValueError("payload: there is no vacuum to hold it")
    load = p.payload
    frame = mechanism.tool(p.vacuum.link, load.place)
    return with_load(mechanism.tree, frame, load.mass, load.inertia)


@kernel
def _efforts(d: Drives, arms: Arms, position: F64, velocity: F64, command: F64, out: F64) -> None:
    joints = position.shape[1]
    gain = np.empty(joints)
    for i in range(position.shape[0]):
        q, speed = position[i], velocity[i]
        brake = command[i, -1] >= 0.5
        if brake and not arms.braking[i]:
            for j in range(joints):
                rest = q[j] + speed[j] / (2.0 * d.rate) + speed[j] * abs(speed[j]) / (2.0 * d.acceleration)
                arms.held[i, j] = min(max(rest, d.lower[j]), d.upper[j])
        arms.braking[i] = brake
        free = d.mode == 2 and not brake
        for j in range(joints):
            asked = command[i, d.place[j]]
            if brake:
                wanted = _approach(d, arms.held[i, j] - q[j])
            elif d.fingers[j] or d.mode == 0:
                wanted = _approach(d, asked - q[j])
            else:
                wanted = asked
            wanted = _within(wanted, d.velocity[j])
            gain[j] = 0.0 if free and not d.fingers[j] else _within(2.0 * d.rate * (wanted - speed[j]), d.acceleration)
        tree = d.loaded if arms.holds[i] else d.tree
        out[i] = inverse_dynamics(tree, q, np.zeros(joints) if free else speed, gain, GRAVITY)
        beyond = False
        for j in range(joints):
            asked = out[i, j] + (command[i, d.place[j]] if free and not d.fingers[j] else d.damping[j] * speed[j])
            out[i, j] = _within(asked, d.effort[j])
            beyond = beyond or (out[i, j] != asked and not d.fingers[j])  # fingers squeeze at their limit
        arms.saturated[i] += beyond


@kernel
def _approach(d: Drives, gap: float) -> float:
    """Return the velocity at which to close a gap: linear near its end, before that as half of the brakes allow."""
    speed: float = np.sign(gap) * min(0.5 * d.rate * abs(gap), np.sqrt(d.acceleration * abs(gap)))
    return speed


@kernel
def _within(value: float, limit: float) -> float:
    return min(max(value, -limit), limit)
