"""A quadrotor by RotorPy, which integrates the same equations by an adaptive Runge-Kutta scheme: optional."""

from pathlib import Path

import numpy as np
import pytest

from twin.physics.bodies import BodyGroup
from twin.physics.bullet.physics import BulletPhysics
from twin.physics.dynamics.make import make_dynamics
from twin.project.robots import load_kind
from twin.state import Commands

multirotor = pytest.importorskip("rotorpy.vehicles.multirotor", reason="RotorPy is not installed: pip install rotorpy")
ROOT = Path(__file__).resolve().parents[2]
SECONDS, CONTROL = 1.2, 100
SHARES = np.array([[1.06, 1.0, 1.01, 1.05], [1.0, 1.04, 1.05, 1.0], [1.02, 1.02, 1.02, 1.02]])


def setpoints(tick):
    return SHARES[min(tick // 30, 2)]


def ours(rate):
    override = {"without": ["body.parameters.battery"]}
    body = load_kind(ROOT / "agents/bare_drone", override).body
    dynamics = make_dynamics(body.dynamics, body.parameters, 1, ROOT)
    turn = np.array([[0.0, 0.0, 0.0, 1.0]])
    physics = BulletPhysics(rate, [BodyGroup("d", body, dynamics, np.array([[0.0, 0.0, 50.0]]), turn, ["d"])])
    physics.reset()
    hover = dynamics.rotor_speed[0, 0] / dynamics.airframe.max_speed
    for tick in range(round(SECONDS * rate)):
        bodies, _ = physics.step(Commands({"d": hover * setpoints(tick * CONTROL // rate)[None]}))
    physics.close()
    return bodies.position[0], bodies.orientation[0], dynamics.airframe


def theirs(frame):
    drag, parasitic = frame.rotor_drag, frame.quadratic_drag
    assert frame.linear_drag == (0.0, 0.0, 0.0) and drag[0] == drag[1]
    parameters = {
        "mass": frame.mass, **dict(zip(("Ixx", "Iyy", "Izz"), frame.inertia, strict=True)),
        "Ixy": 0.0, "Iyz": 0.0, "Ixz": 0.0, "num_rotors": 4,
        "rotor_pos": {f"r{i + 1}": place for i, place in enumerate(frame.place)}, "rotor_directions": frame.turning,
        "c_Dx": parasitic[0], "c_Dy": parasitic[1], "c_Dz": parasitic[2], "k_eta": frame.thrust_coefficient,
        "k_m": frame.torque_coefficient, "k_d": drag[0], "k_z": drag[2], "tau_m": frame.motor_time,
        "rotor_speed_min": 0.0, "rotor_speed_max": frame.max_speed,
    }  # fmt: skip
    hover = np.sqrt(frame.mass * frame.gravity / 4 / frame.thrust_coefficient)
    state = {"x": np.array([0.0, 0.0, 50.0]), "v": np.zeros(3), "q": np.array([0.0, 0.0, 0.0, 1.0]), "w": np.zeros(3),
             "wind": np.zeros(3), "rotor_speeds": np.full(4, hover)}  # fmt: skip
    fine = {"rtol": 1e-11, "atol": 1e-12}
    drone = multirotor.Multirotor(parameters, state, "cmd_motor_speeds", integrator_kwargs=fine)
    for tick in range(round(SECONDS * CONTROL)):
        state = drone.step(state, {"cmd_motor_speeds": hover * setpoints(tick)}, 1 / CONTROL)
    return state["x"], state["q"]


def test_a_flight_by_motor_setpoints_is_rotorpys_to_a_tenth_of_a_millimetre_at_500_hz():
    """Its error falls with the square of the step: a quarter at 1 kHz."""
    errors = []
    for rate in (500, 1000):
        position, orientation, frame = ours(rate)
        x, q = theirs(frame)
        errors.append(np.linalg.norm(position - x))
        assert np.degrees(2 * np.arccos(min(1.0, abs(orientation @ q)))) < 0.01
    assert np.linalg.norm(x - [0, 0, 50.0]) > 1.0, "it flew somewhere"
    assert errors[0] < 1e-4
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.3)
