"""Settling time and overshoot of steps whose answer is known in closed form."""

from types import SimpleNamespace

import numpy as np
import pytest

from twin.clock import NS
from twin.specs import HoverSpec
from twin.state import Node
from twin.tasks import make_task

DT = 1e-3


def judged(*ways, seconds=20.0):
    """Return the figures of robots whose way along (3, 4, 0) to their points is 1 + x(t): at -5 m at the start."""
    n = len(ways)
    points = tuple((10.0 * i, 0.0, 5.0) for i in range(n))
    task = make_task(HoverSpec(kind="hover", points=points), n)
    judge = task.judge("g", [Node(f"r{i}", "g", "drone", i, row=i) for i in range(n)])
    along = np.array([3.0, 4.0, 0.0])
    for tick in range(round(seconds / DT) + 1):
        place = np.array([np.array(points[i]) + along * way(tick * DT) for i, way in enumerate(ways)])
        judge.take(SimpleNamespace(time=round(tick * DT * NS), bodies=SimpleNamespace(position=place)))
    return judge.figures()


def second_order(damping, frequency):
    """Return the error over time of a step of 1 by a second-order system at rest."""
    fast = frequency * np.sqrt(1 - damping**2)
    return lambda t: -np.exp(-damping * frequency * t) * (
        np.cos(fast * t) + damping / np.sqrt(1 - damping**2) * np.sin(fast * t)
    )


@pytest.mark.parametrize("damping", [0.2, 0.5, 0.7])
def test_overshoot_is_that_of_a_second_order_system(damping):
    """exp(-pi z / sqrt(1 - z^2)): Ogata, Modern Control Engineering, section 5-3."""
    figures = judged(second_order(damping, 2.0))
    assert figures["overshoot"] == pytest.approx(np.exp(-np.pi * damping / np.sqrt(1 - damping**2)), abs=1e-5)


def test_settling_of_a_first_order_system_takes_three_time_constants():
    figures = judged(lambda t: -np.exp(-t / 1.7))
    assert figures["settling_time"] == pytest.approx(1.7 * np.log(20.0), abs=DT)
    assert figures["overshoot"] == 0.0


def test_of_several_robots_the_worst_counts_and_who_starts_at_its_point_has_no_step():
    figures = judged(lambda t: -np.exp(-t), lambda t: -np.exp(-t / 3.0), lambda t: 0.01 * np.sin(t))
    assert figures["settling_time"] == pytest.approx(3.0 * np.log(20.0), abs=DT)
    assert judged(lambda t: 0.01 * np.sin(t)) == {}


def test_who_does_not_settle_has_no_settling_time():
    assert judged(lambda t: -np.cos(t))["settling_time"] is None
