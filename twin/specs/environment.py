"""`[environment]`: weather, wind, sea and time of day, each constant or a time series from a CSV file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from twin.specs.base import Spec
from twin.units import Kelvin, Metres, Pascal, Radians, RainRate, Seconds, Speed

Fraction = Annotated[float, Field(ge=0, le=1)]
Period = Annotated[Seconds, Field(ge=0.5, le=60)]
"""Of wind waves and swell: shorter ones are ripples, which surface tension drives, longer ones are tides and surges."""


class SeriesSpec(Spec):
    """`{ file = "weather.csv", column = "rain" }`: SI values over the column `time` in seconds."""

    file: Path
    column: str


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
