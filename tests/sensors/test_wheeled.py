"""Odometry, lidar and battery of wheeled robots."""

from math import cos, pi, sin
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from twin.clock import NS
from twin.errors import ScenarioError
from twin.sensors.battery import Battery
from twin.sensors.lidar import Lidar, beam_angles
from twin.sensors.odometry import Odometry
from twin.sensors.setting import Setting
from twin.specs import BatterySensorSpec, LidarSpec, OdometrySpec
from twin.state import BodyState, Truth
from twin.world.bvh import build_bvh

RADIUS, TRACK = 0.1, 0.5
ROW = np.array([0])


class Axle:
    """Two wheels that are turned by hand."""

    def __init__(self):
        self.angle = np.zeros((1, 2))  # left, right
        self.kinematics = RADIUS * np.array([[0.5, 0.5], [0.0, 0.0], [-1 / TRACK, 1 / TRACK]])


def bodies(*places, yaw=0.0):
    n = len(places)
    turn = np.tile([0.0, 0.0, sin(yaw / 2), cos(yaw / 2)], (n, 1))
    zero = np.zeros((n, 3))
    none = np.zeros(0)
    return BodyState(np.array(places, dtype=float), turn, zero, zero, none, none, np.zeros(n + 1, dtype=np.int64))


def setting(dynamics=None, bvh=None, outlines=None):
    world = SimpleNamespace(bvh=bvh)
    boxes = np.empty((0, 6)) if outlines is None else outlines
    return Setting(["robot"], None, dynamics, world, 1, outlines=boxes)


def driven(forward, turning, seconds, **errors):
    """Drive a perfect robot; return its odometry at the end, when its wheels have what `errors` say."""
    axle, truth = Axle(), bodies((2.0, 1.0, 0.0), yaw=0.3)
    sensor = Odometry(OdometrySpec(kind="odometry", **errors), setting(axle))
    sensor.read(Truth(0, truth), ROW, ROW)
    for tick in range(1, round(seconds * 50) + 1):
        axle.angle[0] += np.array([forward - turning * TRACK / 2, forward + turning * TRACK / 2]) / RADIUS / 50
        (sample,) = sensor.read(Truth(tick * NS // 50, truth), ROW, ROW)
    return sample


def test_odometry_of_a_straight_line_closes():
    sample = driven(0.8, 0.0, 10.0)
    assert sample["odometry"] == pytest.approx([2 + 8 * cos(0.3), 1 + 8 * sin(0.3), 0.3], abs=1e-9)
    assert sample["odometry_velocity"] == pytest.approx([0.8, 0.0, 0.0], abs=1e-9)


def test_odometry_of_a_circle_closes():
    sample = driven(0.8, 2 * pi / 10, 10.0)
    assert sample["odometry"] == pytest.approx([2.0, 1.0, 0.3 + 2 * pi], abs=1e-9)


def test_a_wheel_radius_wrong_by_e_stretches_the_way_by_e_and_turns_a_circle_by_e():
    assert driven(0.8, 0.0, 10.0, radius_error=0.01)["odometry"][0] == pytest.approx(2 + 8.08 * cos(0.3), abs=1e-9)
    e, turn = 0.01, 2 * pi
    radius = 0.8 * 10 / turn  # stays: both the way and the turn are too large by e
    x, y, heading = driven(0.8, turn / 10, 10.0, radius_error=e)["odometry"]
    assert heading - 0.3 == pytest.approx(turn * (1 + e), abs=1e-9)
    # The chord of the surplus arc; that a reading takes the way for an arc is exact here.
    assert np.hypot(x - 2, y - 1) == pytest.approx(2 * radius * sin(turn * e / 2), abs=1e-9)


def test_a_track_wrong_by_e_turns_too_little():
    heading = driven(0.8, 0.5, 10.0, track_error=0.02)["odometry"][2]
    assert heading - 0.3 == pytest.approx(5.0 / 1.02, abs=1e-9)


def test_noise_of_odometry_grows_with_the_root_of_the_way():
    k, finals = 0.02, []
    for seed in range(200):
        axle, truth = Axle(), bodies((0.0, 0.0, 0.0))
        sensor = Odometry(OdometrySpec(kind="odometry", noise=k), Setting(["r"], None, axle, None, seed))
        sensor.read(Truth(0, truth), ROW, ROW)
        for tick in range(1, 51):
            axle.angle += 0.04 / RADIUS
            (sample,) = sensor.read(Truth(tick * NS // 50, truth), ROW, ROW)
        finals.append(sample["odometry"][2])
    # Deviation k sqrt(2 m); that of the estimate from 200 is 1 / sqrt(400), five of them are allowed.
    assert np.std(finals) == pytest.approx(k * 2**0.5, rel=5 / 20)


def test_odometry_and_battery_need_what_they_read():
    with pytest.raises(ScenarioError, match="needs wheels"):
        Odometry(OdometrySpec(kind="odometry"), setting(object()))
    with pytest.raises(ScenarioError, match="no battery"):
        Battery(BatterySensorSpec(kind="battery"), setting(object()))


def wall(x):
    corners = np.array([[x, -50, -5], [x, 50, -5], [x, 50, 5], [x, -50, 5]], dtype=float)
    return build_bvh(corners, np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32))


def scan(truth, outlines, yaw=0.0, **spec):
    lidar = Lidar(LidarSpec(kind="lidar", **spec), setting(bvh=wall(5.0), outlines=outlines))
    (sample,) = lidar.read(Truth(0, truth), ROW, ROW)
    return sample["ranges"]


NOBODY = np.array([[-0.4, -0.3, -0.1, 0.4, 0.3, 0.1]])


@pytest.mark.parametrize("yaw", [0.0, 0.6])
def test_a_wall_is_where_it_is(yaw):
    spec = LidarSpec(kind="lidar", beams=90, range=20.0)
    angle = beam_angles(spec) + yaw
    expected = np.where(np.cos(angle) > 0.25, 5.0 / np.maximum(np.cos(angle), 0.25), 20.0)
    found = scan(bodies((0.0, 0.0, 0.0), yaw=yaw), NOBODY, beams=90, range=20.0)
    assert found[np.abs(np.cos(angle) - 0.25) > 1e-9] == pytest.approx(expected[np.abs(np.cos(angle) - 0.25) > 1e-9])


def test_another_robot_is_a_box_in_its_own_axes():
    truth = bodies((0.0, 0.0, 0.0), (3.0, 0.0, 0.0))
    truth.orientation[1] = [0.0, 0.0, sin(pi / 4), cos(pi / 4)]  # it stands across
    found = scan(truth, np.repeat(NOBODY, 2, axis=0), beams=360)
    ahead = np.abs(beam_angles(LidarSpec(kind="lidar", beams=360))) < np.arctan2(0.39, 2.7)
    angle = beam_angles(LidarSpec(kind="lidar", beams=360))[ahead]
    assert found[ahead] == pytest.approx(2.7 / np.cos(angle))
    assert found[~ahead].min() > 2.7


def test_a_robot_above_or_below_the_plane_is_not_seen():
    ranges = {}
    for height in (0.0, 0.5):
        truth = bodies((0.0, 0.0, 0.0), (3.0, 0.0, height))
        ranges[height] = scan(truth, np.repeat(NOBODY, 2, axis=0), beams=1, view=1e-6)[0]
    assert ranges == pytest.approx({0.0: 2.6, 0.5: 5.0})


def test_a_beam_ends_where_slabs_of_its_robots_box_say():
    """Boxes turned any way at any place, near and far: each beam against the three slabs of each box, by numpy."""
    rng = np.random.default_rng(5)
    places = np.vstack([[0.0, 0.0, 0.0], rng.uniform([-6, -6, -0.5], [4, 6, 0.5], (40, 3))])
    truth = bodies(*places)
    truth.orientation[1:] = Rotation.random(40, random_state=rng).as_quat()
    outlines = np.repeat(NOBODY, len(places), axis=0) * rng.uniform(0.3, 2.0, (len(places), 1))
    spec = LidarSpec(kind="lidar", beams=360, range=8.0)
    found, angle = scan(truth, outlines, beams=360, range=8.0), beam_angles(spec)
    rays = np.stack([np.cos(angle), np.sin(angle), np.zeros(360)], axis=1)
    expected = np.where(rays[:, 0] > 5 / 8, 5.0 / np.maximum(rays[:, 0], 5 / 8), 8.0)  # the wall
    for place, turn, box in zip(places[1:], Rotation.from_quat(truth.orientation[1:]), outlines[1:], strict=True):
        own, start = turn.inv().apply(rays), turn.inv().apply(-place)
        with np.errstate(divide="ignore"):
            ends = np.sort([(box[:3] - start) / own, (box[3:] - start) / own], axis=0)
        near, far = np.maximum(ends[0].max(axis=1), 0.0), ends[1].min(axis=1)
        expected = np.where(near <= far, np.minimum(expected, near), expected)
    assert (expected < 4.0).sum() > 100
    assert found == pytest.approx(expected, abs=1e-9)
