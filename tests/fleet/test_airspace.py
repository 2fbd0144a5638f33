"""What the edge knows of drones, and what its age costs."""

from __future__ import annotations

import numpy as np
import pytest

from twin.clock import NS
from twin.fleet.airspace import Airspace
from twin.state import Sample

MS = NS // 1000
RULES = dict(distance=1.0, acceleration=8.0, speed=10.0, horizon=4.0, parting=0.5)


def known(*robots):
    """Return an airspace of robots, each with its place, velocity and the time of its sample."""
    airspace = Airspace(len(robots))
    for row, (place, velocity, time) in enumerate(robots):
        values = {"position": np.array(place, float), "velocity": np.array(velocity, float)}
        airspace.tell(row, Sample(time, values))
    return airspace


def side(aside, age):
    """Return what is permitted to one that passes another at a distance, whose samples have an age [ms]."""
    now = 1 * NS
    fly = known(((0, 0, 50), (5, 0, 0), now - age * MS), ((20, aside, 50), (-5, 0, 0), now - age * MS))
    return fly.permitted(0, now, np.array([5.0, 0, 0]), **RULES)


@pytest.mark.parametrize("age", [0, 50, 100, 200])
def test_the_distance_grows_by_what_both_may_have_done_until_the_command_acts(age):
    """Each has had twice the age: passing just beyond a (2 age)^2 / 2 of each is permitted, just within it isn't."""
    kept = 1.0 + 2 * 0.5 * 8.0 * (2e-3 * age) ** 2
    assert np.array_equal(side(kept + 1e-6, age)[0], [5.0, 0, 0])
    velocity, missed = side(kept - 1e-3, age)
    assert missed == 0.0 and velocity[1] < 0.0, "away from the other one"


def test_one_that_nobody_has_heard_of_is_not_there():
    airspace = Airspace(2)
    airspace.tell(0, Sample(0, {"position": np.zeros(3), "velocity": np.zeros(3)}))
    wanted = np.array([0.1, 0, 0])
    assert airspace.permitted(0, 0, wanted, **RULES) == (pytest.approx(wanted), 0.0)


def test_the_speed_limit_holds_also_alone():
    velocity, missed = known(((0, 0, 50), (0, 0, 0), 0)).permitted(0, 0, np.array([30.0, 40.0, 0.0]), **RULES)
    assert missed == 0.0 and velocity == pytest.approx([6.0, 8.0, 0.0])
