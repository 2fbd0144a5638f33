"""What a receiver makes of one CPI, cell by cell of range, Doppler and direction, without a waveform.

Every echo is a point seen through the closed response of the tapers and the array, so a cell holds the sum of all
echoes near it. A receiver looks at a grid half a cell apart: an echo between its points loses what it loses there. The
strongest of a cell is detected, at the place that the sum of the echoes has; errors are those of a peak in noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import NamedTuple

import numpy as np

from twin.channel.returns import Returns
from twin.numerics.draws import generator, key
from twin.sensing.arrays import Array
from twin.sensing.cells import Draws, Limits, Look, Placed, loudest, responses
from twin.sensing.detection import expected_alarms, threshold
from twin.sensing.measuring import Detections, measured, merged, spreads
from twin.sensing.noise import U64, normals
from twin.sensing.surroundings import Surroundings
from twin.sensing.waveform import Waveform
from twin.sensing.windows import TERMS
from twin.state import C128, F64, I64

GRID = 0.5
"""Cells between points of a receiver's grid of range and Doppler."""
ALARM = -1
"""The source of a detection that noise made."""
NOTCH = 1.0
"""Cells of Doppler beside zero in which nothing is looked for."""
_WEAKEST = 1e-3
"""Ratio to noise below which an echo is left out."""
_NOISE = key("sensing noise")
_DRAWS = 1 << 16
"""Draws of one echo."""


class Echoes(NamedTuple):
    """m echoes, where they are and at which points of the receiver's grid they are looked for."""

    row: I64  # (m,) of the returns
    cells: F64  # (m, 2) range and Doppler in cells; Doppler as it shows
    phase: F64  # (m, 2) rad, at the receiver
    doppler: F64  # (m,) Hz, true
    point: F64  # (m, 2) of the grid, in cells
    beam: F64  # (m, 2) rad, receive beam
    amplitude: C128  # (B, m) through each transmit beam, in units of the root of the noise


@dataclass(frozen=True, eq=False)
class FrontEnd:
    """The receiver of one pair of sites."""

    waveform: Waveform
    sender: Array
    receiver: Array
    beams: F64  # (B, 2) rad, phases of the transmit beams
    power: float  # mW in a resource element
    surroundings: Surroundings
    left: float  # power of clutter that cancelling leaves, over what it was
    false_alarm: float  # in one cell
    names: U64  # (T,) keys of the targets
    name: str  # of the pair

    def look(self, returns: Returns, noise: float, seed: int, number: int) -> Detections:
        """Return what CPI `number` detects of the pair's `returns`, under `noise` [mW] in a resource element."""
        echoes = self._echoes(returns, noise)
        placed = Placed(echoes.cells, echoes.point, echoes.phase, echoes.beam, echoes.doppler)
        seen, beside = responses(self._constant, placed)
        floor = np.ascontiguousarray(np.sqrt(1.0 + self._clutter(echoes, noise)))
        entity, draw = self._drawn(returns, echoes)
        draws = Draws(seed, _NOISE, entity, number, draw)
        beam, power = loudest(echoes.amplitude, seen, beside, floor, draws, echoes.point, self._limits)
        row = np.flatnonzero(beam >= 0)
        beam, power = beam[row], power[row]
        share = seen[row] * echoes.amplitude[beam] / floor[beam, row, None]
        found = measured(self.waveform, self.receiver, echoes, share, row, power)
        errors = np.stack(
            [normals(seed, _NOISE, entity[row], number, draw[beam, row] + 2 + k) for k in range(4)], axis=1
        )
        found = found.moved(errors * found.deviation)._replace(beam=beam)
        source = echoes.row[np.argmax(np.abs(share), axis=1)] if len(row) else np.zeros(0, dtype=np.int64)
        found = found._replace(source=returns.target[source], bounces=returns.bounces[source])
        return merged(self.waveform, self.receiver, found, self._alarms(seed, number))

    def clutter_ratio(self, noise: float) -> float:
        """Return what is left of clutter in the cell with most of it, over `noise` [mW] in a resource element."""
        return self._over(noise) * self.surroundings.strongest

    def _over(self, noise: float) -> float:
        gain = self.receiver.elements * self.waveform.across.gain
        return gain * self.left * self.power / noise

    def _clutter(self, echoes: Echoes, noise: float) -> F64:
        return self._over(noise) * self.surroundings.level(echoes.point[:, 0] * self.waveform.cell, echoes.beam)

    def _echoes(self, returns: Returns, noise: float) -> Echoes:
        """Return the echoes that can be heard, and their points of the grid."""
        waveform = self.waveform
        gain = waveform.across.gain * waveform.along.gain * self.receiver.elements
        sent = self.sender.alike(returns.phase[0][None], self.beams[:, None]) * sqrt(self.sender.elements)
        amplitude = returns.amplitude * sent * sqrt(self.power * gain / noise)
        row = np.flatnonzero(np.abs(amplitude).max(axis=0, initial=0.0) ** 2 > _WEAKEST)
        doppler, phase = returns.doppler[row], returns.phase[1, row]
        cells = np.stack([
            returns.delay[row] * waveform.subcarriers * waveform.spacing, waveform.folded(doppler) * waveform.duration,
        ], axis=1)  # fmt: skip
        point = np.round(cells / GRID) * GRID
        return Echoes(row, cells, phase, doppler, point, self.receiver.nearest(phase),
                      np.ascontiguousarray(amplitude[:, row]))  # fmt: skip

    @cached_property
    def _constant(self) -> Look:
        waveform, array = self.waveform, self.receiver
        times = np.ascontiguousarray(waveform.times, dtype=float)
        return Look(times, waveform.pulse_weights, TERMS, waveform.duration, array.rows, array.columns)

    @cached_property
    def _limits(self) -> Limits:
        waveform = self.waveform
        farthest, fastest = waveform.reach / waveform.cell, waveform.fastest * waveform.duration
        return Limits(farthest, NOTCH, fastest, threshold(self.false_alarm), waveform.peak_sidelobe)

    def _drawn(self, returns: Returns, echoes: Echoes) -> tuple[U64, I64]:
        """Return the entity (m,) and the first attempt (B, m) of each echo's draws."""
        target = returns.target
        first = np.searchsorted(target, target[echoes.row])
        number = echoes.row - first
        beam = np.arange(len(self.beams))[:, None]
        return self.names[target[echoes.row]], (beam * _DRAWS + number[None] * 8).astype(np.int64)

    def _alarms(self, seed: int, number: int) -> Detections:
        """Return false alarms: local maxima of noise, anywhere but in the notch."""
        waveform, drawn = self.waveform, generator(seed, "sensing alarms", self.name, str(number))
        curvature = sqrt(waveform.across.curvature * waveform.along.curvature)
        directions = max(self.receiver.elements, len(self.beams))
        mean = directions * expected_alarms(waveform.cells, curvature, self.false_alarm)
        n = int(drawn.poisson(mean))
        power = threshold(self.false_alarm) + drawn.exponential(size=n)
        most = waveform.fastest * waveform.duration
        doppler = drawn.choice([-1.0, 1.0], n) * drawn.uniform(min(NOTCH, most), most, n)
        cells = np.stack([drawn.uniform(0.0, waveform.reach / waveform.cell, n), doppler], axis=1)
        phase = drawn.uniform(-np.pi, np.pi, (n, 2))
        source = np.full(n, ALARM, dtype=np.int64)
        beam = drawn.integers(len(self.beams), size=n)
        return Detections(beam, cells, phase, power, spreads(waveform, self.receiver, power), source,
                          np.zeros(n, dtype=np.int32))  # fmt: skip
