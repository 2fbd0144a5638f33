"""Paths by way of one edge, alone or with one reflection before or after it.

Turned about the edge into one plane, such a path is a straight line: coordinates along and across the edge are
lengths that the turn keeps. Its point on the edge (Keller's law) is where that line crosses the edge, so that the
certificates of `images.py` hold, with what the point on the edge moves by in place of what the ends move by.
"""

from __future__ import annotations

from typing import NamedTuple

from twin.kernels import kernel, uncounted  # isort: skip  before numba
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from twin.channel.edges import STAND, Edges, seen_planes
from twin.channel.images import CLEARANCE, DIFFRACTION, REFLECTION, SAFETY, Work, make_work, ray_range, reach
from twin.channel.paths import Paths, emit
from twin.channel.planes import Scene, locate, rim_distance
from twin.channel.search import Lists, grown, refresh_near, wide_reach
from twin.state import F64, I32, Bool
from twin.world.bvh import Point, Triple, closest_hit

_NONE = -1


class Detours(NamedTuple):
    """D sequences of at most one reflection, an edge, at most one reflection; the same for all sources."""

    before: I32  # (D,) plane, or -1
    edge: I32  # (D,)
    after: I32  # (D,) plane, or -1


def make_detours(scene: Scene, edges: Edges, with_reflection: bool) -> Detours:
    """Return every edge alone and, if wanted, with each plane that it sees before it and after it."""
    alone = np.arange(len(edges.length), dtype=np.int32)
    none = np.full(len(alone), _NONE, dtype=np.int32)
    if not with_reflection or not len(alone):
        return Detours(none, alone, none.copy())
    edge, plane = np.ascontiguousarray(seen_planes(scene, edges).T)
    absent = np.full(len(edge), _NONE, dtype=np.int32)
    return Detours(
        np.concatenate([none, plane, absent]),
        np.concatenate([alone, edge, edge]),
        np.concatenate([none, absent, plane]),
    )


@uncounted
def _image(scene: Scene, p: int, point: Point) -> tuple[Triple, float]:
    """Return the image of `point` in plane p, and on which side of it the point lies [m]."""
    if p < 0:
        return (point[0], point[1], point[2]), 0.0
    nx, ny, nz = scene.normal[p, 0], scene.normal[p, 1], scene.normal[p, 2]
    height = point[0] * nx + point[1] * ny + point[2] * nz - scene.offset[p]
    twice = 2.0 * height
    return (point[0] - twice * nx, point[1] - twice * ny, point[2] - twice * nz), height


@uncounted
def _along(edges: Edges, e: int, point: Point) -> tuple[float, float]:
    """Return how far along edge e a point lies, and how far across [m]."""
    x, y, z = point[0] - edges.start[e, 0], point[1] - edges.start[e, 1], point[2] - edges.start[e, 2]
    t = x * edges.along[e, 0] + y * edges.along[e, 1] + z * edges.along[e, 2]
    return t, sqrt(max(0.0, x * x + y * y + z * z - t * t))


@uncounted
def detour_points(
    scene: Scene, edges: Edges, detours: Detours, i: int, source: F64, moves: bool, target: F64, work: Work
) -> tuple[bool, float, float]:
    """Find the points of detour i; return (found, budget, factor).

    The point on the edge moves by at most `factor` times what the ends move together, within the budget.
    """
    e, before, after = detours.edge[i], detours.before[i], detours.after[i]
    a, height_a = _image(scene, before, source)
    b, height_b = _image(scene, after, target)
    ta, ra = _along(edges, e, a)
    tb, rb = _along(edges, e, b)
    across = ra + rb
    if ra < 1e-6 or rb < 1e-6:
        return False, 0.0, 1.0
    length = sqrt(across * across + (ta - tb) * (ta - tb))
    t = (ta * rb + tb * ra) / across
    outside = max(-t, t - edges.length[e])
    if outside > 0.0:
        fraction = ra / across
        weight = max(fraction, 1.0 - fraction) if moves else fraction
        return False, reach(outside, weight, across / length, length), 1.0
    # While the ends move less than a third of `across`, its angle with the edge keeps half of its sine.
    factor, most = 2.0 * length / across, SAFETY * across / 3.0
    k = 0
    d = (
        edges.start[e, 0] + t * edges.along[e, 0],
        edges.start[e, 1] + t * edges.along[e, 1],
        edges.start[e, 2] + t * edges.along[e, 2],
    )
    if before >= 0:
        found, budget = _bounce(scene, before, d, a, height_a, moves, factor, work, k)
        if not found:
            return False, min(budget, most), factor
        k += 1
    work.vertex[k, 0], work.vertex[k, 1], work.vertex[k, 2] = d
    k += 1
    if after >= 0:
        found, budget = _bounce(scene, after, d, b, height_b, True, factor, work, k)
        if not found:
            return False, min(budget, most), factor
    return True, most, factor


@uncounted
def _bounce(
    scene: Scene, p: int, d: Point, image: Point, height: float, moves: bool, factor: float, work: Work, k: int
) -> tuple[bool, float]:
    """Find the reflection on plane p between the point d of the edge and the end whose image is given."""
    n = scene.normal[p]
    side = d[0] * n[0] + d[1] * n[1] + d[2] * n[2] - scene.offset[p]
    if side * height <= 0.0:
        budget = SAFETY * abs(side) / factor
        return False, min(budget, SAFETY * abs(height)) if moves else budget
    part = side / (side + height)
    dx, dy, dz = image[0] - d[0], image[1] - d[1], image[2] - d[2]
    leg = sqrt(dx * dx + dy * dy + dz * dz)
    x, y, z = d[0] + part * dx, d[1] + part * dy, d[2] + part * dz
    triangle, far = locate(scene, p, x, y, z, 0)
    if triangle < 0:
        return False, reach(far, 1.0, abs(side + height) / leg, leg) / factor
    work.vertex[k, 0], work.vertex[k, 1], work.vertex[k, 2] = x, y, z
    work.triangle[k] = triangle
    work.grazing[k], work.fraction[k] = abs(side + height) / leg, abs(side + height)
    return True, 0.0


@uncounted
def _lift(scene: Scene, edges: Edges, detours: Detours, i: int, k: int, point: Point, towards: Point) -> Triple:
    """Return vertex k of detour i moved off the matter that it lies on."""
    before = detours.before[i]
    is_edge = k == (1 if before >= 0 else 0)
    if is_edge:
        e = detours.edge[i]
        return (
            point[0] + STAND * edges.away[e, 0],
            point[1] + STAND * edges.away[e, 1],
            point[2] + STAND * edges.away[e, 2],
        )
    p = before if k == 0 else detours.after[i]
    n = scene.normal[p]
    side = towards[0] * n[0] + towards[1] * n[1] + towards[2] * n[2] - scene.offset[p]
    shift = CLEARANCE if side > 0.0 else -CLEARANCE
    return (point[0] + shift * n[0], point[1] + shift * n[1], point[2] + shift * n[2])


@uncounted
def detour_clear(
    scene: Scene,
    edges: Edges,
    detours: Detours,
    i: int,
    source: F64,
    target: F64,
    most: float,
    factor: float,
    order: int,
    work: Work,
) -> tuple[bool, float]:
    """Look along the legs of detour i; return (clear, budget). Every material is opaque to it."""
    if order == 2:
        # A point of reflection moves further than the ends of its leg, by the inverse sine of its grazing angle,
        # which keeps half of its value while they move less than a third of their distance across the plane.
        k = 0 if detours.before[i] >= 0 else 1
        most = min(most, SAFETY * work.fraction[k] / (3.0 * factor))
        factor = 2.0 * factor / work.grazing[k]
    for k in range(order + 1):
        here = source if k == 0 else work.vertex[k - 1]
        there = target if k == order else work.vertex[k]
        start, end = (here[0], here[1], here[2]), (there[0], there[1], there[2])
        if k > 0:
            start = _lift(scene, edges, detours, i, k - 1, here, there)
        if k < order:
            end = _lift(scene, edges, detours, i, k, there, here)
        dx, dy, dz = end[0] - start[0], end[1] - start[1], end[2] - start[2]
        leg = sqrt(dx * dx + dy * dy + dz * dz)
        if leg == 0.0:
            return False, 0.0
        dx, dy, dz = dx / leg, dy / leg, dz / leg
        begin, stop = ray_range(leg, k == 0, k == order)
        hit, t = closest_hit(scene.bvh, start, (dx, dy, dz), begin, stop)
        if hit < 0:
            continue
        p = scene.plane[hit]
        if p < 0:
            return False, 0.0
        n = scene.normal[p]
        x, y, z = start[0] + t * dx, start[1] + t * dy, start[2] + t * dz
        near = abs(start[0] * n[0] + start[1] * n[1] + start[2] * n[2] - scene.offset[p])
        far = abs(end[0] * n[0] + end[1] * n[1] + end[2] * n[2] - scene.offset[p])
        inside = rim_distance(scene, hit, x, y, z) - 2.0 * STAND
        grazing = abs(dx * n[0] + dy * n[1] + dz * n[2])
        margin = min(reach(inside, 1.0, grazing, leg), SAFETY * (min(near, far) - 2.0 * STAND))
        return False, max(0.0, min(most, margin / factor))
    return True, 0.0


@uncounted
def _examine(
    scene: Scene,
    edges: Edges,
    detours: Detours,
    i: int,
    source: F64,
    moves: bool,
    target: F64,
    kinds: NDArray[np.int8],
    indices: I32,
    work: Work,
) -> tuple[int, float]:
    """Return (order, budget): order 0 where detour i is no path."""
    e = detours.edge[i]
    found, most, factor = detour_points(scene, edges, detours, i, source, moves, target, work)
    if not found:
        return 0, most
    order = 0
    if detours.before[i] >= 0:
        kinds[order], indices[order] = REFLECTION, work.triangle[order]
        order += 1
    kinds[order], indices[order] = DIFFRACTION, e
    order += 1
    if detours.after[i] >= 0:
        kinds[order], indices[order] = REFLECTION, work.triangle[order]
        order += 1
    clear, budget = detour_clear(scene, edges, detours, i, source, target, most, factor, order, work)
    return (order if clear else 0), budget


def refresh_detours(
    scene: Scene, edges: Edges, detours: Detours, lists: Lists, source: F64, moves: bool, targets: F64
) -> Lists:
    """Bring the lists up to date, as `search.refresh` does for the image tree."""
    while True:
        rows, near = _refresh(scene, edges, detours, source, moves, targets, lists)
        if rows <= lists.row.shape[1] and near <= lists.near.shape[1]:
            return lists
        lists = grown(lists, rows, near)
        lists.until[:] = -1.0


@kernel
def _refresh(
    scene: Scene, edges: Edges, detours: Detours, source: F64, moves: bool, targets: F64, lists: Lists
) -> tuple[int, int]:
    work, kinds, indices = make_work(3), np.zeros(3, np.int8), np.zeros(3, np.int32)
    return _refill(scene, edges, detours, source, moves, targets, lists, work, kinds, indices)


@uncounted
def _refill(
    scene: Scene,
    edges: Edges,
    detours: Detours,
    source: F64,
    moves: bool,
    targets: F64,
    lists: Lists,
    work: Work,
    kinds: NDArray[np.int8],
    indices: I32,
) -> tuple[int, int]:
    capacity = lists.row.shape[1]
    for j in range(targets.shape[0]):
        reading = lists.odometer[j]
        if reading >= lists.until[j]:
            size, until = 0, reading + wide_reach(lists, j)
            for i in range(len(detours.edge)):
                order, budget = _examine(scene, edges, detours, i, source, moves, targets[j], kinds, indices, work)
                if order == 0 and reading + budget >= until:
                    continue
                if size < capacity:
                    lists.row[j, size] = i
                    lists.expiry[j, size] = reading if order > 0 else reading + budget
                size += 1
            if size > capacity:
                return size, 0
            lists.size[j], lists.until[j], lists.near_until[j], lists.near_count[j] = size, until, -1.0, 0
        if reading >= lists.near_until[j]:
            near = refresh_near(lists, j)
            if near > lists.near.shape[1]:
                return 0, near
    return 0, 0


@uncounted
def follow_detours(
    scene: Scene,
    edges: Edges,
    detours: Detours,
    source: F64,
    moves: bool,
    targets: F64,
    lists: Lists,
    exhaustive: bool,
    pair: I32,
    backwards: Bool,
    kinds: NDArray[np.int8],
    indices: I32,
    work: Work,
    paths: Paths,
) -> None:
    """Append the detours from `source` (3,) to each target (m, 3) to `paths`; see `search.follow`."""
    work.crossings[0] = 0
    for j in range(targets.shape[0]):
        reading = lists.odometer[j]
        count = len(detours.edge) if exhaustive else lists.near_count[j]
        for m in range(count):
            i = m
            if not exhaustive:
                if reading < lists.near_expiry[j, m]:
                    continue
                i = lists.near_row[j, m]
            order, budget = _examine(scene, edges, detours, i, source, moves, targets[j], kinds, indices, work)
            if order > 0:
                emit(paths, pair[j], backwards[j], work, kinds, indices, order)
            if not exhaustive:
                lists.near_expiry[j, m] = reading if order > 0 else reading + budget


def scratch() -> tuple[NDArray[np.int8], I32]:
    """Return scratch for `follow_detours`."""
    return np.zeros(3, dtype=np.int8), np.zeros(3, dtype=np.int32)
