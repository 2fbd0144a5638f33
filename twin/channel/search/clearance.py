"""How much room there is about a path: the distance of its legs from everything that could come into their way.

______
| wall |        Unfolded, a path is a straight line, and none of its points moves further
. - - - - - - - -  `- - - - .     than its two ends do together. Until they have moved by the distance of the
(*===========================*)    nearest triangle nothing can be in the way, and no ray is needed. At a mirror
` - - - - - - - - - - - - - '     a leg also grows, by that distance over the sine of the grazing angle.
source      room       target
"""

from __future__ import annotations

import numpy as np

from twin.channel.search.images import CLEARANCE, SAFETY, Work
from twin.channel.search.planes import Scene, in_triangle
from twin.numerics.kernels import uncounted
from twin.state import F64, I32
from twin.world.bvh import Triple
from twin.world.bvh_build import WIDTH

ROOM = 1.0
"""Metres about a path that are looked at."""
SHORTEST = 0.05
"""Sine of the grazing angle below which a path gets no certificate: its point of reflection runs too far."""
_BEHIND = 1e-6
_TINY = 1e-300


@uncounted
def path_clearance(scene: Scene, source: F64, target: F64, planes: I32, order: int, work: Work) -> float:
    """Return how far the ends of a clear path may move together while nothing can come into its way.

    Unfolded, a path is a straight line, and no point of it moves further than its ends do together. Where a leg
    meets a mirror it may grow, by at most that distance over the sine of the grazing angle; it stays in front of
    both its mirrors, so that what lies behind one of them can't be in its way.
    """
    least = ROOM
    for k in range(order + 1):
        here, there = source if k == 0 else work.vertex[k - 1], target if k == order else work.vertex[k]
        before, after, p, q = 0.0, 0.0, -1, -1
        if k > 0:
            p, before = planes[k - 1], 1.0 / work.grazing[k - 1]
        if k < order:
            q, after = planes[k], 1.0 / work.grazing[k]
            if work.grazing[k] < SHORTEST:
                return 0.0
        least = leg_room(scene, here, there, (before, after), (p, q, -1, -1), least)
        if least <= 3.0 * CLEARANCE:
            return 0.0
    return SAFETY * (least - 3.0 * CLEARANCE)


@uncounted
def sight_clearance(scene: Scene, point: F64, place: F64, plane: int) -> float:
    """Return how far `place` may move while nothing comes between it and a fixed `point` just off `plane`."""
    start, end = (point[0], point[1], point[2]), (place[0], place[1], place[2])
    least = _room(scene, start, end, end, (plane, -1, -1, -1), ROOM)
    return max(0.0, SAFETY * (least - 3.0 * CLEARANCE))


@uncounted
def leg_room(
    scene: Scene, here: F64, there: F64, grown: tuple[float, float], planes: tuple[int, int, int, int], least: float
) -> float:
    """Return the room about a leg that may grow by `grown` times that at its ends, or `least` where it is more.

    It lies in front of the first two of `planes`, its mirrors; what lies in the other two can't be in its way. 0 for a
    short leg.
    """
    dx, dy, dz = there[0] - here[0], there[1] - here[1], there[2] - here[2]
    leg = np.sqrt(dx * dx + dy * dy + dz * dz)
    if leg < CLEARANCE:
        return 0.0
    before, after = least * grown[0] / leg, least * grown[1] / leg
    start = (here[0] - before * dx, here[1] - before * dy, here[2] - before * dz)
    end = (there[0] + after * dx, there[1] + after * dy, there[2] + after * dz)
    # A point of the leg tells the front of its mirrors from their back.
    middle = (here[0] + 0.5 * dx, here[1] + 0.5 * dy, here[2] + 0.5 * dz)
    return _room(scene, start, end, middle, planes, least)


@uncounted
def _room(
    scene: Scene, start: Triple, end: Triple, middle: Triple, planes: tuple[int, int, int, int], least: float
) -> float:
    """Return the distance of a segment from the nearest triangle, or `least` where none is nearer.

    Triangles on one of `planes`, and those wholly behind one of the first two, don't count.
    """
    p, q, a, b = planes
    boxes, child, leaf = scene.bvh.boxes, scene.bvh.child, scene.bvh.leaf
    dx, dy, dz = end[0] - start[0], end[1] - start[1], end[2] - start[2]
    ix, iy, iz = (
        1.0 / (dx if dx != 0.0 else _TINY),
        1.0 / (dy if dy != 0.0 else _TINY),
        1.0 / (dz if dz != 0.0 else _TINY),
    )
    sx, sy, sz = (0 if dx >= 0.0 else 3, 0 if dy >= 0.0 else 3, 0 if dz >= 0.0 else 3)
    entry, stack = scene.bvh.entry, scene.bvh.stack
    stack[0, 1] = 0.0
    top = 1
    while top > 0:
        top -= 1
        node = int(stack[top, 1])
        _enter(boxes[node], start, (ix, iy, iz), (sx, sy, sz), least, entry)
        for w in range(WIDTH):
            if entry[w] == np.inf:
                continue
            n, first = leaf[node, w], child[node, w]
            if n == 0:
                stack[top, 1] = first
                top += 1
            for i in range(first, first + n):
                t = scene.bvh.triangle[i]
                plane = scene.plane[t]
                if plane >= 0 and (plane == p or plane == q or plane == a or plane == b):
                    continue
                if plane >= 0 and _far_off(scene, plane, start, end, least):
                    continue
                distance = _segment_triangle(scene, t, start, end)
                if distance < least and not _is_behind(scene, t, p, middle) and not _is_behind(scene, t, q, middle):
                    least = distance
    return least


@uncounted
def _enter(
    box: F64, start: Triple, inverse: Triple, sign: tuple[int, int, int], grown: float, entry: F64
) -> None:
    """Write where a segment enters the boxes (6, w), `grown` metres to each side: inf where it does not."""
    (ox, oy, oz), (ix, iy, iz), (sx, sy, sz) = start, inverse, sign
    # They are boxes of their own size met by a ray whose origin is shifted.
    rx, ry, rz = (grown if sx == 0 else -grown, grown if sy == 0 else -grown, grown if sz == 0 else -grown)
    ax, ay, az, bx, by, bz = ox + rx, oy + ry, oz + rz, ox - rx, oy - ry, oz - rz
    x_near, y_near, z_near = box[sx], box[1 + sy], box[2 + sz]
    x_far, y_far, z_far = box[3 - sx], box[4 - sy], box[5 - sz]
    for w in range(entry.size):
        near = max(max((x_near[w] - ax) * ix, (y_near[w] - ay) * iy), max((z_near[w] - az) * iz, 0.0))
        far = min(min((x_far[w] - bx) * ix, (y_far[w] - by) * iy), min((z_far[w] - bz) * iz, 1.0))
        entry[w] = near if near <= far else np.inf


@uncounted
def _height(scene: Scene, plane: int, point: Triple) -> float:
    n = scene.normal[plane]
    return float(point[0] * n[0] + point[1] * n[1] + point[2] * n[2] - scene.offset[plane])


@uncounted
def _far_off(scene: Scene, plane: int, start: Triple, end: Triple, distance: float) -> bool:
    """Tell whether both points lie on one side of a plane, `distance` away or further."""
    a, b = _height(scene, plane, start), _height(scene, plane, end)
    return (a >= distance and b >= distance) or (a <= -distance and b <= -distance)


@uncounted
def _is_behind(scene: Scene, triangle: int, plane: int, front: Triple) -> bool:
    """Tell whether no part of a triangle lies on that side of `plane` on which point `front` does."""
    if plane < 0:
        return False
    sign = 1.0 if _height(scene, plane, front) > 0.0 else -1.0
    for k in range(3):
        c = scene.corners[triangle, k]
        if sign * _height(scene, plane, (c[0], c[1], c[2])) > _BEHIND:
            return False
    return True


@uncounted
def _segment_triangle(scene: Scene, triangle: int, start: Triple, end: Triple) -> float:
    """Return the distance between a segment and a triangle, 0 where they meet."""
    corners, plane = scene.corners[triangle], scene.plane[triangle]
    least = np.inf
    if plane >= 0:
        n = scene.normal[plane]
        a, b = _height(scene, plane, start), _height(scene, plane, end)
        if a * b < 0.0:
            t = a / (a - b)
            x, y, z = (
                start[0] + t * (end[0] - start[0]),
                start[1] + t * (end[1] - start[1]),
                start[2] + t * (end[2] - start[2]),
            )
            if in_triangle(corners, n, x, y, z):
                return 0.0
        for point, h in ((start, a), (end, b)):
            if abs(h) < least and in_triangle(
                corners, n, point[0] - h * n[0], point[1] - h * n[1], point[2] - h * n[2]
            ):
                least = abs(h)
    for k in range(3):
        least = min(least, segment_distance(start, end, corners[k], corners[(k + 1) % 3]))
    return float(least)


@uncounted
def segment_distance(a: Triple, b: Triple, c: F64, d: F64) -> float:
    """Return the distance between the segments a to b and c to d (Ericson, Real-Time Collision Detection, 5.1.9)."""
    ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    vx, vy, vz = d[0] - c[0], d[1] - c[1], d[2] - c[2]
    wx, wy, wz = a[0] - c[0], a[1] - c[1], a[2] - c[2]
    uu, vv, uv = ux * ux + uy * uy + uz * uz, vx * vx + vy * vy + vz * vz, ux * vx + uy * vy + uz * vz
    uw, vw = ux * wx + uy * wy + uz * wz, vx * wx + vy * wy + vz * wz
    det = uu * vv - uv * uv
    s = min(1.0, max(0.0, (uv * vw - uw * vv) / det)) if det > 1e-12 * uu * vv else 0.0
    t = (uv * s + vw) / vv if vv > 0.0 else 0.0
    if t < 0.0:
        t = 0.0
        s = min(1.0, max(0.0, -uw / uu)) if uu > 0.0 else 0.0
    elif t > 1.0:
        t = 1.0
        s = min(1.0, max(0.0, (uv - uw) / uu)) if uu > 0.0 else 0.0
    x, y, z = wx + s * ux - t * vx, wy + s * uy - t * vy, wz + s * uz - t * vz
    return float(np.sqrt(x * x + y * y + z * z))
