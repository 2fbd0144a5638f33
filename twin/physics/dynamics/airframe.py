"""What robot.toml says about a multirotor, checked, and the constants that kernels take from it."""

from __future__ import annotations

from math import inf, pi
from typing import Annotated, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from twin.numerics.rotation import Vector
from twin.specs import Point, Spec
from twin.state import F64
from twin.units import Kilograms, Metres, Radians, RadiansPerSecond, Seconds, Speed

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
PerAxis = tuple[Positive, Positive, Positive]
Drag = tuple[NonNegative, NonNegative, NonNegative]


class RotorSpec(Spec):
    """A rotor that lifts along body z: its place from the centre of mass, and which way it turns."""

    position: Point
    spin: Literal["ccw", "cw"]  # seen from above


class BatterySpec(Spec):
    """A battery whose open-circuit voltage falls with its charge, behind a resistance.

    It falls as `curve` says: on a straight line; as that of a lithium-polymer cell, measured by Chen and Rincon-Mora
    (IEEE Trans. Energy Conversion 21(2), 2006, equation 2), between the full and the empty voltage; or through points
    of your own, (share of the energy used, share of the way from the full to the empty voltage), from (0, 0) to (1, 1).
    """

    energy: Positive  # J
    full_voltage: Positive  # V
    empty_voltage: Positive  # V
    curve: Literal["linear", "lithium-polymer"] | tuple[tuple[Share, Share], ...] = "linear"
    voltage_exponent: float = Field(default=1.0, gt=0, le=1)  # of the top speed of the rotors, which falls with voltage
    resistance: NonNegative = 0.0  # ohm
    efficiency: float = Field(default=0.8, gt=0, le=1)  # of motors and their drives
    hotel: NonNegative = 0.0  # W, everything but the rotors


    @model_validator(mode="after")
    def _falls_from_full_to_empty(self) -> Self:
        if not isinstance(self.curve, str):
            used, fallen = np.array(self.curve).reshape(-1, 2).T
            rising = len(used) > 1 and bool((np.diff(used) > 0).all() and (np.diff(fallen) >= 0).all())
            if not rising or (used[0], fallen[0], used[-1], fallen[-1]) != (0.0, 0.0, 1.0, 1.0):
                raise ValueError("curve: found points that don't lead from (0, 0) to (1, 1) without turning back")
        return self


class RotorcraftParameters(Spec):
    """Airframe, rotors and onboard loops of a multirotor; triples are x, y, z in body axes."""

    mass: Kilograms = Field(gt=0)
    inertia: PerAxis  # kg m2
    gravity: Positive = 9.81  # m/s2, what the onboard computer adds to a wanted acceleration
    rotors: tuple[RotorSpec, ...] = Field(min_length=4)
    rotor_radius: Metres = Field(gt=0)
    thrust_coefficient: Positive  # N/(rad/s)2
    torque_coefficient: Positive  # N m/(rad/s)2
    max_rotor_speed: RadiansPerSecond = Field(gt=0)  # at full voltage
    motor_time_constant: Seconds = Field(gt=0)
    rotor_drag: Drag = (0.0, 0.0, 0.0)  # N/((rad/s)(m/s)), of each rotor
    linear_drag: Drag = (0.0, 0.0, 0.0)  # N/(m/s), of the body
    quadratic_drag: Drag = (0.0, 0.0, 0.0)  # N/(m/s)2, of the body
    attitude_gain: PerAxis = (8.0, 8.0, 3.0)  # 1/s, wanted rate per error
    rate_gain: PerAxis = (20.0, 20.0, 8.0)  # 1/s, acceleration per rate error
    max_rate: PerAxis = (4.0, 4.0, 2.0)  # rad/s
    max_tilt: Radians = Field(default=pi / 4, gt=0, lt=pi / 2)
    priority: Literal["attitude", "thrust"] = "attitude"  # what saturated rotors keep up
    setpoint: Literal["acceleration", "motors"] = "acceleration"  # what a command is; motors: nothing onboard
    break_speed: Speed | None = Field(default=None, gt=0)  # of a contact, beyond which the rotors break; None: never
    battery: BatterySpec | None = None  # None: never empty, never sags


class Battery(NamedTuple):
    """Constants of a battery, as kernels take them."""

    energy: float  # J
    full_voltage: float  # V
    curve: F64  # (P, 2) share of the energy used, open-circuit voltage [V]
    exponent: float  # of the rotors' top speed over voltage
    resistance: float  # ohm
    efficiency: float
    hotel: float  # W


class Airframe(NamedTuple):
    """Constants of a kind of multirotor, as kernels take them; R rotors."""

    mass: float  # kg
    inertia: Vector  # kg m2
    gravity: float  # m/s2
    mixer: F64  # (R, 4) rotor thrust per thrust and torque x, y, z of the body
    place: F64  # (R, 3) m
    turning: F64  # (R,) -1 for a rotor that turns counterclockwise: its reaction's sense about z
    radius: float  # m
    thrust_coefficient: float  # N/(rad/s)2
    torque_coefficient: float  # N m/(rad/s)2
    max_speed: float  # rad/s
    motor_time: float  # s
    rotor_drag: Vector  # N/((rad/s)(m/s))
    linear_drag: Vector  # N/(m/s)
    quadratic_drag: Vector  # N/(m/s)2
    attitude_gain: Vector  # 1/s
    rate_gain: Vector  # 1/s
    max_rate: Vector  # rad/s
    max_tilt: float  # rad
    attitude_first: bool
    motors: bool  # commands are motor setpoints
    battery: Battery


def airframe(p: RotorcraftParameters) -> Airframe:
    """Return the constants that these parameters mean.

    Raises:
        ValueError: the rotors can't turn the body about all three axes, or can't carry it.
    """
    place = np.array([rotor.position for rotor in p.rotors], dtype=np.float64)
    turning = np.array([-1.0 if rotor.spin == "ccw" else 1.0 for rotor in p.rotors])
    mixer = _mixer(place, turning * p.torque_coefficient / p.thrust_coefficient)
    hover = mixer[:, 0].max() * p.mass * p.gravity
    if hover >= p.thrust_coefficient * p.max_rotor_speed**2:
        raise ValueError(f"a rotor must lift {hover:.2f} N in hover, which is beyond its maximum speed")
    b = p.battery
    battery = Battery(
        energy=inf if b is None else b.energy,
        full_voltage=1.0 if b is None else b.full_voltage,
        curve=np.array([[0.0, 1.0], [1.0, 1.0]]) if b is None else discharge_curve(b),
        exponent=1.0 if b is None else b.voltage_exponent,
        resistance=0.0 if b is None else b.resistance,
        efficiency=1.0 if b is None else b.efficiency,
        hotel=0.0 if b is None else b.hotel,
    )
    return Airframe(
        mass=p.mass,
        inertia=p.inertia,
        gravity=p.gravity,
        mixer=mixer,
        place=place,
        turning=turning,
        radius=p.rotor_radius,
        thrust_coefficient=p.thrust_coefficient,
        torque_coefficient=p.torque_coefficient,
        max_speed=p.max_rotor_speed,
        motor_time=p.motor_time_constant,
        rotor_drag=p.rotor_drag,
        linear_drag=p.linear_drag,
        quadratic_drag=p.quadratic_drag,
        attitude_gain=p.attitude_gain,
        rate_gain=p.rate_gain,
        max_rate=p.max_rate,
        max_tilt=p.max_tilt,
        attitude_first=p.priority == "attitude",
        motors=p.setpoint == "motors",
        battery=battery,
    )


def discharge_curve(b: BatterySpec) -> F64:
    """Return (P, 2): open-circuit voltage [V] over the share of the energy used."""
    if b.curve == "lithium-polymer":
        used = np.linspace(0.0, 1.0, 101)
        left = 1.0 - used
        cell = -1.031 * np.exp(-35.0 * left) + 3.685 + 0.2156 * left - 0.1178 * left**2 + 0.3201 * left**3
        fallen = (cell[0] - cell) / (cell[0] - cell[-1])
    else:
        used, fallen = np.array([(0.0, 0.0), (1.0, 1.0)] if b.curve == "linear" else b.curve).T
    return np.column_stack([used, b.full_voltage + fallen * (b.empty_voltage - b.full_voltage)])


def _mixer(place: F64, reaction: F64) -> F64:
    """Return (R, 4): least rotor thrusts for thrust and torques; `reaction` (R,) is torque per thrust."""
    effect = np.array([np.ones(len(place)), place[:, 1], -place[:, 0], reaction])
    if np.linalg.matrix_rank(effect) < 4:
        raise ValueError("these rotors can't turn the body about all three axes")
    mixer: F64 = np.ascontiguousarray(np.linalg.pinv(effect), dtype=np.float64)
    if np.any(mixer[:, 0] <= 0):
        raise ValueError("some rotors don't lift in hover: the centre of mass lies outside of the rotors")
    return mixer
