"""Rotations by unit quaternions xyzw, compiled; tuples, since small arrays cost time in a kernel."""

from __future__ import annotations

import numpy as np

from twin.numerics.kernels import kernel
from twin.state import F64

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]


@kernel
def multiply(a: Quaternion, b: Quaternion) -> Quaternion:
    """Return a b, the rotation by b and then by a."""
    ax, ay, az, aw = a
    bx, by, bz, bw = b
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )


@kernel
def quaternion_of(table: F64, row: int) -> Quaternion:
    """Return a row of a table of quaternions (n, 4)."""
    return table[row, 0], table[row, 1], table[row, 2], table[row, 3]


@kernel
def conjugate(q: Quaternion) -> Quaternion:
    """Return the inverse rotation."""
    return -q[0], -q[1], -q[2], q[3]


@kernel
def cross(a: Vector, b: Vector) -> Vector:
    """Return a x b."""
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@kernel
def dot(a: Vector, b: Vector) -> float:
    """Return a . b."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@kernel
def rotate(q: Quaternion, v: Vector) -> Vector:
    """Return v, given in body axes, in world axes."""
    x, y, z, w = q
    tx, ty, tz = 2.0 * (y * v[2] - z * v[1]), 2.0 * (z * v[0] - x * v[2]), 2.0 * (x * v[1] - y * v[0])
    return (
        v[0] + w * tx + y * tz - z * ty,
        v[1] + w * ty + z * tx - x * tz,
        v[2] + w * tz + x * ty - y * tx,
    )


@kernel
def unrotate(q: Quaternion, v: Vector) -> Vector:
    """Return v, given in world axes, in body axes."""
    return rotate(conjugate(q), v)


@kernel
def axes_of(q: F64) -> F64:
    """Return the body axes in world axes, as columns (3, 3), of a quaternion (4,)."""
    out, turn = np.empty((3, 3)), (q[0], q[1], q[2], q[3])
    out[:, 0] = rotate(turn, (1.0, 0.0, 0.0))
    out[:, 1] = rotate(turn, (0.0, 1.0, 0.0))
    out[:, 2] = rotate(turn, (0.0, 0.0, 1.0))
    return out


@kernel
def turn_all(q: F64, by: F64) -> F64:
    """Return q[i] by[i] for all rows; shapes (n, 4)."""
    out = q.copy()
    for i in range(q.shape[0]):
        a = (q[i, 0], q[i, 1], q[i, 2], q[i, 3])
        b = (by[i, 0], by[i, 1], by[i, 2], by[i, 3])
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = multiply(a, b)
    return out
