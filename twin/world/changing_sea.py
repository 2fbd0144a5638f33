"""A wind sea whose height, period, bearing or spreading follow time series.

The components keep frequency, direction and phase; their amplitudes follow the spectrum of the time, as in Priestley's
evolutionary spectra (J. R. Stat. Soc. B 27, 1965). So each stays a linear wave and the surface never jumps, while a
component that changed its own frequency or way would sweep the surface the faster the farther from the origin.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np

from twin.clock import NS
from twin.numerics.draws import generator
from twin.state import F64
from twin.world.environment import Sea
from twin.world.spectra import HIGHEST, LOWEST, breaking, share_of_bands
from twin.world.waves import Waves, wave_number

log = logging.getLogger(__name__)

DIRECTIONS = 8
"""Neighbours in frequency that share out all directions, where bearing or spreading change."""
FAST = 0.1
"""Change in one wave period, of height over its mean, of the period or in rad, that is too fast for these waves."""
_STEP = 10 * NS
"""Time between two evaluations of the spectrum; amplitudes are straight in between."""
_SAMPLES = 65
_ANGLE = np.linspace(-np.pi, np.pi, 1441)


class ChangingSea:
    """Components of fixed frequency, direction and phase for the sea that `state` gives at any time [ns]."""

    def __init__(
        self, state: Callable[[int], Sea], times: F64, turns: bool, components: int, depth: float, seed: int
    ) -> None:
        """Draw the components; `times` [s] are those of all samples, `turns` says that the directions change."""
        self._state = state
        seconds = np.union1d(times, np.linspace(times.min(), times.max(), _SAMPLES))
        states = [state(round(t * NS)) for t in seconds]
        _warn(seconds, states, depth)
        rng = generator(seed, "sea", "changing")
        each = DIRECTIONS if turns else 1
        bands = each * max(components // each, 1)
        periods = [sea.peak_period for sea in states]
        self._edges = np.geomspace(LOWEST / max(periods), HIGHEST / min(periods), bands + 1)
        w = 2 * np.pi * (self._edges[:-1] + rng.random(bands) * np.diff(self._edges))
        self._direction, self._log_density = _directions(states, bands // each, each, rng)
        k = wave_number(w, depth)
        phase = rng.uniform(0.0, 2 * np.pi, bands)
        east, north = k * np.cos(self._direction), k * np.sin(self._direction)
        self.waves = Waves(np.zeros(bands), w, k, east, north, phase, depth)  # without amplitudes
        self._known: dict[int, F64] = {}

    def amplitude(self, time: int) -> F64:
        """Return the amplitudes (C,) m at `time` [ns]; together they have the significant height of that time."""
        before, rest = divmod(time, _STEP)
        shape = self._shape(before) + (self._shape(before + 1) - self._shape(before)) * (rest / _STEP)
        height = self._state(time).significant_height
        amplitude: F64 = shape * (height / 4.0 / np.sqrt(0.5 * np.sum(shape * shape)))
        return amplitude

    def _shape(self, step: int) -> F64:
        """Return the amplitudes (C,) after `step` steps but for a factor; the last two are remembered."""
        if step not in self._known:
            sea = self._state(step * _STEP)
            variance = share_of_bands(self._edges, sea.peak_period, sea.peak_enhancement)
            # The directions were drawn as often as they are needed over all times; now they are needed so often.
            weight = _log_cos2s(self._direction - towards(sea.bearing), sea.spreading) - self._log_density
            shape = np.sqrt(variance * np.exp(weight - weight.max()))
            self._known = {key: self._known[key] for key in (step - 1, step + 1) if key in self._known}
            self._known[step] = shape / np.sqrt(np.sum(shape * shape))
        return self._known[step]


def towards(bearing: float) -> float:
    """Return where waves travel to, from east counterclockwise, that come from `bearing`, clockwise from north."""
    return float(1.5 * np.pi - bearing)


def _directions(states: list[Sea], groups: int, each: int, rng: np.random.Generator) -> tuple[F64, F64]:
    """Return directions (groups * each,), one in each share of the mean spread over all states, and its logarithm."""
    mean = np.array([[towards(sea.bearing)] for sea in states])
    spread = np.array([[sea.spreading] for sea in states])
    sizes = np.exp(_log_cos2s(_ANGLE - mean, spread)).sum(axis=1, keepdims=True)
    density = (np.exp(_log_cos2s(_ANGLE - mean, spread)) / sizes).sum(axis=0)
    total = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
    share = np.array([rng.permutation(each) for _ in range(groups)]) + rng.random((groups, each))
    angle = np.interp(share.ravel() / each * total[-1], total, _ANGLE)
    return angle, np.log((np.exp(_log_cos2s(angle - mean, spread)) / sizes).sum(axis=0))


def _log_cos2s(angle: F64, spreading: F64 | float) -> F64:
    """Return the logarithm of cos^2s(angle / 2), up to a constant."""
    found: F64 = 2.0 * spreading * np.log(np.maximum(np.abs(np.cos(angle / 2)), 1e-150))
    return found


def _warn(seconds: F64, states: list[Sea], depth: float) -> None:
    height, period, bearing = np.array([(s.significant_height, s.peak_period, s.bearing) for s in states]).T
    for t, h, p in zip(seconds, height, period, strict=True):
        if why := breaking(h, p, depth):
            log.warning("the sea is beyond breaking at %g s: %s", t, why)
            break
    steps = np.stack([np.diff(height) / max(height.mean(), 1e-9), np.diff(period) / period[1:], np.diff(bearing)])
    rate = (np.abs(steps) / np.diff(seconds) * period[1:]).max(axis=0, initial=0.0)
    if rate.max(initial=0.0) > FAST:
        at, most = seconds[int(rate.argmax())], rate.max()
        log.warning("the sea changes by %.2g a wave period at %g s; meant for less than %g", most, at, FAST)
