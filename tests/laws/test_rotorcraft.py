"""Laws of multirotors: power, ground effect, wakes, drag of rotors, battery, layouts."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad

from twin.physics.air import DENSITY, Air, Flock, core_length, first_speed, wake_speed
from twin.physics.dynamics.airframe import Battery, BatterySpec, RotorcraftParameters, discharge_curve
from twin.physics.dynamics.rotorcraft import Rotorcraft
from twin.physics.dynamics.rotors import discharge, ground_effect, induced_speed
from twin.physics.floor import Floor, Standing
from twin.project.robots import load_kind
from twin.state import BodyState

DRONE = Path(__file__).resolve().parents[2] / "agents/drone"
DT = 0.002
HOVER = np.zeros((1, 4))
NO_DRAG = dict(rotor_drag=[0, 0, 0], linear_drag=[0, 0, 0], quadratic_drag=[0, 0, 0])
LEVEL = (0.0, 0.0, 0.0, 1.0)


@pytest.fixture
def parameters():
    return load_kind(DRONE).body.parameters


def bodies(*places, velocity=(0.0, 0.0, 0.0), rates=(0.0, 0.0, 0.0), orientation=LEVEL):
    n, empty = len(places), np.zeros(0)
    rows = [np.array(places, dtype=float)]
    rows += [np.tile(np.array(values, dtype=float), (n, 1)) for values in (orientation, velocity, rates)]
    return BodyState(*rows, empty, empty, np.zeros(n + 1, dtype=np.int64))


def ring(rotors, arm=0.4):
    """Return `rotors` on a circle, turning by turns ccw and cw."""
    angles = 2 * np.pi * (np.arange(rotors) + 0.5) / rotors
    return [
        {"position": [arm * math.cos(a), arm * math.sin(a), 0.0], "spin": "ccw" if i % 2 else "cw"}
        for i, a in enumerate(angles)
    ]


@pytest.mark.parametrize(("radii", "ratio"), [(0.5, 4 / 3), (1.0, 16 / 15), (2.0, 64 / 63), (10.0, 1600 / 1599)])
def test_ground_effect_is_that_of_cheeseman_and_bennett(parameters, radii, ratio):
    assert ground_effect(radii * 0.125, 0.125) == pytest.approx(ratio, rel=1e-12)
    drone = Rotorcraft({**parameters, **NO_DRAG}, 1)
    above = parameters["rotors"][0]["position"][2]  # of the rotors over the centre of mass
    drone.ground[:] = 50.0
    lift = drone.wrench(bodies((0, 0, 50.0 + radii * 0.125 - above)), HOVER, DT)[0, 2]
    assert lift == pytest.approx(ratio * drone.mass * 9.81, rel=1e-12)


def test_hover_power_is_torque_times_speed_and_above_what_momentum_theory_allows(parameters):
    drone = Rotorcraft({**parameters, "battery": None}, 1)
    drone.wrench(bodies((0, 0, 9)), HOVER, 1.0)
    weight, n = drone.mass * 9.81, 4
    speed = math.sqrt(weight / n / parameters["thrust_coefficient"])
    power = n * parameters["torque_coefficient"] * speed**3
    assert drone.used[0] == pytest.approx(power, rel=1e-12)  # J in one second, nothing lost
    ideal = weight**1.5 / math.sqrt(2 * DENSITY * n * math.pi * 0.125**2)
    assert 0.4 < ideal / power < 0.8  # figures of merit of small rotors


CELL = Battery(energy=10_000.0, full_voltage=16.8, curve=np.array([[0.0, 16.8], [1.0, 13.2]]), exponent=1.0,
               resistance=0.05, efficiency=1.0, hotel=0.0)  # fmt: skip


@pytest.mark.parametrize("used", [0.0, 3000.0, 9000.0])
@pytest.mark.parametrize("power", [0.0, 50.0, 300.0])
def test_a_battery_gives_the_power_that_is_asked_for_at_the_voltage_left_by_its_resistance(used, power):
    battery = CELL
    current, voltage = discharge(battery, used, power)
    assert voltage * current == pytest.approx(power, rel=1e-12)
    assert voltage == pytest.approx(16.8 - 3.6 * used / 10_000 - 0.05 * current, rel=1e-12)


def test_a_battery_gives_at_most_a_quarter_of_its_short_circuit_power_and_nothing_when_empty():
    battery = CELL
    current, voltage = discharge(battery, 0.0, 1e6)
    assert voltage * current == pytest.approx(16.8**2 / (4 * 0.05), rel=1e-12)
    assert discharge(battery, 10_000.0, 50.0) == (0.0, 0.0)


def test_energy_taken_is_energy_of_rotors_hotel_drives_and_the_heat_of_the_battery(parameters):
    table = dict(energy=20_000, full_voltage=16.8, empty_voltage=13.2, resistance=0.05, efficiency=0.75, hotel=6.0)
    drone = Rotorcraft({**parameters, "battery": table}, 1)
    heat, n = 0.0, 20_000
    shaft = 4 * parameters["torque_coefficient"] * drone.rotor_speed[0, 0] ** 3
    power = shaft / 0.75 + 6.0
    for _ in range(n):
        before = drone.used[0]
        drone.wrench(bodies((0, 0, 9)), HOVER, DT)
        current = power / drone.voltage[0]
        source = 16.8 - 3.6 * before / 20_000
        assert drone.voltage[0] == pytest.approx(source - 0.05 * current, rel=1e-9)
        heat += 0.05 * current**2 * DT
    assert drone.used[0] == pytest.approx(power * n * DT + heat, rel=1e-9)


def test_an_empty_battery_stops_the_rotors_when_its_energy_is_spent(parameters):
    table = dict(energy=300.0, full_voltage=16.8, empty_voltage=13.2, efficiency=1.0)
    drone = Rotorcraft({**parameters, "battery": table}, 1)
    power = 4 * parameters["torque_coefficient"] * drone.rotor_speed[0, 0] ** 3
    steps = 0
    while drone.voltage[0] > 0:
        drone.wrench(bodies((0, 0, 9)), HOVER, DT)
        steps += 1
    assert steps * DT == pytest.approx(300.0 / power, abs=2 * DT)
    for _ in range(1000):
        wrench = drone.wrench(bodies((0, 0, 9)), HOVER, DT)
    assert np.abs(wrench).max() < 1e-9
    assert drone.saturated[0] >= 1000


def test_a_sagging_battery_takes_top_speed_away_in_proportion(parameters):
    table = dict(energy=1e9, full_voltage=16.0, empty_voltage=12.0, resistance=0.1, efficiency=1.0)
    drone = Rotorcraft({**parameters, **NO_DRAG, "battery": table}, 1)
    for _ in range(3000):
        drone.wrench(bodies((0, 0, 9)), np.array([[0.0, 0.0, 100.0, 0.0]]), DT)
    top = parameters_speed(parameters) * drone.voltage[0] / 16.0
    assert drone.voltage[0] < 15.9
    assert drone.rotor_speed == pytest.approx(np.full((1, 4), top), rel=1e-6)
    assert drone.saturated[0] == 3000


def parameters_speed(parameters):
    return RotorcraftParameters.model_validate(parameters).max_rotor_speed


def test_rotors_drag_in_proportion_to_their_speed_and_damp_turning(parameters):
    """Force -w D u; turning at p about x lifts a rotor at y by p y: torque -w p (d_z y^2 + d_y z^2)."""
    drag, rate, u = (5e-5, 7e-5, 2e-4), 0.3, 2.0
    table = {**parameters, **NO_DRAG, "rotor_drag": drag, "battery": None}
    w = Rotorcraft(table, 1).rotor_speed[0, 0]
    still = Rotorcraft(table, 1).wrench(bodies((0, 0, 9)), HOVER, 1e-12)
    moved = Rotorcraft(table, 1).wrench(bodies((0, 0, 9), velocity=(0, u, 0)), HOVER, 1e-12)
    assert moved[0, 1] - still[0, 1] == pytest.approx(-4 * w * 7e-5 * u, rel=1e-9)
    turned = Rotorcraft(table, 1).wrench(bodies((0, 0, 9), rates=(rate, 0, 0)), HOVER, 1e-12)
    places = np.array([rotor["position"] for rotor in parameters["rotors"]])
    wanted = -w * rate * np.sum(2e-4 * places[:, 1] ** 2 + 7e-5 * places[:, 2] ** 2)
    assert turned[0, 3] - still[0, 3] == pytest.approx(wanted, rel=1e-6)


def test_only_motion_through_the_air_matters(parameters):
    """Galileo: a drone that drifts with the wind feels what a drone at rest in still air feels."""
    wind = np.array([3.0, -4.0, 1.0])
    still, blown = Rotorcraft(parameters, 1), Rotorcraft(parameters, 1)
    blown.air[:] = wind
    a = still.wrench(bodies((0, 0, 9), velocity=(1.0, 2.0, 0.5)), HOVER, DT)
    b = blown.wrench(bodies((0, 0, 9), velocity=wind + (1.0, 2.0, 0.5)), HOVER, DT)
    assert a == pytest.approx(b, rel=1e-12)


def wake(thrust, disk, along, off_axis):
    return wake_speed(first_speed(thrust, disk), core_length(disk), disk, along, off_axis)


@pytest.mark.parametrize("along", [0.1, 1.0, 2.2, 5.0, 30.0])
def test_a_wake_carries_the_momentum_of_the_thrust_at_every_distance(along):
    thrust, disk = 9.81, 4 * math.pi * 0.125**2
    r = np.linspace(0.0, 60.0, 400_001)
    speed = np.array([wake(thrust, disk, along, x * x) for x in r])
    flux = np.trapezoid(DENSITY * speed**2 * 2 * math.pi * r, r)
    assert flux == pytest.approx(thrust, rel=1e-3)


def test_near_the_rotors_a_wake_has_twice_the_induced_speed():
    thrust, disk = 9.81, 4 * math.pi * 0.125**2
    assert wake(thrust, disk, 0.5, 0.0) == pytest.approx(2 * math.sqrt(thrust / (2 * DENSITY * disk)))
    assert wake(0.0, disk, 0.5, 0.0) == 0.0


def test_the_lower_of_two_drones_of_different_groups_loses_lift_and_the_upper_does_not(parameters):
    class Ground:
        def height_below(self, points):
            return np.where(points[:, 2] > 11.0, 1.0, np.nan)

    upper, lower = Rotorcraft(parameters, 1), Rotorcraft(parameters, 1)
    state = bodies((0, 0, 10), (0, 0, 12))
    Air([Flock(upper, 1), Flock(lower, 0)]).update(0, state)
    Floor([Standing(upper, 1), Standing(lower, 0)], Ground()).update(0, state)
    assert np.array_equal(upper.air, np.zeros((1, 3)))
    v = wake(9.81, 4 * math.pi * 0.125**2, 2.0, 0.0)
    assert lower.air[0] == pytest.approx([0.0, 0.0, -v], rel=1e-12)
    assert upper.ground[0] == 1.0
    assert lower.wrench(bodies((0, 0, 10)), HOVER, DT)[0, 2] < 0.8 * 9.81
    assert upper.wrench(bodies((0, 0, 12)), HOVER, DT)[0, 2] > 9.81


@pytest.mark.parametrize("rotors", [4, 6, 8])
def test_any_layout_gives_what_is_asked_for_about_every_axis(parameters, rotors):
    """Unsaturated and without lag, the wrench is the thrust and torque of the control law."""
    table = {**parameters, **NO_DRAG, "rotors": ring(rotors), "motor_time_constant": 1e-18, "battery": None}
    drone = Rotorcraft(table, 1)
    rates = np.array([0.01, -0.02, 0.03])
    wrench = drone.wrench(bodies((0, 0, 9), rates=rates), HOVER, DT)
    assert drone.saturated[0] == 0
    inertia, gain = np.array(parameters["inertia"]), np.array([20.0, 20.0, 8.0])
    wanted = -inertia * gain * rates + np.cross(rates, inertia * rates)
    assert wrench[0] == pytest.approx([0, 0, 9.81, *wanted], abs=1e-12)


def test_layouts_that_can_not_fly_are_refused(parameters):
    same = [{**rotor, "spin": "ccw"} for rotor in parameters["rotors"]]
    with pytest.raises(ValueError, match="all three axes"):
        Rotorcraft({**parameters, "rotors": same}, 1)
    with pytest.raises(ValueError, match="beyond its maximum speed"):
        Rotorcraft({**parameters, "mass": 4.0}, 1)


def test_saturated_rotors_keep_roll_before_thrust_or_thrust_before_roll_as_told(parameters):
    tilted = (math.sin(0.3), 0.0, 0.0, math.cos(0.3))
    lift, torque = {}, {}
    for priority in ("attitude", "thrust"):
        table = {**parameters, **NO_DRAG, "priority": priority, "motor_time_constant": 1e-18, "battery": None}
        drone = Rotorcraft(table, 1)
        wrench = drone.wrench(bodies((0, 0, 9), orientation=tilted), np.array([[0, 0, 15.0, 0]]), DT)
        lift[priority], torque[priority] = np.linalg.norm(wrench[0, :3]), -wrench[0, 3]
        assert drone.saturated[0] == 1
    assert lift["thrust"] > lift["attitude"]
    assert torque["attitude"] > torque["thrust"] > 0
    wanted = 0.0082 * 20.0 * min(4.0, 8.0 * 2 * math.sin(0.3))
    assert torque["attitude"] == pytest.approx(wanted, rel=1e-9)


def test_motor_setpoints_are_shares_of_the_top_speed_and_carry_the_weight_at_its_root():
    parameters = load_kind(DRONE.parent / "bare_drone").body.parameters
    bare = Rotorcraft({**parameters, **NO_DRAG, "battery": None}, 2)
    top, k = 750.0, parameters["thrust_coefficient"]
    hover = math.sqrt(9.81 / 4 / k) / top
    setpoints = np.array([[hover] * 4, [0.0, 0.5, 0.7, 1.0]])
    state = bodies((0, 0, 9), (5, 0, 9))
    for _ in range(1000):  # 2 s, 66 time constants: nothing of the lag is left
        wrench = bare.wrench(state, setpoints, DT)
    assert wrench[0] == pytest.approx([0, 0, 9.81, 0, 0, 0], abs=1e-12)
    assert bare.rotor_speed[1] == pytest.approx(top * setpoints[1], rel=1e-12)
    # Rotors 1 (front right) to 4 by hand: torque = sum of place x thrust, and the reaction against each turn.
    f = k * bare.rotor_speed[1] ** 2
    roll = 0.16 * (f[1] + f[2] - f[0] - f[3])
    pitch = 0.16 * (f[1] + f[3] - f[0] - f[2])
    yaw = 0.016 * (f[2] + f[3] - f[0] - f[1])
    assert wrench[1] == pytest.approx([0, 0, f.sum(), roll, pitch, yaw], rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("climb", [0.5, 2.0, 8.0])
def test_a_climb_takes_the_power_of_momentum_theory(parameters, climb):
    """P = T (V + v) with v = -V/2 + sqrt(V^2/4 + vh^2): Leishman, 2006, 2.87; the rest is as in hover."""
    drone = Rotorcraft({**parameters, **NO_DRAG, "battery": None}, 1)
    drone.wrench(bodies((0, 0, 99)), HOVER, 1e-6)
    hover = drone.power[0]
    drone.wrench(bodies((0, 0, 99), velocity=(0, 0, climb)), HOVER, 1e-6)
    v = math.sqrt(9.81 / (2 * 1.225 * 4 * math.pi * 0.125**2))
    wanted = 9.81 * (climb / 2 + math.sqrt(climb**2 / 4 + v**2) - v)
    assert drone.power[0] - hover == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize(("along", "across"), [(0.0, 3.0), (0.0, 15.0), (2.0, 6.0), (-1.0, 4.0), (-3.0, 0.5)])
def test_induced_speed_solves_glauerts_equation(along, across):
    """v |(across, along + v)| = vh^2: forward flight takes less power than hover."""
    v = induced_speed(4.5, along, across)
    assert v * math.hypot(across, along + v) == pytest.approx(4.5**2, rel=1e-9)
    assert v > 0 and (along < 0 or v < 4.5)


def test_a_discharge_at_constant_power_lasts_for_its_integral(parameters):
    """dt = dE / (P + R I^2), I from V(E): the kernel's steps add up to SciPy's quadrature of a lithium-polymer cell."""
    table = dict(energy=2_000.0, full_voltage=16.8, empty_voltage=10.8, resistance=0.2, efficiency=0.8, hotel=5.0,
                 curve="lithium-polymer")  # fmt: skip
    drone = Rotorcraft({**parameters, **NO_DRAG, "battery": table}, 1)
    curve, power = drone.airframe.battery.curve, drone.power[0] / 0.8 + 5.0

    def rate(used):
        source = np.interp(used / 2_000.0, *curve.T)
        current = (source - math.sqrt(source**2 - 0.8 * power)) / 0.4
        return 1.0 / (power + 0.2 * current**2)

    wanted, _ = quad(rate, 0.0, 1_800.0, limit=200)
    steps = 0
    while drone.used[0] < 1_800.0:
        drone.wrench(bodies((0, 0, 9)), HOVER, DT)
        steps += 1
    assert steps * DT == pytest.approx(wanted, abs=2 * DT)


def test_a_lithium_polymer_cell_falls_as_chen_and_rincon_mora_measured_it():
    """Between the ends of their cell, 4.10 and 2.65 V, the curve is theirs: 3.85 V at half charge."""
    spec = BatterySpec(energy=1.0, full_voltage=4.1029, empty_voltage=2.654, curve="lithium-polymer")
    share, volts = discharge_curve(spec).T
    assert np.interp(0.5, share, volts) == pytest.approx(3.685 + 0.1078 - 0.02945 + 0.04001, abs=1e-3)
    assert np.all(np.diff(volts) < 0)
    own = discharge_curve(spec.model_copy(update={"curve": ((0.0, 0.0), (0.9, 0.3), (1.0, 1.0))}))
    assert own[1] == pytest.approx([0.9, 4.1029 - 0.3 * (4.1029 - 2.654)])
    with pytest.raises(ValueError, match="don't lead from"):
        BatterySpec(energy=1.0, full_voltage=4.2, empty_voltage=3.0, curve=((0.0, 0.0), (0.5, 1.0)))


def test_the_top_speed_falls_with_the_root_of_the_voltage_where_told_so(parameters):
    table = dict(energy=1e9, full_voltage=16.0, empty_voltage=12.0, resistance=0.1, efficiency=1.0)
    table["voltage_exponent"] = 0.5
    drone = Rotorcraft({**parameters, **NO_DRAG, "battery": table}, 1)
    for _ in range(3000):
        drone.wrench(bodies((0, 0, 9)), np.array([[0.0, 0.0, 100.0, 0.0]]), DT)
    top = parameters_speed(parameters) * math.sqrt(drone.voltage[0] / 16.0)
    assert drone.rotor_speed == pytest.approx(np.full((1, 4), top), rel=1e-6)
    assert drone.current[0] == pytest.approx((16.0 - drone.voltage[0]) / 0.1, rel=1e-3)
