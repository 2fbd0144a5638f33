"""What moving hulls do to paths: they block them and reflect them, found anew at every trace."""

from __future__ import annotations

from math import inf, sqrt
from typing import NamedTuple

from twin.channel.search.hulls import Hulls, Nearby, is_small
from twin.channel.search.images import MOVING
from twin.channel.search.paths import Paths
from twin.channel.search.planes import Scene
from twin.numerics.kernels import uncounted
from twin.state import F64, I32
from twin.world.bvh import Point, any_hit

_CLEAR = 1e-3
_LARGER = 1e-6
"""Part by which squares of radii are taken larger where a quick look may err on one side only."""


class Pairs(NamedTuple):
    """G pairs of places."""

    position: F64  # (places, 3) m
    body: I32  # (places,) that each moves with, -1 for none
    first: I32  # (G,) place
    second: I32  # (G,) place


class Around(NamedTuple):
    """Hulls about the paths of one pair of places, at one wavelength."""

    hulls: Hulls
    nearby: Nearby
    wavelength: float  # m
    listed: int  # of `nearby.both`, those that can matter to this pair


@uncounted
def meet_hulls(
    scene: Scene, hulls: Hulls, nearby: Nearby, wavelength: float, pairs: Pairs, vertex: F64, paths: Paths
) -> None:
    """Take from `paths` those that a hull crosses, and append those with one reflection, on a face of a hull.

    Nothing else may lie in the way of a reflection. `vertex` (3,) is scratch.
    """
    for g in range(len(pairs.first)):
        count = _list_both(hulls, nearby, wavelength, pairs, g)
        if count > 0:
            around = Around(hulls, nearby, wavelength, count)
            _block(around, pairs, g, paths)
            _reflect(scene, around, pairs, g, vertex, paths)


@uncounted
def _block(around: Around, pairs: Pairs, g: int, paths: Paths) -> None:
    kept = 0
    for m in range(min(paths.found[g], paths.length.shape[1])):
        if _is_crossed(around, pairs, g, paths, m):
            continue
        if kept != m:
            paths.length[g, kept] = paths.length[g, m]
            for k in range(paths.length[g, m]):
                paths.kind[g, kept, k] = paths.kind[g, m, k]
                paths.what[g, kept, k] = paths.what[g, m, k]
                for axis in range(3):
                    paths.vertex[g, kept, k, axis] = paths.vertex[g, m, k, axis]
        kept += 1
    if paths.found[g] <= paths.length.shape[1]:
        paths.found[g] = kept


@uncounted
def _list_both(hulls: Hulls, nearby: Nearby, wavelength: float, pairs: Pairs, g: int) -> int:
    """Write to `nearby.both` the hulls that can matter to a path of pair g, and return how many they are.

    Those of the ends' own bodies can't, nor those that are small even where they come nearest to both ends.
    """
    a, b = pairs.first[g], pairs.second[g]
    count = 0
    for entry in range(nearby.size[a] + nearby.size[b]):
        h = nearby.hull[a, entry] if entry < nearby.size[a] else nearby.hull[b, entry - nearby.size[a]]
        if entry >= nearby.size[a] and nearby.listed[a, h]:
            continue  # it was there already
        if hulls.body[h] == pairs.body[a] or hulls.body[h] == pairs.body[b]:
            continue
        if not is_small(hulls, h, wavelength, nearby.gap[a, h], nearby.gap[b, h]):
            nearby.both[count] = h
            for axis in range(3):
                nearby.ball[axis, count] = hulls.centre[h, axis]
            nearby.ball[3, count] = (1.0 + _LARGER) * hulls.radius[h] ** 2
            count += 1
    return count


@uncounted
def _is_crossed(around: Around, pairs: Pairs, g: int, paths: Paths, m: int) -> bool:
    a, b = pairs.first[g], pairs.second[g]
    n, total, near = paths.length[g, m], 0.0, 0
    for k in range(n + 1):
        here = pairs.position[a] if k == 0 else paths.vertex[g, m, k - 1]
        there = pairs.position[b] if k == n else paths.vertex[g, m, k]
        near += _balls_met(around.nearby.ball, around.listed, here, there)
        total += _distance(here, there)
    before = 0.0
    for k in range(n + 1 if near > 0 else 0):
        here = pairs.position[a] if k == 0 else paths.vertex[g, m, k - 1]
        there = pairs.position[b] if k == n else paths.vertex[g, m, k]
        if _hull_between(around, here, there, before, total, -1):
            return True
        before += _distance(here, there)
    return False


@uncounted
def _balls_met(ball: F64, count: int, here: Point, there: Point) -> int:
    """Return how many of the first `count` balls a leg meets: a quick look, and without a branch, at all of them."""
    hx, hy, hz = here[0], here[1], here[2]
    dx, dy, dz = there[0] - hx, there[1] - hy, there[2] - hz
    square = dx * dx + dy * dy + dz * dz
    inverse = 1.0 / square if square > 0.0 else 0.0
    met = 0
    for entry in range(count):
        x, y, z = ball[0, entry] - hx, ball[1, entry] - hy, ball[2, entry] - hz
        t = min(1.0, max(0.0, (x * dx + y * dy + z * dz) * inverse))
        x, y, z = x - t * dx, y - t * dy, z - t * dz
        met += 1 if x * x + y * y + z * z <= ball[3, entry] else 0
    return met


@uncounted
def _hull_between(around: Around, here: Point, there: Point, before: float, total: float, but: int) -> bool:
    """Tell whether one of the listed hulls lies on a leg from `here` to `there` of a path.

    The leg begins `before` metres from the start of the path, which is `total` metres long. Hull `but` doesn't count,
    nor do those that are small beside the first Fresnel zone.
    """
    dx, dy, dz = there[0] - here[0], there[1] - here[1], there[2] - here[2]
    leg = sqrt(dx * dx + dy * dy + dz * dz)
    hulls = around.hulls
    for entry in range(around.listed):
        h = around.nearby.both[entry]
        if h == but:
            continue
        x, y, z = hulls.centre[h, 0] - here[0], hulls.centre[h, 1] - here[1], hulls.centre[h, 2] - here[2]
        t = 0.0
        if leg > 0.0:
            t = min(1.0, max(0.0, (x * dx + y * dy + z * dz) / (leg * leg)))
        x, y, z = x - t * dx, y - t * dy, z - t * dz
        if x * x + y * y + z * z > hulls.radius[h] * hulls.radius[h]:
            continue
        done = before + t * leg
        if not is_small(hulls, h, around.wavelength, done, total - done) and _is_met(hulls, h, here, dx, dy, dz):
            return True
    return False


@uncounted
def _is_met(hulls: Hulls, h: int, a: Point, dx: float, dy: float, dz: float) -> bool:
    """Tell whether the segment from a along d meets hull h: is inside all its half-spaces at once.

    M. Cyrus and J. Beck, Computers and Graphics 3, 1978.
    """
    enter, leave = 0.0, 1.0
    for f in range(hulls.first[h], hulls.first[h + 1]):
        n = hulls.normal[f]
        slope = dx * n[0] + dy * n[1] + dz * n[2]
        room = hulls.offset[f] - (a[0] * n[0] + a[1] * n[1] + a[2] * n[2])
        if slope > 0.0:
            leave = min(leave, room / slope)
        elif slope < 0.0:
            enter = max(enter, room / slope)
        elif room < 0.0:
            return False
    return enter < leave


@uncounted
def _reflect(scene: Scene, around: Around, pairs: Pairs, g: int, vertex: F64, paths: Paths) -> None:
    hulls, nearby = around.hulls, around.nearby
    a, b = pairs.first[g], pairs.second[g]
    start, end = pairs.position[a], pairs.position[b]
    for entry in range(around.listed):
        h = nearby.both[entry]
        x, y, z, least = _halfway(hulls, h, start, end, nearby.gap[a, h], nearby.gap[b, h])
        for f in range(hulls.first[h], hulls.first[h + 1]):
            n = hulls.normal[f]
            if x * n[0] + y * n[1] + z * n[2] < least or not _bounce(hulls, h, f, start, end, vertex):
                continue
            if not _is_open(scene, around, pairs, g, h, f, vertex):
                continue
            m = paths.found[g]
            paths.found[g] = m + 1
            if m < paths.length.shape[1]:
                paths.length[g, m] = 1
                paths.kind[g, m, 0], paths.what[g, m, 0] = MOVING, f
                for axis in range(3):
                    paths.vertex[g, m, 0, axis] = vertex[axis]


@uncounted
def _halfway(
    hulls: Hulls, h: int, a: Point, b: Point, gap_a: float, gap_b: float
) -> tuple[float, float, float, float]:
    """Return the direction (3 floats) halfway between those from hull h to a and b, not of unit length, and a bound.

    A face mirrors a into b only if this direction's component along its normal is at least the bound: from a point
    of the hull, at most a radius off its centre, either direction differs by at most sqrt(2) radius / distance.
    """
    c, radius = hulls.centre[h], hulls.radius[h]
    far_a, far_b = gap_a + radius, gap_b + radius
    x = (a[0] - c[0]) * far_b + (b[0] - c[0]) * far_a
    y = (a[1] - c[1]) * far_b + (b[1] - c[1]) * far_a
    z = (a[2] - c[2]) * far_b + (b[2] - c[2]) * far_a
    if gap_a == 0.0 or gap_b == 0.0:
        return x, y, z, -inf
    off = 1.5 * radius * (far_a + far_b)
    square = x * x + y * y + z * z
    return x, y, z, sqrt(square - off * off) if square > 2.0 * off * off else -off


@uncounted
def _is_open(scene: Scene, around: Around, pairs: Pairs, g: int, h: int, f: int, vertex: F64) -> bool:
    """Tell whether the way from one place of pair g to the other by a point of face f is free, and the hull large."""
    start, end = pairs.position[pairs.first[g]], pairs.position[pairs.second[g]]
    before, after = _distance(start, vertex), _distance(vertex, end)
    if is_small(around.hulls, h, around.wavelength, before, after):
        return False
    n = around.hulls.normal[f]
    point = (vertex[0] + _CLEAR * n[0], vertex[1] + _CLEAR * n[1], vertex[2] + _CLEAR * n[2])
    if _met(scene, point, start) or _met(scene, point, end):
        return False
    total = before + after
    return not (
        _hull_between(around, start, vertex, 0.0, total, h)
        or _hull_between(around, vertex, end, before, total, h)
    )


@uncounted
def _bounce(hulls: Hulls, h: int, f: int, a: Point, b: Point, vertex: F64) -> bool:
    """Write the point of reflection on face f of hull h; tell whether it is on the face, seen from outside."""
    n, d = hulls.normal[f], hulls.offset[f]
    side_a = a[0] * n[0] + a[1] * n[1] + a[2] * n[2] - d
    side_b = b[0] * n[0] + b[1] * n[1] + b[2] * n[2] - d
    if side_a <= 0.0 or side_b <= 0.0:
        return False
    t = side_a / (side_a + side_b)
    for k in range(3):
        # a + t (b - a) less its height above the plane: both are linear along the unfolded line
        vertex[k] = a[k] - side_a * n[k] + t * (b[k] - side_b * n[k] - a[k] + side_a * n[k])
    for other in range(hulls.first[h], hulls.first[h + 1]):
        m = hulls.normal[other]
        if other != f and vertex[0] * m[0] + vertex[1] * m[1] + vertex[2] * m[2] > hulls.offset[other]:
            return False
    return True


@uncounted
def _met(scene: Scene, point: Point, end: Point) -> bool:
    dx, dy, dz = end[0] - point[0], end[1] - point[1], end[2] - point[2]
    length = sqrt(dx * dx + dy * dy + dz * dz)
    if length == 0.0:
        return False
    return any_hit(scene.bvh, point, (dx, dy, dz), 0.0, 1.0)


@uncounted
def _distance(a: Point, b: Point) -> float:
    return sqrt((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2 + (b[2] - a[2]) ** 2)
