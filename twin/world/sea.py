"""The sea of a run: one set of wave components, with current and tide, for all who ask."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np

from twin.clock import NS
from twin.errors import WorldError
from twin.specs.environment import SeaSpec, SeriesSpec
from twin.state import F64
from twin.world.changing_sea import ChangingSea, towards
from twin.world.environment import Environment, Sea
from twin.world.measured_sea import read_spectrum
from twin.world.spectra import Spectrum, breaking, fully_developed_period, parametric
from twin.world.waves import Waves, elevation, joined, make_waves

log = logging.getLogger(__name__)

_WAVES = ("significant_height", "peak_period", "bearing", "peak_enhancement", "spreading")


class Seaway:
    """Elevation and motion of the water at any place and time, the same for the same seed.

    The figures of the wind sea, current and tide may be time series (`changing_sea`); swell and a measured spectrum
    hold for a whole run. The depth changes the waves, current and tide don't.

    Raises:
        WorldError: there is no sea, or its spectrum can't be used.
    """

    def __init__(self, environment: Environment, folder: Path, seed: int) -> None:
        spec, state = environment.spec.sea, environment.sea(0)
        if spec is None or state is None:
            raise WorldError("this world has no sea: give world.toml a table [environment.sea]")
        self.environment = environment
        varies = any(isinstance(getattr(spec, name), SeriesSpec) for name in type(spec).model_fields)
        self._constant = None if varies else state
        self.depth = state.depth
        times = environment.sea_times(*_WAVES)
        systems = _systems(spec, 0.0 if len(times) else state.significant_height, environment, folder)
        for system in systems:
            _warn(system, state.depth, system.significant_height)
        room = spec.components // 2 if len(times) and systems else spec.components
        self._waves = make_waves(systems, state.depth, room, seed)
        self._changing: ChangingSea | None = None
        if len(times):
            self._changing = self._change(spec, times, room, seed)
            self._waves = joined(self._changing.waves, self._waves)

    def _change(self, spec: SeaSpec, times: F64, components: int, seed: int) -> ChangingSea:
        if spec.measured is not None:
            raise WorldError("environment.sea.measured: holds for a whole run; leave out the time series of its waves")
        lowest = min(self.state(round(t * NS)).significant_height for t in times)
        if spec.spectrum == "pierson-moskowitz" and lowest <= 0:
            raise WorldError("environment.sea.significant_height: a Pierson-Moskowitz sea is always higher than 0")
        turns = len(self.environment.sea_times("bearing", "spreading")) > 0

        def state(time: int) -> Sea:
            sea = self.state(time)
            period, enhancement = _period_and_enhancement(spec, sea)
            return replace(sea, peak_period=period, peak_enhancement=enhancement)

        return ChangingSea(state, times, turns, components, self.depth, seed)

    def state(self, time: int) -> Sea:
        """Return height, current, tide and the rest at `time` [ns]."""
        state = self._constant or self.environment.sea(time)
        assert state is not None
        return state

    def waves(self, time: int) -> Waves:
        """Return the wave components as they are at `time` [ns]."""
        if self._changing is None:
            return self._waves
        changed = self._changing.amplitude(time)
        return self._waves._replace(amplitude=np.concatenate([changed, self._waves.amplitude[len(changed) :]]))

    def elevation(self, time: int, points: F64) -> F64:
        """Return z [m], (n,), of the surface over points (n, 2) or (n, 3) m at `time` [ns], tide included."""
        out = np.empty(len(points))
        elevation(self.waves(time), time / 1e9, np.ascontiguousarray(points[:, :2], dtype=float), out)
        return out + self.tide(time)

    def tide(self, time: int) -> float:
        """Return z [m] of the mean surface at `time` [ns]."""
        return self.state(time).tide

    def current(self, time: int) -> tuple[float, float, float]:
        """Return the current at the surface, east and north [m/s], and its exponent: U (1 + z / depth)^exponent."""
        state = self.state(time)
        speed, bearing = state.current, state.current_bearing
        return -speed * float(np.sin(bearing)), -speed * float(np.cos(bearing)), state.current_exponent


def _systems(spec: SeaSpec, height: float, environment: Environment, folder: Path) -> list[Spectrum]:
    swell = spec.swell
    bands = spec.components // 2 if swell else spec.components
    if spec.measured is not None:
        systems = [read_spectrum(folder / spec.measured.file, spec.measured.row)]
    else:
        systems = [_wind_sea(spec, height, environment, bands)] if height > 0 else []
    if swell is not None and swell.significant_height > 0:
        if spec.measured is not None:
            bands = spec.components - len(systems[0].variance)
        systems.append(
            parametric(
                swell.significant_height, swell.peak_period, swell.peak_enhancement, towards(swell.bearing),
                swell.spreading, bands,
            )
        )  # fmt: skip
    return systems


def _wind_sea(spec: SeaSpec, height: float, environment: Environment, bands: int) -> Spectrum:
    state = environment.sea(0)
    assert state is not None
    period, enhancement = _period_and_enhancement(spec, state)
    if spec.spectrum == "pierson-moskowitz":
        log.info("a Pierson-Moskowitz sea of %g m has a peak period of %.2f s", state.significant_height, period)
    return parametric(height, period, enhancement, towards(state.bearing), state.spreading, bands)


def _period_and_enhancement(spec: SeaSpec, state: Sea) -> tuple[float, float]:
    """Return peak period [s] and enhancement of the kind of spectrum at a state."""
    enhancement = state.peak_enhancement if spec.spectrum == "jonswap" else 1.0
    if spec.spectrum == "pierson-moskowitz":
        return fully_developed_period(state.significant_height), enhancement
    return state.peak_period, enhancement


def _warn(system: Spectrum, depth: float, height: float) -> None:
    peak = int(np.argmax(system.variance / (system.upper - system.lower)))
    period = 2.0 / float(system.lower[peak] + system.upper[peak])
    if why := breaking(height, period, depth):
        log.warning("the sea is beyond breaking: %s", why)
