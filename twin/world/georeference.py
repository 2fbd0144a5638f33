"""Where a world lies on the earth: WGS 84 longitude, latitude, ellipsoidal height <-> local ENU, exact.

The conversion is EPSG method 9837 (geographic to topocentric), a rigid rotation of the earth-centred frame:
unlike a map projection it neither stretches nor turns anything. At a distance d the earth lies d^2 / 2R below
the tangent plane (0.2 m at 1.6 km): whoever places things on the ground must ask here for its z.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from twin.errors import WorldError
from twin.state import F64

if TYPE_CHECKING:
    from pyproj import Transformer

_UP_BASE = 1000.0
"""Baseline in metres of the difference that gives the local vertical."""


@dataclass(frozen=True, slots=True)
class GeoReference:
    """The point of the earth at which local x (east), y (north), z (up) are zero; datum WGS 84."""

    longitude: float  # degrees
    latitude: float  # degrees
    height: float = 0.0  # m above the ellipsoid

    def __post_init__(self) -> None:
        if not (abs(self.longitude) <= 180 and abs(self.latitude) <= 90 and abs(self.height) < 20_000):
            raise WorldError(
                f"origin: found longitude {self.longitude}, latitude {self.latitude}, height {self.height};"
                " allowed are -180..180 degrees, -90..90 degrees and +-20 km"
            )

    def to_local(self, geodetic: F64) -> F64:
        """Return local ENU (n, 3) m of longitude, latitude [degrees] and ellipsoidal height [m], (n, 3)."""
        return self._transform(geodetic, "FORWARD")

    def to_geodetic(self, local: F64) -> F64:
        """Return longitude, latitude [degrees] and ellipsoidal height [m], (n, 3), of local ENU (n, 3) m."""
        return self._transform(local, "INVERSE")

    def up(self, geodetic: F64) -> F64:
        """Return the unit vectors (n, 3), in local axes, of the ellipsoid's normal at given places (n, 3)."""
        raised = np.asarray(geodetic, dtype=float) + np.array([0.0, 0.0, _UP_BASE])
        return (self.to_local(raised) - self.to_local(geodetic)) / _UP_BASE

    def _transform(self, points: F64, direction: Literal["FORWARD", "INVERSE"]) -> F64:
        x, y, z = np.asarray(points, dtype=float).T
        return np.stack(_pipeline(self).transform(x, y, z, errcheck=True, direction=direction), axis=-1)


@lru_cache(maxsize=8)
def _pipeline(origin: GeoReference) -> Transformer:
    from pyproj import Transformer

    return Transformer.from_pipeline(
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=cart +ellps=WGS84"
        f" +step +proj=topocentric +ellps=WGS84 +lon_0={origin.longitude!r} +lat_0={origin.latitude!r}"
        f" +h_0={origin.height!r}"
    )
