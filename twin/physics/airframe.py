"""What robot.toml says about a multirotor, checked."""

from __future__ import annotations

from math import pi
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from twin.specs import Point, Spec
from twin.state import F64
from twin.units import Kilograms, Radians, RadiansPerSecond, Seconds

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]


class Rotor(Spec):
    """A rotor that lifts along body z: its place from the centre of mass, and which way it turns."""

    position: Point
    spin: Literal["ccw", "cw"]  # seen from above


class RotorcraftParameters(Spec):
    """Airframe, rotors and onboard loops of a multirotor; triples are x, y, z in body axes."""

    mass: Kilograms = Field(gt=0)
    inertia: tuple[Positive, Positive, Positive]  # kg m2
    gravity: Positive = 9.81  # m/s2, what the onboard computer adds to a wanted acceleration
    rotors: tuple[Rotor, ...] = Field(min_length=4)
    thrust_coefficient: Positive  # N/(rad/s)2
    torque_coefficient: Positive  # N m/(rad/s)2
    max_rotor_speed: RadiansPerSecond = Field(gt=0)
    motor_time_constant: Seconds = Field(gt=0)
    linear_drag: tuple[NonNegative, NonNegative, NonNegative] = (0.0, 0.0, 0.0)  # N/(m/s)
    quadratic_drag: tuple[NonNegative, NonNegative, NonNegative] = (0.0, 0.0, 0.0)  # N/(m/s)2
    attitude_gain: tuple[Positive, Positive, Positive] = (8.0, 8.0, 3.0)  # 1/s, wanted rate per error
    rate_gain: tuple[Positive, Positive, Positive] = (20.0, 20.0, 8.0)  # 1/s, acceleration per rate error
    max_rate: tuple[Positive, Positive, Positive] = (4.0, 4.0, 2.0)  # rad/s
    max_tilt: Radians = Field(default=pi / 4, gt=0, lt=pi / 2)
    priority: Literal["attitude", "thrust"] = "attitude"  # what saturated rotors keep up


def allocation(parameters: RotorcraftParameters) -> F64:
    """Return (4, R): thrust [N] and torque about x, y, z [N m] of the body per rotor thrust [N].

    A rotor's reaction torque turns the body against the rotor's own spin.

    Raises:
        ValueError: the rotors can't turn the body about all three axes.
    """
    places = np.array([rotor.position for rotor in parameters.rotors])
    turning = np.array([-1.0 if rotor.spin == "ccw" else 1.0 for rotor in parameters.rotors])
    reaction = turning * parameters.torque_coefficient / parameters.thrust_coefficient
    effect: F64 = np.array([np.ones(len(places)), places[:, 1], -places[:, 0], reaction])
    if np.linalg.matrix_rank(effect) < 4:
        raise ValueError("these rotors can't turn the body about all three axes")
    if np.any(np.linalg.pinv(effect)[:, 0] <= 0):
        raise ValueError("some rotors don't lift in hover: the centre of mass lies outside of the rotors")
    return effect
