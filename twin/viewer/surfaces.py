"""The surfaces of a world, sorted by what they look like: ground by its material, buildings by their height."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.colors import to_rgb

from twin.analysis.plan import GROUND_COLOURS, HEIGHTS
from twin.state import F64, I32, Bool
from twin.world.geometry import GROUND, Geometry

_GROUND, _BUILDINGS = 2.6, 1.3
"""Exponents: in full light the pale colours of a plan would all be white."""
SHADES = 8
"""Shades of grey between the lowest and the highest building."""


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """Triangles of one colour."""

    name: str
    vertices: F64  # (v, 3) m
    triangles: I32  # (t, 3)
    colour: tuple[int, int, int]


def surfaces(geometry: Geometry) -> list[Surface]:
    """Return all triangles of a geometry, each once."""
    face = geometry.triangle_face
    owner = geometry.face_object[face]
    found = []
    for number, material in enumerate(geometry.materials):
        chosen = (owner == GROUND) & (geometry.face_material[face] == number)
        colour = next(colour for part, colour in GROUND_COLOURS.items() if part in material)
        found.append(_surface(material, geometry, chosen, _bytes(to_rgb(colour), _GROUND)))
    shade = _shades(geometry)
    for number in range(SHADES):
        chosen = (owner != GROUND) & (shade[owner] == number)
        red, green, blue, _ = HEIGHTS((number + 0.5) / SHADES)
        found.append(_surface(f"height {number}", geometry, chosen, _bytes((red, green, blue), _BUILDINGS)))
    return [surface for surface in found if len(surface.triangles)]


def _shades(geometry: Geometry) -> I32:
    """Return a shade for each object, by how high its top is above its foot; one more for the ground."""
    owner = geometry.face_object[geometry.triangle_face]
    z = geometry.vertices[geometry.triangles, 2]
    low, high = np.full(len(geometry.objects) + 1, np.inf), np.full(len(geometry.objects) + 1, -np.inf)
    np.minimum.at(low, owner, z.min(axis=1))
    np.maximum.at(high, owner, z.max(axis=1))
    height = np.where(np.isfinite(high - low), high - low, 0.0)
    height[GROUND] = 0.0
    part = SHADES * height / max(float(height.max()), 1e-9)
    return np.minimum(part.astype(np.int32), SHADES - 1)


def _surface(name: str, geometry: Geometry, chosen: Bool, colour: tuple[int, int, int]) -> Surface:
    used, triangles = np.unique(geometry.triangles[chosen], return_inverse=True)
    return Surface(name, geometry.vertices[used], triangles.reshape(-1, 3).astype(np.int32), colour)


def _bytes(colour: tuple[float, float, float], exponent: float) -> tuple[int, int, int]:
    red, green, blue = (round(255 * part**exponent) for part in colour)
    return red, green, blue
