"""Laws of robots on wheels: circles, braking, limits of friction, momentum, mecanum kinematics, energy."""

from math import pi, sin
from pathlib import Path

import numpy as np
import pytest

from twin.physics.bodies import BodyGroup
from twin.physics.dynamics.wheels import Wheels
from twin.physics.floor import Floor, Standing
from twin.project.robots import load_kind
from twin.state import Commands

ROOT = Path(__file__).resolve().parents[2]
RATE, G = 500, 9.81
DT = 1 / RATE


@pytest.fixture
def robots(bullet):
    """Robots of a kind on a floor at height 0, with changed parameters: physics, dynamics and a way to drive them."""
    def make(kind="amr", position=((0.0, 0.0, 0.0),), yaw=0.0, **changes):
        spec = load_kind(ROOT / "agents" / kind).body
        n = len(position)
        dynamics = Wheels({**spec.parameters, **changes}, n, spec.urdf)
        turn = np.tile([0.0, 0.0, sin(yaw / 2), np.cos(yaw / 2)], (n, 1))
        names = [f"r{i}" for i in range(n)]
        physics = bullet(RATE, [BodyGroup("r", spec, dynamics, np.array(position), turn, names)])

        def drive(command, seconds):
            held = Commands({"r": np.tile(command, (n, 1)) if np.ndim(command) == 1 else np.array(command)})
            states, events = [], []
            for _ in range(round(seconds * RATE)):
                state, new = physics.step(held)
                states.append(state)
                events += new
            return states, events

        return dynamics, drive

    return make


def places(states, row=0):
    return np.array([state.position[row] for state in states])


def stopping_way(drive, speed):
    before = drive([speed, 0.0], 6.0)[0][-1].position[0, 0]
    return drive([0.0, 0.0], 4.0)[0][-1].position[0, 0] - before


@pytest.mark.parametrize(("speed", "turning"), [(1.0, 0.5), (0.4, -1.2), (1.5, 1.5)])
def test_the_turning_radius_is_speed_over_turning_rate(robots, speed, turning):
    dynamics, drive = robots()
    drive([speed, turning], 6.0)
    way = places(drive([speed, turning], 4.0)[0])
    # A tick is a chord of the circle: its radius is v dt / (2 sin(w dt / 2)).
    radius = speed * DT / (2 * sin(abs(turning) * DT / 2))
    middle = np.linalg.lstsq(np.c_[2 * way[:, :2], np.ones(len(way))], (way[:, :2] ** 2).sum(axis=1), rcond=None)[0]
    found = np.hypot(way[:, 0] - middle[0], way[:, 1] - middle[1])
    assert found == pytest.approx(radius, rel=1e-5)
    assert dynamics.slipping[0] == 0


def test_standing_on_its_springs_it_neither_sinks_nor_creeps(robots):
    _, drive = robots()
    state = drive([0.0, 0.0], 10.0)[0][-1]
    assert state.position[0] == pytest.approx([0.0, 0.0, 0.2], abs=1e-9)
    assert np.abs(state.velocity).max() < 1e-9


@pytest.mark.parametrize("speed", [0.5, 1.5])
def test_under_the_limit_of_friction_the_braking_distance_is_v2_over_2a(robots, speed):
    bandwidth = 6.0
    _, drive = robots(bandwidth=f"{bandwidth} Hz", braking=1.2)
    # The wheels follow a ramp with the lag 1 / (2 pi bandwidth), which adds v times the lag; a tick more or less.
    expected = speed**2 / (2 * 1.2) + speed / (2 * pi * bandwidth)
    assert stopping_way(drive, speed) == pytest.approx(expected, abs=speed * DT)


@pytest.mark.parametrize("load", [0.5, 0.9])
def test_at_the_limit_of_friction_the_braking_distance_is_v2_over_2_mu_g(robots, load):
    speed, mu = 1.5, 0.3
    dynamics, drive = robots(friction=mu, driven_load=load, braking=1e4, bandwidth="1 kHz", torque=1e5, base="2 m")
    # The two braked wheels stand under the centre of mass, so pitching doesn't change what they bear.
    expected = speed**2 / (2 * mu * load * G)
    assert stopping_way(drive, speed) == pytest.approx(expected, abs=2 * speed * DT)
    assert dynamics.slipping[0] > 0


def test_a_drive_at_its_limit_accelerates_by_torque_over_radius(robots):
    torque, mass, inertia, radius = 3.0, 120.0, 0.02, 0.1
    dynamics, drive = robots(torque=torque, acceleration=100.0, rolling_resistance=0.0, bandwidth="100 Hz")
    states = drive([1.5, 0.0], 1.0)[0]
    speed = np.array([state.velocity[0, 0] for state in states])
    expected = 2 * torque / radius / (mass + 2 * inertia / radius**2)
    gain = np.diff(speed[50:450]) * RATE
    assert gain == pytest.approx(expected, rel=1e-6)
    assert dynamics.saturated[0] >= 450


def test_too_fast_a_curve_slides_outwards(robots):
    dynamics, drive = robots(friction=0.1)
    drive([1.5, 1.5], 5.0)
    assert 1.5 * 1.5 > 0.1 * 0.6 * G, "more than what the driven wheels can hold"
    assert dynamics.slipping[0] > 0


@pytest.mark.parametrize("command", [[0.6, 0.3, 0.0], [0.0, 0.5, 0.4], [-0.4, -0.2, -0.8], [0.0, 0.0, 1.0]])
def test_mecanum_wheels_do_what_they_are_told_in_every_direction(robots, command):
    dynamics, drive = robots("mecanum", yaw=0.7)
    state = drive(command, 4.0)[0][-1]
    x, y, z, w = state.orientation[0]
    heading = 2 * np.arctan2(z, w)
    # A tick ends half a tick's turn after the chord along which its velocity is.
    heading -= 0.5 * DT * state.angular_velocity[0, 2]
    forward = np.cos(heading) * state.velocity[0, 0] + np.sin(heading) * state.velocity[0, 1]
    left = np.cos(heading) * state.velocity[0, 1] - np.sin(heading) * state.velocity[0, 0]
    assert [forward, left, state.angular_velocity[0, 2]] == pytest.approx(command, abs=1e-5)
    assert dynamics.slipping[0] == 0
    sides, r = 0.3 + 0.25, 0.1  # half of base and of track
    vx, vy, turn = command
    assert dynamics.speed[0] == pytest.approx(  # Muir and Neuman, Kinematic modeling of wheeled mobile robots, 1987
        np.array([vx - vy - sides * turn, vx + vy + sides * turn, vx + vy - sides * turn, vx - vy + sides * turn]) / r,
        abs=1e-4,
    )


@pytest.mark.parametrize("kind", ["amr", "mecanum"])
def test_forward_undoes_inverse_kinematics(robots, kind):
    dynamics, _ = robots(kind)
    both = dynamics.kinematics @ dynamics.chassis.drive
    assert both == pytest.approx(np.diag([1.0, kind == "mecanum", 1.0]), abs=1e-12)


def test_momentum_in_a_collision_of_sliding_robots(robots):
    mu, mass, after = 0.01, 120.0, 0.3
    _, drive = robots(position=((0.0, 0.0, 0.0), (1.6, 0.0, 0.0)), friction=mu, acceleration=100.0, braking=100.0,
                      bandwidth="100 Hz", rolling_resistance=0.0)  # fmt: skip
    states, events = drive([[1.5, 0.0], [0.0, 0.0]], 12.0)
    hit = next(event for event in events if event.kind == "contact")
    at = round(hit.time / 1e9 * RATE)
    momentum = [mass * states[k].velocity[:, 0].sum() for k in (at - 2, at + round(after * RATE))]
    # The floor can change it by no more than all friction there is.
    assert abs(momentum[1] - momentum[0]) <= (after + 3 * DT) * 2 * mu * 0.6 * mass * G
    # Spinning wheels push the first one over the 0.7 m between them.
    speed = np.sqrt(2 * mu * 0.6 * G * 0.7)
    assert hit.value == pytest.approx(speed, rel=0.02)
    assert momentum[0] == pytest.approx(mass * speed, rel=0.02)
    assert states[at + 25].velocity[1, 0] > 0.3 * hit.value, "the other one is pushed away"


def test_energy_is_rolling_resistance_and_what_moves(robots):
    mass, speed, efficiency, hotel, crr = 120.0, 1.0, 0.8, 40.0, 0.02
    battery = {"efficiency": efficiency, "hotel": hotel}
    dynamics, drive = robots(rolling_resistance=crr, driven_load=0.6, battery=battery)
    drive([speed, 0.0], 5.0)
    before = dynamics.used[0]
    drive([speed, 0.0], 10.0)
    expected = 10.0 * (crr * 0.6 * mass * G * speed / efficiency + hotel)
    assert dynamics.used[0] - before == pytest.approx(expected, rel=1e-4)


def test_a_battery_is_charged_where_a_station_is_and_only_standing_there(robots):
    battery = {"energy": 1e5, "charge": 0.5, "hotel": 0.0, "charger": 1000.0}
    dynamics, drive = robots(position=((0.0, 0.0, 0.0), (5.0, 0.0, 0.0)), battery=battery)
    dynamics.stations = np.array([[5.1, 0.0]])
    drive([0.0, 0.0], 10.0)
    assert dynamics.charge == pytest.approx([5e4, 6e4], rel=1e-9)
    assert dynamics.charging.tolist() == [False, True]
    drive([1.0, 0.0], 3.0)
    assert not dynamics.charging.any()


def test_an_empty_battery_stops_the_robot(robots):
    dynamics, drive = robots(battery={"energy": 500.0, "hotel": 100.0})
    state = drive([1.0, 0.0], 10.0)[0][-1]
    assert np.abs(state.velocity).max() < 1e-6 and dynamics.charge[0] == 0.0


class Ramp:
    """A plane that rises to the east by `rise` m per m, and by `north` to the north."""

    def __init__(self, rise, north=0.0):
        self.slope = np.array([rise, north, 0.0])

    def height_below(self, points):
        return points @ self.slope


def on_a_ramp(bullet, kind, rise, command, seconds, yaw=0.0, **changes):
    """Drive on a ramp; return dynamics, states, and the robot's place up the slope over time [m]."""
    spec = load_kind(ROOT / "agents" / kind).body
    dynamics = Wheels({**spec.parameters, **changes}, 1, spec.urdf)
    tilt, turn = -np.arctan(rise), np.array([0.0, 0.0, sin(yaw / 2), np.cos(yaw / 2)])
    a, b = np.array([0.0, sin(tilt / 2), 0.0, np.cos(tilt / 2)]), turn
    q = np.array([a[3] * b[0] + a[1] * b[2], a[3] * b[1] + a[1] * b[3], a[3] * b[2] - a[1] * b[0], a[3] * b[3]])
    around = Floor([Standing(dynamics, 0)], Ramp(rise))
    group = BodyGroup("r", spec, dynamics, np.zeros((1, 3)), (q / np.linalg.norm(q))[None], ["r"])
    physics = bullet(RATE, [group], surroundings=around)
    states = [physics.step(Commands({"r": np.array([command])}))[0] for _ in range(round(seconds * RATE))]
    along = np.array([np.cos(-tilt), 0.0, sin(-tilt)])
    return dynamics, states, np.array([state.position[0] @ along for state in states])


@pytest.mark.parametrize("yaw", [0.0, pi / 2, 0.7])
def test_a_robot_that_stands_on_a_slope_stays_if_friction_holds_it(bullet, yaw):
    """tan(angle) = 0.2 is below the friction of 0.7; what holds it are its driven wheels, with 60 % of the load."""
    _, states, way = on_a_ramp(bullet, "amr", 0.2, [0.0, 0.0], 4.0, yaw)
    assert np.ptp(way[RATE:]) < 1e-3, "it doesn't creep"
    assert np.abs(states[-1].velocity).max() < 1e-4


def test_a_robot_slides_down_a_slope_too_steep_for_its_friction(bullet):
    """Its driven wheels lock, its castors roll: a = g (sin - mu share cos), along the slope."""
    mu, rise, share = 0.2, 0.3, 0.6
    dynamics, states, way = on_a_ramp(bullet, "amr", rise, [0.0, 0.0], 2.0, friction=mu, torque=1e4)
    angle = np.arctan(rise)
    pulled = np.diff(way, 2)[RATE // 2 :].mean() / DT**2
    height = -dynamics.chassis.place[0, 2]
    assert dynamics.slipping[0] > 0
    wanted = -G * (np.sin(angle) - mu * share * np.cos(angle))
    assert pulled == pytest.approx(wanted, rel=0.02), f"the load moves to the lower castor, {height:.2f} m below"


def test_driving_up_a_slope_takes_the_work_of_its_height(bullet):
    """At constant speed the drives give m g h and the rolling resistance, over their efficiency."""
    rise, speed = 0.1, 0.5
    dynamics, states, way = on_a_ramp(bullet, "amr", rise, [speed, 0.0], 6.0)
    assert (way[-1] - way[-1 - 2 * RATE]) / 2 == pytest.approx(speed, rel=1e-3)
    assert states[-1].position[0, 2] > 0.2
    flat, level, _ = on_a_ramp(bullet, "amr", 0.0, [speed, 0.0], 6.0)
    climbed = states[-1].position[0, 2] - states[0].position[0, 2]
    more = (dynamics.used[0] - flat.used[0]) * dynamics.chassis.efficiency
    assert more == pytest.approx(dynamics.chassis.mass * G * climbed, rel=0.03)
