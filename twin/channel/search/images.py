"""Specular paths by images: exact points of reflection, rays that look for obstacles, and certificates.

      source                     target
         *                       *            Unfolded about its plane the path is the straight line from the image of
          `.                  . '|            the source to the target. It crosses the plane beside the face, by `far`.
            `.             . '   |            When the ends move, no point of the line moves further than they do
       ====face===   <-far->X    |            together, and the crossing by at most that over the sine of the grazing
                      . '        |            angle: `reach` turns `far` into the way that the ends must go at least
                  . '            |            before the crossing can be on the face.
              * '   image

So a sequence that gives no path now can't give one for a while: the certificate (a `budget` in metres) says how far the
two ends may move together before it must be looked at again. The same holds for a leg that something blocks: it stays
blocked while its crossing stays on the face that blocks it.
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import numpy as np

from twin.channel.search.planes import COPLANAR, Scene, locate, rim_distance
from twin.numerics.kernels import kernel, uncounted
from twin.state import F64, I32, I64
from twin.world.bvh import Point, Triple, any_hit, closest_hit

CLEARANCE = 1e-3
"""Metres off a surface at which rays start and end, so that the surface itself is not in their way."""
ON_SURFACE = 1e-4
"""Metres from a radio within which nothing is in its way."""
CORNER = 1e-6
"""Metres beyond a vertex within which something still is."""
SAFETY = 0.99
"""Part of a certificate that is used."""
CROSSINGS = 24
"""Walls that a path may pass through, for which there is room; what they take together ends it before."""
WALLS, AMPLE = 4, 1.0
"""Obstacles on a leg that are looked at, unless one keeps it blocked for this many metres."""
REFLECTION, TRANSMISSION, DIFFRACTION, MOVING, SCATTERING = range(5)


class Work(NamedTuple):
    """Scratch of one path: K vertices counted from the source."""

    vertex: F64  # (K, 3) m, points of reflection
    triangle: I32  # (K,)
    fraction: F64  # (K,) of the unfolded length, from the source
    grazing: F64  # (K,) sine of the grazing angle
    through: F64  # (CROSSINGS, 3) m, points of transmission in order from the target
    wall: I32  # (CROSSINGS,) triangle of each
    leg: I32  # (CROSSINGS,) leg of each: leg k ends at vertex k, seen from the source
    crossings: I32  # (1,) how many there are
    beyond: I32  # (1,) paths given up for want of room for more


@kernel
def make_work(order: int) -> Work:
    """Return scratch for paths with up to `order` interactions."""
    k = max(order, 1)
    return Work(
        np.zeros((k, 3)),
        np.zeros(k, np.int32),
        np.zeros(k),
        np.zeros(k),
        np.zeros((CROSSINGS, 3)),
        np.zeros(CROSSINGS, np.int32),
        np.zeros(CROSSINGS, np.int32),
        np.zeros(1, np.int32),
        np.zeros(1, np.int32),
    )


class Walls(NamedTuple):
    """What passing a surface takes at least [dB], inf for an opaque one, and what a path may lose to walls [dB]."""

    loss: F64  # (S,)
    most: float
    looks: int  # obstacles on a leg that are looked at for one that keeps it blocked for long


@uncounted
def mirror_all(scene: Scene, source: F64, sequence: I32, order: I64, first: int, image: F64) -> None:
    """Write the images (n, K, 3) of `source` in the plane sequences (n, K), from row `first` on."""
    for i in range(first, len(order)):
        x, y, z = source[0], source[1], source[2]
        for k in range(order[i]):
            p = sequence[i, k]
            n = scene.normal[p]
            twice = 2.0 * (x * n[0] + y * n[1] + z * n[2] - scene.offset[p])
            x, y, z = x - twice * n[0], y - twice * n[1], z - twice * n[2]
            image[i, k, 0], image[i, k, 1], image[i, k, 2] = x, y, z


@uncounted
def reach(margin: float, weight: float, grazing: float, length: float) -> float:
    """Return how far the ends may move before a crossing leaves its place by `margin` [m].

    The unfolded line has `length` [m] and crosses the plane at sine `grazing`. A point of it at fraction f of the
    length moves by at most `weight` times what the ends move together: f for a fixed source, else max(f, 1 - f).
    After a move m the crossing is displaced by at most weight m (length + m) / (grazing length - m).
    """
    if margin <= 0.0:
        return 0.0
    b = weight * length + margin
    root = sqrt(b * b + 4.0 * weight * margin * grazing * length)
    return SAFETY * 2.0 * margin * grazing * length / (b + root)


@uncounted
def _weight(fraction: float, source_moves: bool) -> float:
    return max(fraction, 1.0 - fraction) if source_moves else fraction


@uncounted
def bounce_points(
    scene: Scene, source_moves: bool, target: F64, planes: I32, image: F64, order: int, work: Work
) -> tuple[bool, float]:
    """Find the points of reflection from the target back to the source; return (found, budget).

    `planes` (K,) and `image` (K, 3) are one row of the tree. The points must lie on the planes' triangles.
    """
    x, y, z = target[0], target[1], target[2]
    tip = image[order - 1]
    length = sqrt((tip[0] - x) ** 2 + (tip[1] - y) ** 2 + (tip[2] - z) ** 2) + 1e-12
    fraction, grazing = 1.0, 1.0
    for k in range(order - 1, -1, -1):
        p = planes[k]
        n, a, b, c = scene.normal[p], image[k, 0], image[k, 1], image[k, 2]
        behind = a * n[0] + b * n[1] + c * n[2] - scene.offset[p]
        ahead = x * n[0] + y * n[1] + z * n[2] - scene.offset[p]
        if behind * ahead >= 0.0:
            budget = SAFETY * abs(ahead)
            if k < order - 1:
                budget = reach(abs(ahead), _weight(fraction, source_moves), grazing, length)
            if source_moves:
                budget = min(budget, SAFETY * abs(behind))
            return False, budget
        part = ahead / (ahead - behind)
        dx, dy, dz = a - x, b - y, c - z
        leg = sqrt(dx * dx + dy * dy + dz * dz)
        grazing = abs(ahead - behind) / leg
        x, y, z = x + part * dx, y + part * dy, z + part * dz
        fraction = (1.0 - part) * leg / length
        triangle, away = locate(scene, p, x, y, z, work.triangle[k])
        if triangle < 0:
            return False, reach(away, _weight(fraction, source_moves), grazing, length)
        work.vertex[k, 0], work.vertex[k, 1], work.vertex[k, 2] = x, y, z
        work.triangle[k], work.fraction[k], work.grazing[k] = triangle, fraction, grazing
    return True, 0.0


@uncounted
def _stand(scene: Scene, point: Point, plane: int, away: Point) -> Triple:
    """Return a point of `plane` moved off it by CLEARANCE to the side on which point `away` lies."""
    n = scene.normal[plane]
    side = away[0] * n[0] + away[1] * n[1] + away[2] * n[2] - scene.offset[plane]
    shift = CLEARANCE if side > 0.0 else -CLEARANCE
    return point[0] + shift * n[0], point[1] + shift * n[1], point[2] + shift * n[2]


@uncounted
def ray_range(leg: float, from_radio: bool, to_radio: bool) -> tuple[float, float]:
    """Return where on a leg [m] an obstacle counts.

    A radio may sit on a surface. A vertex may not: at the foot of a wall a path would slip through it.
    """
    margin = min(ON_SURFACE, 0.25 * leg)
    return margin if from_radio else -CORNER, leg - margin if to_radio else leg + CORNER


class Leg(NamedTuple):
    """Leg k of a path as it is looked at, from the target: the line itself, and the ray beside it."""

    k: int  # it ends at vertex k seen from the source
    here: Triple  # m
    there: Triple
    start: Triple  # `here`, off its surface
    end: Triple  # `there`, off its surface
    direction: Triple  # unit, of the ray
    length: float  # m, of the ray
    reach: tuple[float, float]  # m, where on the ray an obstacle counts
    travelled: float  # m from the target to `here`


class Line(NamedTuple):
    """The unfolded path that the legs are parts of."""

    moves: bool  # the source moves
    order: int
    length: float  # m


@uncounted
def _leg(
    scene: Scene, source: F64, target: F64, planes: I32, line: Line, k: int, travelled: float, work: Work
) -> Leg:
    here = target if k == line.order else work.vertex[k]
    there = source if k == 0 else work.vertex[k - 1]
    a, b = (here[0], here[1], here[2]), (there[0], there[1], there[2])
    start = _stand(scene, a, planes[k], b) if k < line.order else a
    end = _stand(scene, b, planes[k - 1], a) if k > 0 else b
    dx, dy, dz = end[0] - start[0], end[1] - start[1], end[2] - start[2]
    leg = sqrt(dx * dx + dy * dy + dz * dz)
    inverse = 1.0 / leg if leg > 0.0 else 0.0
    return Leg(
        k=k, here=a, there=b, start=start, end=end, direction=(inverse * dx, inverse * dy, inverse * dz),
        length=leg, reach=ray_range(leg, k == line.order, k == 0), travelled=travelled,
    )  # fmt: skip


@uncounted
def clear_legs(
    scene: Scene, walls: Walls, source: F64, source_moves: bool, target: F64, planes: I32, order: int, work: Work
) -> tuple[bool, float]:
    """Look along the legs from target to source; return (clear, budget).

    Walls of which one can see what passing them takes let a leg pass, and the points are noted in `work`.
    """
    length = 0.0
    before = source
    for k in range(order + 1):
        after = target if k == order else work.vertex[k]
        length += sqrt((after[0] - before[0]) ** 2 + (after[1] - before[1]) ** 2 + (after[2] - before[2]) ** 2)
        before = after
    line = Line(moves=source_moves, order=order, length=length)
    travelled, lost = 0.0, 0.0
    work.crossings[0] = 0
    for k in range(order, -1, -1):  # leg k ends at vertex k - 1, seen from the target
        leg = _leg(scene, source, target, planes, line, k, travelled, work)
        if leg.length <= 0.0:
            continue
        if any_hit(scene.bvh, leg.start, leg.direction, leg.reach[0], leg.reach[1]):  # quicker than the closest
            clear, budget, lost = _pass(scene, walls, line, leg, lost, work)
            if not clear:
                return False, budget
        travelled += leg.length
    for k in range(order):
        after = target if k == order - 1 else work.vertex[k + 1]
        held = _covered(scene, planes[k], _stand(scene, work.vertex[k], planes[k], after), line, k, work)
        if held >= 0.0:
            return False, held
    return True, 0.0


@uncounted
def cover_of(scene: Scene, p: int, stand: Triple) -> int:
    """Return a triangle between plane p and a point that stands CLEARANCE off it; -1 without one.

    A face less than that in front of another covers it: a ray that starts beyond would not see it.
    """
    n = scene.normal[p]
    height = stand[0] * n[0] + stand[1] * n[1] + stand[2] * n[2] - scene.offset[p]
    side = -1.0 if height > 0.0 else 1.0
    down, begin = (side * n[0], side * n[1], side * n[2]), 0.0
    for _ in range(WALLS):
        hit, t = closest_hit(scene.bvh, stand, down, begin, abs(height) - COPLANAR)
        if hit < 0:
            break
        if scene.plane[hit] != p:
            return int(hit)
        begin = t + CORNER
    return -1


@uncounted
def _covered(scene: Scene, p: int, stand: Triple, line: Line, k: int, work: Work) -> float:
    """Return for how long vertex k stays covered by another face, -1 where it isn't."""
    hit = cover_of(scene, p, stand)
    if hit < 0:
        return -1.0
    v = work.vertex[k]
    inside = rim_distance(scene, hit, v[0], v[1], v[2]) - 2.0 * CLEARANCE
    return reach(inside, _weight(work.fraction[k], line.moves), work.grazing[k], line.length)


@uncounted
def _pass(
    scene: Scene, walls: Walls, line: Line, leg: Leg, lost: float, work: Work
) -> tuple[bool, float, float]:
    """Note the walls that a leg passes, after `lost` dB; return (clear, budget, dB lost up to the end of the leg)."""
    budget, blocks, begin = -1.0, 0, leg.reach[0]
    while blocks < walls.looks and budget < AMPLE:
        hit, t = closest_hit(scene.bvh, leg.start, leg.direction, begin, leg.reach[1])
        if hit < 0:
            break
        begin = t + 1e-6
        loss = walls.loss[scene.surface[hit]]
        if loss == np.inf:
            budget, blocks = max(budget, _blocked(scene, line, leg, hit, t, work)), blocks + 1
            continue
        lost += loss
        if lost > walls.most:
            return False, 0.0, lost
        m = work.crossings[0]
        if m == CROSSINGS:
            work.beyond[0] += 1
            return False, 0.0, lost
        work.through[m, 0], work.through[m, 1], work.through[m, 2] = crossing_of(scene, hit, leg.here, leg.there)
        work.wall[m], work.leg[m] = hit, leg.k
        work.crossings[0] = m + 1
    return blocks == 0, budget, lost


@uncounted
def crossing_of(scene: Scene, hit: int, here: Triple, there: Triple) -> Triple:
    """Return where the line between two points crosses the plane of a triangle, at least between them.

    Not where a ray off their surfaces met it: that would be another point from the other end.
    """
    p = scene.plane[hit]
    dx, dy, dz = there[0] - here[0], there[1] - here[1], there[2] - here[2]
    part = 0.5
    if p >= 0:
        n = scene.normal[p]
        slope = dx * n[0] + dy * n[1] + dz * n[2]
        height = scene.offset[p] - here[0] * n[0] - here[1] * n[1] - here[2] * n[2]
        part = min(1.0, max(0.0, height / slope)) if slope != 0.0 else 0.5
    return here[0] + part * dx, here[1] + part * dy, here[2] + part * dz


@uncounted
def _blocked(scene: Scene, line: Line, leg: Leg, hit: int, t: float, work: Work) -> float:
    """Return the budget of a leg that triangle `hit` blocks after t metres.

    It stays blocked while the crossing stays on the face and the leg's ends stay on their sides of it.
    """
    p, k = scene.plane[hit], leg.k
    if p < 0:
        return 0.0
    n, d, s, e = scene.normal[p], leg.direction, leg.start, leg.end
    fraction = 1.0 - (leg.travelled + t) / line.length
    grazing = abs(d[0] * n[0] + d[1] * n[1] + d[2] * n[2])
    inside = rim_distance(scene, hit, s[0] + t * d[0], s[1] + t * d[1], s[2] + t * d[2]) - 2.0 * CLEARANCE
    budget = reach(inside, _weight(fraction, line.moves), grazing, line.length)
    near = abs(s[0] * n[0] + s[1] * n[1] + s[2] * n[2] - scene.offset[p]) - 2.0 * CLEARANCE
    far = abs(e[0] * n[0] + e[1] * n[1] + e[2] * n[2] - scene.offset[p]) - 2.0 * CLEARANCE
    if near <= 0.0 or far <= 0.0:
        return 0.0
    if k == line.order:
        budget = min(budget, SAFETY * near)
    else:
        budget = min(budget, reach(near, _weight(work.fraction[k], line.moves), work.grazing[k], line.length))
    if k > 0:
        far = reach(far, _weight(work.fraction[k - 1], line.moves), work.grazing[k - 1], line.length)
        budget = min(budget, far)
    elif line.moves:
        budget = min(budget, SAFETY * far)
    return budget
