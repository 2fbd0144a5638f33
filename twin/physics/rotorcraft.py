"""Multirotors of any layout: attitude control, rotors and air resistance of a whole group in one kernel.

A command is what an offboard acceleration setpoint of a PX4 autopilot is: acceleration (3) in world axes,
without gravity [m/s2], and yaw [rad]. A command whose thrust would have no upward part stops the rotors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from twin.kernels import kernel
from twin.physics.airframe import RotorcraftParameters, allocation
from twin.physics.rotation import Quaternion, Vector, cross, rotate, unrotate
from twin.state import F64, I64, BodyState

Axes = tuple[Vector, Vector, Vector]
"""The x, y and z axis of a frame, in world axes."""


class Airframe(NamedTuple):
    """Constants of a kind of drone, as the kernel takes them; R rotors."""

    mass: float  # kg
    inertia: Vector  # kg m2
    gravity: float  # m/s2
    mixer: F64  # (R, 4) rotor thrust per thrust and torque of the body
    effect: F64  # (4, R) thrust and torque of the body per rotor thrust
    thrust_coefficient: float  # N/(rad/s)2
    max_speed: float  # rad/s
    motor_time: float  # s
    max_tilt: float  # rad
    attitude_gain: Vector  # 1/s
    rate_gain: Vector  # 1/s
    max_rate: Vector  # rad/s
    linear_drag: Vector  # N/(m/s)
    quadratic_drag: Vector  # N/(m/s)2
    attitude_first: bool


class Rotorcraft:
    """Turns acceleration and yaw commands of n multirotors into the wrenches of their rotors and the air.

    Public between steps: `rotor_speed` (n, R) rad/s; `saturated` (n,), the number of ticks in which the
    rotors could not give what the attitude loop asked for; `air` (n, 3), velocity [m/s] of the air.
    """

    Parameters = RotorcraftParameters

    def __init__(self, parameters: Mapping[str, Any] | RotorcraftParameters, n: int) -> None:
        p = RotorcraftParameters.model_validate(parameters)
        self.mass, self.inertia = p.mass, np.array(p.inertia)
        effect = allocation(p)
        mixer = np.linalg.pinv(effect).astype(np.float64)
        self.airframe = Airframe(
            p.mass, p.inertia, p.gravity, mixer, effect, p.thrust_coefficient, p.max_rotor_speed,
            p.motor_time_constant, p.max_tilt, p.attitude_gain, p.rate_gain, p.max_rate, p.linear_drag,
            p.quadratic_drag, p.priority == "attitude",
        )  # fmt: skip
        self.rotor_speed: F64 = np.zeros((n, len(p.rotors)))
        self.saturated: I64 = np.zeros(n, dtype=np.int64)
        self.air: F64 = np.zeros((n, 3))
        self.reset()

    def reset(self) -> None:
        """Turn the rotors as they do in hover."""
        frame = self.airframe
        hover = frame.mixer[:, 0] * frame.mass * frame.gravity
        self.rotor_speed[:] = np.sqrt(hover / frame.thrust_coefficient)
        self.saturated[:] = 0
        self.air[:] = 0.0

    def wrench(self, state: BodyState, command: F64, dt: float) -> F64:
        """Return (n, 6): world-axes force [N] and torque [N m] at the centre of mass for the next `dt` s."""
        out: F64 = np.empty((len(command), 6))
        _wrenches(
            self.airframe, state.orientation, state.velocity, state.angular_velocity, command, self.air,
            self.rotor_speed, self.saturated, dt, out,
        )  # fmt: skip
        return out


@kernel
def _wrenches(
    frame: Airframe,
    orientation: F64,
    velocity: F64,
    angular_velocity: F64,
    command: F64,
    air: F64,
    speed: F64,
    saturated: I64,
    dt: float,
    out: F64,
) -> None:
    thrusts = np.empty(speed.shape[1])
    for i in range(command.shape[0]):
        q = (orientation[i, 0], orientation[i, 1], orientation[i, 2], orientation[i, 3])
        rates = unrotate(q, (angular_velocity[i, 0], angular_velocity[i, 1], angular_velocity[i, 2]))
        through_air = (velocity[i, 0] - air[i, 0], velocity[i, 1] - air[i, 1], velocity[i, 2] - air[i, 2])
        thrust, torque = _attitude_control(frame, q, rates, command[i])
        saturated[i] += _allocate(frame, thrust, torque, thrusts)
        _turn_rotors(frame, thrusts, speed[i], dt)
        lift, torque = _rotor_wrench(frame, speed[i])
        drag = _body_drag(frame, unrotate(q, through_air))
        out[i, 0], out[i, 1], out[i, 2] = rotate(q, (drag[0], drag[1], drag[2] + lift))
        out[i, 3], out[i, 4], out[i, 5] = rotate(q, torque)


@kernel
def _attitude_control(frame: Airframe, q: Quaternion, rates: Vector, command: F64) -> tuple[float, Vector]:
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
    return max(0.0, _dot(wanted, body[2])), torque


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
    size = np.sqrt(_dot(force, force))
    z = (force[0] / size, force[1] / size, force[2] / size)
    y = cross(z, (np.cos(yaw), np.sin(yaw), 0.0))
    size = np.sqrt(_dot(y, y))
    y = (y[0] / size, y[1] / size, y[2] / size)
    return cross(y, z), y, z


@kernel
def _attitude_error(d: Axes, b: Axes) -> Vector:
    """Return 2 sin(angle/2) times the axis from the wanted axes `d` to the body's axes `b`, in body axes."""
    trace = _dot(d[0], b[0]) + _dot(d[1], b[1]) + _dot(d[2], b[2])
    scale = 1.0 / np.sqrt(max(1.0 + trace, 1e-9))
    return (
        scale * (_dot(d[2], b[1]) - _dot(d[1], b[2])),
        scale * (_dot(d[0], b[2]) - _dot(d[2], b[0])),
        scale * (_dot(d[1], b[0]) - _dot(d[0], b[1])),
    )


@kernel
def _rate_control(error: float, rate: float, most: float, attitude_gain: float, rate_gain: float) -> float:
    """Return the wanted angular acceleration [rad/s2] about one axis."""
    wanted = min(most, max(-most, -attitude_gain * error))
    return rate_gain * (wanted - rate)


@kernel
def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@kernel
def _allocate(frame: Airframe, thrust: float, torque: Vector, thrusts: F64) -> bool:
    """Write rotor thrusts [N] within their limits; return whether anything had to be given up for that.

    Given up first: yaw; then thrust before roll and pitch, or the other way round, as the priority says.
    """
    limit = frame.thrust_coefficient * frame.max_speed**2
    given = thrust
    if frame.attitude_first and thrust > 0.0:
        given = _room_for_tilt(frame.mixer, thrust, torque, limit)
    for r in range(thrusts.shape[0]):
        given = min(given, limit / frame.mixer[r, 0])
    for r in range(thrusts.shape[0]):
        thrusts[r] = frame.mixer[r, 0] * given
    share = _add_share(thrusts, frame.mixer, (0.0, torque[0], torque[1], 0.0), limit)
    share = min(share, _add_share(thrusts, frame.mixer, (0.0, 0.0, 0.0, torque[2]), limit))
    return share < 1.0 or given != thrust


@kernel
def _room_for_tilt(mixer: F64, thrust: float, torque: Vector, limit: float) -> float:
    """Return the thrust nearest to the wanted one with which every rotor can do its part of roll and pitch."""
    least, most = 0.0, np.inf
    for r in range(mixer.shape[0]):
        part = mixer[r, 1] * torque[0] + mixer[r, 2] * torque[1]
        most = min(most, (limit - part) / mixer[r, 0])
        least = max(least, -part / mixer[r, 0])
    return max(least, min(most, thrust))


@kernel
def _add_share(thrusts: F64, mixer: F64, wanted: Quaternion, limit: float) -> float:
    """Add as much of the wanted torques (0, x, y, z) as keeps all thrusts within 0 and `limit`; return the share."""
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


@kernel
def _turn_rotors(frame: Airframe, thrusts: F64, speed: F64, dt: float) -> None:
    """Let each rotor follow its wanted speed as a first-order lag, exactly over dt."""
    blend = 1.0 - np.exp(-dt / frame.motor_time)
    for r in range(speed.shape[0]):
        speed[r] += blend * (np.sqrt(thrusts[r] / frame.thrust_coefficient) - speed[r])


@kernel
def _rotor_wrench(frame: Airframe, speed: F64) -> tuple[float, Vector]:
    lift, x, y, z = 0.0, 0.0, 0.0, 0.0
    for r in range(speed.shape[0]):
        thrust = frame.thrust_coefficient * speed[r] ** 2
        lift += frame.effect[0, r] * thrust
        x += frame.effect[1, r] * thrust
        y += frame.effect[2, r] * thrust
        z += frame.effect[3, r] * thrust
    return lift, (x, y, z)


@kernel
def _body_drag(frame: Airframe, v: Vector) -> Vector:
    """Return the drag in body axes for the velocity `v` through the air, linear and quadratic."""
    speed = np.sqrt(_dot(v, v))
    return (
        -(frame.linear_drag[0] + frame.quadratic_drag[0] * speed) * v[0],
        -(frame.linear_drag[1] + frame.quadratic_drag[1] * speed) * v[1],
        -(frame.linear_drag[2] + frame.quadratic_drag[2] * speed) * v[2],
    )
