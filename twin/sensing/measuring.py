"""What is measured of a peak: where the echoes under it put it, how well, and which peaks are one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from twin.scan import RESOLVED
from twin.sensing.arrays import Array, wrapped
from twin.sensing.waveform import Waveform
from twin.state import C128, F64, I32, I64, Bool

if TYPE_CHECKING:
    from twin.sensing.frontend import Echoes

BEYOND = 1.5
"""Cells from its point of the grid to which a place may be put."""


class Detections(NamedTuple):
    """n detections of a CPI, as cells, phases and ratios."""

    beam: I64  # (n,) transmit beam
    cells: F64  # (n, 2) range and Doppler in cells; Doppler may be ambiguous
    phase: F64  # (n, 2) rad, between rows and between columns of the receiver's array
    snr: F64  # (n,) power over noise and interference in the cell
    deviation: F64  # (n, 4) standard deviations of cells and phases
    source: I64  # (n,) target that most of it comes from, -1 for noise
    bounces: I32  # (n,) interactions of that echo on its way, besides the target

    def moved(self, by: F64) -> Detections:
        """Return them with cells and phases moved by (n, 4)."""
        return self._replace(cells=self.cells + by[:, :2], phase=self.phase + by[:, 2:])

    def at(self, rows: I64) -> Detections:
        """Return some of them."""
        return Detections._make(column[rows] for column in self)


def spreads(waveform: Waveform, receiver: Array, snr: F64) -> F64:
    """Return the standard deviations (n, 4) of cells and phases at ratios to noise (n,).

    Of phases 6 / (SNR (N^2 - 1)) for N rows or columns in a line: the Cramer-Rao bound; nothing is known of one alone.
    """
    alone = np.array([receiver.rows, receiver.columns], dtype=float) ** 2 - 1.0
    with np.errstate(divide="ignore"):
        angle = np.sqrt(np.where(alone > 0.0, 12.0 / np.maximum(alone, 1.0), 0.0))
    per = np.concatenate([[waveform.across.spread, waveform.along.spread], angle])
    return np.asarray(per / np.sqrt(2.0 * np.maximum(snr, 1.0))[:, None])


def measured(waveform: Waveform, receiver: Array, echoes: Echoes, share: C128, row: I64, power: F64) -> Detections:
    """Return the detections at points `row` (n,) of the grid, by the `share` (n, m) of each echo in its cell.

    The place of a peak is the mean of those of its echoes, weighted by the real part of their share in the sum: what
    the ratio of two beams measures of several targets in one (M. I. Skolnik, Radar Handbook, 2008, 9.3).
    """
    apart = echoes.cells[None] - echoes.point[row][:, None]
    if not waveform.staggered:
        around = waveform.duration / waveform.interval
        apart[..., 1] = (apart[..., 1] + 0.5 * around) % around - 0.5 * around
    turned = wrapped(echoes.phase[None] - echoes.beam[row][:, None])
    near = (np.abs(apart) < 2.0 * RESOLVED).all(axis=2)
    share = np.where(near, share, 0.0)
    total = share.sum(axis=1, keepdims=True)
    weight = (np.conj(total) * share).real / np.maximum(np.abs(total) ** 2, 1e-300)
    cells = np.clip(np.einsum("nm,nmk->nk", weight, apart), -BEYOND, BEYOND)
    within = 2.0 * np.pi / np.array([receiver.rows, receiver.columns])
    phase = np.clip(np.einsum("nm,nmk->nk", weight, turned), -within, within)
    none = np.zeros(len(row), dtype=np.int64)
    return Detections(none, echoes.point[row] + cells, echoes.beam[row] + phase, power,
                      spreads(waveform, receiver, power), none, none.astype(np.int32))  # fmt: skip


def merged(waveform: Waveform, receiver: Array, found: Detections, alarms: Detections) -> Detections:
    """Return detections with false alarms, the strongest first, and of those not resolved only the strongest."""
    every = Detections._make(np.concatenate([found[k], alarms[k]]) for k in range(len(found)))
    every = every.at(np.argsort(-every.snr, kind="stable"))
    beam = 2.0 * np.pi / np.array([receiver.rows, receiver.columns])
    around = np.inf if waveform.staggered else waveform.duration / waveform.interval
    apart = np.abs(every.cells[:, None] - every.cells[None])
    apart[..., 1] = np.minimum(apart[..., 1], around - apart[..., 1])
    turned = np.abs(wrapped(every.phase[:, None] - every.phase[None]))
    one: Bool = np.asarray((apart < RESOLVED).all(axis=2) & (turned < beam).all(axis=2))
    gone: Bool = np.zeros(len(one), dtype=np.bool_)
    kept: list[int] = []
    for i in range(len(one)):
        if not gone[i]:
            kept.append(i)
            gone |= one[i]
    return every.at(np.array(kept, dtype=np.int64))
