"""Drives in joints: what a dynamics asks of them acts, on a base that may be bolted down."""

import numpy as np
import pytest

from twin.errors import ScenarioError
from twin.physics.bodies import BodyGroup
from twin.specs import BodySpec, CommandField
from twin.state import Commands

RATE, INERTIA = 1000, 0.5
PENDULUM = """<robot name="pendulum">
<link name="base"><inertial><mass value="1"/>
  <inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial></link>
<link name="rod"><inertial><origin xyz="0 0 -{arm}"/><mass value="2"/>
  <inertia ixx="0.02" iyy="0.02" izz="0.02" ixy="0" ixz="0" iyz="0"/></inertial></link>
<joint name="hinge" type="continuous"><parent link="base"/><child link="rod"/><axis xyz="0 1 0"/></joint></robot>"""


class Torque:
    """The command is the hinge's torque."""

    def reset(self):
        pass

    def wrench(self, state, command, dt):
        return np.zeros((len(command), 6))

    def joint_effort(self, state, command, dt):
        return command


@pytest.fixture
def pendulum(tmp_path, bullet):
    def make(arm, gravity, n=1, tick=RATE, rate=None):
        urdf = tmp_path / "pendulum.urdf"
        urdf.write_text(PENDULUM.format(arm=arm))
        command = (CommandField(name="torque", unit="N m"),)
        spec = BodySpec(urdf=urdf, fixed=True, dynamics="x", command=command, rate=rate)
        place = np.array([[10.0 * i, 0, 5] for i in range(n)])
        turn = np.tile([0.0, 0, 0, 1], (n, 1))
        group = BodyGroup("p", spec, Torque(), place, turn, [f"p{i}" for i in range(n)])
        physics = bullet(tick, [group], gravity=gravity)
        return physics, physics.bodies

    return make


def test_torque_turns_the_hinge_as_newton_says_and_the_bolted_base_stays(pendulum):
    """Without gravity theta'' = torque/I; n semi-implicit steps give torque/I dt^2 n(n+1)/2."""
    arm, n = 0.4, 200
    physics, start = pendulum(arm, 0.0, n=2)
    inertia, torque = 0.02 + 2 * arm**2, np.array([[0.01], [-0.02]])
    for _ in range(n):
        bodies, _ = physics.step(Commands({"p": torque}))
    expected = torque[:, 0] / inertia / RATE**2 * n * (n + 1) / 2
    assert bodies.joint_position == pytest.approx(expected, rel=1e-9)
    assert bodies.joint_effort.tolist() == [0.01, -0.02]
    assert bodies.position.tobytes() == start.position.tobytes() and not bodies.velocity.any()


def test_a_pendulum_swings_with_its_period(pendulum):
    """T = 2 pi sqrt(I / (m g l)) for small swings."""
    arm = 0.4
    physics, _ = pendulum(arm, 9.81)
    push, idle, angles = Commands({"p": [[0.2]]}), Commands({"p": [[0.0]]}), []
    for tick in range(6000):
        bodies, _ = physics.step(push if tick < 50 else idle)
        angles.append(bodies.joint_position[0])
    angle = np.array(angles)
    up = np.flatnonzero((angle[:-1] < 0) & (angle[1:] >= 0))
    crossings = (up + angle[up] / (angle[up] - angle[up + 1])) / RATE
    assert np.abs(angle).max() < 0.03  # the period of a swing of a is longer by a^2/16
    period = 2 * np.pi * np.sqrt((0.02 + 2 * arm**2) / (2 * 9.81 * arm))
    assert np.diff(crossings) == pytest.approx(period, rel=2e-4)


def test_a_kinds_own_rate_divides_the_tick_to_the_bit(pendulum):
    """Five steps of 1 ms in a tick of 5 ms are the five ticks of 1 ms under the command that is held."""
    fine, _ = pendulum(0.4, 9.81)
    coarse, _ = pendulum(0.4, 9.81, tick=RATE // 5, rate=RATE)
    for tick in range(100):
        command = Commands({"p": [[0.5 * np.sin(tick)]]})
        for _ in range(5):
            expected, _ = fine.step(command)
        found, _ = coarse.step(command)
        assert found.joint_position.tobytes() == expected.joint_position.tobytes()
        assert found.joint_velocity.tobytes() == expected.joint_velocity.tobytes()


def test_a_kinds_own_rate_is_a_part_of_the_ticks_to_the_bit(pendulum):
    """A step of 5 ms in five ticks of 1 ms is a tick of 5 ms; what is commanded meanwhile acts from the next one on."""
    coarse, at_rest = pendulum(0.4, 9.81, tick=RATE // 5)
    slow, _ = pendulum(0.4, 9.81, rate=RATE // 5)
    expected, nothing = at_rest, Commands({"p": [[9.0]]})
    for step in range(100):
        command = Commands({"p": [[0.5 * np.sin(step)]]})
        found = []
        for tick in range(5):
            found.append(slow.step(nothing if tick else command)[0])
        for seen in found[:4]:
            assert seen.joint_position.tobytes() == expected.joint_position.tobytes(), "seen where it was"
        expected, _ = coarse.step(command)
        assert found[4].joint_position.tobytes() == expected.joint_position.tobytes()
        assert found[4].joint_velocity.tobytes() == expected.joint_velocity.tobytes()


def test_who_may_touch_steps_together_and_as_often_as_the_most_frequent(tmp_path, bullet):
    urdf = tmp_path / "pendulum.urdf"
    urdf.write_text(PENDULUM.format(arm=0.4))
    turn, groups = np.array([[0.0, 0, 0, 1]]), []
    for name, x, rate in (("a", 0.0, 200), ("b", 0.1, 500), ("c", 90.0, 200)):
        spec = BodySpec(urdf=urdf, fixed=True, dynamics="x", command=(CommandField(name="t", unit="N m"),), rate=rate)
        groups.append(BodyGroup(name, spec, Torque(), np.array([[x, 0, 5]]), turn, [name]))
    physics = bullet(1000, groups)
    assert physics.rates == {"a": 1000, "b": 1000, "c": 200}, "1000 is the least that both 200 and 500 divide"


def test_a_rate_that_does_not_divide_the_tick_is_refused_with_the_nearest(pendulum):
    with pytest.raises(ScenarioError, match="500 Hz doesn't divide ticks of 200 Hz.*: 400 Hz or 600 Hz"):
        pendulum(0.4, 9.81, tick=200, rate=500)
    with pytest.raises(ScenarioError, match="300 Hz doesn't divide ticks of 1000 Hz.*: 250 Hz or 500 Hz"):
        pendulum(0.4, 9.81, rate=300)
