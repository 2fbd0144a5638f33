"""Tiles: what rough faces are cut into to scatter, which of them each place sees, and the paths by way of them."""

from __future__ import annotations

from math import atan2, pi, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.channel.search.clearance import sight_clearance
from twin.channel.search.images import CLEARANCE, SAFETY, SCATTERING, Walls, Work, clear_legs
from twin.channel.search.paths import Paths
from twin.channel.search.planes import Scene
from twin.errors import ScenarioError
from twin.numerics.draws import key, uniform
from twin.numerics.kernels import kernel, uncounted
from twin.state import F64, I32, Bool
from twin.world.bvh import Point

_MOST = 50_000_000
"""Places times tiles of which it is known whether they see each other: 9 bytes each."""
_DRAWS = key("diffuse scattering")


THINNEST = 1e-6
"""m; a thinner triangle is a rounding of its corners, without a normal of its own."""


class Tiles(NamedTuple):
    """T tiles: parts of triangles, of which each scatters as a whole, from its centre."""

    triangle: I32  # (T,) that it is a part of
    corners: F64  # (T, 3, 3) m
    centre: F64  # (T, 3) m
    area: F64  # (T,) m2
    phase: F64  # (T,) rad, drawn once: a property of the site
    turn: F64  # (T,) rad, likewise: twice the angle of the axis about which it crosses polarisations


def make_tiles(scene: Scene, rough: Bool, size: float) -> Tiles:
    """Return the triangles of `rough` (S,) materials, halved until no edge is longer than `size` [m].

    Slivers, thinner than THINNEST, send nothing. Draws count the tiles of each triangle, so that no face's tiles
    depend on those of another.
    """
    triangle = np.flatnonzero(rough[scene.surface] & (scene.plane >= 0)).astype(np.int32)
    triangle = triangle[_heights(scene.corners[triangle]) > THINNEST]
    corners = scene.corners[triangle]
    while True:
        edges = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=2)
        large = edges.max(axis=1, initial=0.0) > size
        if not large.any():
            break
        halves = _halved(corners[large], edges[large].argmax(axis=1))
        corners = np.concatenate([corners[~large], halves])
        triangle = np.concatenate([triangle[~large], np.tile(triangle[large], 2)])
    order = np.argsort(triangle, kind="stable")
    triangle, corners = triangle[order], np.ascontiguousarray(corners[order])
    return Tiles(triangle, corners, corners.mean(axis=1), _areas(corners), *_draw(triangle))


def _areas(corners: F64) -> F64:
    """Return the areas [m2] of triangles (n, 3, 3)."""
    return np.asarray(
        0.5 * np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    )


def _heights(corners: F64) -> F64:
    """Return the heights [m] of triangles (n, 3, 3) over their longest edges."""
    edges = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=2)
    return np.asarray(2.0 * _areas(corners) / np.maximum(edges.max(axis=1, initial=0.0), THINNEST))


def _halved(corners: F64, longest: NDArray[np.intp]) -> F64:
    """Return both halves (2n, 3, 3) of triangles (n, 3, 3), cut across the edge from corner `longest` (n,)."""
    row = np.arange(len(corners))
    a, b, c = (corners[row, (longest + k) % 3] for k in range(3))
    middle = 0.5 * (a + b)
    return np.concatenate([np.stack([a, middle, c], axis=1), np.stack([middle, b, c], axis=1)])


@kernel
def _draw(triangle: I32) -> tuple[F64, F64]:
    phase, turn = np.empty(len(triangle)), np.empty(len(triangle))
    number = 0
    for t in range(len(triangle)):
        number = number + 1 if t > 0 and triangle[t] == triangle[t - 1] else 0
        phase[t] = 2.0 * pi * uniform(0, _DRAWS, triangle[t], number, 0)
        turn[t] = 2.0 * pi * uniform(0, _DRAWS, triangle[t], number, 1)
    return phase, turn


class Sight(NamedTuple):
    """What P places see of T tiles; odometers and ends of certificates in metres moved."""

    side: NDArray[np.int8]  # (P, T) 1 the front, -1 the back, 0 neither
    until: F64  # (P, T) reading of the odometer up to which `side` holds
    odometer: F64  # (P,)


def make_sight(places: int, tiles: Tiles) -> Sight:
    """Return sight that is due to be taken.

    Raises:
        ScenarioError: there are too many tiles for so many places.
    """
    shape = (places, len(tiles.area))
    if shape[0] * shape[1] > _MOST:
        raise ScenarioError(
            f"{shape[1]} tiles for {places} places; allowed: {_MOST:.0e} of both multiplied", key="channel.tile"
        )
    return Sight(np.zeros(shape, dtype=np.int8), np.full(shape, -1.0), np.zeros(places))


@uncounted
def look(scene: Scene, opaque: Walls, tiles: Tiles, position: F64, exhaustive: bool, sight: Sight, work: Work) -> None:
    """Find which tiles are seen from `position` (P, 3); unless `exhaustive`, only where certificates have ended."""
    for p in range(len(position)):
        for t in range(len(tiles.area)):
            if not exhaustive and sight.odometer[p] < sight.until[p, t]:
                continue
            side, budget = _seen_side(scene, opaque, tiles, t, position[p], exhaustive, work)
            sight.side[p, t], sight.until[p, t] = side, sight.odometer[p] + budget


@uncounted
def _seen_side(
    scene: Scene, opaque: Walls, tiles: Tiles, t: int, place: F64, exhaustive: bool, work: Work
) -> tuple[int, float]:
    """Return which side of tile t a place sees, and how far it may move before that can change."""
    plane, centre = scene.plane[tiles.triangle[t]], tiles.centre[t]
    n = scene.normal[plane]
    height = n[0] * (place[0] - centre[0]) + n[1] * (place[1] - centre[1]) + n[2] * (place[2] - centre[2])
    if abs(height) <= CLEARANCE:
        return 0, 0.0
    side = 1 if height > 0.0 else -1
    point = work.vertex[0]
    for k in range(3):
        point[k] = centre[k] + side * CLEARANCE * n[k]
    clear, budget = clear_legs(scene, opaque, point, False, place, tiles.triangle, 0, work)
    if clear and not exhaustive:
        budget = sight_clearance(scene, point, place, plane)
    return side if clear else 0, min(budget, SAFETY * abs(height))


@uncounted
def scatter(tiles: Tiles, sight: Sight, first: I32, second: I32, paths: Paths) -> None:
    """Append to `paths` those of each pair (first, second: (G,) places) by way of the tiles that both see."""
    for g in range(len(first)):
        for t in range(len(tiles.area)):
            side = sight.side[first[g], t]
            if side == 0 or side != sight.side[second[g], t]:
                continue
            m = paths.found[g]
            paths.found[g] = m + 1
            if m < paths.length.shape[1]:
                paths.length[g, m] = 1
                paths.kind[g, m, 0], paths.what[g, m, 0] = SCATTERING, t
                for k in range(3):
                    paths.vertex[g, m, 0, k] = tiles.centre[t, k]


@uncounted
def solid_angle(tiles: Tiles, t: int, n: F64, point: Point) -> float:
    """Return the solid angle [sr] of tile t, whose normal is n (3,), seen from a point.

    A. Van Oosterom and J. Strackee, IEEE Trans. Biomed. Eng. 30(2), 1983.
    """
    a, b, c = tiles.corners[t, 0], tiles.corners[t, 1], tiles.corners[t, 2]
    ax, ay, az = a[0] - point[0], a[1] - point[1], a[2] - point[2]
    bx, by, bz = b[0] - point[0], b[1] - point[1], b[2] - point[2]
    cx, cy, cz = c[0] - point[0], c[1] - point[1], c[2] - point[2]
    ra, rb, rc = sqrt(ax * ax + ay * ay + az * az), sqrt(bx * bx + by * by + bz * bz), sqrt(cx * cx + cy * cy + cz * cz)
    below = ra * rb * rc + (ax * bx + ay * by + az * bz) * rc
    below += (bx * cx + by * cy + bz * cz) * ra + (cx * ax + cy * ay + cz * az) * rb
    height = abs(ax * n[0] + ay * n[1] + az * n[2])
    return 2.0 * atan2(2.0 * tiles.area[t] * height, below)
