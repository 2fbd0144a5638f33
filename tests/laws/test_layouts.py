"""A multirotor of one's own is a folder with a robot.toml and no code: hexa and octo obey the laws of the quad."""

import shutil
from math import cos, pi, sin, sqrt
from pathlib import Path

import numpy as np
import pytest

from twin.assembly.build import build
from twin.errors import ScenarioError
from twin.mechanism.urdf import collision_points
from twin.physics.dynamics.rotorcraft import Rotorcraft
from twin.project import plugins
from twin.project.project import Project
from twin.project.robots import lineage, load_kind
from twin.specs.scenario import load_scenario
from twin.state import BodyState

ROOT = Path(__file__).resolve().parents[2]
OCTO = """schema = 1
like = "drone"
description = "An octorotor of one's own"
[body]
urdf = "from parameters"
[body.parameters]
mass = "6 kg"
inertia = [0.2, 0.2, 0.35]
thrust_coefficient = 4e-5
torque_coefficient = 8e-7
max_rotor_speed = "650 rad/s"
rotor_radius = "18 cm"
rotors = [
{rotors}
]
"""
SCENARIO = """schema = 1
world = "yard"
duration = "2 s"
robots.mine = {kind = "octo", controller = "hover", runs_on = "onboard", positions = [[0, 0, 5]], phase = 0}
"""


@pytest.fixture
def site(tmp_path):
    """A project with an octo of one's own: robot.toml and nothing else."""
    lines = []
    for i, spin in enumerate(("cw", "ccw") * 4):
        angle = pi * (i + 0.5) / 4
        lines.append(f'{{ position = [{0.5 * cos(angle)!r}, {0.5 * sin(angle)!r}, 0.05], spin = "{spin}" }},')
    folder, yard = tmp_path / "agents/octo", tmp_path / "worlds/yard"
    folder.mkdir(parents=True)
    (folder / "robot.toml").write_text(OCTO.replace("{rotors}", "\n".join(lines)))
    shutil.copytree(ROOT / "tests/project/worlds/void", yard)
    (yard / "world.toml").write_text((yard / "world.toml").read_text().replace('name = "void"', 'name = "yard"'))
    (yard / "hover.toml").write_text(SCENARIO)
    return tmp_path


@pytest.fixture(params=["drone", "hexa", "octo"])
def folder(request, site):
    return site / "agents/octo" if request.param == "octo" else ROOT / "agents" / request.param


def at_rest(n=1):
    empty = np.zeros(0)
    level = np.tile([0.0, 0.0, 0.0, 1.0], (n, 1))
    place = np.tile([0.0, 0.0, 9.0], (n, 1))
    return BodyState(place, level, np.zeros((n, 3)), np.zeros((n, 3)), empty, empty, np.zeros(n + 1, dtype=np.int64))


def test_hover_takes_the_weight_and_the_power_of_its_rotors(folder):
    p = load_kind(folder).body.parameters
    drone, rotors = Rotorcraft(p, 1), len(p["rotors"])
    wrench = drone.wrench(at_rest(), np.zeros((1, 4)), 1e-3)
    weight = drone.mass * 9.81
    assert wrench[0] == pytest.approx([0, 0, weight, 0, 0, 0], abs=1e-9 * weight)
    speed = sqrt(weight / rotors / p["thrust_coefficient"])
    shaft, battery = rotors * p["torque_coefficient"] * speed**3, p["battery"]
    power = shaft / battery["efficiency"] + battery["hotel"]
    # V I = P with V = E - R I: what its own resistance burns comes on top.
    volts, ohm = battery["full_voltage"], battery["resistance"]
    current = (volts - sqrt(volts**2 - 4 * ohm * power)) / (2 * ohm)
    assert drone.used[0] == pytest.approx(1e-3 * volts * current, rel=1e-9)


def test_allocation_gives_exactly_the_thrust_and_torques_asked_for(folder):
    drone = Rotorcraft(load_kind(folder).body.parameters, 1)
    frame = drone.airframe
    effect = np.array([np.ones(len(frame.place)), frame.place[:, 1], -frame.place[:, 0],
                       frame.turning * frame.torque_coefficient / frame.thrust_coefficient])  # fmt: skip
    assert effect @ frame.mixer == pytest.approx(np.eye(4), abs=1e-12)


def test_rotors_of_a_ring_share_the_weight_alike(site):
    for folder in (ROOT / "agents/hexa", site / "agents/octo"):
        mixer = Rotorcraft(load_kind(folder).body.parameters, 1).airframe.mixer
        assert mixer[:, 0] == pytest.approx(np.full(len(mixer), 1 / len(mixer)), rel=1e-3)


def test_the_made_urdf_has_the_mass_and_reaches_as_far_as_the_rotors(site):
    kind = load_kind(site / "agents/octo")
    points = collision_points(kind.body.urdf)
    reach = np.hypot(*points[:, :2].T).max()
    assert 0.5 + 0.18 <= reach + 1e-9  # arms and rotors; a hull of few corners is a little wider
    assert load_kind(site / "agents/octo").body.urdf == kind.body.urdf


def test_an_octo_flies_with_the_drones_controllers_and_failsafe(site):
    folder = site / "agents/octo"
    assert [path.name for path in lineage(folder)] == ["octo", "drone"]
    assert plugins.controllers(folder) == []
    scenario, _ = load_scenario(site / "worlds/yard/hover.toml")
    built = build(scenario, Project.around(site))
    try:
        frames = list(built.twin.frames(scenario.duration))
    finally:
        built.close()
    assert np.linalg.norm(frames[-1].bodies.position[0] - [0, 0, 5]) < 0.3
    assert set(frames[-1].modes) == {"nominal"}
    sources = {source.reference for entry in built.entries for source in entry.sources}
    assert sources == {"drone.py:Drone", "hover", "failsafe.py:HoldReturnLand"}


def test_whom_it_is_like_must_be_there_and_not_itself(site):
    file = site / "agents/octo/robot.toml"
    text = file.read_text()
    file.write_text(text.replace('like = "drone"', 'like = "drune"'))
    with pytest.raises(ScenarioError, match=r"octo/robot.toml: like: no robot 'drune'.*drone"):
        load_kind(file.parent)
    file.write_text(text.replace('like = "drone"', 'like = "octo"'))
    with pytest.raises(ScenarioError, match="leads back to itself"):
        load_kind(file.parent)


def test_what_is_said_of_a_multirotor_must_give_it_a_shape(site):
    file = site / "agents/octo/robot.toml"
    text = file.read_text()
    file.write_text(text.replace('rotor_radius = "18 cm"', 'rotor_radius = "-18 cm"'))
    with pytest.raises(ScenarioError, match="body.parameters.rotor_radius: found '-18 cm'; allowed: more than 0"):
        load_kind(file.parent)
    file.write_text(text.replace("[body]", '[body]\ndynamics = "force"'))
    with pytest.raises(ScenarioError, match='only with dynamics = "rotorcraft"'):
        load_kind(file.parent)
