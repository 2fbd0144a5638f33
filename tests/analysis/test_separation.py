"""How near robots came, between frames as well."""

import numpy as np
import pytest

from twin.analysis.separation import Separation
from twin.state import BodyState


def state(*places):
    n = len(places)
    zero = np.zeros((n, 3))
    still = np.tile([0.0, 0, 0, 1], (n, 1))
    return BodyState(np.array(places, float), still, zero, zero, np.zeros(0), np.zeros(0), np.zeros(n + 1, np.int64))


def test_two_that_pass_each_other_between_two_frames_are_seen():
    near = Separation([0, 2])
    near.take(state((0, 0, 0), (5, 5, 5), (10, 0.3, 0)))
    assert near.least == pytest.approx(np.hypot(10, 0.3))
    near.take(state((10, 0, 0), (5, 5, 5), (0, 0.3, 0)))
    assert near.least == pytest.approx(0.3), "the body between them is not asked"


def test_the_error_of_straight_lines_is_within_a_h2_over_8():
    """Two on parabolas whose vertices touch 1 m lies between, half-way between two frames."""
    h, a = 0.1, 20.0
    near = Separation([0, 1])
    for t in np.arange(-5, 6) * h + h / 2:
        near.take(state((0, 0, 0), (0, 0, 1.0 + 0.5 * a * t * t)))
    assert 1.0 <= near.least <= 1.0 + a * h * h / 8 + 1e-12


def test_one_robot_has_no_separation():
    near = Separation([0])
    near.take(state((0, 0, 0)))
    assert near.least is None
