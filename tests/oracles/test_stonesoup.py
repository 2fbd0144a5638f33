"""A tracker by Stone Soup: its extended Kalman filter and nearest-neighbour assignment, on the same scans: optional."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from twin.scan import Scan
from twin.sensing.measurement import expected, measured
from twin.sensing.tracker import Tracker, TrackerSpec

pytest.importorskip("stonesoup", reason="Stone Soup is not installed: pip install stonesoup")

from stonesoup.dataassociator.neighbour import GNNWith2DAssignment
from stonesoup.hypothesiser.distance import DistanceHypothesiser
from stonesoup.measures import Mahalanobis
from stonesoup.models.measurement.nonlinear import NonLinearGaussianMeasurement
from stonesoup.models.transition.linear import CombinedLinearGaussianTransitionModel, ConstantVelocity
from stonesoup.predictor.kalman import ExtendedKalmanPredictor
from stonesoup.types.array import StateVector, StateVectors
from stonesoup.types.detection import Detection
from stonesoup.types.state import GaussianState
from stonesoup.types.track import Track
from stonesoup.updater.kalman import ExtendedKalmanUpdater

STEP, AGILITY = 0.128, 4.0
DEVIATION = np.array([0.4, 0.2, 0.01, 0.01])
SITES = np.array([[0.0, 0.0, 25.0], [300.0, 0.0, 30.0]])
THEIRS = [0, 3, 1, 4, 2, 5]
"""Our components in the order of theirs: x, vx, y, vy, z, vz."""
BEGIN = datetime(2026, 1, 1)


class Seen(NonLinearGaussianMeasurement):
    """What a site measures; its slopes are found by differences."""

    at = None

    @property
    def ndim_meas(self):
        return 4

    def function(self, state, noise=False, **kwargs):
        columns = np.asarray(state.state_vector, dtype=float)
        value = expected(self.at, columns[np.argsort(THEIRS)].T).value.T
        return StateVectors(value) if value.shape[1] > 1 else StateVector(value[:, 0])


def scan(time, site, states, rng):
    """Return what a site measures of states (n, 6)."""
    at, n = SITES[site], len(states)
    turned = np.eye(3) if site == 0 else np.diag([-1.0, -1.0, 1.0])
    none = np.zeros(0)
    frame = Scan(time, at, at, turned, none, none, np.zeros((0, 3)), none, np.zeros((0, 4)), 0.0)
    value = expected(frame, states).value + rng.normal(size=(n, 4)) * DEVIATION
    z, y = value[:, 2], value[:, 3]
    direction = np.stack([np.sqrt(1.0 - y * y - z * z), y, z], axis=1) @ turned.T
    return Scan(time, at, at, turned, value[:, 0], value[:, 1], direction, np.full(n, 20.0),
                np.tile(DEVIATION, (n, 1)), 0.0)  # fmt: skip


def test_tracks_are_those_of_stone_soup():
    """Three targets, two sites in turn, 40 scans: states and covariances after each within 1e-4 of theirs."""
    rng = np.random.default_rng(3)
    state = np.array([[100, 40, 50, 6, 0, 0], [120, -30, 60, -5, 3, 0], [160, 10, 40, 0, -7, 1]], dtype=float)
    tracker = Tracker(TrackerSpec(agility=AGILITY, extent=0.0, gate=0.99999))
    model = CombinedLinearGaussianTransitionModel([ConstantVelocity(AGILITY)] * 3)
    predictor, updater = ExtendedKalmanPredictor(model), ExtendedKalmanUpdater(None)
    associator = GNNWith2DAssignment(DistanceHypothesiser(predictor, updater, Mahalanobis(), missed_distance=5))
    tracks = []
    for k in range(40):
        now = state + STEP * k * np.hstack([state[:, 3:], np.zeros((3, 3))])
        seen = scan(round(k * STEP * 1e9), k % 2, now, rng)
        tracker.update(seen)
        ours, time = tracker.tracks, BEGIN + timedelta(seconds=STEP * k)
        if k == 0:
            tracks = [Track([GaussianState(s[THEIRS], c[np.ix_(THEIRS, THEIRS)], timestamp=time)])
                      for s, c in zip(ours.state, ours.covariance, strict=True)]  # fmt: skip
            continue
        sensor = Seen(ndim_state=6, mapping=range(6), noise_covar=np.diag(DEVIATION**2))
        sensor.at = seen
        detections = {Detection(StateVector(row), timestamp=time, measurement_model=sensor) for row in measured(seen)}
        for track, hypothesis in associator.associate(set(tracks), detections, time).items():
            assert hypothesis
            track.append(updater.update(hypothesis))
        for track, mean, covariance in zip(tracks, ours.state, ours.covariance, strict=True):
            np.testing.assert_allclose(np.asarray(track.mean, dtype=float)[:, 0], mean[THEIRS], atol=1e-4)
            np.testing.assert_allclose(track.covar, covariance[np.ix_(THEIRS, THEIRS)], rtol=1e-3, atol=1e-4)
