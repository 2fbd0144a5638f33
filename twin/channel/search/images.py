"""Specular paths by images: exact points of reflection, rays that look for obstacles, and certificates.

Unfolded about its planes, a specular path is the straight line from the source's last image to the target. That
line turns only as far as its ends move, which bounds how soon a sequence that gives no path can give one: the
certificate (a `budget` in metres) says how far the two ends may move together before it must be looked at again.
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import numpy as np

from twin.channel.search.planes import Scene, locate, rim_distance
from twin.numerics.kernels import kernel, uncounted
from twin.state import F64, I32, I64, Bool
from twin.world.bvh import Point, Triple, any_hit, closest_hit

CLEARANCE = 1e-3
"""Metres off a surface at which rays start and end, so that the surface itself is not in their way."""
ON_SURFACE = 1e-4
"""Metres from a radio within which nothing is in its way."""
CORNER = 1e-6
"""Metres beyond a vertex within which something still is."""
SAFETY = 0.99
"""Part of a certificate that is used."""
CROSSINGS = 4
"""Walls that a path may pass through; with more it is no path."""
WALLS, AMPLE = 4, 1.0
"""Obstacles on a leg that are looked at until one keeps it blocked for this many metres."""
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
    )


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


@uncounted
def clear_legs(
    scene: Scene, transparent: Bool, source: F64, source_moves: bool, target: F64, planes: I32, order: int, work: Work
) -> tuple[bool, float]:
    """Look along the legs from target to source; return (clear, budget).

    Transparent materials let a leg pass, and the points are noted in `work`.
    """
    length = 0.0
    before = source
    for k in range(order + 1):
        after = target if k == order else work.vertex[k]
        length += sqrt((after[0] - before[0]) ** 2 + (after[1] - before[1]) ** 2 + (after[2] - before[2]) ** 2)
        before = after
    travelled = 0.0
    work.crossings[0] = 0
    for k in range(order, -1, -1):  # leg k ends at vertex k - 1, seen from the target
        here = target if k == order else work.vertex[k]
        there = source if k == 0 else work.vertex[k - 1]
        start = (here[0], here[1], here[2])
        end = (there[0], there[1], there[2])
        if k < order:
            start = _stand(scene, here, planes[k], there)
        if k > 0:
            end = _stand(scene, there, planes[k - 1], here)
        dx, dy, dz = end[0] - start[0], end[1] - start[1], end[2] - start[2]
        leg = sqrt(dx * dx + dy * dy + dz * dz)
        if leg <= 0.0:
            continue
        dx, dy, dz = dx / leg, dy / leg, dz / leg
        begin, stop = ray_range(leg, k == order, k == 0)
        if any_hit(scene.bvh, start, (dx, dy, dz), begin, stop):  # quicker than the closest, and most often none
            clear, budget = _pass(scene, transparent, source_moves, start, end, (dx, dy, dz), begin, stop, k, order,
                                  work, travelled, length)  # fmt: skip
            if not clear:
                return False, budget
        travelled += leg
    return True, 0.0


@uncounted
def _pass(
    scene: Scene,
    transparent: Bool,
    moves: bool,
    start: Triple,
    end: Triple,
    d: Triple,
    begin: float,
    stop: float,
    k: int,
    order: int,
    work: Work,
    travelled: float,
    length: float,
) -> tuple[bool, float]:
    """Note the transparent walls on leg k, `travelled` metres from the target; return (clear, budget)."""
    budget, walls = -1.0, 0
    while walls < WALLS and budget < AMPLE:
        hit, t = closest_hit(scene.bvh, start, d, begin, stop)
        if hit < 0:
            break
        x, y, z = start[0] + t * d[0], start[1] + t * d[1], start[2] + t * d[2]
        begin = t + 1e-6
        if not transparent[scene.surface[hit]]:
            fraction = 1.0 - (travelled + t) / length
            held = _blocked(scene, moves, start, end, k, order, work, hit, x, y, z, d[0], d[1], d[2], fraction, length)
            budget, walls = max(budget, held), walls + 1
            continue
        m = work.crossings[0]
        if m == CROSSINGS:
            return False, 0.0
        work.through[m, 0], work.through[m, 1], work.through[m, 2] = x, y, z
        work.wall[m], work.leg[m] = hit, k
        work.crossings[0] = m + 1
    return walls == 0, budget


@uncounted
def _blocked(
    scene: Scene,
    moves: bool,
    start: Point,
    end: Point,
    k: int,
    order: int,
    work: Work,
    hit: int,
    x: float,
    y: float,
    z: float,
    dx: float,
    dy: float,
    dz: float,
    fraction: float,
    length: float,
) -> float:
    """Return the budget of a leg that triangle `hit` blocks at (x, y, z).

    It stays blocked while the crossing stays on the face and the leg's ends stay on their sides of it.
    """
    p = scene.plane[hit]
    if p < 0:
        return 0.0
    n = scene.normal[p]
    grazing = abs(dx * n[0] + dy * n[1] + dz * n[2])
    inside = rim_distance(scene, hit, x, y, z) - 2.0 * CLEARANCE
    budget = reach(inside, _weight(fraction, moves), grazing, length)
    near = abs(start[0] * n[0] + start[1] * n[1] + start[2] * n[2] - scene.offset[p]) - 2.0 * CLEARANCE
    far = abs(end[0] * n[0] + end[1] * n[1] + end[2] * n[2] - scene.offset[p]) - 2.0 * CLEARANCE
    if near <= 0.0 or far <= 0.0:
        return 0.0
    if k == order:
        budget = min(budget, SAFETY * near)
    else:
        budget = min(budget, reach(near, _weight(work.fraction[k], moves), work.grazing[k], length))
    if k > 0:
        far = reach(far, _weight(work.fraction[k - 1], moves), work.grazing[k - 1], length)
        budget = min(budget, far)
    elif moves:
        budget = min(budget, SAFETY * far)
    return budget
