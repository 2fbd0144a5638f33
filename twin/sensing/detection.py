"""Thresholds of a detector and what they mean (M. A. Richards, Fundamentals of Radar Signal Processing, ch. 6)."""

from __future__ import annotations

from math import exp, inf, log, pi

from scipy.stats import ncx2

TRAINING = 64
"""Cells by which the detector estimates its noise."""


def threshold(false_alarm: float, training: float = TRAINING) -> float:
    """Return the threshold over noise power, for a probability of false alarm in a cell.

    Of cell averaging over `training` cells: N (P^(-1/N) - 1), which is -ln P for infinitely many.
    """
    if training == inf:
        return -log(false_alarm)
    return float(training * (false_alarm ** (-1.0 / training) - 1.0))


def steady_probability(snr: float, level: float) -> float:
    """Return the probability that a target of constant cross-section (Swerling 0) is above the threshold `level`."""
    return float(ncx2.sf(2.0 * level, 2, 2.0 * snr))


def fading_probability(snr: float, level: float) -> float:
    """Return the same for an exponentially distributed cross-section (Swerling 1)."""
    return exp(-level / (1.0 + snr))


def expected_alarms(cells: float, curvature: float, false_alarm: float) -> float:
    """Return how many local maxima of noise alone are above the threshold, of a map of `cells`.

    `curvature` is the root of the product of both dimensions' second spectral moments, per cell. Of a smooth complex
    Gaussian field, whose power has the mean 1: cells curvature (2 T - 1) P / (2 pi) with T = -ln P, where P is the
    probability in one cell (K. J. Worsley, Adv. Appl. Probab. 26, 1994, chi-square with two degrees of freedom).
    """
    return cells * curvature * (-2.0 * log(false_alarm) - 1.0) * false_alarm / (2.0 * pi)
