"""Weather, wind, sea and time of day: each constant, or a time series from a CSV file."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, ValidationError

from twin.errors import WorldError
from twin.specs import Spec
from twin.state import F64
from twin.units import Kelvin, Metres, Pascal, Radians, RainRate, Seconds, Speed
from twin.world.series import Series, SeriesSpec, make_series
from twin.world.wind import Wind, make_turbulence

Fraction = Annotated[float, Field(ge=0, le=1)]
Period = Annotated[Seconds, Field(ge=0.5, le=60)]
"""Of wind waves and swell: shorter ones are ripples, which surface tension drives, longer ones are tides and surges."""


class WindSpec(Spec):
    """Mean wind at `height`, where it comes from (clockwise from north), and gusts."""

    speed: Annotated[Speed, Field(ge=0)] | SeriesSpec = 0.0
    bearing: Radians | SeriesSpec = 0.0
    height: Metres = Field(default=10.0, gt=0)
    roughness: Metres = Field(default=0.1, gt=0)  # 0.0002 open sea, 0.03 grass, 0.5 suburb, 1 and more city
    gust_intensity: Fraction | SeriesSpec = 0.0  # standard deviation over mean speed
    gust_length: Metres = Field(default=60.0, gt=0)


class SwellSpec(Spec):
    """A second wave system, from elsewhere; its bearing is where it comes from, clockwise from north."""

    significant_height: Metres = Field(ge=0)
    peak_period: Period
    bearing: Radians = 0.0
    peak_enhancement: float = Field(default=5.0, ge=1, le=10)  # gamma of JONSWAP
    spreading: float = Field(default=40.0, ge=0)  # s of cos^2s


class MeasuredSpec(Spec):
    """One spectrum of a Spotter's CSV or an NDBC .data_spec, in the world's folder."""

    file: Path
    row: int = Field(default=0, ge=0)  # of the file's spectra


class SeaSpec(Spec):
    """Waves by height, period and direction; current, tide and depth. Bearings: where from, clockwise from north.

    A Pierson-Moskowitz sea has the period of its height. A measured spectrum takes the place of height, period,
    bearing, enhancement and spreading; swell is added to either.
    """

    spectrum: Literal["jonswap", "bretschneider", "pierson-moskowitz"] = "jonswap"
    measured: MeasuredSpec | None = None
    swell: SwellSpec | None = None
    components: int = Field(default=120, ge=1, le=10_000)  # of all wave systems together

    significant_height: Annotated[Metres, Field(ge=0)] | SeriesSpec = 0.0
    peak_period: Period | SeriesSpec = 8.0
    bearing: Radians | SeriesSpec = 0.0
    peak_enhancement: Annotated[float, Field(ge=1, le=10)] | SeriesSpec = 3.3  # gamma of JONSWAP
    spreading: Annotated[float, Field(ge=0)] | SeriesSpec = 10.0  # s of cos^2s
    current: Annotated[Speed, Field(ge=0)] | SeriesSpec = 0.0
    current_bearing: Radians | SeriesSpec = 0.0
    current_exponent: float = Field(default=1 / 7, ge=0)  # of the current's growth with height over the bottom
    tide: Metres | SeriesSpec = 0.0  # of the mean surface above z = 0
    depth: Metres = Field(default=20.0, gt=0)


class EnvironmentSpec(Spec):
    """The table `[environment]`; the default is the ITU-R reference air at 15 degrees Celsius, calm and dry."""

    temperature: Annotated[Kelvin, Field(gt=0)] | SeriesSpec = 288.15
    pressure: Annotated[Pascal, Field(gt=0)] | SeriesSpec = 101_325.0
    humidity: Fraction | SeriesSpec = 0.585  # relative; 7.5 g/m3 at 15 degrees Celsius
    rain: Annotated[RainRate, Field(ge=0)] | SeriesSpec = 0.0
    time_of_day: Annotated[Seconds, Field(ge=0)] | SeriesSpec = 43_200.0  # at the start; a series: at its times
    wind: WindSpec = WindSpec()
    sea: SeaSpec | None = None


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
