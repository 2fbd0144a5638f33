"""The step that Bullet makes with bodies that touch nothing, for all of them at once.

Asking Bullet for a body's pose and velocity costs more than everything else in a tick, and for such a body the
answer is known: Bullet integrates it by the semi-implicit Euler scheme, gyroscopic torque included, turns it by the
exponential map, and moves joints on a fixed base by the articulated body algorithm. Both agree to rounding;
tests/laws/test_free_flight.py holds them together.
"""

from __future__ import annotations

import numpy as np

from twin.mechanism.dynamics import forward_dynamics
from twin.mechanism.tree import Tree
from twin.numerics.kernels import kernel
from twin.numerics.rotation import Quaternion, Vector, cross, dot, multiply, rotate, unrotate
from twin.numerics.vectors import row_of
from twin.state import F64


@kernel
def fly_freely(
    pose: F64, motion: F64, wrench: F64, mass: F64, inertia: F64, gravity: float, step: F64
) -> tuple[F64, F64]:
    """Return pose (N, 7) and motion (N, 6) one step on, of `step` (N,) s each.

    Pose is position [m] and quaternion of the principal axes; motion is velocity [m/s] and angular velocity
    [rad/s]; `wrench` (N, 6) is force [N] and torque [N m]; all in world axes. Mass (N,) is in kg, inertia
    (N, 3) in kg m2; rows without mass stay as they are, and so do those whose step is 0.
    """
    new_pose, new_motion = pose.copy(), motion.copy()
    for i in range(pose.shape[0]):
        dt = step[i]
        if mass[i] == 0.0 or dt == 0.0:
            continue
        q = (pose[i, 3], pose[i, 4], pose[i, 5], pose[i, 6])
        torque = unrotate(q, (wrench[i, 3], wrench[i, 4], wrench[i, 5]))
        rates = unrotate(q, (motion[i, 3], motion[i, 4], motion[i, 5]))
        turn = rotate(q, _angular_acceleration(torque, rates, (inertia[i, 0], inertia[i, 1], inertia[i, 2])))
        for k in range(3):
            new_motion[i, k] += dt * (wrench[i, k] / mass[i] - (gravity if k == 2 else 0.0))
            new_motion[i, 3 + k] += dt * turn[k]
            new_pose[i, k] += dt * new_motion[i, k]
        spin = (new_motion[i, 3], new_motion[i, 4], new_motion[i, 5])
        new_pose[i, 3], new_pose[i, 4], new_pose[i, 5], new_pose[i, 6] = _turned(q, spin, dt)
    return new_pose, new_motion


@kernel
def swing_freely(
    tree: Tree, damping: F64, gravity: F64, joint: F64, speed: F64, effort: F64, step: F64
) -> tuple[F64, F64]:
    """Return positions and speeds (n, J) of the joints of n mechanisms on fixed bases a step of `step` (n,) s on.

    `gravity` (n, 3) m/s2 is in the axes of each base, `damping` (J,) in N m s/rad or N s/m, `effort` (n, J) in
    N m or N; mechanisms whose step is 0 stay as they are.
    """
    new_joint, new_speed = joint.copy(), speed.copy()
    for i in range(len(step)):
        if step[i] > 0.0:
            felt = effort[i] - damping * speed[i]
            new_speed[i] += step[i] * forward_dynamics(tree, joint[i], speed[i], felt, row_of(gravity, i))
            new_joint[i] += step[i] * new_speed[i]
    return new_joint, new_speed


@kernel
def _angular_acceleration(torque: Vector, rates: Vector, inertia: Vector) -> Vector:
    spin = cross(rates, (inertia[0] * rates[0], inertia[1] * rates[1], inertia[2] * rates[2]))
    return (
        (torque[0] - spin[0]) / inertia[0],
        (torque[1] - spin[1]) / inertia[1],
        (torque[2] - spin[2]) / inertia[2],
    )


@kernel
def _turned(q: Quaternion, spin: Vector, dt: float) -> Quaternion:
    """Return `q` turned for `dt` s at `spin` [rad/s] in world axes."""
    speed = np.sqrt(dot(spin, spin))
    half = 0.5 * speed * dt
    share = np.sin(half) / speed if speed > 1e-9 else 0.5 * dt
    x, y, z, w = multiply((spin[0] * share, spin[1] * share, spin[2] * share, np.cos(half)), q)
    size = np.sqrt(x * x + y * y + z * z + w * w)
    return x / size, y / size, z / size, w / size
