"""Rotors, their battery and the air round them, in kernels."""

from __future__ import annotations

import numpy as np

from twin.numerics.kernels import kernel
from twin.numerics.rotation import Vector, cross, dot
from twin.numerics.vectors import plus, row_of
from twin.physics.dynamics.airframe import Airframe, Battery
from twin.state import F64

AIR_DENSITY = 1.225
"""kg/m3"""
LOWEST = 0.5
"""Radii above ground below which the ground effect stays as it is there: nearer, its law isn't measured."""


@kernel
def turn_rotors(frame: Airframe, thrusts: F64, speed: F64, dt: float, mean: F64) -> None:
    """Let each rotor follow its wanted speed as a first-order lag, exactly over dt.

    `mean` (R, 2) gets the means of its speed and of its square over dt: from w0 to w the gap falls as exp(-t/T).
    """
    late = frame.motor_time / dt
    left = np.exp(-1.0 / late)
    once, twice = -late * np.expm1(-1.0 / late), -0.5 * late * np.expm1(-2.0 / late)
    for r in range(speed.shape[0]):
        wanted = np.sqrt(thrusts[r] / frame.thrust_coefficient)
        gap = speed[r] - wanted
        mean[r, 0] = wanted + gap * once
        mean[r, 1] = wanted * wanted + 2.0 * wanted * gap * once + gap * gap * twice
        speed[r] = wanted + gap * left


@kernel
def shaft_power(frame: Airframe, mean: F64) -> float:
    """Return what turning the rotors takes [W]: torque times speed; `mean` (R, 2) as of `turn_rotors`."""
    power = 0.0
    for r in range(mean.shape[0]):
        power += frame.torque_coefficient * mean[r, 0] * mean[r, 1]
    return power


@kernel
def discharge(battery: Battery, used: float, power: float) -> tuple[float, float]:
    """Return current [A] and terminal voltage [V] when `used` J are gone and `power` W are asked for.

    V I = P with V = E - R I; where the battery can't give P, it gives its most, E^2 / 4R.
    """
    share = used / battery.energy
    if share >= 1.0:
        return 0.0, 0.0
    curve, p = battery.curve, 1
    while curve[p, 0] < share:
        p += 1
    along = (share - curve[p - 1, 0]) / (curve[p, 0] - curve[p - 1, 0])
    source = curve[p - 1, 1] + along * (curve[p, 1] - curve[p - 1, 1])
    root = np.sqrt(max(0.0, source * source - 4.0 * battery.resistance * power))
    voltage = 0.5 * (source + root)
    return power / voltage if root > 0.0 else 0.5 * source / battery.resistance, voltage


@kernel
def induced_speed(hover: float, along: float, across: float) -> float:
    """Return the speed [m/s] that rotors give the air, whose induced speed in hover is `hover`, in a flow past them.

    `along` is the speed against the thrust's wake (climb), `across` that in the rotors' plane. Glauert's equation
    v |(across, along + v)| = hover^2 by Newton's method (Leishman, Principles of Helicopter Aerodynamics, 2006, 2.14),
    in descents on the branch of hover, as if there were no vortex ring.
    """
    v: float = -0.5 * along + np.sqrt(0.25 * along * along + hover * hover)
    for _ in range(8):
        through = along + v
        size = np.sqrt(across * across + through * through)
        v -= (v * size - hover * hover) / (size + v * through / size)
    return v


@kernel
def inflow_power(frame: Airframe, mean: F64, flow: Vector) -> float:
    """Return by how much the power [W] of the rotors in this flow (body axes) is above that in still air.

    Momentum theory: thrust times what the air goes through the rotors faster than in hover, T (V + v - vh).
    """
    thrust = 0.0
    for r in range(mean.shape[0]):
        thrust += frame.thrust_coefficient * mean[r, 1]
    if thrust <= 0.0:
        return 0.0
    disk = mean.shape[0] * np.pi * frame.radius * frame.radius
    hover = np.sqrt(thrust / (2.0 * AIR_DENSITY * disk))
    across = np.sqrt(flow[0] * flow[0] + flow[1] * flow[1])
    extra: float = thrust * (flow[2] + induced_speed(hover, flow[2], across) - hover)
    return extra


@kernel
def ground_effect(height: float, radius: float) -> float:
    """Return thrust near the ground over thrust far from it, of a rotor `height` m above it.

    1 / (1 - (R / 4z)^2): Cheeseman and Bennett, The effect of the ground on a helicopter rotor in forward
    flight, ARC R&M 3021 (1955).
    """
    ratio = radius / (4.0 * max(height, LOWEST * radius))
    return 1.0 / (1.0 - ratio * ratio)


@kernel
def rotor_forces(
    frame: Airframe, mean: F64, flow: Vector, rates: Vector, up: Vector, height: float
) -> tuple[Vector, Vector]:
    """Return force [N] and torque [N m] of all rotors in body axes; `mean` (R, 2) as of `turn_rotors`.

    `flow` is the body's velocity through the air and `up` the world's z, both in body axes; `height` [m] is
    that of the centre of mass above ground. Drag of a rotor is -(its speed) D (its velocity through the air):
    Faessler, Franchi and Scaramuzza, Differential flatness of quadrotor dynamics subject to rotor drag,
    IEEE RA-L 3(2), 2018; its z part is the loss of thrust in a climb.
    """
    force, torque = (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    for r in range(mean.shape[0]):
        w, square = mean[r, 0], mean[r, 1]
        place = row_of(frame.place, r)
        sweep = cross(rates, place)
        thrust = frame.thrust_coefficient * square
        lift = thrust * ground_effect(height + dot(up, place), frame.radius)
        push = (
            -w * frame.rotor_drag[0] * (flow[0] + sweep[0]),
            -w * frame.rotor_drag[1] * (flow[1] + sweep[1]),
            -w * frame.rotor_drag[2] * (flow[2] + sweep[2]) + lift,
        )
        turn = cross(place, push)
        reaction = frame.turning[r] * frame.torque_coefficient * square
        force = plus(force, push)
        torque = (torque[0] + turn[0], torque[1] + turn[1], torque[2] + turn[2] + reaction)
    return force, torque


@kernel
def body_drag(frame: Airframe, flow: Vector) -> Vector:
    """Return the drag of the body [N] in body axes, linear and quadratic."""
    speed = np.sqrt(dot(flow, flow))
    return (
        -(frame.linear_drag[0] + frame.quadratic_drag[0] * speed) * flow[0],
        -(frame.linear_drag[1] + frame.quadratic_drag[1] * speed) * flow[1],
        -(frame.linear_drag[2] + frame.quadratic_drag[2] * speed) * flow[2],
    )
