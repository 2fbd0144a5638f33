"""A spar in still water and in regular waves, against closed forms; D 0.5 m, T 2 m, m 402.5 kg, KG 0.7 m."""

from __future__ import annotations

import math

import numpy as np
import pytest

from twin.errors import ScenarioError
from twin.physics.bodies import BodyGroup
from twin.physics.dynamics.hull import FloatingParameters, float_height, haskind_damping, make_hull
from twin.physics.dynamics.hydrodynamics import Hydrodynamics, WaveEnergy
from twin.physics.dynamics.make import make_dynamics
from twin.specs import BodySpec, CommandField
from twin.state import BodyState, Commands
from twin.world.spectra import GRAVITY as G
from twin.world.waves import regular_wave

RHO, MASS, KG = 1025.0, 402.5, 0.7
AREA = math.pi * 0.25**2
A33 = 2 * math.pi / 3 * RHO * 0.25**3
IXX, IZZ = 0.81 * MASS, 0.04 * MASS
SPAR = {
    "mass": MASS,
    "inertia": [IXX, IXX, IZZ],
    "hull": {"shape": "cylinder", "diameter": 0.5, "height": 3.0, "keel": -KG},
    "drag": 0.0,
    "heave_drag": 0.0,
    "wind_drag": 0.0,
}
URDF = """<robot name="spar"><link name="base">
  <inertial><mass value="{mass}"/><inertia ixx="{i}" ixy="0" ixz="0" iyy="{i}" iyz="0" izz="{k}"/></inertial>
  <collision><origin xyz="0 0 0.8"/><geometry><cylinder radius="0.25" length="3"/></geometry></collision>
</link></robot>"""


class Around:
    """A test's sea: one regular wave or none."""

    def __init__(self, dynamics, waves=None, current=(0.0, 0.0, 0.0)):
        self.dynamics, self.waves, self.current = dynamics, waves, current

    def update(self, time, bodies):
        self.dynamics.time, self.dynamics.current = time / 1e9, self.current
        if self.waves is not None:
            self.dynamics.waves = self.waves


@pytest.fixture
def spar(tmp_path, bullet):
    """Return make(rate, lift, tilt, waves, ...): physics of one spar and its dynamics, reset."""
    def make(rate=250, lift=0.0, tilt=0.0, waves=None, current=(0.0, 0.0, 0.0), kind=Hydrodynamics, **changes):
        dynamics = kind({**SPAR, **changes}, 1)
        urdf = tmp_path / "spar.urdf"
        urdf.write_text(URDF.format(mass=MASS, i=IXX, k=IZZ))
        spec = BodySpec(urdf=urdf, dynamics="", command=(CommandField(name="thrust", size=2, unit="N"),))
        place = np.array([[0.0, 0.0, dynamics.float_height + lift]])
        turn = np.array([[0.0, math.sin(tilt / 2), 0.0, math.cos(tilt / 2)]])
        group = BodyGroup("g", spec, dynamics, place, turn, ["spar"])
        physics = bullet(rate, [group], surroundings=Around(dynamics, waves, current))
        return physics, dynamics

    return make


def run(physics, seconds, command=(0.0, 0.0)):
    """Return what the body's pose and velocity are after each step: z, pitch, velocity z, x."""
    held = Commands({"g": np.array([command])})
    rows = []
    for _ in range(round(seconds * physics.clock.rate_hz)):
        state, _ = physics.step(held)
        x, y, z, w = state.orientation[0]
        pitch = math.asin(2 * (w * y - x * z))
        rows.append((state.position[0, 2], pitch, state.velocity[0, 2], state.position[0, 0]))
    return np.array(rows)


def period(values, rate):
    """Return the mean time between upward zero crossings."""
    up = np.flatnonzero((values[:-1] < 0) & (values[1:] >= 0))
    at = up + values[up] / (values[up] - values[up + 1])
    return float(np.diff(at).mean() / rate)


def at(z, turn=(0.0, 0.0, 0.0, 1.0), velocity=(0.0, 0.0, 0.0)):
    nothing = np.zeros(0)
    arrays = [np.array([row], dtype=float) for row in ((0.0, 0.0, z), turn, velocity, (0.0, 0.0, 0.0))]
    return BodyState(*arrays, nothing, nothing, np.zeros(2, dtype=np.int64))


def test_still_water_bears_exactly_the_weight():
    dynamics = Hydrodynamics(SPAR, 1)
    assert dynamics.float_height == pytest.approx(KG - MASS / (RHO * AREA), abs=1e-12)
    wrench = dynamics.wrench(at(dynamics.float_height), np.zeros((1, 2)), 0.004)
    assert wrench[0] == pytest.approx([0, 0, MASS * G, 0, 0, 0], abs=1e-6)


def test_heave_period(spar):
    physics, dynamics = spar(lift=0.05)
    z = run(physics, 60)[:, 0] - dynamics.float_height
    exact = 2 * math.pi * math.sqrt((MASS + A33) / (RHO * G * AREA))
    assert period(z, 250) == pytest.approx(exact, rel=1e-4)  # the scheme's own (w dt)^2 / 24 is 3e-6
    assert period(z, 250) == pytest.approx(2.953, rel=1e-3)


def test_pitch_period_coupled_with_surge(spar):
    """(I55 - m15^2 / m11) over m g GM, with the added mass of a slender cylinder; GM = KB + BM - KG."""
    physics, _ = spar(tilt=0.03)
    draught = MASS / (RHO * AREA)
    low, high, line = KG, draught - KG, RHO * AREA
    i55, m15 = IXX + line * (low**3 + high**3) / 3, line * (low**2 - high**2) / 2
    gm = draught / 2 + AREA**2 / (4 * math.pi) / (AREA * draught) - KG
    exact = 2 * math.pi * math.sqrt((i55 - m15**2 / (2 * MASS)) / (MASS * G * gm))
    got = period(run(physics, 60)[:, 1], 250)
    assert got == pytest.approx(exact, rel=5e-3)
    assert got == pytest.approx(3.94, rel=5e-3)


@pytest.mark.parametrize(("wave_period", "stated"), [(20.0, 1.000), (10.0, 1.004), (3.5, 1.68)])
def test_heave_response_to_regular_waves(spar, wave_period, stated):
    """X / (c - w^2 (m + a) + i w b) of linear theory, b 40 N s/m relative to the water near the keel."""
    b, amplitude, w = 40.0, 0.02, 2 * math.pi / wave_period
    wave = regular_wave(amplitude, wave_period, 200.0)
    physics, dynamics = spar(waves=wave, damping=[20, 20, b, 20, 20, 5], slices=20)
    k, draught = float(wave.number[0]), MASS / (RHO * AREA)
    c, decay = RHO * G * AREA, math.exp(-k * draught)
    force = (c - w**2 * A33) * decay + 1j * w * b * decay
    exact = abs(force / (c - w**2 * (MASS + A33) + 1j * w * b))
    settled, cycles = 100.0, 4  # the start fades with b / 2 (m + a) = 1 / 22 s: 1 % of it is left
    z = run(physics, settled + cycles * wave_period)[:, 0]
    t = np.arange(1, len(z) + 1) / 250
    last = t > settled
    basis = np.column_stack([np.cos(w * t[last]), np.sin(w * t[last]), np.ones(last.sum())])
    swing = np.linalg.lstsq(basis, z[last], rcond=None)[0]
    got = math.hypot(swing[0], swing[1]) / amplitude
    assert got == pytest.approx(exact, rel=0.01)
    assert got == pytest.approx(stated, rel=0.01)


def test_drag_takes_the_energy_that_a_decay_loses(spar):
    """Between two highest points, where all is potential: c (z1^2 - z2^2) / 2 = int 0.5 rho Cd A |v|^3 dt at 250 Hz."""
    cd, rate = 1.1, 250
    physics, dynamics = spar(lift=0.3, heave_drag=cd)
    rows = run(physics, 30.0)
    z, v = rows[:, 0] - dynamics.float_height, rows[:, 2]
    tops = np.flatnonzero((v[:-1] > 0) & (v[1:] <= 0))
    first, last = tops[0], tops[-1]

    def height(i):  # of the parabola through three points
        return z[i] - (z[i + 1] - z[i - 1]) ** 2 / (8 * (z[i + 1] - 2 * z[i] + z[i - 1]))

    lost = 0.5 * RHO * G * AREA * (height(first) ** 2 - height(last) ** 2)
    taken = np.sum(0.5 * RHO * cd * AREA * np.abs(v[first:last]) ** 3) / rate
    assert taken == pytest.approx(lost, rel=1e-3)


@pytest.mark.parametrize("ratio", [0.5, 1.0, 5.0])
def test_any_ratio_of_added_mass_is_stable_with_its_own_period(spar, ratio):
    """At 62 Hz, a longer step than 62.5 Hz makes."""
    physics, dynamics = spar(rate=62, lift=0.2, heave_added_mass=ratio * MASS)
    z = run(physics, 120)[:, 0] - dynamics.float_height
    exact = 2 * math.pi * math.sqrt(MASS * (1 + ratio) / (RHO * G * AREA))
    assert period(z, 62) == pytest.approx(exact, rel=1e-3)
    assert np.abs(z).max() <= 0.2 * (1 + 0.5 * 2 * math.pi / exact / 62)  # the scheme's bound: 1 + w dt / 2


def test_a_free_body_drifts_with_the_current(spar):
    physics, _ = spar(current=(0.8, 0.0, 0.0), drag=1.0)
    x = run(physics, 100)[:, 3]
    assert (x[-1] - x[-251]) == pytest.approx(0.8, rel=0.02)  # drag alone: the gap to it falls as 1/t


def test_haskind_damping_by_the_integral_over_all_directions():
    """b = k / (8 pi rho g v_g) int |X(beta)|^2 dbeta (Falnes, 2002, equation 5.145); v_g = g / 2w in deep water."""
    hull = make_hull(FloatingParameters.model_validate(SPAR))
    c, draught = RHO * G * AREA, MASS / (RHO * AREA)
    w = math.sqrt(c / (MASS + A33))
    k = w * w / G
    force = (c - w * w * A33) * math.exp(-k * draught)
    exact = k / (8 * math.pi * RHO * G * (G / (2 * w))) * 2 * math.pi * force**2
    assert haskind_damping(hull) == pytest.approx(exact, rel=1e-9)
    radiating = make_hull(FloatingParameters.model_validate({**SPAR, "radiation": True}))
    assert radiating.damping[2] == pytest.approx(exact, rel=1e-9)


def test_a_brake_of_any_strength_holds_the_body_in_the_waves(spar):
    wave = regular_wave(0.3, 6.0, 200.0)
    params = {"most_force": 1e4, "brake": 1e6}
    free, _ = spar(kind=WaveEnergy, waves=wave, **params)
    held, dynamics = spar(kind=WaveEnergy, waves=wave, **params)
    assert np.ptp(run(free, 12, (0.0, 0.0))[:, 0]) > 0.4
    assert np.ptp(run(held, 12, (1e9, 0.0))[:, 0]) < 1e-4
    assert dynamics.energy[0] == 0.0


def test_a_damper_takes_the_energy_out_of_a_decay(spar):
    """All of c z0^2 / 2 in the end."""
    physics, dynamics = spar(kind=WaveEnergy, lift=0.3, most_force=1e5, rate=500)
    run(physics, 20, (300.0, 0.0))
    assert dynamics.energy[0] == pytest.approx(0.5 * RHO * G * AREA * 0.3**2, rel=5e-3)


def test_the_power_take_off_slips_at_its_limit(spar):
    physics, dynamics = spar(kind=WaveEnergy, lift=0.3, most_force=10.0)
    run(physics, 3, (1e4, 0.0))
    assert dynamics.slipping[0] > 100


def box(length, breadth, height, keel):
    x, y = length / 2, breadth / 2
    low = [(-x, -y, keel), (x, -y, keel), (x, y, keel), (-x, y, keel)]
    vertices = [*low, *[(a, b, keel + height) for a, b, _ in low]]
    quads = [(3, 2, 1, 0), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)]
    triangles = [t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))]
    return {"shape": "mesh", "vertices": vertices, "triangles": triangles, "columns": 24}


def hulls():
    ball = {"shape": "sphere", "diameter": 2.0, "keel": -0.8}
    disc = {"shape": "cylinder", "diameter": 3.0, "height": 1.2, "keel": -0.5}
    return [(ball, 4 / 3 * math.pi), (disc, math.pi * 1.5**2 * 1.2), (box(2.0, 1.0, 1.0, -0.4), 2.0)]


@pytest.mark.parametrize(("hull", "volume"), hulls())
def test_hulls_of_all_shapes_have_their_volume_and_float(hull, volume):
    made = make_hull(FloatingParameters.model_validate({**SPAR, "hull": hull}))
    assert made.volume.sum() == pytest.approx(volume, rel=1e-9)
    assert made.bottom <= -float_height(made) <= made.bottom + made.step * len(made.volume)


def test_a_sunk_sphere_is_borne_by_its_whole_volume_and_a_flying_one_by_nothing():
    dynamics = Hydrodynamics({**SPAR, "hull": hulls()[0][0], "added_mass": 0.0, "heave_added_mass": 0.0}, 1)
    for z, volume in ((-10.0, 4 / 3 * math.pi), (10.0, 0.0)):
        wrench = dynamics.wrench(at(z), np.zeros((1, 2)), 0.004)
        assert wrench[0, 2] == pytest.approx(RHO * G * volume, rel=1e-9)


def test_a_box_from_a_mesh_rights_itself_by_its_metacentric_height():
    """Torque m g GM sin(tilt), GM = KB + B^2 / 12 T - KG: 24 columns miss 1 / 24^2 of BM, 0.1 % of GM."""
    mass, tilt = 1025.0, 0.01
    dynamics = Hydrodynamics({**SPAR, "mass": mass, "hull": box(2.0, 1.0, 1.0, -0.1), "added_mass": 0.0,
                              "heave_added_mass": 0.0}, 1)  # fmt: skip
    wrench = dynamics.wrench(at(dynamics.float_height, (math.sin(tilt / 2), 0, 0, math.cos(tilt / 2))),
                             np.zeros((1, 2)), 0.004)  # fmt: skip
    draught = mass / (RHO * 2.0)
    gm = draught / 2 + 1.0**2 / (12 * draught) - 0.1
    assert wrench[0, 3] == pytest.approx(-mass * G * gm * tilt, rel=2e-3)


def test_a_body_that_sinks_is_refused():
    with pytest.raises(ValueError, match="sinks"):
        Hydrodynamics({**SPAR, "mass": 1000.0}, 1)


def test_a_mesh_with_a_hole_is_refused():
    hull = box(1.0, 1.0, 1.0, -0.5)
    with pytest.raises(ValueError, match="isn't closed"):
        make_hull(FloatingParameters.model_validate({**SPAR, "hull": {**hull, "triangles": hull["triangles"][2:]}}))


def test_a_hull_from_a_file_in_the_robot_s_folder(tmp_path):
    """The same box as stated in numbers, by the way that robot.toml takes."""
    stated = box(2.0, 1.0, 1.0, -0.1)
    lines = [f"v {x} {y} {z}" for x, y, z in stated["vertices"]]
    lines += [f"f {a + 1} {b + 1} {c + 1}" for a, b, c in stated["triangles"]]
    (tmp_path / "hull.obj").write_text("\n".join(lines) + "\n")
    hull = {"shape": "mesh", "file": "hull.obj", "columns": 24}
    dynamics = make_dynamics("hydrodynamics", {**SPAR, "hull": hull}, 1, tmp_path)
    same = make_hull(FloatingParameters.model_validate({**SPAR, "hull": stated}))
    assert dynamics.hull.column == pytest.approx(same.column)
    with pytest.raises(ScenarioError, match="hull.file"):
        make_dynamics("hydrodynamics", {**SPAR, "hull": {**hull, "file": "../hull.obj"}}, 1, tmp_path)
