"""Where the satellites of GPS stand: the nominal constellation of 24 slots on circular orbits.

Slots, semi-major axis and inclination: Global Positioning System Standard Positioning Service Performance Standard
(2001), table 3-1; its epoch is 1 July 1993, 0 h, with Greenwich at 18 h 36 min 14.4 s. A run's time of day counts from
there, so that a satellite stands where it stood at that hour of that day.
"""

from __future__ import annotations

import numpy as np

from twin.state import F64
from twin.world.georeference import GeoReference

_NODE = np.repeat(np.radians([272.847, 332.847, 32.847, 92.847, 152.847, 212.847]), 4)
_LATITUDE = np.radians([
    268.126, 161.786, 11.676, 41.806, 80.956, 173.336, 309.976, 204.376, 111.876, 11.796, 339.666, 241.556,
    135.226, 265.446, 35.156, 167.356, 197.046, 302.596, 66.066, 333.686, 238.886, 345.226, 105.206, 135.346,
])  # fmt: skip
"""rad, from the ascending node along the orbit at the epoch, slots A1 to F4."""
RADIUS = 26_559_700.0
"""m"""
_INCLINATION = np.radians(55.0)
_GREENWICH = np.radians(15.0 * (18 + 36 / 60 + 14.4 / 3600))
_GRAVITATION, _EARTH_RATE = 3.986005e14, 7.2921151467e-5
"""m3/s2 and rad/s of GPS: IS-GPS-200, table 20-IV"""
_AXIS, _FLATTENING = 6_378_137.0, 1 / 298.257223563
SLOTS = len(_LATITUDE)


def satellites(seconds: float) -> F64:
    """Return the places (24, 3) [m] of all satellites in earth-fixed axes, `seconds` after the epoch."""
    along = _LATITUDE + np.sqrt(_GRAVITATION / RADIUS**3) * seconds
    node = _NODE - _GREENWICH - _EARTH_RATE * seconds
    x, y = np.cos(along), np.sin(along) * np.cos(_INCLINATION)
    east, north = x * np.cos(node) - y * np.sin(node), x * np.sin(node) + y * np.cos(node)
    return RADIUS * np.stack([east, north, np.sin(along) * np.sin(_INCLINATION)], axis=1)


def sky(origin: GeoReference, seconds: float) -> F64:
    """Return the directions (24, 3) of all satellites in local axes, east, north, up: the same for all of a site."""
    longitude, latitude = np.radians([origin.longitude, origin.latitude])
    (cl, sl), (cp, sp) = ((np.cos(angle), np.sin(angle)) for angle in (longitude, latitude))
    squared = _FLATTENING * (2 - _FLATTENING)
    across = _AXIS / np.sqrt(1 - squared * sp * sp)
    place = np.array([*((across + origin.height) * cp * np.array([cl, sl])),
                      (across * (1 - squared) + origin.height) * sp])  # fmt: skip
    local = np.array([[-sl, cl, 0.0], [-sp * cl, -sp * sl, cp], [cp * cl, cp * sl, sp]])
    way = (satellites(seconds) - place) @ local.T
    directions: F64 = way / np.linalg.norm(way, axis=1, keepdims=True)
    return directions
