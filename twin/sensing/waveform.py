"""The signal of one coherent processing interval (CPI): what it resolves, and where it becomes ambiguous."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from twin.link import SPEED_OF_LIGHT
from twin.sensing.windows import Taper, taper, turning, weights
from twin.state import F64

_LOBE = 4.0
"""Cells from the peak of the taper to its first null."""


@dataclass(frozen=True, eq=False)
class Waveform:
    """Subcarriers times pulses: each pulse holds every subcarrier once, in `symbols` symbols of as large a comb."""

    carrier: float  # Hz
    spacing: float  # Hz, of subcarriers
    subcarriers: int
    symbols: int
    times: F64  # (M,) s, of the pulses from the middle of the CPI
    interval: float  # s, between pulses, on average where they are staggered
    staggered: bool
    reach: float  # m, farthest range looked at
    speed: float  # m/s, fastest range rate looked for, if staggered; else all that isn't ambiguous

    @property
    def wavelength(self) -> float:
        """Wavelength [m]."""
        return SPEED_OF_LIGHT / self.carrier

    @property
    def duration(self) -> float:
        """Length [s] of the CPI."""
        return len(self.times) * self.interval

    @property
    def cell(self) -> float:
        """Range cell [m]: c / (2 B); for two sites, half of a way's."""
        return SPEED_OF_LIGHT / (2.0 * self.subcarriers * self.spacing)

    @property
    def rate_cell(self) -> float:
        """Cell [m/s] of the range rate: lambda / (2 T)."""
        return 0.5 * self.wavelength / self.duration

    @property
    def unambiguous(self) -> float:
        """Range rate [m/s] up to which evenly spaced pulses tell it: lambda / (4 interval)."""
        return 0.25 * self.wavelength / self.interval

    @property
    def fastest(self) -> float:
        """Doppler [Hz] up to which is looked, either way."""
        return 2.0 * self.speed / self.wavelength if self.staggered else 0.5 / self.interval

    @property
    def cells(self) -> float:
        """How many cells of range and Doppler are looked at, in one direction, but for the notch."""
        return self.reach / self.cell * max(0.0, 2.0 * self.fastest * self.duration - 2.0)

    @cached_property
    def across(self) -> Taper:
        """The taper over subcarriers."""
        return taper((np.arange(self.subcarriers) - 0.5 * (self.subcarriers - 1)) / self.subcarriers)

    @cached_property
    def along(self) -> Taper:
        """The taper over pulses."""
        return taper(self.times / self.duration)

    @cached_property
    def pulse_weights(self) -> F64:
        """The taper over pulses (M,), of the sum 1."""
        w = weights(self.times / self.duration)
        return np.asarray(w / w.sum())

    def folded(self, doppler: F64) -> F64:
        """Return where evenly spaced pulses show a Doppler shift [Hz]."""
        if self.staggered:
            return doppler
        around = 1.0 / self.interval
        return np.asarray((doppler + 0.5 * around) % around - 0.5 * around)

    @cached_property
    def peak_sidelobe(self) -> float:
        """Power of the highest sidelobe in Doppler, over the peak; the taper's own for evenly spaced pulses."""
        most = 2.0 * self.fastest if self.staggered else 0.5 / self.interval
        offset = np.arange(_LOBE / self.duration, most, 0.1 / self.duration)
        if not len(offset):
            return 0.0
        return float((np.abs(turning(offset, self.times) @ self.pulse_weights) ** 2).max())
