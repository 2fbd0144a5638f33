"""Drones that keep clear of tracks: where they go, and what they tell the tracker."""

from __future__ import annotations

import numpy as np
import pytest

from twin.controller import Observation, Packet, Sample, Tracked

AHEAD = """schema = 1
world = "city"
duration = "1 s"
[robots.courier]
kind = "drone"
controller = "keep_clear"
positions = [[0, 0, 150]]
[robots.courier.task]
kind = "hover"
points = [[0, 0, 150]]
[robots.tracker]
kind = "tracker"
[robots.edge]
kind = "edge"
"""


@pytest.fixture
def controller(stage, tmp_path):
    """The controller of a drone that hovers at 150 m."""
    (tmp_path / "ahead.toml").write_text(AHEAD)
    built = stage(str(tmp_path / "ahead.toml"))
    edge = next(robot for robot in built.twin.robots if robot.name == "edge")
    (job,) = edge.jobs.values()
    yield job.controller
    built.close()


def observation(time, tracks=(), names=()):
    """Return what a drone at rest sees that has just heard of tracks (n, 6)."""
    state = np.array(tracks, dtype=float).reshape(-1, 6)
    covariance = np.tile(np.eye(6), (len(state), 1, 1))
    told = Tracked(time, np.arange(len(state)), np.array(names, dtype=np.str_), state, covariance)
    turned = np.array([0.0, 0.0, 0.0, 1.0])
    values = {"position": np.array([0.0, 0.0, 150.0]), "velocity": np.zeros(3), "orientation": turned}
    packet = Packet(2, 1, "tracks", 0, 80, time, time, told, arrived=time)
    return Observation(time, "courier", Sample(time, values), (packet,))


def test_it_goes_away_from_where_a_track_comes_nearest(controller):
    """One that will pass 6 m to the north in 2 s: 6 m/s times 1 - 6/15 to the south, and nothing else."""
    goal = controller.reference(observation(0, [[20.0, 6.0, 150.0, -10.0, 0.0, 0.0]], [""]))
    np.testing.assert_allclose(goal.velocity, [0.0, -6.0 * (1.0 - 6.0 / 15.0), 0.0], atol=1e-9)
    assert controller.dodge == pytest.approx(3.6)


@pytest.mark.parametrize(
    ("track", "name"),
    [
        ([20.0, 6.0, 150.0, 10.0, 0.0, 0.0], ""),  # flies away
        ([20.0, 16.0, 150.0, -10.0, 0.0, 0.0], ""),  # passes beyond 15 m
        ([120.0, 0.0, 150.0, -10.0, 0.0, 0.0], ""),  # 70 m away after the horizon of 5 s
        ([1.0, 0.0, 150.0, 0.0, 0.0, 0.0], "courier"),  # itself
    ],
)
def test_it_stays_on_its_way_otherwise(controller, track, name):
    goal = controller.reference(observation(0, [track], [name]))
    assert controller.dodge == 0.0
    np.testing.assert_array_equal(goal.velocity, np.zeros(3))


def test_a_track_is_carried_on_to_now(controller):
    """What was heard a second ago 20 m away at 10 m/s is 10 m away: the gap is that of its closest approach."""
    controller.reference(observation(0, [[40.0, 6.0, 150.0, -10.0, 0.0, 0.0]], [""]))
    late = observation(1_000_000_000)
    late.inbox = ()
    controller.reference(late)
    assert controller.dodge == pytest.approx(3.6)


def test_it_subscribes_once_and_reports_ten_times_a_second(controller):
    """50 decisions of a second: one subscription of 20 bytes, ten reports of 60 with its own name and state."""
    sent = [m for k in range(50) for m in controller.act(observation(k * 20_000_000)).messages]
    assert [m.kind for m in sent].count("subscribe") == 1
    reports = [m for m in sent if m.kind == "report"]
    assert [(m.to, m.size) for m in reports] == [("tracker", 60)] * 10
    assert [m.payload.time for m in reports] == [k * 100_000_000 for k in range(10)]
    assert reports[0].payload.name == "courier"
    np.testing.assert_array_equal(reports[0].payload.state, [0, 0, 150, 0, 0, 0])
