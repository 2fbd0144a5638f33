"""What a wheeled robot is made of: its wheels, what they may do, and its battery, as kernels take them."""

from __future__ import annotations

from math import pi
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import Field

from twin.errors import ScenarioError
from twin.mechanism.urdf import parse_urdf, vector_of
from twin.specs import Spec
from twin.state import F64
from twin.units import Hertz, Joules, Metres, RadiansPerSecond, Speed, unit

GRAVITY = 9.81
"""m/s2"""
_DAMPING = 0.7
"""Of the springs, as a share of critical damping under each wheel's own load."""


class BatterySpec(Spec):
    """A battery that gives energy and takes it back at a charging station."""

    energy: Joules = Field(default=1.7e6, gt=0)
    charge: float = Field(default=1.0, gt=0, le=1)  # share of the energy at the start
    hotel: Annotated[float, unit("W")] = Field(default=40.0, ge=0)  # what all takes besides the drives
    efficiency: float = Field(default=0.8, gt=0, le=1)  # of the drives; braking gives nothing back
    charger: Annotated[float, unit("W")] = Field(default=1000.0, ge=0)


class WheelsParameters(Spec):
    """A chassis on wheels; its URDF's root frame lies on the floor, in the middle between the driven wheels."""

    drive: Literal["differential", "mecanum"] = "differential"
    radius: Metres = Field(gt=0)
    track: Metres = Field(gt=0)  # between the wheels' planes, left and right
    base: Metres = Field(gt=0)  # between front and rear: castors of a differential drive, else driven wheels
    driven_load: float = Field(default=0.6, gt=0, le=0.9)  # share of the weight on driven wheels between castors
    friction: float = Field(default=0.7, gt=0)
    rolling_resistance: float = Field(default=0.01, ge=0)
    torque: Annotated[float, unit("N m")] = Field(gt=0)  # of each driven wheel, at most
    wheel_inertia: Annotated[float, unit("kg m2")] = Field(default=0.02, gt=0)  # with motor and gear
    bandwidth: Hertz = Field(default=6.0, gt=0)  # of the drives' speed loop
    sag: Metres = Field(default=0.004, gt=0)  # of the springs, standing
    speed: Speed = Field(gt=0)
    turning: RadiansPerSecond = Field(gt=0)
    acceleration: Annotated[float, unit("m/s2")] = Field(default=1.0, gt=0)
    braking: Annotated[float, unit("m/s2")] = Field(default=1.5, gt=0)
    turning_acceleration: Annotated[float, unit("rad/s2")] = Field(default=3.0, gt=0)
    battery: BatterySpec = BatterySpec()


class Chassis(NamedTuple):
    """Constants of one kind; D driven wheels, which come first of all W wheels."""

    mass: float
    yaw_inertia: float
    place: F64  # (W, 3) m, where each wheel touches the floor, from the centre of mass
    spring: F64  # (W,) N/m
    damper: F64  # (W,) N s/m
    along: F64  # (D, 3) row that gives the speed of wheel and floor along the axis in which the wheel drives
    across: F64  # (D, 3) the same across it; zeros where rollers give way
    drive: F64  # (D, 3) wheel speeds [rad/s] by velocity of the root frame (forward, left, turning)
    lever: F64  # (D,) m, of the force along that axis
    radius: float
    inertia: float
    torque: float
    friction: float
    resistance: float
    rate: float  # 1/s
    sag: float
    limit: tuple[float, float, float, float, float]  # speed, turning, acceleration, braking, turning acceleration
    energy: float
    hotel: float
    efficiency: float
    charger: float


def chassis(p: WheelsParameters, urdf: Path) -> Chassis:
    """Return the constants of a chassis whose mass and inertia are those of its URDF.

    Raises:
        ScenarioError: the URDF has joints, or no mass.
    """
    mass, yaw_inertia, centre = _inertia(urdf)
    x, y = p.base / 2, p.track / 2
    if p.drive == "differential":
        spots, axes = [(0.0, y), (0.0, -y)], [(1.0, 0.0)] * 2
        loads = [p.driven_load / 2] * 2 + [(1 - p.driven_load) / 2] * 2
        castors = [(x, 0.0), (-x, 0.0)]
    else:
        spots, axes = [(x, y), (x, -y), (-x, y), (-x, -y)], [(s, t * s) for s in [0.5**0.5] for t in (-1, 1, 1, -1)]
        loads, castors = [0.25] * 4, []
    root = np.array([(*spot, 0.0) for spot in spots + castors])
    load = np.array(loads) * mass
    spring = load * GRAVITY / p.sag
    drive = np.array([(a, b, b * u - a * v) for (a, b), (u, v) in zip(axes, spots, strict=True)])
    lever = p.radius * np.array([a for a, _ in axes])
    place = root - centre
    along = np.array([(a, b, b * u - a * v) for (a, b), (u, v, _) in zip(axes, place, strict=False)])
    across = np.array([(0.0, 1.0, u) for u, _, _ in place[: len(axes)]]) * (p.drive == "differential")
    limit = (p.speed, p.turning, p.acceleration, p.braking, p.turning_acceleration)
    battery = p.battery
    return Chassis(
        mass=mass,
        yaw_inertia=yaw_inertia,
        place=place,
        spring=spring,
        damper=2 * _DAMPING * np.sqrt(spring * load),
        along=along,
        across=across,
        drive=drive / lever[:, None],
        lever=lever,
        radius=p.radius,
        inertia=p.wheel_inertia,
        torque=p.torque,
        friction=p.friction,
        resistance=p.rolling_resistance,
        rate=2 * pi * p.bandwidth,
        sag=p.sag,
        limit=limit,
        energy=battery.energy,
        hotel=battery.hotel,
        efficiency=battery.efficiency,
        charger=battery.charger,
    )


def _inertia(urdf: Path) -> tuple[float, float, F64]:
    """Return mass [kg], inertia [kg m2] about the vertical, and centre of mass (3,) m in the root frame."""
    root = parse_urdf(urdf)
    joint = root.find("joint")
    if joint is not None:
        message = "found a joint; allowed: one link, as the wheels are in the dynamics `wheels`"
        raise ScenarioError(message, file=urdf, key=f"<joint name={joint.get('name')!r}>")
    inertial = root.find("link/inertial")
    mass, tensor = (None, None) if inertial is None else (inertial.find("mass"), inertial.find("inertia"))
    if mass is None or tensor is None:
        raise ScenarioError("has no mass or inertia", file=urdf, key="<link><inertial>")
    centre = vector_of(None if inertial is None else inertial.find("origin"), "xyz")
    return float(mass.get("value", "0")), float(tensor.get("izz", "0")), centre
