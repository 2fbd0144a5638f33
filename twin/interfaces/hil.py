"""What an autopilot in software is told: a navigation solution as MAVLink 2 HIL messages.

MAVLink common message set (mavlink.io/en/messages/common.html): HIL_GPS (113), HIL_STATE_QUATERNION (115) and
HIL_SENSOR (107), in this order, since the last one asks for an answer. World axes become north-east-down, body axes
forward-right-down. The pressure is that of the standard atmosphere (ISO 2533) below 11 km.
"""

from __future__ import annotations

from math import atan2, pi, sqrt
from typing import Any

import numpy as np
from pydantic import Field
from scipy.spatial.transform import Rotation

from twin.clock import NS
from twin.errors import PluginError
from twin.extras import install
from twin.specs.base import Spec
from twin.specs.sensor import NavigationSpec
from twin.state import F64, Sample
from twin.units import RateHz
from twin.world.georeference import GeoReference

try:
    from pymavlink.dialects.v20 import common as mavlink
except ImportError as error:
    raise PluginError(f"MAVLink needs an extra: {error}: {install('mavlink')}") from error

__all__ = ["HilEncoder", "HilSpec", "attitude", "mavlink", "pressure"]

GRAVITY = 9.80665
"""m/s2, the standard one, in which accelerations are told in milli-g."""
_DOWN = np.array([1.0, -1.0, -1.0])
"""Body x forward, y left, z up -> x forward, y right, z down."""
_FIELDS = 0b1_1011_1111_1111
"""HIL_SENSOR.fields_updated: all but the differential pressure; there is no airspeed sensor."""
_START_US = 1_000_000
"""Time 0 on the autopilot's clock: 0 means "not known" to many."""


class HilSpec(Spec):
    """Sensors that an autopilot expects and a navigation solution leaves open."""

    gps: RateHz = 5
    magnetic_field: tuple[float, float, float] = (0.215, 0.012, 0.430)  # gauss; north, east, down
    gravity: float = Field(default=9.81, gt=0)  # m/s2, of the world


class HilEncoder:
    """Turns the samples of one robot into HIL messages; the place is WGS 84, heights above the ellipsoid.

    The acceleration is the mean one since the sample before, as of an accelerometer that integrates.
    """

    def __init__(self, spec: HilSpec, sensor: NavigationSpec, place: GeoReference, warmup: int = 0) -> None:
        self.spec, self.place, self.warmup = spec, place, warmup
        self._spread = max(1, round(100 * sensor.noise.position))  # cm
        self._before: Sample | None = None

    def time_us(self, time: int) -> int:
        """Return a time [ns] of the run on the autopilot's clock [us]."""
        return _START_US + (self.warmup + time) // 1000

    def messages(self, sample: Sample) -> list[Any]:
        """Return what is told of a sample; HIL_GPS only at its own rate."""
        to_body = Rotation.from_quat(sample["orientation"]).inv()
        felt = _DOWN * to_body.apply(self._acceleration(sample) + (0.0, 0.0, self.spec.gravity))
        rates = _DOWN * to_body.apply(sample["angular_velocity"])
        north, east, down = self.spec.magnetic_field
        field = _DOWN * to_body.apply((east, north, -down))
        lon, lat, height = self.place.to_geodetic(sample["position"][None])[0]
        time = self.time_us(sample.time)
        told = [
            self._state(time, sample, felt, rates, (lon, lat, height)),
            _sensor(time, felt, rates, field, float(height)),
        ]
        period, before = NS // self.spec.gps, self._before
        if before is None or sample.time // period != before.time // period:
            told.insert(0, self._gps(time, sample, (lon, lat, height)))
        self._before = sample
        return told

    def _acceleration(self, sample: Sample) -> F64:
        before = self._before
        if before is None or sample.time <= before.time:
            return np.zeros(3)
        return (sample["velocity"] - before["velocity"]) * (NS / (sample.time - before.time))

    def _gps(self, time: int, sample: Sample, place: tuple[float, float, float]) -> Any:
        east, north, up = 100.0 * sample["velocity"]
        course = atan2(east, north) % (2 * pi)
        return mavlink.MAVLink_hil_gps_message(
            time, mavlink.GPS_FIX_TYPE_3D_FIX, *_position(place), self._spread, self._spread,
            min(round(sqrt(north * north + east * east)), 65_534), _short(north), _short(east), _short(-up),
            round(course * 18_000 / pi) % 36_000, satellites_visible=10,
        )  # fmt: skip

    def _state(
        self, time: int, sample: Sample, felt: F64, rates: F64, place: tuple[float, float, float]
    ) -> Any:
        east, north, up = 100.0 * sample["velocity"]
        return mavlink.MAVLink_hil_state_quaternion_message(
            time, attitude(sample["orientation"]), *rates.tolist(), *_position(place), _short(north), _short(east),
            _short(-up), 0, 0, *(_short(1000.0 * a / GRAVITY) for a in felt),
        )  # fmt: skip


def attitude(q: F64) -> list[float]:
    """Return w, x, y, z of the turn from forward-right-down to north-east-down, of a quaternion xyzw of ours."""
    x, y, z, w = (q * sqrt(0.5)).tolist()
    return [w + z, x + y, x - y, w - z]


def pressure(height: float) -> float:
    """Return the pressure [hPa] of the standard atmosphere at a geopotential height [m] below 11 km (ISO 2533)."""
    return float(1013.25 * (1.0 - 0.0065 * height / 288.15) ** 5.255_88)


def _sensor(time: int, felt: F64, rates: F64, field: F64, height: float) -> Any:
    return mavlink.MAVLink_hil_sensor_message(
        time, *felt.tolist(), *rates.tolist(), *field.tolist(), pressure(height), 0.0, height,
        15.0 - 0.0065 * height, _FIELDS,
    )  # fmt: skip


def _position(place: tuple[float, float, float]) -> tuple[int, int, int]:
    """Return latitude and longitude [1e-7 degrees] and height [mm]."""
    lon, lat, height = place
    return round(1e7 * lat), round(1e7 * lon), round(1e3 * height)


def _short(value: float) -> int:
    """Return the nearest number of 16 bits: what a sensor says beyond its range."""
    return min(max(round(value), -32_768), 32_767)
