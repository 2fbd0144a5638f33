"""The sea under a ray: the Earth's bulge, crests that cut the ray, and water that moves its mirror.

Reflections come off faces of sea water, as off any other; what is here is what such a face can't know. The mirror
lies at the mean level and resolves no wave: its roughness is that of all of them (Miller and Brown). The waves
themselves then stand in the way of rays, as an elevation field over the curved Earth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from math import cos, log, sin, sqrt
from typing import NamedTuple, Protocol

import numpy as np

from twin.channel.fields.smooth_earth import knife_edge_db, smooth_earth_db
from twin.channel.search.images import REFLECTION
from twin.channel.search.paths import Paths
from twin.link import SPEED_OF_LIGHT
from twin.numerics.kernels import kernel, uncounted
from twin.protocols import Channel
from twin.specs.channel import OverSeaSpec
from twin.state import C128, F64, I32, BodyState, Bool, LinkState
from twin.world.bvh import Point, Triple
from twin.world.geometry import Geometry, lifted
from twin.world.materials import water_permittivity
from twin.world.waves import Waves

EARTH_RADIUS = 6.371e6
"""m"""
SEA_WATER = "sea_water"
_CREST = 1.5
"""Significant heights above which no crest is looked for: 1 wave in 66 million is higher (Rayleigh)."""
_LOOKS = 8.0
"""Looks per length of the shortest wave."""
_TIDE_STEP = 0.05
"""m"""
_ROUGH_LENGTH = 1.5e-4
"""m, of the sea (Paulus, Radio Science 20(4), 1985)."""


class Sea(Protocol):
    """What knows the sea."""

    def waves(self, time: int) -> Waves:
        """Return the wave components at `time` [ns]."""

    def tide(self, time: int) -> float:
        """Return z [m] of the mean surface."""


class OverSea(NamedTuple):
    """The sea at one instant, as kernels take it; C wave components, B carriers."""

    there: bool
    waves: Waves
    time: float  # s
    level: float  # m, z of the mean surface
    crest: float  # m above it, higher than any wave
    step: float  # m between two looks along a ray
    curvature: float  # 1/m, of the Earth as refracted rays see it
    duct: float  # m, height of the evaporation duct; 0 without one
    wet: Bool  # (S,) which materials are sea water
    permittivity: C128  # (B,)
    area: F64  # (T, 3, 2) m, triangles of the sea's faces; none: everywhere
    swing: F64  # (C, 4), scratch


@dataclass(slots=True, eq=False)
class SeaSurface:
    """The sea of a world as a channel sees it."""

    sea: Sea
    spec: OverSeaSpec
    area: F64  # (T, 3, 2) m

    def permittivity(self, frequency: float) -> complex:
        """Return that of its water at `frequency` [Hz] (P.527-6)."""
        return water_permittivity(frequency, self.spec.temperature, self.spec.salinity)

    def of_material(self, others: Callable[[str, float], complex]) -> Callable[[str, float], complex]:
        """Return a function of material and frequency [Hz]: that of its water, and of the `others`."""
        return lambda name, frequency: self.permittivity(frequency) if name == SEA_WATER else others(name, frequency)

    def roughness(self, time: int) -> float:
        """Return the standard deviation [m] of the surface at `time` [ns]: of all waves, or none."""
        return self.sea.waves(time).significant_height / 4 if self.spec.waves else 0.0

    def at(self, time: int, carriers: F64, wet: Bool) -> OverSea:
        """Return the sea at `time` [ns] for `carriers` (B,) [Hz]; `wet` (S,) tells which materials are its water."""
        waves = self.sea.waves(time)
        height = waves.significant_height if self.spec.waves else 0.0
        shortest = 2 * np.pi / float(np.max(waves.number, initial=1e-3))
        permittivity = np.array([self.permittivity(f) for f in carriers.tolist()], dtype=np.complex128)
        return OverSea(
            True, waves, time / 1e9, self.sea.tide(time), _CREST * height, shortest / _LOOKS,
            1.0 / (self.spec.earth_factor * EARTH_RADIUS), self.spec.duct_height, wet, permittivity,
            self.area, np.empty((len(waves.amplitude), 4)),
        )  # fmt: skip


def sea_area(geometry: Geometry) -> F64:
    """Return the triangles (T, 3, 2) m of all faces of sea water, seen from above."""
    wet = np.array([name == SEA_WATER for name in geometry.materials])[geometry.face_material]
    return np.ascontiguousarray(geometry.vertices[geometry.triangles[wet[geometry.triangle_face]]][:, :, :2])


def at_level(geometry: Geometry, rise: float) -> Geometry:
    """Return the geometry with its faces of sea water `rise` metres higher."""
    wet = np.array([name == SEA_WATER for name in geometry.materials])[geometry.face_material]
    return lifted(geometry, wet, rise) if rise and wet.any() else geometry


class Tidal:
    """A ray tracer whose sea rises and falls: made anew whenever the tide has moved by more than 5 cm."""

    def __init__(self, make: Callable[[Geometry], Channel], geometry: Geometry, sea: Sea) -> None:
        self.make, self.geometry, self.sea = make, geometry, sea
        self.level = sea.tide(0)
        self.tracer = make(at_level(geometry, self.level))
        self._counts: Counter[str] = Counter()

    @property
    def counts(self) -> Mapping[str, int]:
        """Those of all its tracers, and how often the tide made a new one."""
        return self._counts + Counter(self.tracer.counts)

    def trace(self, time: int, bodies: BodyState) -> LinkState:
        """Return the links at `time` [ns]."""
        tide = self.sea.tide(time)
        if abs(tide - self.level) > _TIDE_STEP:
            self.level = tide
            self._counts += Counter({**self.tracer.counts, "searched_anew_by_tide": 1})
            self.tracer = self.make(at_level(self.geometry, tide))
        return self.tracer.trace(time, bodies)


@cache
def no_sea() -> OverSea:
    """Return what a channel without a sea has."""
    none = np.zeros(0)
    return OverSea(
        False, Waves(none, none, none, none, none, none, 1.0), 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, none > 0.0,
        np.zeros(0, dtype=np.complex128), np.zeros((0, 3, 2)), np.zeros((0, 4)),
    )  # fmt: skip


@uncounted
def over_sea(
    sea: OverSea, surface: I32, carrier: int, wavelength: float, paths: Paths, pair: int, m: int,
    ends: tuple[Triple, Triple],
) -> float:  # fmt: skip
    """Return what the sea leaves of a path's amplitude.

    A reflection on the sea is seen from the straight line between the points before and after it, which lies above
    it: what cuts the line cuts the reflection off.
    """
    if not sea.there:
        return 1.0
    n, left, mirrored, here = paths.length[pair, m], 1.0, False, ends[0]
    for k in range(n + 1):
        there = ends[1]
        if k < n:
            p = paths.vertex[pair, m, k]
            there = (p[0], p[1], p[2])
        if k < n and paths.kind[pair, m, k] == REFLECTION and sea.wet[surface[paths.what[pair, m, k]]]:
            mirrored = True
            continue
        share = ray_over_sea(sea, carrier, wavelength, here, there)
        if mirrored and share < 1.0:
            return 0.0
        left *= share
        here, mirrored = there, False
    return left


@uncounted
def ray_over_sea(sea: OverSea, carrier: int, wavelength: float, a: Point, b: Point) -> float:
    """Return what the sea leaves of the amplitude of a ray from a to b: 1 unless Earth or waves cut it.

    Beyond the horizon it is the diffraction round a smooth Earth (ITU-R P.526-15, 3.1). Before it the worst crest
    that cuts the ray counts as a knife edge in its place (4.1).
    """
    dx, dy = b[0] - a[0], b[1] - a[1]
    distance = sqrt(dx * dx + dy * dy)
    low, high = a[2] - sea.level, b[2] - sea.level
    if distance == 0.0:
        return 1.0
    curve = curvature(sea, wavelength, low, high)
    if curve > 0.0:
        horizon = sqrt(2.0 / curve) * (sqrt(max(low, 0.0)) + sqrt(max(high, 0.0)))
        if distance > horizon:
            loss = smooth_earth_db(distance, low, high, wavelength, 1.0 / curve, sea.permittivity[carrier])
            return float(10.0 ** (-max(loss, 0.0) / 20.0))
    edge = highest_edge(sea, curve, distance, (low, high), (a[0], a[1]), (dx / distance, dy / distance))
    if edge <= 0.0:
        return 1.0
    return float(10.0 ** (-knife_edge_db(edge * sqrt(2.0 / wavelength)) / 20.0))


@uncounted
def curvature(sea: OverSea, wavelength: float, low: float, high: float) -> float:
    """Return the Earth's curvature [1/m] as rays between two heights [m] see it; 0 and less in a duct that traps.

    Neutral evaporation duct of height d: dM/dz ~ 1 - d / (z + z0) (Paulus, Radio Science 20(4), 1985), here as its
    mean between the two ends. It traps carriers above 3.6e11 d^-1.5 Hz (Turton, Bennetts and Farmer, Met. Mag.
    117, 1988); others don't see it.
    """
    if sea.duct <= 0.0 or SPEED_OF_LIGHT / wavelength < 3.6e11 * sea.duct**-1.5:
        return sea.curvature
    z1, z2 = max(low, 0.0) + _ROUGH_LENGTH, max(high, 0.0) + _ROUGH_LENGTH
    inverse = 1.0 / z1 if abs(z2 - z1) < 1e-6 * z1 else log(z2 / z1) / (z2 - z1)
    return sea.curvature * (1.0 - sea.duct * inverse)


@uncounted
def highest_edge(
    sea: OverSea, curve: float, distance: float, heights: tuple[float, float], start: tuple[float, float],
    towards: tuple[float, float],
) -> float:  # fmt: skip
    """Return the largest h sqrt(d / (d1 d2)) [m^0.5] of crests that rise h above a ray, 0 where none does.

    The ray leads from `start` (x, y) at the first of two heights over the mean surface to the second, `towards` (east,
    north). Between two looks each component turns by a constant angle.
    """
    (low, high), (x, y), (east, north) = heights, start, towards
    worst, turning = 0.0, False
    looks = int(distance / sea.step) + 1
    each = distance / looks
    waves, swing = sea.waves, sea.swing
    for i in range(looks):
        s = (i + 0.5) * each
        height = low + (high - low) * s / distance - 0.5 * curve * s * (distance - s)
        if height >= sea.crest:
            turning = False
            continue
        px, py, eta = x + east * s, y + north * s, 0.0
        for c in range(waves.amplitude.shape[0]):
            if turning:
                u, v = swing[c, 0], swing[c, 1]
                swing[c, 0], swing[c, 1] = u * swing[c, 2] - v * swing[c, 3], u * swing[c, 3] + v * swing[c, 2]
            else:
                angle = waves.kx[c] * px + waves.ky[c] * py - waves.frequency[c] * sea.time + waves.phase[c]
                turn = (waves.kx[c] * east + waves.ky[c] * north) * each
                swing[c, 0], swing[c, 1], swing[c, 2], swing[c, 3] = cos(angle), sin(angle), cos(turn), sin(turn)
            eta += waves.amplitude[c] * swing[c, 0]
        turning = True
        if eta > height and _on_sea(sea, px, py):
            worst = max(worst, (eta - height) * sqrt(distance / (s * (distance - s))))
    return worst


@uncounted
def _on_sea(sea: OverSea, x: float, y: float) -> bool:
    """Tell whether there is sea at a place: waves don't run through quays."""
    area = sea.area
    for t in range(area.shape[0]):
        positive, negative = False, False
        for k in range(3):
            n = (k + 1) % 3
            side = (area[t, n, 0] - area[t, k, 0]) * (y - area[t, k, 1]) - (area[t, n, 1] - area[t, k, 1]) * (
                x - area[t, k, 0]
            )
            positive, negative = positive or side > 0.0, negative or side < 0.0
        if not (positive and negative):
            return True
    return bool(area.shape[0] == 0)


@kernel
def lines_over_sea(sea: OverSea, band: I32, carrier: F64, position: F64, a: I32, b: I32, out: F64) -> None:
    """Write to `out` (L,) what the sea leaves of the amplitudes of straight lines between radios a and b."""
    for i in range(a.size):
        out[i] = ray_over_sea(sea, band[a[i]], SPEED_OF_LIGHT / carrier[a[i]], position[a[i]], position[b[i]])
