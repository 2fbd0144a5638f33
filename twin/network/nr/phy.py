"""From signal-to-noise ratio to block error: QAM-constrained information and the normal approximation.

Polyanskiy, Poor, Verdu: Channel coding rate in the finite blocklength regime, IEEE Trans. IT 56 (2010), with
the capacity and dispersion of square QAM in place of the Gaussian ones, summed over the parallel channels of
one code word (resource blocks and retransmissions).
"""

from __future__ import annotations

from functools import cache
from math import erfc, frexp
from typing import NamedTuple

import numpy as np

from twin.numerics.kernels import kernel
from twin.state import F64, I64

GAP_DB = 1.0
"""Loss of practical LDPC codes and receivers against the normal approximation, dB."""
FIRST_OCTAVE, OCTAVES, PER_OCTAVE = -7, 27, 8
"""Ratios of the tables: eight evenly spaced ones in each octave from 2^-7 (-21 dB) to 2^20 (60 dB)."""
NOISE_RANGE, NOISE_POINTS = 4.6, 161
ORDERS = (2, 4, 6, 8, 10)
SURE = 72.0
"""Square of a margin to its variance, from which errors are less likely than 1e-17, and taken for 0: half of the
least draw."""


class Qam(NamedTuple):
    """Constrained information of square QAM over signal-to-noise ratio; rows are `ORDERS`."""

    capacity: F64  # (5, S) bit per symbol
    dispersion: F64  # (5, S) bit^2 per symbol


@cache
def qam() -> Qam:
    """Return the tables, computed once a process by quadrature over the noise of each amplitude."""
    octave, part = np.divmod(np.arange(PER_OCTAVE * OCTAVES + 1), PER_OCTAVE)
    snr = np.ldexp(1.0 + part / PER_OCTAVE, FIRST_OCTAVE + octave)
    tables = Qam(np.empty((len(ORDERS), snr.size)), np.empty((len(ORDERS), snr.size)))
    for row, qm in enumerate(ORDERS):
        _pulse_amplitude(2 ** (qm // 2), snr, tables.capacity[row], tables.dispersion[row])
    return tables


@kernel
def _pulse_amplitude(levels: int, snr: F64, capacity: F64, dispersion: F64) -> None:
    """Write capacity and dispersion (S,) of QAM made of two Gray-labelled amplitudes of `levels` levels.

    y = x + z with E x^2 = snr / 2 and E z^2 = 1 / 2 in each dimension. The information density is that of
    bit-interleaved coded modulation, sum over bits of 1 - log2(sum_x p(y|x) / sum_{x: same bit} p(y|x))
    (Caire, Taricco, Biglieri, IEEE Trans. IT 44, 1998), since NR receivers demap without iterating; its
    variance is the dispersion. The trapezoidal rule converges geometrically for these integrands.
    """
    gray = np.arange(levels) ^ (np.arange(levels) >> 1)
    step = 2.0 * NOISE_RANGE / (NOISE_POINTS - 1)
    likelihood = np.empty(levels)
    for s in range(snr.size):
        scale = np.sqrt(1.5 * snr[s] / (levels**2 - 1))
        first, second = 0.0, 0.0
        for sent in range(levels // 2):  # the other half is its mirror image
            for p in range(NOISE_POINTS):
                z = -NOISE_RANGE + p * step
                for x in range(levels):
                    gap = 2.0 * (sent - x) * scale
                    likelihood[x] = np.exp(-gap * (gap + 2.0 * z))
                density = _bit_densities(likelihood, gray, sent)
                weight = step * np.exp(-z * z) / np.sqrt(np.pi)
                first += weight * density
                second += weight * density**2
        first, second = first / (levels // 2), second / (levels // 2)
        capacity[s], dispersion[s] = 2.0 * first, 2.0 * max(second - first**2, 0.0)


@kernel
def _bit_densities(likelihood: F64, gray: I64, sent: int) -> float:
    """Return the sum over bits of their information densities, in bits."""
    total, density, bit = likelihood.sum(), 0.0, 1
    while bit < likelihood.size:
        same = 0.0
        for x in range(likelihood.size):
            if (gray[x] ^ gray[sent]) & bit == 0:
                same += likelihood[x]
        density += 1.0 - np.log2(total / same)
        bit *= 2
    return density


@kernel
def per_symbol(tables: Qam, qm: int, snr: float) -> tuple[float, float]:
    """Return capacity and dispersion at a linear ratio; below the tables they fall in proportion to it."""
    row = qm // 2 - 1
    capacity, dispersion = tables.capacity[row], tables.dispersion[row]
    mantissa, exponent = frexp(snr)  # snr = 2 mantissa 2^(exponent - 1), 1 <= 2 mantissa < 2
    if exponent <= FIRST_OCTAVE or snr <= 0.0:
        share = max(snr, 0.0) * 2.0**-FIRST_OCTAVE
        return capacity[0] * share, dispersion[0] * share
    if exponent > FIRST_OCTAVE + OCTAVES:
        return capacity[-1], dispersion[-1]
    place = (2.0 * mantissa - 1.0) * PER_OCTAVE
    i = (exponent - 1 - FIRST_OCTAVE) * PER_OCTAVE + int(place)
    part = place - int(place)
    return (
        capacity[i] + part * (capacity[i + 1] - capacity[i]),
        dispersion[i] + part * (dispersion[i + 1] - dispersion[i]),
    )


@kernel
def block_error(bits: float, symbols: float, information: float, dispersion: float) -> float:
    """Return the error probability of one code block by the normal approximation.

    Q[(sum n_i I_i - k + 0.5 log2 sum n_i) / sqrt(sum n_i V_i)]: `information` and `dispersion` are those sums
    over all parts of the code word, `symbols` is sum n_i, `bits` is k with its CRC.
    """
    if symbols <= 0.0:
        return 1.0
    spare = information - bits
    if spare > 0.0 and spare * spare > SURE * dispersion and symbols >= 1.0:
        return 0.0
    margin = spare + 0.5 * np.log2(symbols)
    if dispersion <= 1e-12:
        return 0.0 if margin >= 0.0 else 1.0
    return 0.5 * erfc(margin / np.sqrt(2.0 * dispersion))


@kernel
def transport_error(bits: int, blocks: int, symbols: float, information: float, dispersion: float) -> float:
    """Return the error probability of a transport block of `blocks` code blocks with independent errors."""
    share = 1.0 / blocks
    one = block_error(bits * share, symbols * share, information * share, dispersion * share)
    return one if blocks == 1 else 1.0 - (1.0 - one) ** blocks
