"""What is computed for bodies in free flight is what Bullet does with them."""

import numpy as np
import pytest

import twin.physics.bullet as module
from twin.physics.bodies import BodyGroup
from twin.physics.bullet import BulletPhysics
from twin.specs import BodySpec, CommandField
from twin.state import Commands

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
