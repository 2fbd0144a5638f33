"""Figures of tracks: GOSPA by its definition, and what tracks beside no target count as."""

import numpy as np
import pytest

from twin.analysis.track_meter import TrackMeter, gospa
from twin.state import BodyState, Frame, Node, no_links

NODES = [Node("tracker", "tracker", "tracker"), Node("a", "a", "drone", body=0), Node("b", "b", "drone", body=1)]
STEP = 100_000_000


def frame(time, places, velocity, tracks, age=0.0):
    """Return a frame in which the tracker has told of tracks, number -> (6,), of `age` [s]."""
    n = len(places)
    still = np.zeros((n, 3))
    turned = np.tile([0.0, 0.0, 0.0, 1.0], (n, 1))
    bodies = BodyState(np.asarray(places, float), turned, np.asarray(velocity, float), still, np.zeros(0), np.zeros(0),
                       np.zeros(n + 1, dtype=np.int64))  # fmt: skip
    logs = [(time, 0, "tracks.age", age)]
    for number, state in tracks.items():
        names = [f"track.{number}.{axis}" for axis in ("x", "y", "z", "vx", "vy", "vz")]
        logs += [(time, 0, name, value) for name, value in zip(names, state, strict=True)]
    return Frame(time, bodies, no_links(), {}, [], logs=logs)


@pytest.mark.parametrize(
    ("distance", "tracks", "targets", "expected"),
    [([], 0, 0, 0.0), ([3.0, 4.0], 2, 2, 5.0), ([], 0, 1, np.sqrt(50.0)), ([], 1, 0, np.sqrt(50.0)),
     ([3.0], 2, 3, np.sqrt(9.0 + 3 * 50.0))],
)  # fmt: skip
def test_gospa_is_its_definition(distance, tracks, targets, expected):
    """Root of the sum of squares, and of 10^2 / 2 for each that is missed or false."""
    assert gospa(np.array(distance), tracks, targets) == pytest.approx(expected, rel=1e-12)


def test_tracks_are_compared_with_bodies_at_their_own_time():
    """A track 50 ms old of a body at 10 m/s is compared with where that was: half a metre behind."""
    meter = TrackMeter(NODES)
    body = [[10.0, 0, 0], [500.0, 0, 0]], [[10.0, 0, 0], [0, 0, 0]]
    for k in range(3):
        meter.take(frame(k * STEP, *body, {7: [9.5, 0.0, 0.3, 10.0, 0.4, 0.0]}, age=0.05))
    found = meter.summary({1})
    assert found["gospa"] == pytest.approx(0.3, rel=1e-9)
    assert found["track_error"] == pytest.approx(0.3, rel=1e-9)
    assert found["horizontal_speed_error"] == pytest.approx(0.4, rel=1e-9)
    assert (found["vertical_speed_error"], found["false_tracks"], found["untracked"]) == (0.0, 0.0, 0)


def test_doubles_and_strays_are_false_tracks_and_who_has_none_is_untracked():
    """Of three tracks for 10 s one is the target's, one its double and one 100 m away: 2 in 10 s are 720 an hour."""
    meter = TrackMeter(NODES)
    still = [[0.0, 0, 0], [500.0, 0, 0]], np.zeros((2, 3))
    for k in range(101):
        tracks = {1: [0.1, 0, 0, 0, 0, 0], 2: [3.0, 0, 0, 0, 0, 0], 3: [100.0, 0, 0, 0, 0, 0]} if k >= 20 else {}
        meter.take(frame(k * STEP, *still, tracks))
    found = meter.summary({1, 2})
    assert found["false_tracks"] == pytest.approx(2 * 3600 / 10.0)
    assert found["untracked"] == 1
    assert found["time_to_track"] == pytest.approx(2.0)
    assert found["track_error"] == pytest.approx(0.1)


def test_without_a_tracker_or_targets_there_are_no_figures():
    meter = TrackMeter(NODES)
    assert meter.summary({1}) == {}
    meter.take(frame(0, [[0.0, 0, 0], [1.0, 0, 0]], np.zeros((2, 3)), {}))
    assert meter.summary(set()) == {}
