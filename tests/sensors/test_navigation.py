"""Navigation: truth without noise, noise of the stated size that is nobody else's, exact delay."""

import numpy as np
import pytest

from twin.sensors.navigation import Navigation
from twin.sensors.setting import Setting
from twin.specs import NavigationNoise, NavigationSpec
from twin.state import BodyState, Truth

MS = 1_000_000
FIELDS = ("position", "velocity", "orientation", "angular_velocity")


def state(n, seed=0):
    rng = np.random.default_rng(seed)
    q = rng.normal(size=(n, 4))
    empty = np.zeros(0)
    return BodyState(
        rng.normal(size=(n, 3)),
        q / np.linalg.norm(q, axis=1, keepdims=True),
        rng.normal(size=(n, 3)),
        rng.normal(size=(n, 3)),
        empty,
        empty,
        np.zeros(n + 1, dtype=np.int64),
    )


def moving(time):
    """Return one body in motion of constant acceleration, turning at 0.5 rad/s about z, at `time` [ns]."""
    t, empty = time * 1e-9, np.zeros(0)
    half = 0.25 * t
    return BodyState(
        np.array([[1 + 2 * t + 0.5 * 3 * t * t, 0.0, 5.0]]),
        np.array([[0.0, 0.0, np.sin(half), np.cos(half)]]),
        np.array([[2 + 3 * t, 0.0, 0.0]]),
        np.array([[0.0, 0.0, 0.5]]),
        empty,
        empty,
        np.zeros(2, dtype=np.int64),
    )


def rows(*values):
    return np.array(values, dtype=np.int64)


def test_without_noise_it_is_the_truth_bit_for_bit():
    bodies = state(5)
    bodies.position[3] = -0.0
    sensor = Navigation(NavigationSpec(), Setting(["a", "b"], None, None, None, 1))
    samples = sensor.read(Truth(7 * MS, bodies), rows(3, 1), rows(0, 1))
    for sample, body in zip(samples, (3, 1), strict=True):
        assert sample.time == 7 * MS
        for name in FIELDS:
            assert sample[name].tobytes() == getattr(bodies, name)[body].tobytes()


def test_noise_has_the_stated_spread_and_no_bias():
    noise = NavigationNoise(position=0.5, velocity=0.1, orientation=0.02, angular_velocity=0.03)
    n = 4000
    bodies = state(1)
    sensor = Navigation(NavigationSpec(noise=noise), Setting(["a"], None, None, None, 1))
    read = [sensor.read(Truth(k, bodies), rows(0), rows(0))[0] for k in range(n)]
    for name, sigma in (("position", 0.5), ("velocity", 0.1), ("angular_velocity", 0.03)):
        error = np.array([sample[name] for sample in read]) - getattr(bodies, name)[0]
        check_normal(error, sigma)
    x, y, z, w = bodies.orientation[0]
    back = np.array([[w, z, -y, -x], [-z, w, x, -y], [y, -x, w, -z]])  # vector part of conj(q) * .
    error = 2 * np.array([sample["orientation"] for sample in read]) @ back.T
    check_normal(error, 0.02)
    norms = np.linalg.norm([sample["orientation"] for sample in read], axis=1)
    assert norms == pytest.approx(np.ones(n), abs=1e-12)


def check_normal(error, sigma):
    """Accept five standard errors of mean and spread (one in 10^6 per figure)."""
    n = len(error)
    assert np.abs(error.mean(axis=0)).max() < 5 * sigma / np.sqrt(n)
    assert np.abs(error.std(axis=0) - sigma).max() < 5 * sigma / np.sqrt(2 * n)
    assert np.abs(np.corrcoef(error.T) - np.eye(3)).max() < 5 / np.sqrt(n)


def test_a_further_robot_changes_nobodys_noise():
    spec = NavigationSpec(noise=NavigationNoise(position=1.0, orientation=0.1))
    bodies = state(3)
    few = Navigation(spec, Setting(["a", "b"], None, None, None, 1)).read(Truth(5, bodies), rows(0, 1), rows(0, 1))
    more = Navigation(spec, Setting(["c", "a", "b"], None, None, None, 1))
    more.read(Truth(4, bodies), rows(2), rows(0))
    many = more.read(Truth(5, bodies), rows(2, 0, 1), rows(0, 1, 2))
    for a, b in zip(few, many[1:], strict=True):
        for name in FIELDS:
            assert a[name].tobytes() == b[name].tobytes()
    other = Navigation(spec, Setting(["a", "b"], None, None, None, 2)).read(Truth(5, bodies), rows(0, 1), rows(0, 1))
    assert not np.array_equal(other[0]["position"], few[0]["position"])
    assert not np.array_equal(
        few[0]["position"] - bodies.position[0], few[1]["position"] - bodies.position[1]
    )


@pytest.mark.parametrize("delay", [20 * MS, 50 * MS, 33 * MS, 1])
def test_delayed_readings_are_the_world_of_that_long_ago(delay):
    sensor = Navigation(NavigationSpec(delay=f"{delay} ns"), Setting(["a"], None, None, None, 1))
    for time in range(0, 1000 * MS, 20 * MS):
        (sample,) = sensor.read(Truth(time, moving(time)), rows(0), rows(0))
        then = max(0, time - delay)
        truth = moving(then)
        assert sample.time == then
        # interpolation is exact for this motion, save for the chord of a turn of 0.01 rad: off by 1e-5
        assert sample["position"] == pytest.approx(truth.position[0], abs=1e-12)
        assert sample["velocity"] == pytest.approx(truth.velocity[0], abs=1e-12)
        assert sample["orientation"] == pytest.approx(truth.orientation[0], abs=1e-5)
        if delay % (20 * MS) == 0:
            assert sample["orientation"].tobytes() == truth.orientation[0].tobytes()


def test_a_new_run_forgets_the_old_one():
    sensor = Navigation(NavigationSpec(delay="40 ms"), Setting(["a"], None, None, None, 1))
    for time in (0, 20 * MS, 40 * MS):
        sensor.read(Truth(time, moving(time + 10**9)), rows(0), rows(0))
    (sample,) = sensor.read(Truth(0, moving(0)), rows(0), rows(0))
    assert sample.time == 0
    assert sample["position"].tobytes() == moving(0).position[0].tobytes()
