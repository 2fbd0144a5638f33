"""Tracks from scans: slopes, places, consistency of the filter, ambiguous rates, crowds with false alarms."""

import numpy as np
import pytest
from scipy.stats import chi2

from twin.numerics.bistatic import places
from twin.scan import Scan
from twin.sensing.measurement import expected, measured
from twin.sensing.reports import Report, Reports, moved
from twin.sensing.tracker import Tracker, TrackerSpec

SITES = np.array([[0.0, 0.0, 25.0], [300.0, 0.0, 30.0], [120.0, 260.0, 28.0]])
DEVIATION = np.array([0.4, 0.2, 0.01, 0.01])


def axes(towards):
    """Return the axes of an array that looks along `towards`, level."""
    x = np.array([*towards[:2], 0.0]) / np.linalg.norm(towards[:2])
    return np.stack([x, [-x[1], x[0], 0.0], [0.0, 0.0, 1.0]], axis=1)


def scan(time, site, states, rng, ambiguity=0.0, alarms=0, missing=0.0, sender=None):
    """Return what a site measures of states (n, 6), without some, with false alarms in between."""
    at = SITES[site]
    turned = axes(np.array([120.0, 90.0, 0.0]) - at)
    empty = np.zeros((0, 3))
    frame = Scan(time, at if sender is None else SITES[sender], at, turned, np.zeros(0), np.zeros(0), empty,
                 np.zeros(0), np.zeros((0, 4)), ambiguity)  # fmt: skip
    kept = states[rng.uniform(size=len(states)) >= missing]
    value = expected(frame, kept).value + rng.normal(size=(len(kept), 4)) * DEVIATION
    false = np.column_stack(
        [rng.uniform(20, 400, alarms), rng.uniform(-15, 15, alarms), rng.uniform(-0.6, 0.6, (alarms, 2))]
    )
    value = np.concatenate([value, false])
    if ambiguity:
        value[:, 1] -= ambiguity * np.round(value[:, 1] / ambiguity)
    z, y = value[:, 2], value[:, 3]
    direction = np.stack([np.sqrt(np.maximum(0.0, 1 - y * y - z * z)), y, z], axis=1) @ turned.T
    n = len(value)
    return Scan(time, frame.transmitter, at, turned, value[:, 0], value[:, 1], direction, np.full(n, 20.0),
                np.tile(DEVIATION, (n, 1)), ambiguity)  # fmt: skip


def fly(state, seconds):
    moved = state.copy()
    moved[:, :3] += seconds * state[:, 3:]
    return moved


def test_slopes_are_those_of_the_measurement():
    """By central differences, of one site and of two."""
    state = np.array([[90.0, 120.0, 60.0, 7.0, -4.0, 1.0]])
    for sender in (None, 1):
        frame = scan(0, 0, np.zeros((0, 6)), np.random.default_rng(0), sender=sender)
        for k in range(6):
            step = np.zeros((1, 6))
            step[0, k] = 1e-4
            slope = (expected(frame, state + step).value - expected(frame, state - step).value) / 2e-4
            np.testing.assert_allclose(expected(frame, state).slope[:, :, k], slope, rtol=1e-6, atol=1e-9)


def test_places_undo_the_measurement():
    rng = np.random.default_rng(1)
    state = np.column_stack(
        [rng.uniform(60, 200, 5), rng.uniform(60, 150, 5), rng.uniform(40, 90, 5), np.zeros((5, 3))]
    )
    for sender in (None, 1):
        frame = scan(0, 0, np.zeros((0, 6)), rng, sender=sender)
        value = expected(frame, state).value
        ray = (state[:, :3] - frame.receiver) / np.linalg.norm(state[:, :3] - frame.receiver, axis=1, keepdims=True)
        exact = Scan(0, frame.transmitter, frame.receiver, frame.axes, value[:, 0], value[:, 1], ray, value[:, 0],
                     value, 0.0)  # fmt: skip
        np.testing.assert_allclose(measured(exact), value, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(places(exact), state[:, :3], rtol=1e-9)


def test_the_filter_knows_how_wrong_it_is():
    """Normalised squared errors of 60 tracks after 20 scans: their mean within 99.9 % of chi-square over 60."""
    spec = TrackerSpec(agility=1e-3, extent=0.0)
    total, count = 0.0, 60
    for seed in range(count):
        rng = np.random.default_rng(seed)
        state = np.array([[100.0, 80.0, 50.0, *rng.normal(0.0, 6.0, 3)]])
        tracker = Tracker(spec)
        for k in range(20):
            for site in range(3):
                tracker.update(scan(k * 128_000_000, site, fly(state, 0.128 * k), rng))
        (found,) = tracker.confirmed.state
        off = found - fly(state, 0.128 * 19)[0]
        total += off @ np.linalg.solve(tracker.confirmed.covariance[0], off)
    low, high = chi2.ppf([0.0005, 0.9995], 6 * count) / count
    assert low < total / count < high


def test_rates_that_are_ambiguous_are_resolved_by_the_track():
    """12 m/s by pulses that tell +-4 m/s: first seen as another rate, after 3 s within 0.3 m/s."""
    rng = np.random.default_rng(5)
    state = np.array([[60.0, 60.0, 50.0, 10.0, 6.0, 1.0]])
    tracker = Tracker()
    for k in range(24):
        for site in range(3):
            tracker.update(scan(k * 128_000_000, site, fly(state, 0.128 * k), rng, ambiguity=8.0))
    (found,) = tracker.confirmed.state
    np.testing.assert_allclose(found[3:], state[0, 3:], atol=0.3 * 3)
    assert np.linalg.norm(found[:3] - fly(state, 0.128 * 23)[0, :3]) < 1.0


@pytest.mark.parametrize("alarms", [1, 10])
def test_twenty_targets_among_false_alarms(alarms):
    """Three sites, 10 % missed, 40 scans: all tracked, at most one false track on average, none lost at the end."""
    rng = np.random.default_rng(6)
    state = np.column_stack([rng.uniform(40, 250, 20), rng.uniform(40, 220, 20), rng.uniform(30, 100, 20),
                             rng.normal(0, 6, (20, 2)), rng.normal(0, 0.5, 20)])  # fmt: skip
    tracker, false = Tracker(), []
    for k in range(40):
        now = fly(state, 0.128 * k)
        for site in range(3):
            tracker.update(scan(k * 128_000_000, site, now, rng, alarms=alarms, missing=0.1))
        if k >= 15:
            apart = np.linalg.norm(tracker.confirmed.state[:, None, :3] - now[None, :, :3], axis=2)
            false.append((apart.min(axis=1) > 5.0).sum())
    assert (apart.min(axis=0) < 3.0).all()
    assert np.mean(false) <= 1.0


def test_a_track_is_dropped_when_nobody_sees_it_and_numbers_are_never_given_again():
    rng, tracker = np.random.default_rng(7), Tracker()
    state, nobody = np.array([[100.0, 80.0, 50.0, 5.0, 0.0, 0.0]]), np.zeros((0, 6))
    for k in range(6):
        tracker.update(scan(k * 100_000_000, 0, fly(state, 0.1 * k), rng))
    assert tracker.confirmed.number.tolist() == [0]
    for k in range(6, 17):
        tracker.update(scan(k * 100_000_000, 0, nobody, rng))
    assert len(tracker.tracks.number) == 0
    tracker.update(scan(1_700_000_000, 0, state, rng))
    assert tracker.tracks.number.tolist() == [1]


def test_what_comes_late_is_left_out_and_counted():
    rng, tracker = np.random.default_rng(8), Tracker()
    state = np.array([[100.0, 80.0, 50.0, 5.0, 0.0, 0.0]])
    tracker.update(scan(200_000_000, 0, state, rng))
    tracker.update(scan(100_000_000, 1, state, rng))
    assert (tracker.late, tracker.tracks.hits.tolist()) == (1, [1])


def says(state, name="courier-0", time=0, deviation=(0.1, 0.1)):
    return Report(name, time, np.asarray(state, dtype=float), deviation)


def test_a_report_is_moved_to_the_scan_and_taken_once():
    """The newest that isn't newer than the scan: 0.2 s later it is v dt on, and 0.1 m, 0.1 m/s have grown to that.

    Per axis: position variance s^2 + (s dt)^2 + q dt^3 / 3, velocity s^2 + q dt.
    """
    reports = Reports(agility=4.0)
    for time, x in ((0, 0.0), (300_000_000, 3.0), (600_000_000, 6.0)):
        reports.hear(says([x, 0, 0, 10, 0, 0], time=time))
    found = reports.taken(500_000_000)
    assert found.name.tolist() == ["courier-0"]
    np.testing.assert_allclose(found.state, [[5.0, 0, 0, 10, 0, 0]], atol=1e-12)
    place, speed = 0.01 + 0.01 * 0.04 + 4.0 * 0.008 / 3.0, 0.01 + 4.0 * 0.2
    np.testing.assert_allclose(np.diag(found.covariance[0]), [place] * 3 + [speed] * 3, rtol=1e-12)
    assert len(reports.taken(550_000_000).name) == 0
    assert reports.taken(600_000_000).state[0, 0] == 6.0


def test_moving_in_two_steps_is_moving_in_one():
    """The noise of nearly constant velocity is that of an integral: it adds up over steps."""
    rng = np.random.default_rng(9)
    root = rng.normal(size=(2, 6, 6))
    state, covariance = rng.normal(size=(2, 6)), root @ root.transpose(0, 2, 1)
    once = moved(state, covariance, 0.5, 4.0)
    twice = moved(*moved(state, covariance, 0.2, 4.0), 0.3, 4.0)
    for one, two in zip(once, twice, strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-12, atol=1e-12)


def test_who_reports_is_known_and_who_does_not_stays_unknown():
    """Of two that fly side by side, 20 m apart, one reports: two tracks, of which one has a name and its errors."""
    rng, tracker = np.random.default_rng(10), Tracker()
    state = np.array([[100.0, 80.0, 50.0, 5.0, 0.0, 0.0], [100.0, 100.0, 50.0, 5.0, 0.0, 0.0]])
    for k in range(20):
        now = fly(state, 0.128 * k)
        tracker.hear(says(now[0], time=k * 128_000_000))
        tracker.update(scan(k * 128_000_000, k % 3, now, rng))
    found = tracker.confirmed
    assert sorted(found.identity.tolist()) == ["", "courier-0"]
    known = found.identity == "courier-0"
    assert np.linalg.norm(found.state[known, :3] - now[0, :3]) < 0.3  # 3 deviations of 0.1 m
    assert np.linalg.norm(found.state[~known, :3] - now[1, :3]) < 3.0


def test_a_track_that_was_begun_by_echoes_gets_the_name_of_who_reports_there():
    rng, tracker = np.random.default_rng(11), Tracker()
    state = np.array([[100.0, 80.0, 50.0, 5.0, 0.0, 0.0]])
    for k in range(12):
        now = fly(state, 0.128 * k)
        if k >= 6:
            tracker.hear(says(now[0], time=k * 128_000_000))
        tracker.update(scan(k * 128_000_000, k % 3, now, rng))
        assert tracker.tracks.identity[tracker.tracks.number == 0].tolist() == ["" if k < 6 else "courier-0"]


def test_a_robot_that_says_it_is_elsewhere_leaves_its_track_unknown():
    rng, tracker = np.random.default_rng(12), Tracker()
    state = np.array([[100.0, 80.0, 50.0, 5.0, 0.0, 0.0]])
    for k in range(12):
        now, far = fly(state, 0.128 * k), fly(state + [[0, 60, 0, 0, 0, 0]], 0.128 * k)
        tracker.hear(says((now if k < 6 else far)[0], time=k * 128_000_000))
        tracker.update(scan(k * 128_000_000, k % 3, now, rng))
    found = dict(zip(tracker.confirmed.identity.tolist(), tracker.confirmed.state[:, 1], strict=True))
    assert found[""] == pytest.approx(80.0, abs=3.0)
    assert found["courier-0"] == pytest.approx(140.0, abs=0.5)


def test_who_only_reports_has_a_track_from_the_first_scan_on():
    tracker = Tracker()
    tracker.hear(says([100.0, 80.0, 50.0, 5.0, 0.0, 0.0]))
    tracker.update(scan(100_000_000, 0, np.zeros((0, 6)), np.random.default_rng(13)))
    np.testing.assert_allclose(tracker.confirmed.state, [[100.5, 80.0, 50.0, 5.0, 0.0, 0.0]], atol=1e-12)
