"""Rays against triangles: which one does a ray meet first, is anything between two points.

A bounding volume hierarchy with nodes of eight children. Boxes are float32 rounded outwards; triangles are
tested in float64 by the watertight test of Woop, Benthin and Wald (JCGT 2(1), 2013): a ray through a shared
edge or corner meets at least one of its triangles. All kernels may be called from other kernels, but not from two
threads at once: they share the hierarchy's scratch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.numerics.kernels import inlined, kernel, uncounted
from twin.state import F64, I32, Bool
from twin.world.bvh_build import WIDTH, split, widen

SEGMENT_MARGIN = 1e-4
"""Metres at each end of a segment within which nothing counts as between: its ends may lie on faces."""

MISS = -1
"""Stands for the triangle of a ray that meets none."""

Triple = tuple[float, float, float]
Point = F64 | Triple

_TINY = 1e-300
_PAD = 2.0**-40
_ROUNDING = 1.0 + 2.0**-50


class Bvh(NamedTuple):
    """Hierarchy of M nodes over T triangles in leaf order."""

    boxes: NDArray[np.float32]  # (M, 6, 8) m, low x y z and high x y z of each child
    child: I32  # (M, 8) node of an inner child, first triangle of a leaf
    leaf: I32  # (M, 8) triangles in a leaf, 0 for an inner child, -1 for none
    corners: F64  # (T, 9) m, the three corners of each triangle
    triangle: I32  # (T,) its index in the geometry
    entry: F64  # (8,) scratch of one traversal: an array made by each ray would cost more than the ray
    stack: F64  # (n, 2) scratch, entry into a node's box and the node; n is what a traversal can need at most


def build_bvh(vertices: F64, triangles: I32) -> Bvh:
    """Build the hierarchy of triangles (T, 3) over vertices (V, 3) m; of none, a root without children."""
    if not len(triangles):
        none = np.zeros((1, WIDTH), np.int32)
        boxes, corners, index = np.zeros((1, 6, WIDTH), np.float32), np.empty((0, 9)), np.empty(0, np.int32)
        return Bvh(boxes, none, none - 1, corners, index, np.empty(WIDTH), np.empty((1, 2)))
    corners = np.ascontiguousarray(vertices[triangles], dtype=np.float64)
    # The triangle test rounds by a few ulp of the largest coordinate; boxes must hold what it accepts.
    pad = _PAD * np.abs(corners).max()
    low = np.nextafter((corners.min(axis=1) - pad).astype(np.float32), np.float32(-np.inf))
    high = np.nextafter((corners.max(axis=1) + pad).astype(np.float32), np.float32(np.inf))
    node_box, left, content, order = split(low, high, corners.mean(axis=1))
    boxes, child, leaf, stack = widen(node_box, left, content)
    scratch = np.empty(WIDTH), np.empty((int(stack), 2))
    return Bvh(boxes, child, leaf, corners[order].reshape(-1, 9), order.astype(np.int32), *scratch)


@inlined
def _enter(
    boxes: NDArray[np.float32],
    node: int,
    origin: Triple,
    inverse: Triple,
    sign: tuple[int, int, int],
    t_min: float,
    t_max: float,
    entry: F64,
) -> None:
    """Write to `entry` (8,) where the ray enters each child's box; inf where it misses."""
    ox, oy, oz = origin
    ix, iy, iz = inverse
    sx, sy, sz = sign
    box = boxes[node]
    x_near, y_near, z_near = box[sx], box[1 + sy], box[2 + sz]
    x_far, y_far, z_far = box[3 - sx], box[4 - sy], box[5 - sz]
    for w in range(entry.size):  # LLVM makes vectors of it only while it does not know the size
        near = max(max((x_near[w] - ox) * ix, (y_near[w] - oy) * iy), max((z_near[w] - oz) * iz, t_min))
        far = min(min((x_far[w] - ox) * ix, (y_far[w] - oy) * iy), min((z_far[w] - oz) * iz, t_max))
        entry[w] = near if near <= far * _ROUNDING else np.inf


@inlined
def _ray(
    origin: Point, direction: Point
) -> tuple[Triple, Triple, tuple[int, int, int], Triple, tuple[int, int, int], Triple]:
    """Return what the tests need of a ray: origin, 1 / direction, near sides of boxes, then as `_meet`."""
    o = (origin[0], origin[1], origin[2])
    dx, dy, dz = direction[0], direction[1], direction[2]
    inverse = (
        1.0 / (dx if dx != 0.0 else _TINY),
        1.0 / (dy if dy != 0.0 else _TINY),
        1.0 / (dz if dz != 0.0 else _TINY),
    )
    sign = (0 if dx >= 0.0 else 3, 0 if dy >= 0.0 else 3, 0 if dz >= 0.0 else 3)
    axes, shear = _shear(dx, dy, dz)
    turned = (origin[axes[0]], origin[axes[1]], origin[axes[2]])
    return o, inverse, sign, turned, axes, shear


@inlined
def _shear(dx: float, dy: float, dz: float) -> tuple[tuple[int, int, int], Triple]:
    """Return the axes (kx, ky, kz) and the shear (Sx, Sy, Sz) that carry the ray onto +z."""
    ax, ay, az = abs(dx), abs(dy), abs(dz)
    if az >= ax and az >= ay:
        kx, ky, kz, x, y, z = 0, 1, 2, dx, dy, dz
    elif ay >= ax:
        kx, ky, kz, x, y, z = 2, 0, 1, dz, dx, dy
    else:
        kx, ky, kz, x, y, z = 1, 2, 0, dy, dz, dx
    if z < 0.0:
        kx, ky, x, y = ky, kx, y, x
    return (kx, ky, kz), (x / z, y / z, 1.0 / z)


@inlined
def _meet(corners: F64, i: int, turned: Triple, axes: tuple[int, int, int], shear: Triple) -> float:
    """Return the ray parameter at which it meets triangle `i`, edges and corners included; inf if it misses.

    `turned` is the origin with its axes in the order `axes`.
    """
    kx, ky, kz = axes
    sx, sy, sz = shear
    ox, oy, oz = turned
    az, bz, cz = corners[i, kz] - oz, corners[i, 3 + kz] - oz, corners[i, 6 + kz] - oz
    ax, ay = corners[i, kx] - ox - sx * az, corners[i, ky] - oy - sy * az
    bx, by = corners[i, 3 + kx] - ox - sx * bz, corners[i, 3 + ky] - oy - sy * bz
    cx, cy = corners[i, 6 + kx] - ox - sx * cz, corners[i, 6 + ky] - oy - sy * cz
    u, v, w = cx * by - cy * bx, ax * cy - ay * cx, bx * ay - by * ax
    if (u < 0.0 or v < 0.0 or w < 0.0) and (u > 0.0 or v > 0.0 or w > 0.0):
        return np.inf
    det = u + v + w
    if det == 0.0:
        return np.inf
    return float(sz * (u * az + v * bz + w * cz) / det)


@uncounted
def closest_hit(bvh: Bvh, origin: Point, direction: Point, t_min: float, t_max: float) -> tuple[int, float]:
    """Return (triangle, t) of the first hit at origin + t direction with t_min < t < t_max, or (MISS, t_max).

    `origin` [m] and `direction` are tuples or arrays of three floats; `t` is in lengths of `direction`.
    """
    o, inverse, sign, turned, axes, shear = _ray(origin, direction)
    entry, stack = bvh.entry, bvh.stack
    stack[0, 0], stack[0, 1] = t_min, 0.0
    top, best = 1, MISS
    while top > 0:
        top -= 1
        if stack[top, 0] > t_max:
            continue
        node = int(stack[top, 1])
        _enter(bvh.boxes, node, o, inverse, sign, t_min, t_max, entry)
        floor = top
        for w in range(WIDTH):
            if entry[w] == np.inf:
                continue
            n, first = bvh.leaf[node, w], bvh.child[node, w]
            if n == 0:
                place = top
                while place > floor and stack[place - 1, 0] < entry[w]:
                    stack[place, 0], stack[place, 1] = stack[place - 1, 0], stack[place - 1, 1]
                    place -= 1
                stack[place, 0], stack[place, 1] = entry[w], first
                top += 1
            for i in range(first, first + n):
                t = _meet(bvh.corners, i, turned, axes, shear)
                if t_min < t < t_max:
                    t_max, best = t, bvh.triangle[i]
    return best, t_max


@uncounted
def any_hit(bvh: Bvh, origin: Point, direction: Point, t_min: float, t_max: float) -> bool:
    """Tell whether anything is hit with t_min < t < t_max; arguments as `closest_hit`."""
    o, inverse, sign, turned, axes, shear = _ray(origin, direction)
    entry, stack = bvh.entry, bvh.stack
    stack[0, 1] = 0.0
    top = 1
    while top > 0:
        top -= 1
        node = int(stack[top, 1])
        _enter(bvh.boxes, node, o, inverse, sign, t_min, t_max, entry)
        for w in range(WIDTH):
            if entry[w] == np.inf:
                continue
            n, first = bvh.leaf[node, w], bvh.child[node, w]
            if n == 0:
                stack[top, 1] = first
                top += 1
            for i in range(first, first + n):
                if t_min < _meet(bvh.corners, i, turned, axes, shear) < t_max:
                    return True
    return False


@uncounted
def occluded(bvh: Bvh, a: Point, b: Point) -> bool:
    """Tell whether a triangle lies between points `a` and `b` [m], further than SEGMENT_MARGIN from both."""
    direction = (b[0] - a[0], b[1] - a[1], b[2] - a[2])
    length = np.sqrt(direction[0] ** 2 + direction[1] ** 2 + direction[2] ** 2)
    if length <= 2.0 * SEGMENT_MARGIN:
        return False
    margin = SEGMENT_MARGIN / length
    return any_hit(bvh, a, direction, margin, 1.0 - margin)


@kernel
def occluded_pairs(bvh: Bvh, a: F64, b: F64) -> Bool:
    """Tell for each pair of points a, b (n, 3) m whether a triangle lies between them, (n,)."""
    result = np.empty(len(a), np.bool_)
    for i in range(len(a)):
        result[i] = occluded(bvh, (a[i, 0], a[i, 1], a[i, 2]), (b[i, 0], b[i, 1], b[i, 2]))
    return result


@kernel
def heights_below(bvh: Bvh, points: F64) -> F64:
    """Return z (n,) [m] of the first triangle straight below each point (n, 3) m; nan where there is none."""
    z = np.full(len(points), np.nan)
    for i in range(len(points)):
        start = (points[i, 0], points[i, 1], points[i, 2])
        triangle, distance = closest_hit(bvh, start, (0.0, 0.0, -1.0), 0.0, np.inf)
        if triangle != MISS:
            z[i] = points[i, 2] - distance
    return z


@kernel
def closest_hits(bvh: Bvh, origin: F64, direction: F64, t_min: float, t_max: float) -> tuple[I32, F64]:
    """Return triangle (n,) and t (n,) of the first hits of n rays; origin and direction (n, 3)."""
    triangle = np.empty(len(origin), np.int32)
    t = np.empty(len(origin))
    for i in range(len(origin)):
        start = (origin[i, 0], origin[i, 1], origin[i, 2])
        triangle[i], t[i] = closest_hit(bvh, start, (direction[i, 0], direction[i, 1], direction[i, 2]), t_min, t_max)
    return triangle, t
