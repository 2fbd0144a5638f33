"""The step of bodies that touch nothing, for all of them at once.

Second order in time for dynamics that tell their forces in the middle of a step (`midway`): half a step ahead along the
present motion, then the whole step by the forces there (position Verlet: Hairer, Lubich and Wanner, Acta Numerica 12,
2003). A body turns by its angular momentum, which a step without torque keeps to rounding.

Others get Bullet's own step, the semi-implicit Euler scheme with gyroscopic torque and the exponential map; asking
Bullet for it costs more than everything else in a tick. tests/laws/test_free_flight.py holds both together.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from twin.mechanism.dynamics import forward_dynamics
from twin.mechanism.tree import Tree
from twin.numerics.kernels import kernel
from twin.numerics.rotation import Quaternion, Vector, cross, rotate, unrotate
from twin.numerics.vectors import plus, row_of, times
from twin.physics.bodies import turned
from twin.state import F64, Bool


class Solids(NamedTuple):
    """Constants of N bodies."""

    mass: F64  # (N,) kg; 0 of what is no single free body
    inertia: F64  # (N, 3) kg m2 about the principal axes
    midway: Bool  # (N,) whether the force on it is that in the middle of the step


class Swings(NamedTuple):
    """Constants of n mechanisms of one kind on fixed bases, with J joints."""

    tree: Tree
    damping: F64  # (J,) N m s/rad or N s/m
    gravity: F64  # (n, 3) m/s2, in the axes of each base
    midway: bool  # whether the efforts are those in the middle of the step


@kernel
def fly_freely(
    solids: Solids, gravity: float, pose: F64, motion: F64, wrench: F64, step: F64
) -> tuple[F64, F64, F64]:
    """Return pose (N, 7) and motion (N, 6) one step on, of `step` (N,) s each, and the change (N, 6) of motion per s.

    Pose is position [m] and quaternion of the principal axes; motion is velocity [m/s] and angular velocity
    [rad/s]; `wrench` (N, 6) is force [N] and torque [N m]; all in world axes. Rows without mass stay as they are, and
    so do those whose step is 0.
    """
    new_pose, new_motion, change = pose.copy(), motion.copy(), np.zeros(motion.shape)
    for i in range(pose.shape[0]):
        dt, mass = step[i], solids.mass[i]
        if mass == 0.0 or dt == 0.0:
            continue
        q, torque = _quaternion(pose, i), (wrench[i, 3], wrench[i, 4], wrench[i, 5])
        spin, inertia = (motion[i, 3], motion[i, 4], motion[i, 5]), row_of(solids.inertia, i)
        for k in range(3):
            change[i, k] = wrench[i, k] / mass - (gravity if k == 2 else 0.0)
            new_motion[i, k] += dt * change[i, k]
            mean = 0.5 * (motion[i, k] + new_motion[i, k]) if solids.midway[i] else new_motion[i, k]
            new_pose[i, k] += dt * mean
        if solids.midway[i]:
            q, new_spin = _tumbled(q, spin, inertia, torque, dt)
        else:
            rates = unrotate(q, spin)
            gain = rotate(q, _angular_acceleration(unrotate(q, torque), rates, inertia))
            new_spin = plus(spin, times(dt, gain))
            q = turned(q, new_spin, dt)
        for k in range(3):
            new_motion[i, 3 + k], change[i, 3 + k] = new_spin[k], (new_spin[k] - spin[k]) / dt
        new_pose[i, 3], new_pose[i, 4], new_pose[i, 5], new_pose[i, 6] = q
    return new_pose, new_motion, change


@kernel
def _tumbled(
    q: Quaternion, spin: Vector, inertia: Vector, torque: Vector, dt: float
) -> tuple[Quaternion, Vector]:
    """Return orientation and angular velocity a step on: it turns at the rate of its middle, and keeps its momentum."""
    momentum = _weighed(q, spin, inertia)
    half = turned(q, spin, 0.5 * dt)
    rate = _spin_of(half, plus(momentum, times(0.5 * dt, torque)), inertia)
    new = turned(q, rate, dt)
    return new, _spin_of(new, plus(momentum, times(dt, torque)), inertia)


@kernel
def _weighed(q: Quaternion, spin: Vector, inertia: Vector) -> Vector:
    """Return the angular momentum [N m s] in world axes."""
    rates = unrotate(q, spin)
    return rotate(q, (inertia[0] * rates[0], inertia[1] * rates[1], inertia[2] * rates[2]))


@kernel
def _spin_of(q: Quaternion, momentum: Vector, inertia: Vector) -> Vector:
    """Return the angular velocity [rad/s] in world axes."""
    own = unrotate(q, momentum)
    return rotate(q, (own[0] / inertia[0], own[1] / inertia[1], own[2] / inertia[2]))


@kernel
def swing_freely(swings: Swings, joint: F64, speed: F64, change: F64, effort: F64, step: F64) -> tuple[F64, F64, F64]:
    """Return positions, speeds and changes of speed per s (n, J) of joints a step of `step` (n,) s on.

    `effort` (n, J) is in N m or N, `change` (n, J) that of the last step; mechanisms whose step is 0 stay as they are.
    """
    new_joint, new_speed, new_change = joint.copy(), speed.copy(), np.zeros(joint.shape)
    for i in range(len(step)):
        dt, gravity = step[i], row_of(swings.gravity, i)
        if dt == 0.0:
            continue
        q, v = joint[i], speed[i]
        if swings.midway:
            v = v + 0.5 * dt * change[i]
            q = q + 0.25 * dt * (speed[i] + v)
        new_change[i] = forward_dynamics(swings.tree, q, v, effort[i] - swings.damping * v, gravity)
        new_speed[i] += dt * new_change[i]
        new_joint[i] += dt * (0.5 * (speed[i] + new_speed[i]) if swings.midway else new_speed[i])
    return new_joint, new_speed, new_change


@kernel
def _quaternion(pose: F64, i: int) -> Quaternion:
    return pose[i, 3], pose[i, 4], pose[i, 5], pose[i, 6]


@kernel
def _angular_acceleration(torque: Vector, rates: Vector, inertia: Vector) -> Vector:
    spin = cross(rates, (inertia[0] * rates[0], inertia[1] * rates[1], inertia[2] * rates[2]))
    return (
        (torque[0] - spin[0]) / inertia[0],
        (torque[1] - spin[1]) / inertia[1],
        (torque[2] - spin[2]) / inertia[2],
    )
