"""Ground where no terrain is known: the earth's level surface, by as few faces as the tolerance allows."""

from __future__ import annotations

from math import sqrt

import numpy as np

from twin.state import F64
from twin.world.builder import GeometryBuilder
from twin.world.georeference import GeoReference

TOLERANCE = 0.02
"""Metres by which the ground may lie above the level surface; never below, so that buildings stay closed."""
_RADIUS = 6_371_000.0
CELL = sqrt(4.0 * _RADIUS * TOLERANCE)
"""Metres: a square of side c sags by c^2 / 4R."""


def add_ground(
    builder: GeometryBuilder,
    georeference: GeoReference | None,
    low: F64,
    high: F64,
    height: float,
    material: str,
) -> None:
    """Cover the rectangle between `low` and `high` (2,) m with ground at `height` m above the ellipsoid.

    A rectangle within one cell becomes one face, the tangent plane of its middle; without a geo-reference it
    is the plane z = height.
    """
    cells = (
        np.ones(2, dtype=int)
        if georeference is None
        else np.maximum(1, np.ceil((high - low) / CELL)).astype(int)
    )
    x, y = np.linspace(low[0], high[0], cells[0] + 1), np.linspace(low[1], high[1], cells[1] + 1)
    if georeference is None or cells.max() == 1:
        corners = np.array([[x[0], y[0]], [x[-1], y[0]], [x[-1], y[-1]], [x[0], y[-1]]])
        builder.add_polygon([_tangent_plane(georeference, corners, height)], material)
        return
    sag = ((x[1] - x[0]) ** 2 + (y[1] - y[0]) ** 2) / (8.0 * _RADIUS)
    grid = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    level = _on_level_surface(georeference, grid, height + sag).reshape(len(x), len(y), 3)
    for i in range(len(x) - 1):
        for j in range(len(y) - 1):
            a, b, c, d = level[i, j], level[i + 1, j], level[i + 1, j + 1], level[i, j + 1]
            builder.add_polygon([np.array([a, b, c])], material)
            builder.add_polygon([np.array([a, c, d])], material)


def _tangent_plane(georeference: GeoReference | None, corners: F64, height: float) -> F64:
    if georeference is None:
        return np.column_stack([corners, np.full(len(corners), height)])
    middle = _on_level_surface(georeference, corners.mean(axis=0)[None], height)
    up = georeference.up(georeference.to_geodetic(middle))[0]
    z = middle[0, 2] - (corners - middle[0, :2]) @ up[:2] / up[2]
    return np.column_stack([corners, z])


def _on_level_surface(georeference: GeoReference, horizontal: F64, height: float) -> F64:
    """Return local points (n, 3) at given local x, y (n, 2) and ellipsoidal height, by fixed-point iteration.

    Each step divides the error by R / distance; three leave less than a micrometre within 100 km.
    """
    points = np.column_stack([horizontal, np.zeros(len(horizontal))])
    for _ in range(4):
        points[:, 2] += height - georeference.to_geodetic(points)[:, 2]
    return points
