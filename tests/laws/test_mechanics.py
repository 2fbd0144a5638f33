"""Laws of mechanics: what Bullet integrates, and what the rotors do to it, against closed forms."""

import math
from pathlib import Path

import numpy as np
import pytest

from twin.physics.bodies import BodyGroup
from twin.physics.dynamics.point_force import PointForce
from twin.physics.dynamics.rotorcraft import Rotorcraft
from twin.project import plugins
from twin.project.robots import load_kind
from twin.protocols import RobotSpec
from twin.sensors.navigation import Navigation
from twin.sensors.setting import Setting
from twin.specs import BodySpec, CommandField, NavigationSpec, RouteSpec
from twin.state import BodyState, Commands, Observation, Truth
from twin.tasks import make_task, tracking_error

ROOT = Path(__file__).resolve().parents[2]
DRONE = ROOT / "agents/drone"
RATE, G = 500, 9.81
DT = 1 / RATE
TURNED = np.array([[0.1, -0.7, 0.4, 0.58309519]])  # some unit quaternion

BOX = """<robot name="box"><link name="base">
  <inertial><mass value="{mass}"/>
    <inertia ixx="0.02" iyy="0.03" izz="0.04" ixy="0" ixz="0" iyz="0"/></inertial>
  <collision><geometry><sphere radius="0.5"/></geometry></collision>
</link></robot>"""


class Torque:
    """Test dynamics: the command is a torque in world axes."""

    def reset(self):
        pass

    def wrench(self, state, command, dt):
        return np.hstack([np.zeros((len(command), 3)), command])


@pytest.fixture
def world(tmp_path, bullet):
    def make(dynamics, position=((0.0, 0.0, 100.0),), orientation=None, mass=(1.0,), gravity=G, rate=RATE):
        groups = []
        for i, place in enumerate(position):
            urdf = tmp_path / f"box{i}.urdf"
            urdf.write_text(BOX.format(mass=mass[i]))
            spec = BodySpec(urdf=urdf, dynamics="force", command=(CommandField(name="f", size=3, unit="N"),))
            turn = np.array([[0.0, 0.0, 0.0, 1.0]]) if orientation is None else orientation
            groups.append(BodyGroup(f"g{i}", spec, dynamics, np.array([place]), turn, [f"b{i}"]))
        return bullet(rate, groups, gravity=gravity)

    return make


@pytest.fixture
def kind():
    return load_kind(DRONE)


@pytest.fixture
def rotors(kind):
    return Rotorcraft(kind.body.parameters, 1)


@pytest.fixture
def drone(kind, bullet):
    """One drone in the air, 100 m above nothing, with its own physics."""
    def make(position=(0.0, 0.0, 100.0), yaw=0.0, **changes):
        dynamics = Rotorcraft({**kind.body.parameters, **changes}, 1)
        turn = np.array([[0.0, 0.0, math.sin(yaw / 2), math.cos(yaw / 2)]])
        group = BodyGroup("drone", kind.body, dynamics, np.array([position]), turn, ["drone"])
        physics = bullet(RATE, [group])
        return physics, dynamics

    return make


def force(*values):
    return Commands({f"g{i}": np.array([value]) for i, value in enumerate(values)})


def at_rest(orientation=(0.0, 0.0, 0.0, 1.0), velocity=(0.0, 0.0, 0.0), rates=(0.0, 0.0, 0.0)):
    empty = np.zeros(0)
    arrays = [np.array([values]) for values in ((0.0, 0.0, 0.0), orientation, velocity, rates)]
    return BodyState(*arrays, empty, empty, np.zeros(2, dtype=np.int64))


def matrix(q):
    x, y, z, w = q
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def test_free_fall_is_a_parabola(world):
    """v = -g t and z = z_0 - g t^2 / 2, whatever the step."""
    physics, n = world(PointForce({}, 1)), 1000
    for _ in range(n):
        bodies, _ = physics.step(force((0.0, 0.0, 0.0)))
    # n additions to a number of size 100, each rounded to half a unit in the last place
    rounding = n * np.spacing(100.0)
    assert bodies.velocity[0, 2] == pytest.approx(-G * n * DT, abs=rounding)
    assert bodies.position[0, 2] == pytest.approx(100.0 - G * (n * DT) ** 2 / 2, abs=rounding)
    assert np.array_equal(bodies.position[0, :2], [0.0, 0.0])


def test_no_air_resistance_that_nobody_asked_for(world):
    physics = world(PointForce({}, 1), gravity=0.0)
    physics.step(force((RATE * 50.0, 0.0, 0.0)))  # to 50 m/s in one step
    for _ in range(500):
        bodies, _ = physics.step(force((0.0, 0.0, 0.0)))
    assert bodies.velocity[0, 0] == pytest.approx(50.0, rel=1e-12)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_torque_in_world_axes_turns_by_the_inverse_of_the_turned_inertia(world, axis):
    """From rest the first step gives w = R I^-1 R^T tau dt, whatever way the body points."""
    physics = world(Torque(), orientation=TURNED)
    torque = np.eye(3)[axis]
    bodies, _ = physics.step(force(torque))
    r = matrix(TURNED[0])
    inverse = r @ np.diag([1 / 0.02, 1 / 0.03, 1 / 0.04]) @ r.T
    assert bodies.angular_velocity[0] == pytest.approx(inverse @ torque * DT, abs=1e-7)


def test_momentum_is_kept_when_two_bodies_collide_and_energy_is_not_gained(world):
    masses, push = (1.0, 3.0), 20.0
    physics = world(PointForce({}, 1), ((0.0, 0.0, 0.0), (2.0, 0.1, 0.0)), mass=masses, gravity=0.0)
    for _ in range(50):
        physics.step(force((push, 0.0, 0.0), (0.0, 0.0, 0.0)))
    wanted, events = np.array([push * 50 * DT, 0.0, 0.0]), []  # impulse = force x time, closing at 2 m/s
    for _ in range(500):
        bodies, new = physics.step(force((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)))
        events += new
    assert np.array(masses) @ bodies.velocity == pytest.approx(wanted, abs=1e-9)
    assert bodies.velocity[1, 0] > 0.1
    energy = 0.5 * np.array(masses) @ np.sum(bodies.velocity**2, axis=1)
    assert energy <= 0.5 * 1.0 * 2.0**2
    assert [(e.kind, e.robot, e.detail) for e in events] == [("contact", "b0", "b1")]
    along = np.array([math.sqrt(1.0 - 0.1**2), 0.1, 0.0])  # between the centres of two spheres 1 m apart
    assert events[0].value == pytest.approx(2.0 * along[0], rel=0.01)


def test_rotors_carry_exactly_the_weight_in_hover(drone, kind):
    physics, dynamics = drone()
    command = Commands({"drone": np.zeros((1, 4))})
    for _ in range(1000):
        bodies, _ = physics.step(command)
    thrust = kind.body.parameters["thrust_coefficient"] * np.sum(dynamics.rotor_speed**2)
    assert thrust == pytest.approx(dynamics.mass * G, rel=1e-9)
    assert bodies.position[0] == pytest.approx([0.0, 0.0, 100.0], abs=1e-6)


def test_a_rotor_goes_63_percent_of_a_step_in_its_time_constant(rotors, kind):
    p, command = kind.body.parameters, np.array([[0.0, 0.0, 2.0, 0.0]])
    start = math.sqrt(rotors.mass * G / 4 / p["thrust_coefficient"])
    end = math.sqrt(rotors.mass * (G + 2.0) / 4 / p["thrust_coefficient"])
    steps = 30  # of a millisecond: the time constant of 30 ms
    for _ in range(steps):
        rotors.wrench(at_rest(), command, 1e-3)
    share = (rotors.rotor_speed - start) / (end - start)
    assert share == pytest.approx(np.full((1, 4), 1 - math.exp(-1)), rel=1e-9)


def test_a_falling_drone_reaches_the_speed_at_which_drag_is_its_weight(drone):
    a, b = 0.05, 0.04
    physics, dynamics = drone((0, 0, 1000), linear_drag=[0, 0, a], quadratic_drag=[0, 0, b])
    for _ in range(20 * RATE):
        bodies, _ = physics.step(Commands({"drone": np.array([[0.0, 0.0, -15.0, 0.0]])}))
    terminal = (-a + math.sqrt(a * a + 4 * b * dynamics.mass * G)) / (2 * b)
    assert bodies.velocity[0, 2] == pytest.approx(-terminal, rel=1e-6)


def test_rotors_that_turn_faster_one_way_turn_the_body_the_other_way(rotors, kind):
    spins = [rotor["spin"] for rotor in kind.body.parameters["rotors"]]
    rotors.rotor_speed[0, [i for i, spin in enumerate(spins) if spin == "ccw"]] += 50.0
    wrench = rotors.wrench(at_rest(), np.array([[0.0, 0.0, 0.0, 0.0]]), 1e-9)
    assert wrench[0, 5] < 0.0
    assert np.abs(wrench[0, 3:5]).max() < 1e-12


def test_a_wanted_yaw_is_reached_counterclockwise_from_east(drone):
    physics, _ = drone()
    for _ in range(5 * RATE):
        bodies, _ = physics.step(Commands({"drone": np.array([[0.0, 0.0, 0.0, 1.0]])}))
    assert matrix(bodies.orientation[0])[:, 0] == pytest.approx([math.cos(1), math.sin(1), 0], abs=1e-3)


@pytest.mark.parametrize("yaw", [0.0, 2.0])
def test_a_wanted_acceleration_is_what_the_body_gets_whatever_its_heading(drone, yaw):
    """Without drag, once the attitude has settled (its slowest mode, yaw apart, has 1/e in 0.2 s)."""
    physics, _ = drone(yaw=yaw, rotor_drag=[0, 0, 0], quadratic_drag=[0, 0, 0])
    command, seen = Commands({"drone": np.array([[0.5, -0.3, 0.2, yaw]])}), []
    for _ in range(4 * RATE):
        bodies, _ = physics.step(command)
        seen.append(bodies.velocity[0])
    got = (seen[-1] - seen[-11]) / (10 * DT)
    assert got == pytest.approx([0.5, -0.3, 0.2], abs=1e-4)


def test_a_drone_tracks_a_route_without_delay(drone, kind):
    """At 3 m/s round corners of some 10 m the error stays far below the drone's own size of 0.57 m."""
    spec = RouteSpec(kind="route", waypoints=((0, 0, 20), (30, 0, 22), (30, 20, 25), (0, 20, 22)), speed=3.0)
    task = make_task(spec, 1)
    start = task.reference(0, 0.0)
    physics, _ = drone(start.position, start.yaw)
    controller = plugins.load_controller("trajectory", DRONE).value()
    controller.reset(RobotSpec("drone", "drone", 0, kind, task), np.random.default_rng(0))
    sensor, row = Navigation(NavigationSpec(), Setting(["drone"], kind, None, None, 1)), np.array([0])
    bodies, commands, worst = physics.bodies, Commands({"drone": np.zeros((1, 4))}), 0.0
    for tick in range(30 * RATE):
        now = physics.clock.now
        if tick % 10 == 0:
            (sample,) = sensor.read(Truth(now, bodies), row, row)
            commands.values["drone"][0] = controller.act(Observation(now, "drone", sample)).command
        worst = max(worst, tracking_error(task, 0, now * 1e-9, bodies.position[0]))
        bodies, _ = physics.step(commands)
    assert worst < 0.1
