"""Soft combining of a transport block's transmissions: a code word as three sums."""

from __future__ import annotations

import numpy as np

from twin.network.nr.phy import Qam, per_symbol
from twin.numerics.kernels import kernel
from twin.state import F64

SYMBOLS, INFORMATION, DISPERSION, ENERGY = range(4)
"""Columns of a code word; ENERGY is the summed signal-to-noise ratio of a repeated (chase) code word."""


@kernel
def fresh() -> F64:
    """Return a code word of which nothing was received yet."""
    return np.zeros(4)


@kernel
def add(word: F64, symbols: float, information: float, dispersion: float) -> None:
    """Add new symbols and what they tell to a code word (incremental redundancy)."""
    word[SYMBOLS] += symbols
    word[INFORMATION] += information
    word[DISPERSION] += dispersion


@kernel
def combine(word: F64, qm: int, symbols: float, snr: float, incremental: bool, tables: Qam) -> None:
    """Add one transmission of `symbols` symbols at a linear ratio `snr` (gap included) to a code word.

    Incremental redundancy adds new symbols and their information; chase combining repeats the same symbols,
    so that only their ratios add up. A punctured repetition counts with its share of the symbols.
    """
    if incremental or word[SYMBOLS] == 0.0:
        word[ENERGY] += symbols * snr
        capacity, dispersion = per_symbol(tables, qm, snr)
        add(word, symbols, symbols * capacity, symbols * dispersion)
        return
    word[ENERGY] += symbols * snr
    capacity, dispersion = per_symbol(tables, qm, word[ENERGY] / word[SYMBOLS])
    word[INFORMATION] = word[SYMBOLS] * capacity
    word[DISPERSION] = word[SYMBOLS] * dispersion
