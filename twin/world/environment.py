"""Weather, wind, sea and time of day: each constant, or a time series from a CSV file."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from twin.errors import WorldError
from twin.specs import Spec
from twin.specs.environment import EnvironmentSpec, SeriesSpec
from twin.state import F64
from twin.world.series import Series, make_series
from twin.world.wind import Wind, make_turbulence


@dataclass(frozen=True, slots=True)
class Weather:
    """The air at one instant."""

    temperature: float  # K
    pressure: float  # Pa
    vapour: float  # g/m3
    rain: float  # mm/h
    time_of_day: float  # s since midnight


@dataclass(frozen=True, slots=True)
class Sea:
    """The sea at one instant; bearings in rad, where from, clockwise from north."""

    significant_height: float  # m
    peak_period: float  # s
    bearing: float
    peak_enhancement: float
    spreading: float
    current: float  # m/s
    current_bearing: float
    current_exponent: float
    tide: float  # m
    depth: float  # m


def changed(spec: EnvironmentSpec, changes: EnvironmentSpec) -> EnvironmentSpec:
    """Return `spec` with every value that `changes` states instead of its own."""
    merged = _merged(spec.model_dump(), changes.model_dump(exclude_unset=True))
    return EnvironmentSpec.model_validate(merged)


def _merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    both = {key: (base.get(key), value) for key, value in changes.items()}
    return base | {
        key: _merged(old, new) if isinstance(old, dict) and isinstance(new, dict) else new
        for key, (old, new) in both.items()
    }


class Environment:
    """What the spec says, at any time; `seed` makes the gusts."""

    def __init__(self, spec: EnvironmentSpec, folder: Path, seed: int) -> None:
        """Read the time series.

        Raises:
            WorldError: a CSV file can't be used.
        """
        self.spec = spec
        self._air = _all_series(spec, folder)
        self._sea = _all_series(spec.sea, folder) if spec.sea else {}
        wind, series = spec.wind, _all_series(spec.wind, folder)
        gusts = series["gust_intensity"]
        turbulence = make_turbulence(seed, wind.gust_length) if gusts.values.max() > 0 else None
        self.wind = Wind(series["speed"], series["bearing"], wind.height, wind.roughness, gusts, turbulence)

    def weather(self, time: int) -> Weather:
        """Return the air at `time` [ns]."""
        air = {name: series.at(time) for name, series in self._air.items()}
        vapour = vapour_density(air["temperature"], air["pressure"], air["humidity"])
        passed = 0.0 if isinstance(self.spec.time_of_day, SeriesSpec) else time / 1e9
        clock = (air["time_of_day"] + passed) % 86_400.0
        return Weather(air["temperature"], air["pressure"], vapour, air["rain"], clock)

    def sea(self, time: int) -> Sea | None:
        """Return the sea at `time` [ns], None where there is none."""
        return Sea(**{name: series.at(time) for name, series in self._sea.items()}) if self._sea else None

    def sea_times(self, *names: str) -> F64:
        """Return the times [s], rising, of all samples of these quantities of the sea; none if all are constant."""
        assert self.spec.sea is not None
        varying = [name for name in names if isinstance(getattr(self.spec.sea, name), SeriesSpec)]
        return np.unique(np.concatenate([np.empty(0), *(self._sea[name].times for name in varying)]))


def vapour_density(temperature: float, pressure: float, humidity: float) -> float:
    """Return water vapour [g/m3] of air at K, Pa and relative humidity (ITU-R P.453-14, equations 8 to 10)."""
    t, hpa = temperature - 273.15, pressure / 100.0
    enhancement = 1.0 + 1e-4 * (7.2 + hpa * (0.0320 + 5.9e-6 * t**2))
    saturation = enhancement * 6.1121 * exp((18.678 - t / 234.5) * t / (t + 257.14))
    return 216.7 * humidity * saturation / temperature


def _all_series(spec: Spec, folder: Path) -> dict[str, Series]:
    values = {name: getattr(spec, name) for name in type(spec).model_fields}
    found = {}
    for name, value in values.items():
        if isinstance(value, float | SeriesSpec):
            found[name] = make_series(value, folder, turns=name.endswith("bearing"))
            if isinstance(value, SeriesSpec):
                _check_range(type(spec), name, found[name], folder / value.file, value.column)
    return found


def _check_range(kind: type[Spec], name: str, series: Series, path: Path, column: str) -> None:
    """Refuse a series with a value that would be refused as a constant."""
    for value in (series.values.min(), series.values.max()):
        try:
            kind.model_validate({name: float(value)})
        except ValidationError as error:
            raise WorldError(f"{path}: {column}: found {value:g}; {name}: {error.errors()[0]['msg']}") from error
