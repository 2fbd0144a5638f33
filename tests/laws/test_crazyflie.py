"""A Crazyflie by what its maker measured: how thrust, current and voltage belong together, and how long it flies.

Bitcraze, "PWM to thrust" (documentation of its firmware): all four rotors on a scale, a battery that sags. The motors
have brushes: a share of the battery's voltage, by PWM, is what they turn by.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from twin.physics.dynamics.rotorcraft import Rotorcraft
from twin.state import BodyState

# A, g of thrust, V, PWM %, mean turns a minute
MEASURED = np.array([
    (0.24, 0.0, 4.01, 0.0, 0), (0.37, 1.6, 3.98, 6.25, 4485), (0.56, 4.8, 3.95, 12.5, 7570),
    (0.75, 7.9, 3.92, 18.75, 9374), (0.94, 10.9, 3.88, 25.0, 10885), (1.15, 13.9, 3.84, 31.25, 12277),
    (1.37, 17.3, 3.80, 37.5, 13522), (1.59, 21.0, 3.76, 43.25, 14691), (1.83, 24.4, 3.71, 50.0, 15924),
    (2.11, 28.6, 3.67, 56.25, 17174), (2.39, 32.8, 3.65, 62.5, 18179), (2.71, 37.3, 3.62, 68.75, 19397),
    (3.06, 41.7, 3.56, 75.0, 20539), (3.46, 46.0, 3.48, 81.25, 21692), (3.88, 51.9, 3.40, 87.5, 22598),
    (4.44, 57.9, 3.30, 93.75, 23882),
])  # fmt: skip
AMPERES, GRAMS, VOLTS, PWM, TURNS = MEASURED.T
SPEED, GIVEN = TURNS * math.tau / 60, VOLTS * PWM / 100  # rad/s; V that the motors see in the mean
WEIGHT, HOTEL = 0.027 * 9.81, AMPERES[0] * VOLTS[0]  # N, W
THRUST = float(np.mean((GRAMS * 1e-3 * 9.81 / 4)[8:] / SPEED[8:] ** 2))  # N/(rad/s)2 of a rotor
EXPONENT, LEVEL = np.polyfit(np.log(GIVEN[8:]), np.log(SPEED[8:]), 1)
TOP = math.exp(LEVEL) * 4.2**EXPONENT  # rad/s at 4.2 V
RESISTANCE = -np.polyfit(AMPERES, VOLTS, 1)[0]
ENERGY = 0.25 * 3600 * 3.7  # J of its cell, 250 mA h
DT = 0.02
UP = np.array([[0.0, 0.0, 100.0, 0.0]])
HOVER = np.zeros((1, 4))


def crazyflie(**battery):
    """Return one; its torque coefficient is 6 mm of its thrust's (Foerster, 2015), its drives lose what is measured."""
    hover = math.sqrt(WEIGHT / 4 / THRUST)
    amperes = np.interp(27.0, GRAMS, AMPERES)
    taken = amperes * np.interp(amperes, AMPERES, VOLTS) - HOTEL
    shaft = 4 * 0.006 * THRUST * hover**3
    cell = dict(energy=ENERGY, full_voltage=4.2, empty_voltage=3.0, curve="lithium-polymer", hotel=HOTEL,
                voltage_exponent=float(EXPONENT), resistance=RESISTANCE, efficiency=shaft / taken)  # fmt: skip
    corners = [(0.0325 * x, 0.0325 * y) for x in (1, -1) for y in (1, -1)]
    rotors = [{"position": [x, y, 0.0], "spin": "cw" if x == y else "ccw"} for x, y in corners]
    return Rotorcraft(dict(mass=0.027, inertia=[1.66e-5, 1.67e-5, 2.93e-5], rotors=rotors, rotor_radius=0.0225,
                           thrust_coefficient=THRUST, torque_coefficient=0.006 * THRUST, max_rotor_speed=float(TOP),
                           motor_time_constant=0.05, battery={**cell, **battery}), 1)  # fmt: skip


def still():
    nothing = np.zeros(0)
    rows = [np.array([row]) for row in ((0.0, 0.0, 9.0), (0.0, 0.0, 0.0, 1.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))]
    return BodyState(*rows, nothing, nothing, np.zeros(2, dtype=np.int64))


@pytest.mark.parametrize("row", range(8, 16))
def test_the_top_speed_at_a_voltage_is_the_measured_one(row):
    """Within 3 %, from 1.9 to 3.1 V. In proportion to the voltage it would be a sixth too low at 1.9 V."""
    endless = dict(energy=1e9, empty_voltage=1.0, curve="linear", resistance=0.0)
    speeds = {}
    for name, exponent in (("measured", float(EXPONENT)), ("proportional", 1.0)):
        drone = crazyflie(**endless, voltage_exponent=exponent)
        drone.used[:] = 1e9 * (4.2 - GIVEN[row]) / 3.2
        for _ in range(100):
            drone.wrench(still(), UP, DT)
        speeds[name] = float(drone.rotor_speed[0, 0])
    assert speeds["measured"] == pytest.approx(SPEED[row], rel=0.03)
    if row == 8:
        assert speeds["proportional"] < 0.86 * SPEED[row]


def test_it_hovers_at_the_voltages_at_which_real_flights_end():
    """155 flights ended at 3.26 V in the median, a twentieth at 3.05 V: the rotors then still lift it."""
    drone, lasted = crazyflie(), {}
    for tick in range(round(600 / DT)):
        drone.wrench(still(), HOVER, DT)
        for volts in (3.26, 3.05):
            if drone.voltage[0] <= volts:
                lasted.setdefault(volts, tick * DT)
        lift = THRUST * np.sum(drone.rotor_speed**2)
        if lift < 0.98 * WEIGHT:
            break
    assert lasted[3.26] > 82.0, "the median flight"
    assert lasted[3.05] > lasted[3.26]
    assert tick * DT == pytest.approx(7 * 60, rel=0.1), "its data sheet: 7 minutes"
