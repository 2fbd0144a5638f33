"""What is computed for bodies in free flight is what Bullet does with them."""

from pathlib import Path

import numpy as np
import pytest

import twin.physics.bullet.physics as module
from twin.physics.bodies import BodyGroup
from twin.physics.bullet.physics import BulletPhysics
from twin.physics.dynamics.make import make_dynamics
from twin.project.robots import load_kind
from twin.specs import BodySpec, CommandField
from twin.state import Commands

ROOT = Path(__file__).resolve().parents[2]
URDF = """<robot name="box"><link name="base">
  <inertial><origin xyz="0.1 0 0" rpy="0.4 0.3 -0.2"/><mass value="1.3"/>
    <inertia ixx="0.010" ixy="0.001" ixz="-0.002" iyy="0.020" iyz="0.0015" izz="0.026"/></inertial>
  <collision><geometry><box size="0.2 0.3 0.4"/></geometry></collision>
</link></robot>"""


class Wrench:
    """Test dynamics: the command is the wrench in world axes."""

    def reset(self):
        pass

    def wrench(self, state, command, dt):
        return command


@pytest.fixture
def tumble(tmp_path, monkeypatch):
    """Return fly(compare): 3 boxes tumbling under random wrenches for 4 s, the lowest hitting the floor."""
    urdf, floor = tmp_path / "box.urdf", tmp_path / "floor.obj"
    urdf.write_text(URDF)
    floor.write_text("v -99 -99 0\nv 99 -99 0\nv 99 99 0\nv -99 99 0\nf 1 2 3\nf 1 3 4\n")
    spec = BodySpec(urdf=urdf, dynamics="wrench", command=(CommandField(name="w", size=6, unit="N"),))
    places = np.array([[0, 0, 90.0], [5, 0, 300.0], [10, 0, 1.5]])
    group = BodyGroup("g", spec, Wrench(), places, np.tile([0, 0, 0, 1.0], (3, 1)), ["a", "b", "c"])

    def fly(compare):
        monkeypatch.setattr(module, "_COMPARE", compare)
        physics, rng = BulletPhysics(500, [group], floor), np.random.default_rng(7)
        physics.reset()
        states, events = [], []
        for _ in range(2000):
            wrench = rng.normal(size=(3, 6)) * [5, 5, 5, 0.2, 0.2, 0.2]
            bodies, new = physics.step(Commands({"g": wrench}))
            states.append(bodies)
            events += new
        physics.close()
        return states, events

    return fly


def test_computed_flight_is_bullets_flight_to_rounding(tumble):
    """Asked at every tick, and never: 2000 steps, each rounded to 2^-53 of numbers up to 300, may add up."""
    asked, asked_events = tumble(1)
    computed, computed_events = tumble(10**9)
    spins = np.array([np.linalg.norm(state.angular_velocity, axis=1) for state in asked])
    assert spins[:, :2].max() > 3.0  # rad/s: turned a lot meanwhile
    tolerance = 2000 * 300 * 2.0**-53
    for a, b in zip(asked, computed, strict=True):
        assert a.position[:2] == pytest.approx(b.position[:2], abs=tolerance)
        assert a.velocity[:2] == pytest.approx(b.velocity[:2], abs=tolerance)
        assert a.angular_velocity[:2] == pytest.approx(b.angular_velocity[:2], abs=1e3 * tolerance)
        same = np.abs(np.sum(a.orientation * b.orientation, axis=1))[:2]  # q and -q are one rotation
        assert same == pytest.approx([1.0, 1.0], abs=1e-12)
    a, b = asked_events[0], computed_events[0]
    assert (a.time, a.robot, a.detail) == (b.time, b.robot, b.detail)
    assert a.value == pytest.approx(b.value, rel=1e-9)


@pytest.mark.parametrize("name", ["kuka", "panda"])
def test_an_arm_that_touches_nothing_swings_as_bullet_lets_it(name, tmp_path):
    """Both answers for the same drives' efforts: 1000 steps, each rounded to 2^-53 of efforts up to 100 N m."""
    (tmp_path / "floor.obj").write_text("v -9 -9 -5\nv 9 -9 -5\nv 9 9 -5\nf 1 2 3\n")
    body = load_kind(ROOT / "agents" / name).body
    worlds = []
    for scenery in (None, tmp_path / "floor.obj"):  # one that isn't known is Bullet's
        dynamics = make_dynamics(body.dynamics, body.parameters, 2, ROOT, body.urdf)
        dynamics.midway = False  # as Bullet steps
        turn = np.array([[0, 0, 0, 1], [0.5, 0.5, -0.5, 0.5]])  # the second on a wall
        group = BodyGroup("arm", body, dynamics, np.array([[0, 0, 0], [4.0, 0, 0]]), turn, ["a", "b"])
        worlds.append(BulletPhysics(1000, [group], scenery))
    start, rng = np.tile(body.vector("initial"), (2, 1)), np.random.default_rng(8)
    states, joints = [], dynamics.arm_joints
    for physics in worlds:
        physics.reset()
    for tick in range(1000):
        if tick % 100 == 0:
            command = start.copy()
            command[:, :joints] += rng.uniform(-0.2, 0.2, (2, joints))
        states.append([physics.step(Commands({"arm": command}))[0] for physics in worlds])
    assert worlds[0].worlds[0].clear and not worlds[1].worlds[0].clear
    free, asked = states[-1]
    assert np.ptp([state.joint_position[0] for state, _ in states]) > 0.05, "it swung"
    assert free.joint_position == pytest.approx(asked.joint_position, abs=1e-9)
    assert free.joint_velocity == pytest.approx(asked.joint_velocity, abs=1e-8)
    for physics in worlds:
        physics.close()
