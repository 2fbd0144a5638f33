"""Routes and points: where a robot should be, and how far it is from there."""

from timeit import timeit

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from twin.errors import ScenarioError
from twin.specs import HoverSpec, RouteSpec
from twin.tasks import make_task, tracking_error
from twin.tasks.route import SPEED_TOLERANCE

SQUARE = ((0, 0, 20), (60, 0, 25), (60, 40, 30), (0, 40, 25))
coordinates = st.tuples(*[st.integers(-200, 200)] * 3)


def route(waypoints=SQUARE, speed=6.0, count=1, acceleration=2.0):
    spec = RouteSpec(kind="route", waypoints=waypoints, speed=speed, acceleration=acceleration)
    return make_task(spec, count)


def test_the_route_passes_every_waypoint_and_closes():
    task = route()
    lap = task.length / 6.0
    times = 3.0 + np.linspace(0, lap, 20_000)
    places = np.array([task.reference(0, t).position for t in times])
    for point in SQUARE:
        assert np.linalg.norm(places - np.array(point), axis=1).min() < 6.0 * lap / 20_000
    assert places[0] == pytest.approx(places[-1], abs=1e-6)


def test_it_starts_at_rest_at_the_first_waypoint():
    start = route().reference(0, 0.0)
    assert start.position == pytest.approx([0, 0, 20], abs=1e-12)
    assert np.array_equal(start.velocity, np.zeros(3))
    assert np.linalg.norm(start.acceleration) == pytest.approx(2.0, rel=SPEED_TOLERANCE)


@settings(max_examples=30, deadline=None)
@given(st.lists(coordinates, min_size=3, max_size=6, unique=True), st.floats(0.5, 20))
@example([(-143, 0, 0), (14, 1, -168), (49, -56, 0), (0, -107, -42), (127, -125, 0), (-1, -7, -134)], 5.0)
def test_speed_is_constant_and_velocity_and_acceleration_are_derivatives(waypoints, speed):
    try:
        task = route(tuple(waypoints), speed)
    except ScenarioError as refused:
        assert "turns too sharply" in str(refused)
        return
    h = 1e-4 * task.length / speed / 100
    for t in speed / 2.0 + np.linspace(0.1, 1.1, 23) * task.length / speed:
        before, now, after = (task.reference(0, t + dt) for dt in (-h, 0.0, h))
        assert np.linalg.norm(now.velocity) == pytest.approx(speed, rel=2 * SPEED_TOLERANCE)
        assert (after.position - before.position) / (2 * h) == pytest.approx(now.velocity, abs=1e-4 * speed)
        change = np.linalg.norm((after.velocity - before.velocity) / (2 * h) - now.acceleration)
        # That is the mean acceleration of 2 h, over which it swings where the route turns sharply.
        swing = max(np.linalg.norm(end.acceleration - now.acceleration) for end in (before, after))
        assert change < swing + 1e-2 * (1.0 + np.linalg.norm(now.acceleration))
        assert np.arctan2(now.velocity[1], now.velocity[0]) == pytest.approx(now.yaw)


def test_robots_are_spread_evenly_over_the_length():
    task = route(count=4)
    lap = task.length / 6.0
    for row in range(4):
        ahead = task.reference(0, 10.0 + row * lap / 4).position
        assert task.reference(row, 10.0).position == pytest.approx(ahead, abs=1e-9)


def test_a_point_twice_in_a_row_is_refused():
    with pytest.raises(ScenarioError, match="waypoints 1 and 2"):
        route(((0, 0, 0), (1, 0, 0), (1, 0, 0), (0, 1, 0)))
    with pytest.raises(ScenarioError, match="waypoints 3 and 0"):
        route(((0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 0, 0)))


def test_a_reference_costs_no_more_than_some_microseconds():
    task = route()
    task.reference(0, 0.0)
    cost = min(timeit(lambda: task.reference(0, 3.3), number=1000) for _ in range(5)) / 1000
    assert cost < 50e-6  # the goal is 10; the machine may be busy


def test_hovering_robots_each_have_their_point():
    task = make_task(HoverSpec(kind="hover", points=((1, 2, 3), (4, 5, 6)), yaw=0.5), 2)
    goal = task.reference(1, 12.0)
    assert goal.position.tolist() == [4, 5, 6]
    assert goal.yaw == 0.5
    assert not goal.velocity.any() and not goal.acceleration.any()
    with pytest.raises(ScenarioError, match="3 robots hover, but there are 2 points"):
        make_task(HoverSpec(kind="hover", points=((1, 2, 3), (4, 5, 6))), 3)


def test_tracking_error_is_a_distance():
    task = make_task(HoverSpec(kind="hover", points=((1, 2, 3),)), 1)
    assert tracking_error(task, 0, 1.0, np.array([1.0, 5.0, 7.0])) == 5.0


def test_positions_of_many_at_once_are_those_of_one_after_another():
    """To the bit, before and after the start from rest, in any order of rows."""
    task = route(count=5)
    rows = np.array([4, 0, 2])
    for time in (0.0, 1.3, 20.0):
        alone = [task.reference(row, time).position for row in rows.tolist()]
        np.testing.assert_array_equal(task.positions(rows, time), alone)
