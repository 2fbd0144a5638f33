"""The Blackman-Harris taper in closed form: its response, what it costs, and how well its peak tells a place.

F. J. Harris, On the use of windows for harmonic analysis, Proc. IEEE 66(1), 1978: 4 terms, sidelobes of -92 dB. Places
are parts of the whole extent, from -1/2 to 1/2; a cell is 1 over the extent.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from twin.state import C128, F64

TERMS = np.array([0.35875, 0.48829, 0.14128, 0.01168])
"""Of the taper, of cosines of 0, 1, 2 and 3 turns."""


def weights(place: F64) -> F64:
    """Return the taper at places (n,)."""
    return np.asarray(sum(a * np.cos(2.0 * np.pi * n * place) for n, a in enumerate(TERMS)))


def response(offset: F64) -> F64:
    """Return the response of many evenly spaced samples, `offset` cells beside a tone: 1 at 0.

    The sum of sinc functions at whole offsets, as sin(pi x) / (pi x) times a rational function of x^2.
    """
    x = np.where(np.abs(offset - np.round(offset)) < 1e-7, offset + 1e-7, offset)
    square, rational = x * x, np.full(np.shape(x), TERMS[0])
    for n, a in enumerate(TERMS[1:], start=1):
        rational += (-1.0) ** n * a * square / (square - n * n)
    return np.asarray(np.sinc(x) * rational / TERMS[0])


class Taper(NamedTuple):
    """What a taper at n places does."""

    gain: float  # of the ratio to noise, over that of one sample: (sum w)^2 / sum w^2
    spread: float  # deviation of the peak's place in cells, times the root of twice the ratio to noise after it
    curvature: float  # second spectral moment of noise, per cell squared


def taper(place: F64) -> Taper:
    """Return the figures of the taper at places (n,).

    The peak of a tapered periodogram in noise, to first order: variance
    (sum w)^2 sum w^2 u^2 / ((2 pi)^2 2 SNR sum w^2 (sum w u^2)^2). Without a taper that is the Cramer-Rao bound.
    """
    w = weights(place)
    u = place - (w * place).sum() / w.sum()
    squares, noise = (w * w).sum(), (w * w * u * u).sum()
    gain = w.sum() ** 2 / squares
    spread = np.sqrt(gain * noise) / ((w * u * u).sum() * 2.0 * np.pi)
    return Taper(float(gain), float(spread), float((2.0 * np.pi) ** 2 * noise / squares))


def dirichlet(count: int, phase: F64) -> F64:
    """Return sin(n x / 2) / (n sin(x / 2)): n elements about their middle, x apart in phase [rad]."""
    half = 0.5 * phase
    below = np.sin(half)
    near = np.abs(below) < 1e-9
    turned = np.cos(count * half) / np.where(near, np.cos(half), 1.0)
    return np.asarray(np.where(near, turned, np.sin(count * half) / (count * np.where(near, 1.0, below))))


def turning(frequency: F64, times: F64) -> C128:
    """Return exp(j 2 pi f t), (frequencies, times)."""
    return np.asarray(np.exp(2j * np.pi * np.outer(frequency, times)))
