"""The estimate on board: as good as it says it is, for each of many robots, at rest and in a turn."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from twin.clock import NS
from twin.errors import ScenarioError
from twin.sensors.make import make_sensor
from twin.sensors.setting import Setting
from twin.specs import BarometerSpec, CompassSpec, EstimateSpec, GnssSpec, ImuSpec, NavigationSpec
from twin.state import BodyState, Truth
from twin.world.bvh import build_bvh
from twin.world.georeference import GeoReference

RATE = 50
IMU = ImuSpec(
    kind="imu",
    accelerometer_noise="300 ug/sqrt(Hz)",
    accelerometer_bias=0.05,
    accelerometer_walk="100 ug/sqrt(s)",
    gyro_noise="0.01 deg/s/sqrt(Hz)",
    gyro_bias="0.2 deg/s",
    gyro_walk="0.001 deg/s/sqrt(s)",
)
START = EstimateSpec(kind="estimate", position=0.3, velocity=0.1, orientation="1 deg")


def gnss(**more):
    return GnssSpec(kind="gnss", rate=10, noise=0.5, speed_noise=0.1, mask="10 deg", **more)


def made(n, *sensors):
    corners = np.array([[-500, -500, 0], [500, -500, 0], [500, 500, 0], [-500, 500, 0]], dtype=float)
    bvh = build_bvh(corners, np.array([[0, 1, 2], [0, 2, 3]], np.int32))
    world = SimpleNamespace(bvh=bvh, georeference=GeoReference(11.59, 48.15, 563.0))
    kind = SimpleNamespace(sensors=sensors, control=RATE)
    return make_sensor(Setting([f"drone-{i}" for i in range(n)], kind, None, world, 1))


def circle(t, n, radius, turning):
    """Return n robots on a circle, heading along it, banked into the turn."""
    angle, speed = turning * t, radius * turning
    place = [radius * np.cos(angle), radius * np.sin(angle), 30.0]
    velocity = [-speed * np.sin(angle), speed * np.cos(angle), 0.0]
    bank = -np.arctan(speed * turning / 9.81)
    turn = Rotation.from_euler("ZYX", [angle + np.pi / 2, 0.0, bank]).as_quat()
    rows = [np.tile(np.array(row, dtype=float), (n, 1)) for row in (place, turn, velocity, (0, 0, turning))]
    return BodyState(*rows, np.zeros(0), np.zeros(0), np.zeros(n + 1, dtype=np.int64))


def flown(sensor, n, seconds, radius=0.0, turning=0.0):
    rows = np.arange(n)
    for tick in range(seconds * RATE + 1):
        truth = circle(tick / RATE, n, radius, turning)
        samples = sensor.read(Truth(tick * NS // RATE, truth), rows, rows)
    return samples, truth


@pytest.mark.parametrize("turning", [0.0, 0.6])
def test_errors_are_as_large_as_the_filter_says(turning):
    """The squares of errors over their own variances are chi-squared: their mean is 1, of n robots sqrt(2/n) off."""
    n = 60
    barometer = BarometerSpec(kind="barometer", noise=3.0, delay="20 ms")
    compass = CompassSpec(kind="compass", noise=0.02)
    sensor = made(n, IMU, gnss(bias=1.0, bias_time=30.0, delay="100 ms"), barometer, compass, START)
    samples, truth = flown(sensor, n, 15, 10.0, turning)
    errors = np.array([s["position"] for s in samples]) - truth.position
    sigma = np.array([s["position_sigma"] for s in samples])
    assert np.mean((errors / sigma) ** 2, axis=0) == pytest.approx(np.ones(3), abs=5 * np.sqrt(2 / n))
    assert sigma.max() < 1.0  # it is better than a fix, and the barometer's heights are much better
    assert sigma[:, 2].max() < 0.3
    found = Rotation.from_quat([s["orientation"] for s in samples])
    turns = (found.inv() * Rotation.from_quat(truth.orientation)).magnitude()
    assert turns.max() < np.radians(5 * 1.8)  # five times 1 deg about each axis, which nothing makes worse


def test_without_fixes_it_goes_on_by_its_inertial_unit_and_knows_how_far_it_is_off():
    """An acceleration wrong by b, white noise N: sigma^2 = s_p^2 + (s_v t)^2 + (b t^2 / 2)^2 + N^2 t^3 / 3."""
    n, seconds, noise, bias = 200, 4, 0.01, 0.05
    imu = ImuSpec(kind="imu", accelerometer_noise=noise, accelerometer_bias=bias)
    start = EstimateSpec(kind="estimate", position=0.01, velocity=0.01, orientation=1e-6)
    samples, truth = flown(made(n, imu, start), n, seconds)
    t = seconds
    expected = 0.01**2 + (0.01 * t) ** 2 + (bias * t * t / 2) ** 2 + noise**2 * t**3 / 3
    # Bias as a step a tick: (t^2 + t dt) / 2 at most, and t^3 sums alike.
    assert samples[0]["position_sigma"] ** 2 == pytest.approx(np.full(3, expected), rel=3 / (t * RATE))
    errors = np.array([s["position"] for s in samples]) - truth.position
    assert np.mean(errors**2) == pytest.approx(expected, rel=5 * np.sqrt(2 / (3 * n)))


def test_perfect_sensors_give_the_truth():
    imu = ImuSpec(kind="imu")
    start = EstimateSpec(kind="estimate", position=1e-9, velocity=1e-9, orientation=1e-9)
    samples, truth = flown(made(1, imu, CompassSpec(kind="compass"), start), 1, 5, 10.0, 0.5)
    assert samples[0]["velocity"] == pytest.approx(truth.velocity[0], abs=2e-3)
    assert samples[0]["orientation"] @ truth.orientation[0] == pytest.approx(1.0, abs=1e-9)
    assert samples[0]["angular_velocity"] == pytest.approx(truth.angular_velocity[0], abs=1e-3)
    # An arc is a chord in each tick: 10 m w^2 dt^2 / 24 a turn of one radian, with room for the mean force's own.
    assert samples[0]["position"] == pytest.approx(truth.position[0], abs=10 * 0.5**2 / RATE**2 * 2.5)


def test_it_needs_an_inertial_unit_and_makes_the_fields_of_navigation():
    with pytest.raises(ScenarioError, match="needs an imu"):
        made(1, gnss(), START)
    with pytest.raises(ScenarioError, match="estimate reads 'position', but navigation does so already"):
        made(1, NavigationSpec(), IMU, START)
    sensor = made(1, IMU, gnss(delay="100 ms"), START)
    samples, _ = flown(sensor, 1, 1)
    assert samples[0].when("position") == NS
    assert samples[0].when("gnss_position") == NS - NS // 10


def test_a_robot_more_changes_nobodys_estimate():
    sensors = IMU, gnss(bias=1.0, delay="100 ms"), BarometerSpec(kind="barometer", noise=3.0), START
    alone, _ = flown(made(1, *sensors), 1, 1)
    among, _ = flown(made(3, *sensors), 3, 1)
    for name, value in alone[0].values.items():
        assert np.array_equal(value, among[0][name]), name
