"""What kernels move is right to the second order of the step: half the step, a quarter of the error."""

from pathlib import Path

import numpy as np
import pytest

from twin.physics.bodies import BodyGroup
from twin.physics.bullet.physics import BulletPhysics
from twin.physics.dynamics.make import make_dynamics
from twin.project.robots import load_kind
from twin.specs import BodySpec, CommandField
from twin.state import Commands

ROOT = Path(__file__).resolve().parents[2]
INERTIA = np.array([0.010, 0.020, 0.026])
URDF = """<robot name="box"><link name="base"><inertial><mass value="1.3"/>
  <inertia ixx="0.010" ixy="0" ixz="0" iyy="0.020" iyz="0" izz="0.026"/></inertial></link></robot>"""


class Kicked:
    """Test dynamics: a torque in body axes, in the first step only."""

    midway = True

    def reset(self):
        self.steps = 0

    def wrench(self, state, command, dt):
        out = np.zeros((1, 6))
        if self.steps == 0:
            out[0, 3:] = command[0] / dt
        self.steps += 1
        return out


class Spring:
    """Test dynamics: an undamped spring to the origin, with gravity made up for."""

    midway = True

    def reset(self):
        pass

    def wrench(self, state, command, dt):
        out = np.zeros((1, 6))
        out[:, :3] = -1.3 * 9.0 * state.position + [0.0, 0.0, 1.3 * 9.81]
        return out


def states(physics, name, command, ticks):
    found = [physics.reset()]
    for tick in range(ticks):
        found.append(physics.step(Commands({name: command(tick)}))[0])
    physics.close()
    return found


@pytest.fixture
def box(tmp_path):
    def make(dynamics, rate, place=(0.0, 0.0, 0.0), width=3):
        (tmp_path / "box.urdf").write_text(URDF)
        command = (CommandField(name="w", size=width, unit="N"),)
        spec = BodySpec(urdf=tmp_path / "box.urdf", dynamics="x", command=command)
        turn = np.array([[0.0, 0.0, 0.0, 1.0]])
        return BulletPhysics(rate, [BodyGroup("b", spec, dynamics, np.array([place]), turn, ["b"])])

    return make


def axes(q):
    x, y, z, w = q
    return np.array([[1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                     [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                     [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]])  # fmt: skip


def test_a_body_without_torque_keeps_its_momentum_and_energy_to_the_second_order(box):
    """Euler's equations: about the middle axis it tumbles; momentum is kept to rounding."""
    errors = {}
    for rate in (250, 500, 1000):
        kick = np.array([[0.002, 0.1, 0.001]])
        after = states(box(Kicked(), rate), "b", lambda _, kick=kick: kick, 4 * rate)[1:]
        turns = [axes(s.orientation[0]) for s in after]
        rates = [turn.T @ state.angular_velocity[0] for turn, state in zip(turns, after, strict=True)]
        momentum = np.array([turn @ (INERTIA * w) for turn, w in zip(turns, rates, strict=True)])
        energy = np.array([0.5 * INERTIA @ w**2 for w in rates])
        assert np.ptp([w[1] for w in rates]) > 5.0, "it tumbled"
        assert np.abs(momentum - momentum[0]).max() < 1e-9 * np.linalg.norm(momentum[0])
        errors[rate] = np.abs(energy - energy[0]).max() / energy[0]
    assert errors[500] / errors[1000] == pytest.approx(4.0, rel=0.15)
    assert errors[250] / errors[500] == pytest.approx(4.0, rel=0.15)


def test_a_constant_force_moves_a_body_exactly(box):
    """x = F t^2 / 2m at any step: a parabola."""
    force = make_dynamics("force", {}, 1, ROOT)
    last = states(box(force, 50), "b", lambda _: np.array([[2.6, 0.0, 1.3 * 9.81]]), 100)[-1]
    assert last.position[0] == pytest.approx([4.0, 0.0, 0.0], abs=1e-12)
    assert last.velocity[0] == pytest.approx([4.0, 0.0, 0.0], abs=1e-12)


def test_an_undamped_spring_keeps_its_amplitude_and_its_period_to_the_second_order(box):
    errors = []
    for rate in (50, 100, 200):
        found = states(box(Spring(), rate, (1.0, 0.0, 0.0)), "b", lambda _: np.zeros((1, 3)), 20 * rate)
        x = np.array([s.position[0, 0] for s in found])
        assert abs(np.abs(x[-4 * rate :]).max() - 1.0) < 0.01, "it neither dies away nor grows"
        errors.append(np.abs(x - np.cos(3.0 * np.arange(len(x)) / rate)).max())
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(4.0, rel=0.1)


def flown(rate, motors):
    """Where a drone is, and how it is turned, after 1.2 s of a lively flight at this rate."""
    body = load_kind(ROOT / "agents" / ("bare_drone" if motors else "drone")).body
    dynamics = make_dynamics(body.dynamics, body.parameters, 1, ROOT)
    turn = np.array([[0.0, 0.0, 0.0, 1.0]])
    physics = BulletPhysics(rate, [BodyGroup("d", body, dynamics, np.zeros((1, 3)), turn, ["d"])])
    share = dynamics.rotor_speed[0, 0] / dynamics.airframe.max_speed

    def command(tick):
        if motors:
            return share * np.array([[1.06, 1.0, 1.01, 1.05]]) if tick < 0.3 * rate else share * np.full((1, 4), 1.02)
        return np.array([[1.0, -0.7, 0.3, 0.1]]) if tick < 0.6 * rate else np.array([[0.2, 0.3, 0.0, 0.1]])

    last = states(physics, "d", command, round(1.2 * rate))[-1]
    return np.concatenate([last.position[0], last.orientation[0]])


@pytest.mark.parametrize("motors", [True, False])
def test_a_flight_converges_with_the_square_of_the_step(motors):
    """Rotors that lag, drag, and onboard loops that work all the time: each halving leaves a quarter."""
    truth, found = flown(16_000, motors), [flown(rate, motors) for rate in (250, 500, 1000)]
    errors = [np.linalg.norm((one - truth)[:3]) for one in found]
    assert errors[1] < 1e-4, "0.1 mm at 500 Hz"
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.2)
    assert errors[1] / errors[2] == pytest.approx(4.0, rel=0.2)


@pytest.mark.parametrize("rate", [200, 500])
def test_an_arm_converges_with_the_square_of_the_step(rate):
    body = load_kind(ROOT / "agents/kuka").body

    def swung(rate):
        dynamics = make_dynamics(body.dynamics, body.parameters, 1, ROOT, body.urdf)
        turn = np.array([[0.0, 0.0, 0.0, 1.0]])
        physics = BulletPhysics(rate, [BodyGroup("a", body, dynamics, np.zeros((1, 3)), turn, ["a"])])
        goal = body.vector("initial").copy()[None]
        goal[:, :7] += [0.05, -0.04, 0.03, 0.06, -0.05, 0.04, 0.05]
        return states(physics, "a", lambda _: goal, round(0.1 * rate))[-1].joint_position

    truth = swung(16_000)
    errors = [np.abs(swung(r) - truth).max() for r in (rate, 2 * rate)]
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.3)
