"""Optimal reciprocal collision avoidance: what its theorem promises, and what is left of it by a drone's lag."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from twin.fleet.orca import TOLERANCE, avoiding, half_spaces, nearest_within

R, HORIZON, STEP, MOST = 1.5, 4.0, 0.02, 8.0
numbers = st.floats(-6.0, 6.0, allow_subnormal=False)
vectors = st.tuples(numbers, numbers, numbers)


def fly(place, goal, seconds, speed=5.0):
    """Move points that take on their new velocities at once; return the least separation, what they may miss, the ends.

    Whoever is beyond a half-space by s gets nearer than permitted by at most s times the step, and so does the other.
    """
    place, goal = np.array(place, float), np.array(goal, float)
    velocity = np.zeros_like(place)
    least, missed, track = np.inf, 0.0, []
    others = [np.flatnonzero(np.arange(len(place)) != i) for i in range(len(place))]
    for _ in range(round(seconds / STEP)):
        way = goal - place
        wanted = way * np.minimum(speed / np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-9), 1.0)
        new, slack = np.empty_like(velocity), np.empty(len(place))
        for i, rest in enumerate(others):
            new[i], slack[i] = avoiding(place[rest] - place[i], velocity[i] - velocity[rest], np.full(len(rest), R),
                                        velocity[i], wanted[i], MOST, HORIZON, STEP)  # fmt: skip
        velocity = new
        place = place + STEP * velocity
        missed += 2 * STEP * (slack.max() + TOLERANCE)
        gaps = np.linalg.norm(place[:, None] - place[None], axis=2)
        least = min(least, gaps[np.triu_indices(len(place), 1)].min())
        track.append(place)
    return least, missed, np.array(track)


def test_two_points_head_on_keep_their_distance_turn_right_and_get_past_each_other():
    least, missed, track = fly([[0, 0, 10], [40, 0, 10]], [[40, 0, 10], [0, 0, 10]], 16)
    assert missed < 1e-6, "there is room"
    assert R - missed <= least < 1.2 * R
    assert np.linalg.norm(track[-1] - [[40, 0, 10], [0, 0, 10]], axis=1).max() < 0.1
    assert track[:, 0, 1].min() < -R / 3 and track[:, 1, 1].max() > R / 3, "right of east is south"


@pytest.mark.parametrize("count", [6, 12])
def test_points_that_change_places_across_a_sphere_keep_their_distance(count):
    rng = np.random.default_rng(count)
    on = rng.normal(size=(count, 3))
    start = 20.0 * on / np.linalg.norm(on, axis=1, keepdims=True)
    least, missed, track = fly(start, -start, 25)
    assert missed < 0.05 * R, "there is room for nearly all of them all of the time"
    assert least >= R - missed and np.linalg.norm(track[-1] + start, axis=1).max() < 1.0


@settings(max_examples=60, deadline=None)
@given(vectors, vectors, st.floats(0.2, 3.0))
def test_a_half_space_takes_half_of_the_least_change_out_of_the_velocity_obstacle(gap, closing, radius):
    """Eq. 3 to 5: v + u touches the obstacle's surface, where nobody gets nearer than the radius within the horizon."""
    p, v = np.array(gap), np.array(closing)
    if np.linalg.norm(p) < radius + 0.1:
        return
    own = np.array([1.0, -2.0, 0.5])
    normal, bound = half_spaces(p[None], v[None], np.array([radius]), own, HORIZON, STEP)
    assert np.linalg.norm(normal[0]) == pytest.approx(1.0)
    u = 2.0 * (bound[0] - normal[0] @ own) * normal[0]

    def nearest(velocity):
        time = np.clip(p @ velocity / max(velocity @ velocity, 1e-12), 0.0, HORIZON)
        return np.linalg.norm(p - time * velocity)

    assert nearest(v + u) == pytest.approx(radius, abs=1e-6)
    assert (nearest(v) < radius) == (u @ normal[0] > 0) or nearest(v) == pytest.approx(radius, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(vectors, st.floats(-4.0, 3.0)), min_size=1, max_size=6), vectors)
def test_the_chosen_velocity_is_the_nearest_that_is_permitted(planes, preferred):
    """Against scipy's SLSQP, from its own start and ours."""
    normal = np.array([n for n, _ in planes])
    size = np.linalg.norm(normal, axis=1)
    if np.any(size < 1e-2):
        return
    normal, bound, preferred = normal / size[:, None], np.array([b for _, b in planes]), np.array(preferred)
    found = np.empty(3)
    there = nearest_within(normal, bound, preferred, MOST, found)
    limits = [{"type": "ineq", "fun": lambda v: normal @ v - bound, "jac": lambda v: normal},
              {"type": "ineq", "fun": lambda v: MOST**2 - v @ v, "jac": lambda v: -2 * v}]  # fmt: skip
    starts = (found, preferred, np.zeros(3)) if there else (preferred, np.zeros(3))
    best = np.inf
    for start in starts:
        other = minimize(lambda v: (v - preferred) @ (v - preferred), start, jac=lambda v: 2 * (v - preferred),
                         constraints=limits, method="SLSQP", options={"ftol": 1e-12, "maxiter": 200})  # fmt: skip
        if other.success and (normal @ other.x - bound).min() > -1e-7 and np.linalg.norm(other.x) < MOST + 1e-7:
            best = min(best, other.fun)
    if there:
        assert (normal @ found - bound).min() >= -TOLERANCE and np.linalg.norm(found) <= MOST + 1e-9
        assert (found - preferred) @ (found - preferred) <= best + 1e-5
    else:
        assert best == np.inf or (normal @ other.x - bound).min() < 1e-6, "nothing is permitted"


def test_where_nothing_is_permitted_it_misses_by_the_least():
    """Between two that close in from both sides at 2 m/s each no velocity will do; the middle one misses least."""
    gap = np.array([[1.6, 0, 0], [-1.6, 0, 0]])
    closing = np.array([[2.0, 0, 0], [-2.0, 0, 0]])
    normal, bound = half_spaces(gap, closing, np.full(2, R), np.zeros(3), HORIZON, STEP)
    velocity, missed = avoiding(gap, closing, np.full(2, R), np.zeros(3), np.array([1.0, 0, 0]), 0.1, HORIZON, STEP)
    assert missed > 0.0
    shortfall = (bound - normal @ velocity).max()
    assert shortfall == pytest.approx(missed, abs=1e-6)
    tries = np.random.default_rng(1).uniform(-0.1, 0.1, (20_000, 3))
    tries = tries[np.linalg.norm(tries, axis=1) <= 0.1]
    assert (bound - tries @ normal.T).max(axis=1).min() >= missed - 1e-6
