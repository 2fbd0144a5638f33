"""A barometer, and the height that an altimeter reads off it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from twin.protocols import Field
from twin.sensors.errors import Delay, Noise
from twin.sensors.setting import Setting
from twin.specs import BarometerSpec, RobotKind
from twin.state import F64, I64, Readings, Truth

LAPSE, STANDARD = 6.5e-3, 288.15
"""K/m and K: how much colder it is higher up, and the temperature at z = 0 that altimeters are made for"""
EXPONENT = 9.80665 / (287.05287 * LAPSE)
"""of pressure over temperature, ISO 2533"""


def pressure_at(height: F64, pressure: float, temperature: float) -> F64:
    """Return the pressure [Pa] at heights [m] above where air has `pressure` [Pa] and `temperature` [K]; ISO 2533."""
    return np.asarray(pressure * (1.0 - LAPSE * height / temperature) ** EXPONENT, dtype=np.float64)


def altitude_of(pressure: F64, reference: float) -> F64:
    """Return the height [m] of `pressure` over `reference` [Pa] in the standard atmosphere."""
    return np.asarray(STANDARD / LAPSE * (1.0 - (pressure / reference) ** (1.0 / EXPONENT)), dtype=np.float64)


class Barometer:
    """Reads pressure and pressure_altitude (1,), the height over z = 0 by the standard atmosphere.

    It is set to the pressure of z = 0 at the start. In air warmer or colder than the standard's it is wrong by the
    ratio of temperatures, and it drifts with the weather, as altimeters do.
    """

    def __init__(self, spec: BarometerSpec, setting: Setting) -> None:
        self._environment = setting.environment
        self._reference, _ = self._air(0)
        self._delay = Delay(spec.delay, len(setting.names))
        self._noise = Noise("barometer", setting.names, setting.seed, np.array([spec.noise]), np.array([spec.walk]))

    @staticmethod
    def fields(spec: BarometerSpec, kind: RobotKind) -> Mapping[str, Field]:
        """Return what a reading is made of."""
        return {
            "pressure": Field(1, "Pa", "of the air", spec.noise, "Pa"),
            "pressure_altitude": Field(1, "m", "over z = 0, by the standard atmosphere", 0.083 * spec.noise, "m"),
        }

    def read(self, truth: Truth, index: I64, rows: I64) -> Readings:
        """Return one sample per body in `index` (k,); `rows` (k,) are the robots' rows in their group."""
        time, bodies = truth.time, truth.bodies
        height = bodies.position[index, 2:3].copy()
        stamps = self._delay.apply(time, rows, height)
        pressure = pressure_at(height, *self._air(time))
        self._noise.add(time, rows, pressure)
        altitude = altitude_of(pressure, self._reference)
        return Readings(stamps, {"pressure": pressure, "pressure_altitude": altitude})

    def reseed(self, seed: int) -> None:
        """Draw by `seed` from now on."""
        self._noise.reseed(seed)

    def _air(self, time: int) -> tuple[float, float]:
        """Return pressure [Pa] and temperature [K] at z = 0."""
        if self._environment is None:
            return 101_325.0, STANDARD
        weather = self._environment.weather(time)
        return weather.pressure, weather.temperature
