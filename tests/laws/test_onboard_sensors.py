"""Laws of what a drone senses on board: Allan deviation, satellites past walls, dilution, air pressure, rays down."""

from math import cos, pi, sin
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from twin.clock import NS
from twin.errors import ScenarioError
from twin.sensors.altimeter import Altimeter
from twin.sensors.barometer import Barometer, altitude_of, pressure_at
from twin.sensors.compass import Compass
from twin.sensors.gnss import FEWEST, Gnss
from twin.sensors.gps import RADIUS, satellites, sky
from twin.sensors.imu import Imu
from twin.sensors.setting import Setting
from twin.specs import AltimeterSpec, BarometerSpec, CompassSpec, GnssSpec, ImuSpec
from twin.state import BodyState, Truth
from twin.world.bvh import build_bvh
from twin.world.georeference import GeoReference

MS = 1_000_000
MUNICH = GeoReference(11.59, 48.15, 563.0)
MASK = "10 deg"


def bodies(place, orientation=None, velocity=None):
    place = np.atleast_2d(np.array(place, dtype=float))
    n, none = len(place), np.zeros(0)
    turn = np.tile([0.0, 0.0, 0.0, 1.0], (n, 1)) if orientation is None else np.atleast_2d(orientation)
    speed = np.zeros((n, 3)) if velocity is None else np.atleast_2d(velocity)
    return BodyState(place, turn, speed, np.zeros((n, 3)), none, none, np.zeros(n + 1, dtype=np.int64))


def quads(*rectangles):
    """Return the hierarchy of rectangles, four corners each."""
    corners = np.array(rectangles, dtype=float).reshape(-1, 3)
    starts = range(0, len(corners), 4)
    return build_bvh(corners, np.array([t for i in starts for t in ([i, i + 1, i + 2], [i, i + 2, i + 3])], np.int32))


def ground(z=0.0, size=500.0):
    return [[-size, -size, z], [size, -size, z], [size, size, z], [-size, size, z]]


def wall(x, height, half=500.0):
    """A wall across x, from the ground to `height`, so long that nothing is seen past its ends."""
    return [[x, -half, 0], [x, half, 0], [x, half, height], [x, -half, height]]


def setting(*faces, names=("drone",), seed=1, **more):
    world = SimpleNamespace(bvh=quads(*(faces or [ground()])), georeference=MUNICH)
    return Setting(names, SimpleNamespace(control=100), None, world, seed, **more)


def everyone(n):
    return [f"drone-{i}" for i in range(n)], np.arange(n)


# Inertial unit


def allan_variance(series, m):
    """Return the mean Allan variance of (steps, ...) means over m steps each, and how many differences it is of."""
    blocks = series[: len(series) // m * m].reshape(-1, m, *series.shape[1:]).mean(axis=1)
    steps = np.diff(blocks, axis=0)
    return 0.5 * np.mean(steps**2), steps.size


def test_allan_variance_falls_with_white_noise_and_rises_with_the_walk_of_the_bias():
    """N^2/t + K^2 dt (2 m^2 + 1) / (6 m), t = m dt: IEEE Std 952 annex C, the walk summed over its m steps."""
    n, steps, rate, density, walk = 40, 2048, 100, 0.02, 0.05
    names, rows = everyone(n)
    imu = Imu(ImuSpec(kind="imu", gyro_noise=density, gyro_walk=walk), setting(names=names))
    still = bodies(np.zeros((n, 3)))
    readings = [imu.read(Truth(tick * NS // rate, still), rows, rows) for tick in range(steps + 1)]
    rates = np.array([[sample["angular_rate"] for sample in one] for one in readings[1:]])
    for m in (1, 4, 16, 64, 256):
        found, count = allan_variance(rates, m)
        expected = density**2 * rate / m + walk**2 / rate * (2 * m * m + 1) / (6 * m)
        # Neighbouring differences are correlated by a half: at most 3/2 of the variance of independent ones.
        assert found == pytest.approx(expected, rel=5 * np.sqrt(2 * 1.5 / count)), m
    white, drift = (allan_variance(rates, m)[0] for m in (1, 256))
    assert white > 100 * density**2 * rate / 256 and drift > 2 * density**2 * rate / 256


def test_the_bias_at_the_start_is_drawn_for_each_robot_and_its_own():
    n, sigma = 2000, 0.3
    names, rows = everyone(n)
    spec = ImuSpec(kind="imu", accelerometer_bias=sigma)
    first = Imu(spec, setting(names=names)).read(Truth(0, bodies(np.zeros((n, 3)))), rows, rows)
    offsets = np.array([sample["specific_force"] for sample in first]) - [0, 0, 9.81]
    assert offsets.std() == pytest.approx(sigma, rel=5 / np.sqrt(2 * 3 * n))
    alone = Imu(spec, setting(names=("drone-7",))).read(Truth(0, bodies([0, 0, 0])), rows[:1], rows[:1])
    assert np.array_equal(alone[0]["specific_force"], first[7]["specific_force"])


def test_means_of_an_inertial_unit_lead_from_one_state_to_the_next():
    """Strapdown: turn by rate dt, and v by the force in the axes half way less gravity, give the true motion again."""
    imu, row, dt = Imu(ImuSpec(kind="imu"), setting()), np.array([0]), 0.02
    turn, velocity = Rotation.identity(), np.zeros(3)
    for tick in range(300):
        t = tick * dt
        truth = Rotation.from_rotvec([0.4 * sin(t), 0.3 * t, -0.9 * t])
        speed = np.array([5 * sin(t), 2 * cos(3 * t) - 2, 0.1 * t * t])
        (sample,) = imu.read(Truth(round(t * NS), bodies([0, 0, 0], truth.as_quat(), speed)), row, row)
        if tick:
            step = sample["angular_rate"] * dt
            half = turn * Rotation.from_rotvec(step / 2)
            velocity = velocity + (half.apply(sample["specific_force"]) - [0, 0, 9.81]) * dt
            turn = turn * Rotation.from_rotvec(step)
            assert (turn.inv() * truth).magnitude() < 1e-12 * tick
            assert velocity == pytest.approx(speed, abs=1e-12 * tick)
    tilted = Rotation.from_euler("y", 0.3)
    (sample,) = Imu(ImuSpec(kind="imu"), setting()).read(Truth(0, bodies([0, 0, 0], tilted.as_quat())), row, row)
    assert sample["specific_force"] == pytest.approx([-9.81 * sin(0.3), 0, 9.81 * cos(0.3)], abs=1e-12)


# Satellites


def test_satellites_stand_in_six_planes_of_four_and_come_back_every_sidereal_day():
    places = satellites(0.0)
    assert np.linalg.norm(places, axis=1) == pytest.approx(np.full(24, RADIUS), rel=1e-12)
    for plane in places.reshape(6, 4, 3):
        normal = np.cross(plane[0], plane[1])
        assert abs(normal[2]) / np.linalg.norm(normal) == pytest.approx(cos(np.radians(55)), abs=1e-12)
        assert np.abs(plane @ normal / np.linalg.norm(normal) / RADIUS).max() < 1e-12
    day = 86_164.09
    # Two turns of an unperturbed orbit of this radius take 9.7 s less: 3.9 km/s over the difference.
    moved = np.linalg.norm(satellites(day) - places, axis=1)
    assert moved.max() < 12.0 * 3_900.0


def test_the_nominal_constellation_shows_four_satellites_nearly_everywhere():
    """SPS Performance Standard 3.2: four in view over 5 degrees on 99.9 % of the earth and day (24 of 24 healthy)."""
    seen = []
    for latitude in range(-80, 81, 20):
        for longitude in range(-180, 180, 30):
            for hour in range(0, 24, 3):
                up = sky(GeoReference(longitude, latitude), 3600.0 * hour)[:, 2]
                seen.append(np.sum(up > sin(np.radians(5))))
    assert np.mean(np.array(seen) >= FEWEST) >= 0.999


@pytest.mark.parametrize(("side", "height"), [(20.0, 10.0), (20.0, 30.0), (-15.0, 60.0), (8.0, 200.0)])
def test_a_wall_hides_the_satellites_that_geometry_hides(side, height):
    """From 2 m over the ground, a wall at x hides u where u_x leads to it and 2 + x u_z / u_x is below its top."""
    up = sky(MUNICH, 0.0)
    over = up[up[:, 2] > sin(np.radians(10.0))]
    hidden = (over[:, 0] * side > 0) & (2.0 + side * over[:, 2] / over[:, 0] < height)
    receiver = Gnss(GnssSpec(kind="gnss", mask=MASK, delay=0, rate=None), setting(ground(), wall(side, height)))
    (sample,) = receiver.read(Truth(0, bodies([0, 0, 2])), np.array([0]), np.array([0]))
    assert sample["gnss_satellites"][0] == np.sum(~hidden)
    open_sky = Gnss(GnssSpec(kind="gnss", mask=MASK, delay=0, rate=None), setting())
    (clear,) = open_sky.read(Truth(0, bodies([0, 0, 2])), np.array([0]), np.array([0]))
    assert clear["gnss_satellites"][0] == len(over)
    if np.sum(~hidden) >= FEWEST:
        assert np.all(sample["gnss_dop"] >= clear["gnss_dop"])  # fewer ranges never know more


def test_in_a_canyon_there_is_no_fix_and_that_is_said_once():
    canyon = setting(ground(), wall(6.0, 90.0), wall(-6.0, 90.0))
    receiver, row = Gnss(GnssSpec(kind="gnss", delay=0, rate=None), canyon), np.array([0])
    for time, height in ((0, 150.0), (NS, 2.0), (2 * NS, 2.0), (3 * NS, 150.0)):
        (sample,) = receiver.read(Truth(time, bodies([0, 0, height])), row, row)
        lost = height < 90.0
        assert np.isnan(sample["gnss_position"]).all() == np.isnan(sample["gnss_dop"]).all() == lost
        assert (sample["gnss_satellites"][0] < FEWEST) == lost
    events = receiver.events()
    assert [(event.time, event.kind) for event in events] == [(NS, "gnss lost"), (3 * NS, "gnss fix")]
    assert events[0].detail == f"{events[0].value:.0f} satellites in view"


def test_errors_of_a_fix_have_the_covariance_of_least_squares():
    n, sigma, speed = 4000, 0.8, 0.05
    names, rows = everyone(n)
    spec = GnssSpec(kind="gnss", noise=sigma, speed_noise=speed, mask=MASK, delay=0, rate=None)
    samples = Gnss(spec, setting(names=names)).read(Truth(0, bodies(np.tile([3.0, 4.0, 5.0], (n, 1)))), rows, rows)
    up = sky(MUNICH, 0.0)
    up = up[up[:, 2] > sin(np.radians(10.0))]
    g = np.column_stack([-up, np.ones(len(up))])
    spread = np.linalg.inv(g.T @ g)[:3, :3]
    scale = np.sqrt(np.outer(np.diag(spread), np.diag(spread)))
    for field, truth, unit in (("gnss_position", [3, 4, 5], sigma), ("gnss_velocity", [0, 0, 0], speed)):
        errors = np.array([sample[field] for sample in samples]) - truth
        # A sample covariance of n draws deviates by sqrt((C_ij^2 + C_ii C_jj) / n) <= sqrt(2 / n) of the scale.
        assert np.abs(np.cov(errors.T) / unit**2 - spread).max() < (5 * np.sqrt(2 / n) * scale).max()
    assert samples[0]["gnss_sigma"] == pytest.approx(sigma * np.sqrt(np.diag(spread)), rel=1e-9)
    hdop, vdop = np.sqrt(spread[0, 0] + spread[1, 1]), np.sqrt(spread[2, 2])
    assert samples[0]["gnss_dop"] == pytest.approx([hdop, vdop], rel=1e-9)


def test_a_bias_of_ranges_stays_as_large_and_forgets_in_its_time():
    n, bias, lasting = 3000, 2.0, 100.0
    names, rows = everyone(n)
    spec = GnssSpec(kind="gnss", noise=1e-9, bias=bias, bias_time=lasting, mask=MASK, delay=0, rate=None)
    receiver, truth = Gnss(spec, setting(names=names)), bodies(np.zeros((n, 3)) + [0, 0, 5])
    read = [receiver.read(Truth(t * NS, truth), rows, rows) for t in (0, 50, 100)]
    east = [np.array([sample["gnss_position"][0] for sample in samples]) for samples in read]
    sigma = receiver.read(Truth(101 * NS, truth), rows, rows)[0]["gnss_sigma"][0]
    for errors in east:
        assert errors.std() == pytest.approx(sigma, rel=5 / np.sqrt(2 * n))
    for later, left in ((1, np.exp(-0.5)), (2, np.exp(-1.0))):
        assert np.corrcoef(east[0], east[later])[0, 1] == pytest.approx(left, abs=5 / np.sqrt(n))


def test_a_receiver_needs_a_place_on_the_earth():
    nowhere = Setting(["drone"], None, None, SimpleNamespace(bvh=None, georeference=None), 1)
    with pytest.raises(ScenarioError, match=r"give world.toml an \[origin\]"):
        Gnss(GnssSpec(kind="gnss"), nowhere)


# Air pressure, heading, ray down


@pytest.mark.parametrize(("height", "pressure"), [(0, 101_325.0), (1000, 89_874.6), (5000, 54_019.9), (11e3, 22_632.1)])
def test_pressure_is_that_of_the_standard_atmosphere(height, pressure):
    """ISO 2533, table of geopotential heights, to its last digit."""
    assert pressure_at(np.array(float(height)), 101_325.0, 288.15) == pytest.approx(pressure, abs=0.06)
    assert altitude_of(np.array(pressure), 101_325.0) == pytest.approx(height, abs=0.02)


def test_a_barometer_tells_the_height_of_exactly_its_delay_ago():
    barometer, row = Barometer(BarometerSpec(kind="barometer", delay="37 ms"), setting()), np.array([0])
    for time in range(0, 1001 * MS, 20 * MS):
        (sample,) = barometer.read(Truth(time, bodies([0, 0, 10 + 3 * time / NS])), row, row)
        then = max(0, time - 37 * MS)
        assert sample.time == then
        assert sample["pressure_altitude"][0] == pytest.approx(10 + 3 * then / NS, abs=1e-8)


def test_in_warm_air_a_barometer_tells_too_little_by_the_ratio_of_temperatures():
    air = SimpleNamespace(weather=lambda time: SimpleNamespace(pressure=99_000.0, temperature=308.15))
    barometer = Barometer(BarometerSpec(kind="barometer"), setting(environment=air))
    (sample,) = barometer.read(Truth(0, bodies([0, 0, 50.0])), np.array([0]), np.array([0]))
    # The hydrostatic column of 50 m is 50 / T long in both; the next order is lapse * z / T = 1e-3 of it.
    assert sample["pressure_altitude"][0] == pytest.approx(50.0 * 288.15 / 308.15, rel=2e-3)


def test_noise_of_a_barometer_is_that_of_its_pressure():
    n = 2000
    names, rows = everyone(n)
    barometer = Barometer(BarometerSpec(kind="barometer", noise=3.0), setting(names=names))
    samples = barometer.read(Truth(0, bodies(np.zeros((n, 3)))), rows, rows)
    assert np.std([s["pressure"][0] for s in samples]) == pytest.approx(3.0, rel=5 / np.sqrt(2 * n))
    per_pascal = 287.05287 * 288.15 / (9.80665 * 101_325.0)  # RT / g p, hydrostatics
    assert np.std([s["pressure_altitude"][0] for s in samples]) == pytest.approx(3 * per_pascal, rel=5 / np.sqrt(2 * n))


def test_an_altimeter_reads_along_its_ray_to_roof_ground_or_robot():
    roof = [[10, -5, 8], [20, -5, 8], [20, 5, 8], [10, 5, 8]]
    robot = np.array([[-0.5, -0.5, -0.2, 0.5, 0.5, 0.2]])
    spec = AltimeterSpec(kind="altimeter", range="40 m", mount=(0.0, 0.0, -0.05))
    look = Altimeter(spec, setting(ground(), roof, outlines=np.repeat(robot, 2, axis=0)))
    tilt = 0.3
    for place, orientation, other, expected in (
        ((0, 0, 30), None, (90, 0, 0), 29.95),
        ((15, 0, 30), None, (90, 0, 0), 21.95),
        ((0, 0, 30), Rotation.from_euler("x", tilt).as_quat(), (90, 0, 0), 30 / cos(tilt) - 0.05),
        ((0, 0, 30), None, (0.2, 0.1, 12), 30 - 12.2 - 0.05),
        ((0, 0, 41), None, (90, 0, 0), 40.0),
    ):
        turn = [[0, 0, 0, 1.0] if orientation is None else orientation, [0, 0, 0, 1.0]]
        (sample,) = look.read(Truth(0, bodies([place, other], np.array(turn))), np.array([0]), np.array([0]))
        assert sample["range_below"][0] == pytest.approx(expected, abs=1e-9)


def test_a_compass_tells_the_heading_of_a_tilted_robot_and_its_delay_ago():
    compass, row = Compass(CompassSpec(kind="compass", delay="10 ms"), setting()), np.array([0])
    for time, heading in ((0, 3.1), (20 * MS, 3.3)):
        turn = Rotation.from_euler("ZYX", [heading, 0.2, -0.1]).as_quat()
        (sample,) = compass.read(Truth(time, bodies([0, 0, 0], turn)), row, row)
    assert sample["heading"][0] == pytest.approx(3.2 - 2 * pi, abs=1e-12)
