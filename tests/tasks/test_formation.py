"""A formation: how its places move, and how far off they are."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from twin.errors import ScenarioError
from twin.specs import FormationSpec
from twin.state import BodyState, Frame, Node
from twin.tasks import make_task

OFFSETS = ((-3, 4, 0), (-3, -4, 1))
WAY = ((0, 0, 20), (60, 0, 25), (60, 40, 30), (0, 40, 25))


@pytest.fixture
def task():
    spec = FormationSpec(kind="formation", waypoints=WAY, speed=6.0, offsets=OFFSETS)
    return make_task(spec, 3)


def test_places_are_rigid_in_the_leader_s_axes(task):
    for time in np.linspace(0.0, 40.0, 23):
        leader = task.reference(0, time)
        back = Rotation.from_euler("z", -leader.yaw)
        for row, offset in enumerate(OFFSETS, start=1):
            place = task.reference(row, time)
            assert back.apply(place.position - leader.position) == pytest.approx(offset, abs=1e-9)
            assert place.yaw == leader.yaw


@pytest.mark.parametrize("row", [1, 2])
def test_velocity_and_acceleration_are_derivatives(task, row):
    """Central differences over h err by h^2 / 6 times the third derivative, which is some 10 m/s3 at most."""
    h = 1e-3
    for time in np.linspace(4.0, 40.0, 37):
        before, now, after = (task.reference(row, time + step) for step in (-h, 0.0, h))
        assert (after.position - before.position) / (2 * h) == pytest.approx(now.velocity, abs=1e-3)
        assert (after.velocity - before.velocity) / (2 * h) == pytest.approx(now.acceleration, abs=2e-2)


def test_they_start_at_rest(task):
    for row in range(3):
        assert np.abs(task.reference(row, 0.0).velocity).max() < 1e-9


def test_one_offset_for_each_follower():
    spec = FormationSpec(kind="formation", waypoints=WAY, speed=6.0, offsets=OFFSETS)
    with pytest.raises(ScenarioError, match="2 robots, but 2 offsets"):
        make_task(spec, 2)


def frame(heading, *places):
    n = len(places)
    turn = np.tile([0.0, 0.0, np.sin(heading / 2), np.cos(heading / 2)], (n, 1))
    zero, joints = np.zeros((n, 3)), np.zeros(0)
    bodies = BodyState(np.array(places, float), turn, zero, zero, joints, joints, np.zeros(n + 1, np.int64))
    return Frame(0, bodies, None, {}, ("nominal",) * n)


def test_the_judge_measures_from_the_true_leader_in_its_own_axes(task):
    """The leader looks north: its left is west. One follower is where it should be, one 3 m too high in one frame."""
    judge = task.judge("w", [Node(f"w-{i}", "w", "drone", i, row=i) for i in range(3)])
    right = [(10, 0, 50), (6, -3, 50), (14, -3, 51)]
    judge.take(frame(np.pi / 2, *right))
    assert judge.figures()["formation_error_max"] == pytest.approx(0.0, abs=1e-12)
    judge.take(frame(np.pi / 2, *right[:2], (14, -3, 54)))
    figures = judge.figures()
    assert figures["formation_error_max"] == pytest.approx(3.0)
    assert figures["formation_error_rms"] == pytest.approx(np.sqrt(9 / 2 / 2))  # of two followers and two frames
