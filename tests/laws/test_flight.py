"""Laws of whole flights: where the energy goes, and that collided drones fall."""

from pathlib import Path

import numpy as np
import pytest

from twin.physics.bullet.physics import BodyGroup, BulletPhysics
from twin.physics.dynamics.rotorcraft import Rotorcraft
from twin.project.robots import load_kind
from twin.state import Commands

DRONE = Path(__file__).resolve().parents[2] / "agents/drone"
FLOOR = "v -99 -99 0\nv 99 -99 0\nv 99 99 0\nv -99 99 0\nf 1 2 3\nf 1 3 4\n"
RATE, G = 500, 9.81
DT = 1 / RATE


class Watched(Rotorcraft):
    """Keeps each wrench and what the rotors turn with."""

    def __init__(self, parameters, n):
        super().__init__(parameters, n)
        self.wrenches, self.shaft = [], []

    def wrench(self, state, command, dt):
        before, first = self.used.copy(), self.rotor_speed[0].copy()
        out = super().wrench(state, command, dt)
        self.wrenches.append(out[0].copy())
        left, late = np.exp(-dt / self.airframe.motor_time), self.airframe.motor_time / dt
        wanted = (self.rotor_speed[0] - left * first) / (1 - left)
        gap = first - wanted
        mean = wanted + gap * late * (1 - left)  # over the step, of the speed and of its square
        square = wanted**2 + 2 * wanted * gap * late * (1 - left) + gap**2 * late * (1 - left**2) / 2
        self.shaft.append((np.sum(mean * square), self.used[0] - before[0], self.power[0]))
        return out


@pytest.fixture
def sky(tmp_path):
    """Return make(places): drones of one group over a floor."""
    worlds, kind = [], load_kind(DRONE)
    (tmp_path / "floor.obj").write_text(FLOOR)

    def make(*places):
        dynamics = Watched(kind.body.parameters, len(places))
        turn = np.tile([0.0, 0.0, 0.0, 1.0], (len(places), 1))
        names = [f"drone-{i}" for i in range(len(places))]
        group = BodyGroup("drones", kind.body, dynamics, np.array(places, dtype=float), turn, names)
        worlds.append(BulletPhysics(RATE, [group], tmp_path / "floor.obj"))
        worlds[-1].reset()
        return worlds[-1], dynamics

    yield make
    for world in worlds:
        world.close()


def energies(bodies, dynamics):
    """Return kinetic and potential energy [J] of the first drone."""
    v, w, q = bodies.velocity[0], bodies.angular_velocity[0], bodies.orientation[0]
    t = 2 * np.cross(-q[:3], w)
    rates = w + q[3] * t + np.cross(-q[:3], t)
    return dynamics.mass * v @ v / 2 + rates @ (dynamics.inertia * rates) / 2, dynamics.mass * G * bodies.position[0, 2]


def test_the_energy_of_a_flight_goes_into_motion_height_rotors_drives_electronics_and_heat(sky):
    physics, dynamics = sky((0, 0, 20))
    battery, kq = dynamics.airframe.battery, dynamics.airframe.torque_coefficient
    bodies, work, before = physics.bodies, 0.0, energies(physics.bodies, dynamics)
    for tick in range(5 * RATE):
        t = tick * DT
        command = Commands({"drones": np.array([[4 * np.sin(2 * t), 3 * np.cos(3 * t), 2 * np.sin(1.3 * t), 0.5 * t]])})
        after, _ = physics.step(command)
        force = dynamics.wrenches[-1]
        work += DT * (force[:3] @ (bodies.velocity[0] + after.velocity[0]) / 2)
        work += DT * (force[3:] @ (bodies.angular_velocity[0] + after.angular_velocity[0]) / 2)
        bodies = after
    kinetic, height = np.subtract(energies(bodies, dynamics), before)
    assert abs(kinetic) + abs(height) > 10.0
    assert work == pytest.approx(kinetic + height, abs=0.001)  # J; what turns is right to the second order
    cubes, taken, turned = np.array(dynamics.shaft).T
    power = turned / battery.efficiency + battery.hotel
    used = np.concatenate([[0.0], np.cumsum(taken)])[:-1]
    source = np.interp(used / battery.energy, *battery.curve.T)
    current = (source - np.sqrt(source**2 - 4 * battery.resistance * power)) / (2 * battery.resistance)
    assert taken == pytest.approx(DT * (power + battery.resistance * current**2), rel=1e-9)
    shaft = DT * kq * cubes.sum()
    assert shaft < battery.efficiency * dynamics.used[0] and shaft > work  # rotors lift by moving air


def collide(sky, push, seconds, apart=2.0):
    """Let two drones push towards each other for 0.8 s, then ask both to hover; return what happened."""
    physics, dynamics = sky((-apart / 2, 0, 10), (apart / 2, 0, 10))
    events = []
    for tick in range(round(seconds * RATE)):
        ahead = push if tick < 0.8 * RATE else 0.0
        velocity = physics.bodies.velocity
        wanted = np.zeros((2, 4))
        wanted[:, :3] = -2.0 * velocity if tick >= 0.8 * RATE else 0.0
        wanted[:, 0] += [ahead, -ahead]
        bodies, new = physics.step(Commands({"drones": wanted}))
        events += new
    return bodies, events, dynamics


def test_two_drones_that_collide_fall(sky):
    bodies, events, dynamics = collide(sky, 8.0, 6.0)
    hit = next(event for event in events if event.kind == "contact")
    assert {hit.robot, hit.detail} == {"drone-0", "drone-1"} and hit.value > 2.0
    broken = {event.robot: event for event in events if event.kind == "broken"}
    assert set(broken) == {"drone-0", "drone-1"}
    assert broken["drone-0"].time == hit.time and broken["drone-0"].detail == "hit drone-1"
    assert dynamics.broken.all() and np.all(dynamics.rotor_speed < 1e-3)
    assert np.all(bodies.position[:, 2] < 0.5)
    assert any("world" in (event.robot, event.detail) and event.value > 5.0 for event in events)


def test_two_drones_that_touch_gently_fly_on(sky):
    bodies, events, dynamics = collide(sky, 1.2, 3.0, apart=1.0)
    assert [event.kind for event in events].count("contact") >= 1
    assert max(event.value for event in events if event.kind == "contact") < 2.0
    assert not dynamics.broken.any() and np.all(bodies.position[:, 2] > 9.0)
