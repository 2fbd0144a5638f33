"""Who landed is who touched the vessel and stayed near its pad, also when the vessel turns."""

import numpy as np
import pytest

from twin.errors import ScenarioError
from twin.specs import LandingSpec
from twin.state import BodyState, Event, Frame, Node
from twin.tasks import make_task

NODES = [Node("barge", "barge", "vessel", 0), Node("a", "fleet", "drone", 1), Node("b", "fleet", "drone", 2)]
QUARTER = (0.0, 0.0, np.sqrt(0.5), np.sqrt(0.5))  # to the left


def frame(time, barge, turn, a, b, *events):
    places = np.array([barge, a, b], dtype=float)
    turns = np.array([turn, (0, 0, 0, 1), (0, 0, 0, 1)], dtype=float)
    none = np.zeros(0)
    bodies = BodyState(places, turns, places * 0, places * 0, none, none, np.zeros(4, np.int64))
    return Frame(time * 10**9, bodies, None, {}, ["nominal"] * 3, events=events)


def touch(time, robot, speed):
    return Event(time * 10**9, "contact", robot, "barge", speed)


def test_touchdowns_count_while_the_robot_stays():
    spec = LandingSpec(kind="landing", vessel="barge", pad=(2, 0, 1), radius=0.5)
    judge = make_task(spec, 2).judge("fleet", NODES)
    nobody = {"landings": 0, "touchdown_speed": None, "landing_error": None, "landing_time": None}
    judge.take(frame(0, (0, 0, 0), (0, 0, 0, 1), (2, 0, 5), (9, 9, 9)))
    assert judge.figures() == nobody
    other = Event(10**9, "contact", "a", "b", 7.0)
    touches = touch(1, "a", 0.4), touch(1, "b", 0.2), other
    judge.take(frame(1, (0, 0, 0), (0, 0, 0, 1), (2, 0.3, 1), (2, 0, 1.1), *touches))
    assert judge.figures()["landings"] == 2 and judge.figures()["touchdown_speed"] == 0.4
    judge.take(frame(2, (5, 0, 1), QUARTER, (5, 2, 2), (5, 4, 2)))  # the pad is now at (5, 2, 2): b slid off
    found = judge.figures()
    assert found["landings"] == 1 and found["landing_time"] == 1.0
    assert found["landing_error"] == pytest.approx(0.3, abs=1e-12)


def test_a_vessel_that_is_not_there_is_refused():
    with pytest.raises(ScenarioError, match="did you mean 'barge'"):
        make_task(LandingSpec(kind="landing", vessel="barges"), 2).judge("fleet", NODES)
