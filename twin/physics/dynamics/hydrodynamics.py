"""Floating bodies: buoyancy, waves, drag, added mass, wind and moorings of a whole group in one kernel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from pydantic import Field

from twin.errors import ScenarioError
from twin.numerics.kernels import kernel
from twin.numerics.rotation import Vector, axes_of, quaternion_of
from twin.numerics.vectors import row_of
from twin.physics.dynamics.hull import FloatingParameters, Hull, float_height, make_hull
from twin.physics.dynamics.line_dynamics import MovingLines
from twin.physics.dynamics.mooring import Lines, add_mooring, make_lines
from twin.physics.dynamics.water_forces import add_across, add_along, add_damping, add_wind, borne, buoyancy
from twin.state import F64, BodyState, Rigid
from twin.world.waves import Waves, kinematics, surface, turn_waves

DEEP = 1e4
"""m, of the calm sea that bodies float in until they are told of another one."""


class Medium(NamedTuple):
    """The sea round n floating bodies and the wind over it."""

    waves: Waves
    time: float  # s
    level: float  # m, of the mean surface
    current: Vector  # east and north [m/s], exponent of its profile
    wind: F64  # (n, 3) m/s


class Hydrodynamics:
    """Turns thrust east and north, (2,) N at the centre of mass, and the sea into the wrenches of n floating bodies.

    What surrounds the bodies is set from outside before each step: `waves` and `time` [s], the `level` of the mean
    surface [m], the `current` (east and north [m/s], exponent of its profile) and the `wind` (n, 3) m/s.
    `added_mass` (n, 6, 6) is that of the last wrench, about the centre of mass in world axes.
    """

    Parameters: type[FloatingParameters] = FloatingParameters
    midway = True

    def __init__(self, parameters: Mapping[str, Any] | FloatingParameters, n: int) -> None:
        self.parameters = type(self).Parameters.model_validate(parameters)
        self.hull = make_hull(self.parameters)
        self.mass, self.inertia, self.n = self.hull.mass, self.hull.inertia, n
        nothing = np.zeros(0)
        self.waves = Waves(nothing, nothing, nothing, nothing, nothing, nothing, DEEP)
        self.lines = make_lines((), np.zeros((n, 3)), DEEP)
        self.moving: MovingLines | None = None
        self.wind: F64 = np.zeros((n, 3))
        self.added_mass: F64 = np.zeros((n, 6, 6))
        self.reset()

    def reset(self) -> None:
        """Calm the sea and the air, and forget the lines' last tensions."""
        self.time, self.level, self.current = 0.0, 0.0, (0.0, 0.0, 0.0)
        self.wind[:], self.added_mass[:] = 0.0, 0.0
        self.lines.tension[:] = 0.0
        if self.moving is not None:
            self.moving.reset()

    def moor(self, position: F64, depth: float) -> None:
        """Anchor the bodies that start at `position` (n, 3) m where the water is `depth` m deep.

        Raises:
            ScenarioError: a body would stand on the sea floor, a line is too short, or MoorDyn isn't there.
        """
        lowest = float(np.min(position[:, 2])) + self.hull.bottom
        if lowest < -depth:
            raise ScenarioError(f"the body's keel at {-lowest:.4g} m lies below the sea floor at {depth:g} m")
        p = self.parameters
        if p.mooring and p.mooring_model == "moordyn":
            self.moving = MovingLines(p.mooring, position, depth, p.water_density)
        else:
            self.lines = make_lines(p.mooring, position, depth)

    @property
    def float_height(self) -> float:
        """Return z [m] of the centre of mass where a body floats freely in still water."""
        return float_height(self.hull)

    def wrench(self, state: BodyState, command: F64, dt: float) -> F64:
        """Return (n, 6): world-axes force [N] and torque [N m] at the centre of mass for the next `dt` s."""
        thrust = np.zeros((self.n, 6))
        thrust[:, :2] = command
        return self._wrench(state, thrust, np.zeros(self.n), dt)

    def _wrench(self, state: BodyState, thrust: F64, damping: F64, dt: float) -> F64:
        out: F64 = np.empty((self.n, 6))
        if self.moving is not None:
            thrust = thrust + self.moving.wrench(state, self.time, dt)
        medium = Medium(waves=self.waves, time=self.time, level=self.level, current=self.current, wind=self.wind)
        _wrenches(self.hull, medium, self.lines, state.rigid, thrust, damping, self.added_mass, out)
        return out


class WaveEnergyParameters(FloatingParameters):
    """A floating body with a power take-off between it and the sea floor, upright."""

    most_force: float = Field(gt=0)  # N, of damper and spring together; a brake may hold more
    brake: float = Field(default=1e6, gt=0)  # N s/m from which on damping means that the brake holds


class WaveEnergy(Hydrodynamics):
    """A buoy whose power take-off pulls with -b v - k (z - z0), its command (damping b, stiffness k).

    `energy` (n,) J is what it has taken out of the waves so far; z0 is where the body floats in still water.
    Beyond `most_force` it slips: its force is cut, and `slipping` (n,) counts the steps. A damping of `brake` and
    more is a brake: it holds without limit and gives no energy.
    """

    Parameters = WaveEnergyParameters
    midway = False  # a brake is the stronger the shorter the step
    parameters: WaveEnergyParameters

    def reset(self) -> None:
        """Begin with no energy."""
        super().reset()
        self.energy: F64 = np.zeros(self.n)
        self.slipping = np.zeros(self.n, dtype=np.int64)
        self._rest = self.float_height

    def gauges(self) -> Mapping[str, F64]:
        """Return the energy [J] taken out of the waves so far, and the steps in which the take-off slipped."""
        return {"absorbed_energy": self.energy, "slipped_steps": self.slipping.astype(float)}

    def wrench(self, state: BodyState, command: F64, dt: float) -> F64:
        """Return (n, 6), and count the energy of the step at the speed at its start."""
        p, rise, speed = self.parameters, state.position[:, 2] - self._rest - self.level, state.velocity[:, 2]
        braked = command[:, 0] >= p.brake
        force = -np.where(braked, 0.0, command[:, 0]) * speed - np.where(braked, 0.0, command[:, 1]) * rise
        cut = np.clip(force, -p.most_force, p.most_force)
        self.slipping += cut != force
        self.energy -= cut * speed * dt
        lift = cut - np.where(braked, command[:, 0], 0.0) * speed
        thrust = np.zeros((self.n, 6))
        thrust[:, 2] = lift
        return self._wrench(state, thrust, np.where(braked, command[:, 0] * dt, 0.0), dt)


@kernel
def _wrenches(
    hull: Hull, medium: Medium, lines: Lines, bodies: Rigid, thrust: F64, damping: F64, added_mass: F64, out: F64
) -> None:
    slices, waves = hull.volume.shape[0], medium.waves
    swing = np.empty((waves.amplitude.shape[0], 2))
    wet, water, keel = np.empty(slices), np.empty((slices, 6)), np.empty(6)
    force = np.empty(6)
    for i in range(thrust.shape[0]):
        added, place = added_mass[i], bodies.position[i]
        turn = axes_of(bodies.orientation[i])
        axis = (turn[0, 2], turn[1, 2], turn[2, 2])
        motion, spin = row_of(bodies.velocity, i), row_of(bodies.angular_velocity, i)
        force[:], added[:] = 0.0, 0.0
        turn_waves(waves, medium.time, place[0], place[1], swing)
        eta, slope_x, slope_y = surface(waves, swing)
        height = place[2] - eta - medium.level
        climb = buoyancy(hull, turn, height, slope_x, slope_y, wet, force)
        first = height + climb * hull.bottom
        kinematics(waves, swing, eta, first, climb * hull.step, water, keel)
        _flow(medium, first, climb * hull.step, water, keel)
        add_across(hull, axis, spin, motion, wet, water, force, added)
        add_along(hull, axis, motion, wet[0] / hull.volume[0], keel, force, added)
        add_damping(hull, motion, spin, keel, force)
        add_wind(hull, axis, motion, wet, row_of(medium.wind, i), force)
        add_mooring(lines, i, place, quaternion_of(bodies.orientation, i), force)
        force += thrust[i]
        borne(hull, turn, motion, spin, added, damping[i], force, out[i])


@kernel
def _flow(medium: Medium, first: float, rise: float, water: F64, keel: F64) -> None:
    """Add the current in the middle of each slice to the water there, and that at the keel, which is at z = `first`."""
    east, north, _ = medium.current
    if east == 0.0 and north == 0.0:
        return
    for j in range(water.shape[0]):
        share = _share(medium, first + (j + 0.5) * rise)
        water[j, 0] += share * east
        water[j, 1] += share * north
    keel[0] += _share(medium, first) * east
    keel[1] += _share(medium, first) * north


@kernel
def _share(medium: Medium, z: float) -> float:
    """Return how much of the surface's current there is at `z` m."""
    left: float = max(0.0, 1.0 + min(z, 0.0) / medium.waves.depth) ** medium.current[2]
    return left
