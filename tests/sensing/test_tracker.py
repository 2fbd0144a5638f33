"""Tracks from scans: slopes, places, consistency of the filter, ambiguous rates, crowds with false alarms."""

import numpy as np
import pytest
from scipy.stats import chi2

from twin.numerics.bistatic import places
from twin.sensing.measurement import expected, measured
from twin.sensing.tracker import Tracker, TrackerSpec
from twin.state import Scan

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
