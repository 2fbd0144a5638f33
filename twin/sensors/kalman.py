"""An error-state Kalman filter of an inertial navigation system, one robot per call, in kernels.

The state (19,) is place, velocity, orientation (xyzw, body to world), biases of gyros, of accelerometers and of fixes;
the covariance (18, 18) is of their errors, that of the orientation a small turn in world axes (Sola, Quaternion
kinematics for the error-state Kalman filter, arXiv:1711.02508, section 7: global angular error). The bias of fixes is a
first-order Gauss-Markov process (Gelb, Applied Optimal Estimation, 1974, section 4.5). Readings are taken in one number
at a time; one that is old is held against where the filter was then, and corrects it now.
"""

from __future__ import annotations

import numpy as np

from twin.numerics.kernels import kernel
from twin.numerics.rotation import Quaternion, axes_of, multiply
from twin.state import F64

STATE, ERRORS, PAST = 19, 18, 8
MEASURED = 8
"""Numbers that may be read: place and velocity (6), height, heading."""
HEIGHT, HEADING = 6, 7
_GRAVITY = 9.81


@kernel
def predict(x: F64, p: F64, imu: F64, dt: float, density: F64, offset: F64) -> None:
    """Carry state and covariance on by `dt` [s] with specific force and angular rate (6,).

    `density` (5,): noise of accelerometers and gyros per root of hertz, walks of their biases per root of a second, and
    the time [s] over which fixes' biases change, which have the standard deviations `offset` (3,) [m].
    """
    turn = (imu[3:] - x[10:13]) * dt
    half = np.empty(4)
    half[:] = _turned(x[6:10], 0.5 * turn)
    axes = axes_of(half)
    x[6:10] = _turned(x[6:10], turn)
    force = axes @ (imu[:3] - x[13:16])
    x[:3] += dt * x[3:6] + 0.5 * dt * dt * (force - np.array([0.0, 0.0, _GRAVITY]))
    x[3:6] += dt * (force - np.array([0.0, 0.0, _GRAVITY]))
    step, left = np.eye(ERRORS), np.exp(-dt / density[4])
    for k in range(3):
        a, b = (k + 1) % 3, (k + 2) % 3
        step[k, 3 + k] = dt
        step[3 + k, 6 + a], step[3 + k, 6 + b] = dt * force[b], -dt * force[a]  # turn x force
        for j in range(3):
            step[3 + k, 12 + j] = step[6 + k, 9 + j] = -dt * axes[k, j]
        step[15 + k, 15 + k] = left
    x[16:19] *= left
    p[:] = step @ p @ step.T
    for k in range(3):
        p[3 + k, 3 + k] += density[0] ** 2 * dt
        p[6 + k, 6 + k] += density[1] ** 2 * dt
        p[9 + k, 9 + k] += density[3] ** 2 * dt
        p[12 + k, 12 + k] += density[2] ** 2 * dt
        p[15 + k, 15 + k] += offset[k] ** 2 * (1.0 - left * left)


@kernel
def remember(x: F64, past: F64, head: int, time: float) -> int:
    """Note time [s], place, velocity and heading in the ring `past` (H, 8); return where they stand."""
    head = (head + 1) % len(past)
    past[head, 0], past[head, 1:7], past[head, 7] = time, x[:6], _heading(x[6:10])
    return head


@kernel
def update(x: F64, p: F64, past: F64, head: int, measured: F64) -> None:
    """Take in readings (8, 3): value, variance (nan: none) and age [s]."""
    h, then = np.empty(ERRORS), np.empty(7)
    for m in range(MEASURED):
        if np.isnan(measured[m, 1]):
            continue
        age = measured[m, 2]
        _recall(past, head, past[head, 0] - age, then)
        h[:] = 0.0
        if m == HEADING:
            ahead = axes_of(x[6:10])[:, 0]
            flat = ahead[0] ** 2 + ahead[1] ** 2
            h[6], h[7], h[8] = -ahead[0] * ahead[2] / flat, -ahead[1] * ahead[2] / flat, 1.0
            gap = measured[m, 0] - then[6]
            gap -= 2.0 * np.pi * np.round(gap / (2.0 * np.pi))
        else:
            k = 2 if m == HEIGHT else m
            gap = measured[m, 0] - then[k]
            h[k] = 1.0
            if m < 3:
                h[15 + m] = 1.0
                gap -= x[16 + m]
            if k < 3:
                h[3 + k] = -age  # what the speed is wrong by has moved the place since
        _correct(x, p, past, h, gap, measured[m, 1])


@kernel
def _correct(x: F64, p: F64, past: F64, h: F64, gap: float, variance: float) -> None:
    """Let one number, `gap` from what was expected by h (18,), correct the state, its covariance and its past."""
    reach = p @ h
    size = h @ reach + variance
    error = reach * (gap / size)
    for i in range(ERRORS):
        for j in range(ERRORS):
            p[i, j] -= reach[i] * reach[j] / size
    before = _heading(x[6:10])
    x[:6] += error[:6]
    x[6:10] = _turned_in_world(x[6:10], error[6:9])
    x[10:19] += error[9:18]
    turned = _heading(x[6:10]) - before
    for i in range(len(past)):
        past[i, 1:7] += error[:6]
        past[i, 7] += turned


@kernel
def _recall(past: F64, head: int, time: float, then: F64) -> None:
    """Write place, velocity and heading (7,) at `time` [s], on the straight line between what is remembered."""
    at, later = head, head
    for _ in range(len(past) - 1):
        if past[at, 0] > time + 1e-10:
            later, at = at, (at - 1) % len(past)
    span = past[later, 0] - past[at, 0]
    share = (time - past[at, 0]) / span if span > 0.0 else 0.0
    then[:] = past[at, 1:] + share * (past[later, 1:] - past[at, 1:])
    if abs(past[later, 7] - past[at, 7]) > np.pi:
        then[6] = past[at, 7]


@kernel
def _heading(q: F64) -> float:
    heading: float = np.arctan2(2.0 * (q[3] * q[2] + q[0] * q[1]), 1.0 - 2.0 * (q[1] ** 2 + q[2] ** 2))
    return heading


@kernel
def _small(turn: F64) -> Quaternion:
    size = np.sqrt(turn @ turn)
    scale = np.sin(0.5 * size) / size if size > 0.0 else 0.5
    return scale * turn[0], scale * turn[1], scale * turn[2], float(np.cos(0.5 * size))


@kernel
def _turned(q: F64, turn: F64) -> F64:
    """Return orientation q (4,) after a turn (3,) [rad] in body axes, of unit length."""
    return _unit(multiply((q[0], q[1], q[2], q[3]), _small(turn)))


@kernel
def _turned_in_world(q: F64, turn: F64) -> F64:
    return _unit(multiply(_small(turn), (q[0], q[1], q[2], q[3])))


@kernel
def _unit(q: Quaternion) -> F64:
    size = np.sqrt(q[0] ** 2 + q[1] ** 2 + q[2] ** 2 + q[3] ** 2)
    return np.array([q[0] / size, q[1] / size, q[2] / size, q[3] / size])
