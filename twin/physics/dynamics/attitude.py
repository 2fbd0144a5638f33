"""Onboard control of a multirotor: from a wanted acceleration and yaw to rotor thrusts, in kernels."""

from __future__ import annotations

import numpy as np

from twin.numerics.kernels import kernel
from twin.numerics.rotation import Quaternion, Vector, cross, dot, rotate
from twin.physics.dynamics.airframe import Airframe
from twin.state import F64

Axes = tuple[Vector, Vector, Vector]
"""The x, y and z axis of a frame, in world axes."""


@kernel
def attitude_control(frame: Airframe, q: Quaternion, rates: Vector, command: F64) -> tuple[float, Vector]:
    """Return thrust along body z and torque in body axes [N, N m].

    Attitude error on SO(3) for large angles: Lee, Exponential stability of an attitude tracking control
    system on SO(3) for large-angle rotational maneuvers, Systems & Control Letters 61 (2012). A cascade as in
    PX4: attitude error -> wanted rates -> torque, with the gyroscopic torque fed forward.
    """
    wanted = _wanted_force(frame, command)
    if wanted[2] <= 0.0:
        return 0.0, (0.0, 0.0, 0.0)
    body = (rotate(q, (1.0, 0.0, 0.0)), rotate(q, (0.0, 1.0, 0.0)), rotate(q, (0.0, 0.0, 1.0)))
    error = _attitude_error(_wanted_axes(wanted, command[3]), body)
    most, p, d, inertia = frame.max_rate, frame.attitude_gain, frame.rate_gain, frame.inertia
    spin = cross(rates, (inertia[0] * rates[0], inertia[1] * rates[1], inertia[2] * rates[2]))
    torque = (
        spin[0] + inertia[0] * _rate_control(error[0], rates[0], most[0], p[0], d[0]),
        spin[1] + inertia[1] * _rate_control(error[1], rates[1], most[1], p[1], d[1]),
        spin[2] + inertia[2] * _rate_control(error[2], rates[2], most[2], p[2], d[2]),
    )
    return max(0.0, dot(wanted, body[2])), torque


@kernel
def _wanted_force(frame: Airframe, command: F64) -> Vector:
    x, y = frame.mass * command[0], frame.mass * command[1]
    z = frame.mass * (command[2] + frame.gravity)
    sideways, allowed = np.hypot(x, y), max(0.0, z) * np.tan(frame.max_tilt)
    if sideways > allowed:  # height goes before place
        x, y = x * allowed / sideways, y * allowed / sideways
    return x, y, z


@kernel
def _wanted_axes(force: Vector, yaw: float) -> Axes:
    size = np.sqrt(dot(force, force))
    z = (force[0] / size, force[1] / size, force[2] / size)
    y = cross(z, (np.cos(yaw), np.sin(yaw), 0.0))
    size = np.sqrt(dot(y, y))
    y = (y[0] / size, y[1] / size, y[2] / size)
    return cross(y, z), y, z


@kernel
def _attitude_error(d: Axes, b: Axes) -> Vector:
    """Return 2 sin(angle/2) times the axis from the wanted axes `d` to the body's axes `b`, in body axes."""
    trace = dot(d[0], b[0]) + dot(d[1], b[1]) + dot(d[2], b[2])
    scale = 1.0 / np.sqrt(max(1.0 + trace, 1e-9))
    return (
        scale * (dot(d[2], b[1]) - dot(d[1], b[2])),
        scale * (dot(d[0], b[2]) - dot(d[2], b[0])),
        scale * (dot(d[1], b[0]) - dot(d[0], b[1])),
    )


@kernel
def _rate_control(error: float, rate: float, most: float, attitude_gain: float, rate_gain: float) -> float:
    """Return the wanted angular acceleration [rad/s2] about one axis."""
    wanted = min(most, max(-most, -attitude_gain * error))
    return rate_gain * (wanted - rate)


@kernel
def allocate(mixer: F64, attitude_first: bool, thrust: float, torque: Vector, limit: float, thrusts: F64) -> bool:
    """Write rotor thrusts [N] within 0 and `limit`; return whether anything had to be given up for that.

    Given up first: yaw; then thrust before roll and pitch, or the other way round, as the priority says.
    """
    given = thrust
    if attitude_first and thrust > 0.0:
        given = _room_for_tilt(mixer, thrust, torque, limit)
    for r in range(thrusts.shape[0]):
        given = min(given, limit / mixer[r, 0])
    for r in range(thrusts.shape[0]):
        thrusts[r] = mixer[r, 0] * given
    share = _add_share(thrusts, mixer, (0.0, torque[0], torque[1], 0.0), limit)
    share = min(share, _add_share(thrusts, mixer, (0.0, 0.0, 0.0, torque[2]), limit))
    return share < 1.0 or given != thrust


@kernel
def _room_for_tilt(mixer: F64, thrust: float, torque: Vector, limit: float) -> float:
    """Return the thrust nearest to the wanted one at which no rotor lacks its part of roll and pitch."""
    least, most = 0.0, np.inf
    for r in range(mixer.shape[0]):
        part = mixer[r, 1] * torque[0] + mixer[r, 2] * torque[1]
        most = min(most, (limit - part) / mixer[r, 0])
        least = max(least, -part / mixer[r, 0])
    return max(least, min(most, thrust))


@kernel
def _add_share(thrusts: F64, mixer: F64, wanted: Quaternion, limit: float) -> float:
    """Add as much of the wanted torques (0, x, y, z) as all thrusts have room for; return that share."""
    share = 1.0
    for r in range(thrusts.shape[0]):
        part = mixer[r, 1] * wanted[1] + mixer[r, 2] * wanted[2] + mixer[r, 3] * wanted[3]
        if thrusts[r] + part > limit:
            share = min(share, (limit - thrusts[r]) / part)
        elif thrusts[r] + part < 0.0:
            share = min(share, -thrusts[r] / part)
    for r in range(thrusts.shape[0]):
        part = mixer[r, 1] * wanted[1] + mixer[r, 2] * wanted[2] + mixer[r, 3] * wanted[3]
        thrusts[r] = min(limit, max(0.0, thrusts[r] + share * part))
    return share
