"""Impacts of floating bodies: the water that moves along takes its share of the momentum."""

from __future__ import annotations

import math

import numpy as np
import pytest

from twin.physics.bodies import BodyGroup
from twin.physics.bullet.physics import GRAVITY
from twin.physics.dynamics.hydrodynamics import Hydrodynamics
from twin.specs import BodySpec, CommandField
from twin.state import Commands

RHO, KG, DRAUGHT, AREA = 1025.0, 0.7, 2.0, math.pi * 0.25**2
MASS = RHO * AREA * DRAUGHT
IXX, IZZ = 0.81 * MASS, 0.04 * MASS
BALL, SPEED = 200.0, 1.5
SPAR = {
    "mass": MASS,
    "inertia": [IXX, IXX, IZZ],
    "hull": {"shape": "cylinder", "diameter": 0.5, "height": 3.0, "keel": -KG},
    "drag": 0.0,
    "heave_drag": 0.0,
    "wind_drag": 0.0,
}
LINK = """<robot name="thing"><link name="base">
  <contact><lateral_friction value="0"/></contact><inertial><mass value="{mass}"/>
  <inertia ixx="{i}" ixy="0" ixz="0" iyy="{i}" iyz="0" izz="{k}"/></inertial>
  <collision><origin xyz="0 0 {z}"/><geometry>{shape}</geometry></collision></link></robot>"""


class Thrown:
    """A dynamics that bears its body's weight, and gives it its speed in the first step."""

    def reset(self):
        self.speed = SPEED

    def wrench(self, state, command, dt):
        push, self.speed = BALL * self.speed / dt, 0.0
        return np.array([[push, 0.0, BALL * GRAVITY, 0.0, 0.0, 0.0]])


@pytest.fixture
def impact(tmp_path, bullet):
    """Return make(height): a weightless ball that is about to hit a floating spar, `height` above its centre."""
    def make(height, offset=0.6):
        thrust = (CommandField(name="thrust", size=2, unit="N"),)
        shapes = {
            "spar": (MASS, IXX, IZZ, 0.8, '<cylinder radius="0.25" length="3"/>'),
            "ball": (BALL, 8.0, 8.0, 0.0, '<sphere radius="0.2"/>'),
        }
        for name, (mass, i, k, z, shape) in shapes.items():
            (tmp_path / f"{name}.urdf").write_text(LINK.format(mass=mass, i=i, k=k, z=z, shape=shape))
        spar, still = Hydrodynamics(SPAR, 1), np.array([[0.0, 0.0, 0.0, 1.0]])
        z = spar.float_height
        groups = [
            BodyGroup("spar", BodySpec(urdf=tmp_path / "spar.urdf", dynamics="", command=thrust), spar,
                      np.array([[0.0, 0.0, z]]), still, ["spar"]),
            BodyGroup("ball", BodySpec(urdf=tmp_path / "ball.urdf", dynamics="", command=thrust), Thrown(),
                      np.array([[-offset, 0.0, z + height]]), still, ["ball"]),
        ]  # fmt: skip
        return bullet(1000, groups)

    return make


def heavy(height):
    """Return surge and pitch mass of the spar with its water about the centre of mass, and the arm's column."""
    below, above = -KG, DRAUGHT - KG
    line = RHO * AREA
    m15 = line * (above**2 - below**2) / 2
    whole = np.array([[MASS + line * DRAUGHT, m15], [m15, IXX + line * (above**3 - below**3) / 3]])
    return whole, np.array([1.0, height])


@pytest.mark.parametrize("height", [0.0, 1.9])
def test_an_impact_moves_body_and_water_together(impact, height):
    """A plastic impact: one speed at the point of contact; J = u / (1/m + n^T (M + A)^-1 n), heave and drag aside."""
    physics = impact(height)
    held = Commands({"spar": np.zeros((1, 2)), "ball": np.zeros((1, 2))})
    events = []
    while not events:
        state, events = physics.step(held)
    for _ in range(15):  # what is left of the closing speed halves with each step
        state, _ = physics.step(held)
    whole, arm = heavy(height)
    impulse = SPEED / (1 / BALL + arm @ np.linalg.solve(whole, arm))
    speed, turning = np.linalg.solve(whole, arm) * impulse
    assert BALL * (SPEED - state.velocity[1, 0]) == pytest.approx(impulse, rel=0.01)
    assert state.velocity[0, 0] == pytest.approx(speed, rel=0.01, abs=0.005)
    assert state.angular_velocity[0, 1] == pytest.approx(turning, rel=0.01, abs=0.005)
