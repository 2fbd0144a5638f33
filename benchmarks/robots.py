"""How fast robots step: 50 drones beside plain Python loops over PyBullet, and a mixed fleet beside real time.

Usage: python benchmarks/robots.py [drones | aboard | fleet]
"""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pybullet as bullet
from scipy.spatial.transform import Rotation

from twin.assembly.build import build
from twin.physics.bodies import BodyGroup
from twin.physics.bullet.physics import BulletPhysics
from twin.physics.dynamics.make import make_dynamics
from twin.project.project import Project
from twin.project.robots import load_kind
from twin.specs.scenario import load_scenario
from twin.state import Commands

ROOT = Path(__file__).resolve().parent.parent
DRONE, RATE, DRONES = ROOT / "agents/drone", 500, 50
NAIVE_STEPS, STEPS, BEST_OF = 50, 2000, 3
TARGET_RATIO, TARGET_REAL_TIME = 80.0, 5.0

SWAY = '''"""Sways each joint of an arm."""

import numpy as np
from twin.state import Action


class Sway:
    runs_on = "onboard"

    def reset(self, spec, rng):
        self.start = spec.kind.body.vector("initial")
        self.swing = 0.2 * np.array([1] * 7 + [0, 0])

    def act(self, observation):
        return Action(self.start + self.swing * np.sin(observation.time * 1e-9))
'''
ABOARD = """
schema = 1
world = "void"
duration = "60 s"
[rates]
physics = "{rate} Hz"
channel = "1 Hz"
[robots.drones]
kind = "drone"
count = {count}
control = "{rate} Hz"
runs_on = "onboard"
positions = {places}
task = {{ kind = "hover", points = {points} }}
"""
FLEET = """
schema = 1
world = "void"
duration = "60 s"
[rates]
physics = "200 Hz"
channel = "1 Hz"
[robots.drones]
kind = "drone"
count = 100
runs_on = "onboard"
task = {{ kind = "hover", points = {points} }}
spec.body.zone = [[-10, -10, 1], [50, 50, 100]]
[robots.arms]
kind = "kuka"
count = 20
control = "50 Hz"
controller = "{sway}:Sway"
positions = {arms}
[robots.parts]
kind = "part"
count = 50
positions = {parts}
spec.body.zone = [[-10, -50, 10], [110, -30, 1001]]
"""


def places():
    return np.array([[4.0 * (i % 10), 4.0 * (i // 10), 10.0] for i in range(DRONES)])


def commands():
    """Everyone accelerates a little, to its own side."""
    angle = np.arange(DRONES)
    return np.stack([0.2 * np.cos(angle), 0.2 * np.sin(angle), 0.1 * np.cos(3 * angle), 0.0 * angle], axis=1)


class Loop:
    """The same drones as most scripts fly them: one after another, with SciPy rotations and a call per force."""

    def __init__(self, frame):
        self.frame = frame
        self.client = bullet.connect(bullet.DIRECT)
        bullet.setGravity(0, 0, -9.81, self.client)
        bullet.setTimeStep(1 / RATE, self.client)
        self.bodies = []
        for place in places().tolist():
            body = bullet.loadURDF(str(DRONE / "quadrotor.urdf"), place, flags=bullet.URDF_USE_INERTIA_FROM_FILE,
                                   physicsClientId=self.client)  # fmt: skip
            bullet.changeDynamics(body, -1, linearDamping=0, angularDamping=0, physicsClientId=self.client)
            self.bodies.append(body)
        hover = np.sqrt(frame.mixer[:, 0] * frame.mass * frame.gravity / frame.thrust_coefficient)
        self.speed = np.tile(hover, (DRONES, 1))
        self.used, self.voltage = np.zeros(DRONES), np.full(DRONES, frame.battery.full_voltage)

    def step(self, command):
        for i, body in enumerate(self.bodies):
            self.fly(i, body, command[i])
        bullet.stepSimulation(self.client)

    def fly(self, i, body, command):
        f, client = self.frame, self.client
        _, q = bullet.getBasePositionAndOrientation(body, client)
        velocity, spin = (np.array(v) for v in bullet.getBaseVelocity(body, client))
        turn = Rotation.from_quat(q)
        rates, flow = turn.inv().apply(spin), turn.inv().apply(velocity)
        thrust, torque = self.control(turn, rates, command)
        limit = f.thrust_coefficient * (f.max_speed * self.voltage[i] / f.battery.full_voltage) ** 2
        thrusts = np.clip(f.mixer @ np.append(thrust, torque), 0.0, limit)
        blend = 1.0 - np.exp(-1 / RATE / f.motor_time)
        self.speed[i] += blend * (np.sqrt(thrusts / f.thrust_coefficient) - self.speed[i])
        self.discharge(i)
        moment = np.zeros(3)
        for w, place, turning in zip(self.speed[i], f.place, f.turning, strict=True):
            force = -w * np.array(f.rotor_drag) * (flow + np.cross(rates, place))
            force[2] += f.thrust_coefficient * w * w
            bullet.applyExternalForce(body, -1, force, place, bullet.LINK_FRAME, client)
            moment[2] += turning * f.torque_coefficient * w * w
        drag = -(np.array(f.linear_drag) + np.array(f.quadratic_drag) * np.linalg.norm(flow)) * flow
        bullet.applyExternalForce(body, -1, drag, [0, 0, 0], bullet.LINK_FRAME, client)
        bullet.applyExternalTorque(body, -1, turn.apply(moment), bullet.WORLD_FRAME, client)

    def control(self, turn, rates, command):
        f = self.frame
        wanted = f.mass * (command[:3] + [0, 0, f.gravity])
        z = wanted / np.linalg.norm(wanted)
        y = np.cross(z, [np.cos(command[3]), np.sin(command[3]), 0.0])
        y /= np.linalg.norm(y)
        goal = Rotation.from_matrix(np.stack([np.cross(y, z), y, z], axis=1))
        between = (goal.inv() * turn).as_quat(canonical=True)
        error = 2.0 * between[:3]
        rate = np.clip(-np.array(f.attitude_gain) * error, -np.array(f.max_rate), f.max_rate)
        inertia = np.array(f.inertia)
        torque = np.cross(rates, inertia * rates) + inertia * np.array(f.rate_gain) * (rate - rates)
        return wanted @ turn.apply([0, 0, 1]), torque

    def discharge(self, i):
        b = self.frame.battery
        power = self.frame.torque_coefficient * np.sum(self.speed[i] ** 3) / b.efficiency + b.hotel
        source = np.interp(self.used[i] / b.energy, *b.curve.T)
        self.voltage[i] = 0.5 * (source + np.sqrt(source**2 - 4 * b.resistance * power))
        current = power / self.voltage[i]
        self.used[i] += current * source / RATE

    def positions(self):
        return np.array([bullet.getBasePositionAndOrientation(body, self.client)[0] for body in self.bodies])


class Aboard(Loop):
    """The same with noisy sensors and a position loop on board, at every step."""

    def __init__(self, frame, goals):
        super().__init__(frame)
        self.goals, self.rng, self.sum = goals, np.random.default_rng(1), np.zeros((DRONES, 3))

    def step(self):
        for i, body in enumerate(self.bodies):
            position, _ = bullet.getBasePositionAndOrientation(body, self.client)
            velocity, _ = bullet.getBaseVelocity(body, self.client)
            error = self.goals[i] - (np.array(position) + self.rng.normal(0.0, 0.05, 3))
            speed = np.array(velocity) + self.rng.normal(0.0, 0.05, 3)
            self.sum[i] += error / RATE
            self.fly(i, body, np.append(4.0 * error - 3.5 * speed + self.sum[i], 0.0))
        bullet.stepSimulation(self.client)


def drones():
    """Time both in turns, after they flew the same way."""
    kind = load_kind(DRONE)
    dynamics = make_dynamics("rotorcraft", kind.body.parameters, DRONES, DRONE)
    turn = np.tile([0.0, 0.0, 0.0, 1.0], (DRONES, 1))
    names = [f"d{i}" for i in range(DRONES)]
    physics = BulletPhysics(RATE, [BodyGroup("d", kind.body, dynamics, places(), turn, names)])
    physics.reset()
    held, loop = Commands({"d": commands()}), Loop(dynamics.airframe)
    for _ in range(NAIVE_STEPS):
        physics.step(held)
        loop.step(commands())
    gap = np.abs(physics.bodies.position - loop.positions()).max()
    assert gap < 1e-3, f"they fly {gap} m apart: more than the plain loop's first order in time explains"
    ours, theirs = np.inf, np.inf
    for _ in range(BEST_OF):
        ours = min(ours, timed(lambda: physics.step(held), STEPS))
        theirs = min(theirs, timed(lambda: loop.step(commands()), NAIVE_STEPS))
    physics.close()
    print(f"{DRONES} drones, rotors, air and control: {1 / ours:,.0f} steps/s; plain loop {1 / theirs:,.0f} steps/s")
    print(f"{theirs / ours:.0f} times as fast (goal {TARGET_RATIO:g}); apart by {gap:.0e} m after {NAIVE_STEPS} steps")


def aboard():
    """Time whole drones in turns: sensors, failsafe and position control on board at each of 500 steps a second."""
    goals = places() + [1.0, 0.0, 0.5]
    text = ABOARD.format(rate=RATE, count=DRONES, places=places().tolist(), points=goals.tolist())
    kind = load_kind(DRONE)
    loop = Aboard(make_dynamics("rotorcraft", kind.body.parameters, DRONES, DRONE).airframe, goals)
    with built_from(text) as built:
        twin = built.twin
        twin.reset()
        for _ in range(NAIVE_STEPS):
            twin.step()
            loop.step()
        gap = np.abs(twin.bodies.position - loop.positions()).max()
        assert gap < 0.05, f"they fly {gap} m apart: more than noise explains"
        ours, theirs = np.inf, np.inf
        for _ in range(BEST_OF):
            ours = min(ours, timed(twin.step, 200))
            theirs = min(theirs, timed(loop.step, NAIVE_STEPS))
    print(f"{DRONES} drones with sensors and control on board: {ours / DRONES * 1e6:.1f} us a drone-step, plain loop "
          f"{theirs / DRONES * 1e6:.0f}: {theirs / ours:.0f} times as fast (goal {TARGET_RATIO:g})")  # fmt: skip


@contextmanager
def built_from(text):
    """Build a scenario's text in the world of the test project."""
    path = ROOT / "tests/project/worlds/void/scenarios/fleet.toml"  # never written: only names its project
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "fleet.toml"
        file.write_text(text)
        scenario, _ = load_scenario(file)
        built = build(scenario, Project.around(path.parent))
        try:
            yield built
        finally:
            built.close()


def timed(step, times):
    start = time.process_time()
    for _ in range(times):
        step()
    return (time.process_time() - start) / times


def fleet():
    """Time the loop of a mixed fleet: physics and agents, no links and no packets."""
    points = [[4.0 * (i % 10), 4.0 * (i // 10), 10.0] for i in range(100)]
    arms = [[5.0 * i, -20.0, 0.0] for i in range(20)]
    parts = [[2.0 * i, -40.0, 1000.0] for i in range(50)]
    with tempfile.TemporaryDirectory() as folder:
        sway = Path(folder) / "sway.py"
        sway.write_text(SWAY)
        with built_from(FLEET.format(points=points, arms=arms, parts=parts, sway=sway)) as built:
            twin = built.twin
            twin.reset()
            for _ in range(100):
                twin.step()
            best = min(timed(twin.step, 500) for _ in range(BEST_OF))
            robots = {node.name: twin.bodies.position[node.body] for node in built.nodes}
    assert np.abs(robots["drones-7"] - points[7]).max() < 1.0, "a drone no longer hovers"
    print(f"100 drones, 20 arms, 50 free bodies at 200 Hz: {1 / best / 200:.1f} times real time "
          f"(CPU time of one core; goal {TARGET_REAL_TIME:g})")  # fmt: skip


def main():
    parts = {"drones": drones, "aboard": aboard, "fleet": fleet}
    for name in sys.argv[1:] or parts:
        parts[name]()


if __name__ == "__main__":
    main()
