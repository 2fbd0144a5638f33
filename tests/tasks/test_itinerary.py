"""Ways from rest to rest: speeds, times and headings."""

import numpy as np
import pytest

from twin.tasks.itinerary import Itinerary

SPEED, ACCELERATION = 4.0, 2.0


@pytest.fixture
def trip():
    """A climb, a long way, a stay, a circle and a half of radius 5 m clockwise, a short way back."""
    trip = Itinerary(np.array([0.0, 0.0, 1.0]), ACCELERATION)
    trip.go(np.array([0.0, 0.0, 11.0]), SPEED)
    trip.go(np.array([30.0, 40.0, 11.0]), SPEED)
    trip.stay(3.0)
    trip.circle(np.array([30.0, 35.0, 11.0]), 1.5, 3.0, clockwise=True)
    trip.go(np.array([30.0, 29.0, 11.0]), SPEED, yaw=0.5)
    return trip


def test_times_are_those_of_trapezoids_and_triangles(trip):
    """A way of length l takes l / v + v / a, or 2 sqrt(l / a) where it is too short for v."""
    durations = [10 / 4 + 4 / 2, 50 / 4 + 4 / 2, 3.0, 1.5 * 2 * np.pi * 5 / 3 + 3 / 2, 2 * np.sqrt(1 / 2)]
    assert [s.duration for s in trip.stretches] == pytest.approx(durations)
    assert trip.time == pytest.approx(sum(durations))


def test_ends_lie_where_they_should_and_everything_ends_at_rest(trip):
    ends = [(0, 0, 11), (30, 40, 11), (30, 40, 11), (30, 30, 11), (30, 29, 11)]
    for stretch, end in zip(trip.stretches, ends, strict=True):
        there = trip.at(stretch.begin + stretch.duration)
        assert there.position == pytest.approx(np.array(end, float), abs=1e-9)
        assert there.velocity == pytest.approx(np.zeros(3), abs=1e-6)
    assert trip.at(1e6).position == pytest.approx([30, 29, 11])
    assert trip.at(-1.0).position == pytest.approx([0, 0, 1])


def test_velocity_and_acceleration_are_derivatives_and_within_limits(trip):
    h = 1e-5
    for time in np.linspace(0.05, trip.time - 0.05, 301):
        before, now, after = (trip.at(time + step) for step in (-h, 0.0, h))
        assert (after.position - before.position) / (2 * h) == pytest.approx(now.velocity, abs=1e-4)
        if np.linalg.norm(after.acceleration - before.acceleration) < 0.01:  # not at a corner of the speed
            assert (after.velocity - before.velocity) / (2 * h) == pytest.approx(now.acceleration, abs=1e-3)
        assert np.linalg.norm(now.velocity) <= SPEED + 1e-9


def test_the_nose_turns_at_a_steady_rate_to_where_it_looks(trip):
    climb, way, *_ = trip.stretches
    assert trip.at(climb.begin + 1.0).yaw == 0.0, "straight up has no direction"
    ahead = np.arctan2(40, 30)
    assert trip.at(way.begin + 0.25).yaw == pytest.approx(0.25 * np.pi / 2)
    assert trip.at(way.begin + way.duration).yaw == pytest.approx(ahead)
    circle = trip.stretches[3]
    late = trip.at(circle.begin + 5.0)
    assert np.exp(1j * late.yaw) == pytest.approx(complex(*late.velocity[:2]) / np.linalg.norm(late.velocity))
    out = late.position - [30, 35, 11]
    assert np.cross(out, late.velocity)[2] < 0.0, "clockwise seen from above"
    headings = np.array([trip.at(time).yaw for time in np.linspace(0, trip.time, 4001)])
    turned = np.abs(np.angle(np.exp(1j * np.diff(headings))))
    most = np.pi / 2 + 3.0 / 5.0  # rad/s, turning on top of the circle's own rate
    assert turned.max() < 1.05 * most * trip.time / 4000, "no jump"
