"""The sea of a run: one set of wave components, with current and tide, for all who ask."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from twin.errors import WorldError
from twin.state import F64
from twin.world.environment import Environment, Sea, SeaSpec
from twin.world.measured_sea import read_spectra
from twin.world.series import SeriesSpec
from twin.world.spectra import Spectrum, breaking, fully_developed_period, parametric
from twin.world.waves import Waves, elevation, make_waves

log = logging.getLogger(__name__)


class Seaway:
    """Elevation and motion of the water at any place and time, the same for the same seed.

    Height, current and tide may be time series: the waves then grow and fall in place. Their period and bearing
    hold for a whole run, since a component can't change its frequency or way. Current doesn't change the waves.

    Raises:
        WorldError: there is no sea, its spectrum can't be used, or period or bearing is a time series.
    """

    def __init__(self, environment: Environment, folder: Path, seed: int) -> None:
        spec, state = environment.spec.sea, environment.sea(0)
        if spec is None or state is None:
            raise WorldError("this world has no sea: give world.toml a table [environment.sea]")
        for name in ("peak_period", "bearing"):
            if isinstance(getattr(spec, name), SeriesSpec):
                raise WorldError(f"environment.sea.{name}: a run has one; only height, current and tide may vary")
        self.environment = environment
        varies = any(isinstance(getattr(spec, name), SeriesSpec) for name in type(spec).model_fields)
        self._constant = None if varies else state
        self._scaled = isinstance(spec.significant_height, SeriesSpec)
        if self._scaled and (spec.swell or spec.measured):
            raise WorldError("environment.sea.significant_height: varies only where there is no other wave system")
        systems = _systems(spec, 1.0 if self._scaled else state.significant_height, environment, folder)
        for system in systems:
            _warn(system, state.depth, state.significant_height if self._scaled else system.significant_height)
        self.depth = state.depth
        self._waves = make_waves(systems, state.depth, spec.components, seed)

    def state(self, time: int) -> Sea:
        """Return height, current, tide and the rest at `time` [ns]."""
        state = self._constant or self.environment.sea(time)
        assert state is not None
        return state

    def waves(self, time: int) -> Waves:
        """Return the wave components as they are at `time` [ns]."""
        if not self._scaled:
            return self._waves
        return self._waves._replace(amplitude=self._waves.amplitude * self.state(time).significant_height)

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


def towards(bearing: float) -> float:
    """Return where waves travel to, from east counterclockwise, that come from `bearing`, clockwise from north."""
    return float(1.5 * np.pi - bearing)


def _systems(spec: SeaSpec, height: float, environment: Environment, folder: Path) -> list[Spectrum]:
    swell = spec.swell
    bands = spec.components // 2 if swell else spec.components
    if spec.measured is not None:
        systems = [_measured(folder / spec.measured.file, spec.measured.row)]
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
    period, enhancement = state.peak_period, state.peak_enhancement
    if spec.spectrum != "jonswap":
        enhancement = 1.0
    if spec.spectrum == "pierson-moskowitz":
        period = fully_developed_period(state.significant_height)
        log.info("a Pierson-Moskowitz sea of %g m has a peak period of %.2f s", state.significant_height, period)
    return parametric(height, period, enhancement, towards(state.bearing), state.spreading, bands)


def _measured(path: Path, row: int) -> Spectrum:
    spectra = read_spectra(path)
    if row >= len(spectra):
        raise WorldError(f"{path}: there is no spectrum {row}: found {len(spectra)}")
    return spectra[row]


def _warn(system: Spectrum, depth: float, height: float) -> None:
    peak = int(np.argmax(system.variance / (system.upper - system.lower)))
    period = 2.0 / float(system.lower[peak] + system.upper[peak])
    if why := breaking(height, period, depth):
        log.warning("the sea is beyond breaking: %s", why)
