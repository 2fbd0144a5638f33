"""Paths by way of one edge, alone or with one reflection before or after it: their points, and what is in their way.

Turned about the edge into one plane, such a path is a straight line: coordinates along and across the edge are
lengths that the turn keeps. Its point on the edge (Keller's law) is where that line crosses the edge, so that the
certificates of `images.py` hold, with the point on the edge as one end of the legs beside it.
"""

from __future__ import annotations

from math import cos, sin, sqrt
from typing import NamedTuple

from twin.channel.search.clearance import ROOM, SHORTEST, leg_room
from twin.channel.search.edges import STAND, Edges
from twin.channel.search.images import AMPLE, CLEARANCE, SAFETY, WALLS, Work, ray_range, reach
from twin.channel.search.planes import Scene, locate, rim_distance
from twin.numerics.kernels import uncounted
from twin.state import F64, I32
from twin.world.bvh import Point, Triple, closest_hit

_FAR = 1e9


class Detours(NamedTuple):
    """D sequences of at most one reflection, an edge, at most one reflection; the same for all sources."""

    before: I32  # (D,) plane, or -1
    edge: I32  # (D,)
    after: I32  # (D,) plane, or -1


@uncounted
def _height(scene: Scene, p: int, point: Point) -> float:
    n = scene.normal[p]
    return float(point[0] * n[0] + point[1] * n[1] + point[2] * n[2] - scene.offset[p])


@uncounted
def _image(scene: Scene, p: int, point: Point) -> tuple[Triple, float]:
    """Return the image of `point` in plane p, and on which side of it the point lies [m]; itself without a plane."""
    if p < 0:
        return (point[0], point[1], point[2]), 0.0
    n, height = scene.normal[p], _height(scene, p, point)
    twice = 2.0 * height
    return (point[0] - twice * n[0], point[1] - twice * n[1], point[2] - twice * n[2]), height


@uncounted
def _along(edges: Edges, e: int, point: Point) -> tuple[float, float]:
    """Return how far along edge e a point lies, and how far across [m]."""
    x, y, z = point[0] - edges.start[e, 0], point[1] - edges.start[e, 1], point[2] - edges.start[e, 2]
    t = x * edges.along[e, 0] + y * edges.along[e, 1] + z * edges.along[e, 2]
    return t, sqrt(max(0.0, x * x + y * y + z * z - t * t))


@uncounted
def _hold(line: Triple, displacement: float, end_moves: bool) -> float:
    """Return how far the ends may move before an end of a leg beside the edge has moved by `displacement`.

    These ends are the point on the edge, which `line` (weight, sine, length; see `reach`) moves, and a radio.
    """
    weight, sine, length = line
    budget = reach(displacement, weight, sine, length)
    return min(budget, SAFETY * displacement) if end_moves else budget


@uncounted
def detour_points(
    scene: Scene, edges: Edges, detours: Detours, i: int, source: F64, moves: bool, target: F64, work: Work
) -> tuple[bool, float, Triple]:
    """Find the points of detour i; return (found, budget, the line that moves its point on the edge)."""
    e, before, after = detours.edge[i], detours.before[i], detours.after[i]
    a, height_a = _image(scene, before, source)
    b, height_b = _image(scene, after, target)
    ta, ra = _along(edges, e, a)
    tb, rb = _along(edges, e, b)
    across = ra + rb
    if ra < 1e-6 or rb < 1e-6:
        return False, 0.0, (1.0, 1.0, 1.0)
    length = sqrt(across * across + (ta - tb) * (ta - tb))
    t, fraction = (ta * rb + tb * ra) / across, ra / across
    line = (max(fraction, 1.0 - fraction) if moves else fraction, across / length, length)
    outside = max(-t, t - edges.length[e])
    if outside > 0.0:
        return False, _hold(line, outside, False), line
    u, k = edges.along[e], 0
    d = (edges.start[e, 0] + t * u[0], edges.start[e, 1] + t * u[1], edges.start[e, 2] + t * u[2])
    if before >= 0:
        found, budget = _bounce(scene, before, u, d, a, height_a, moves, line, work, k)
        if not found:
            return False, budget, line
        k += 1
    work.vertex[k, 0], work.vertex[k, 1], work.vertex[k, 2] = d
    k += 1
    if after >= 0:
        found, budget = _bounce(scene, after, u, d, b, height_b, True, line, work, k)
        if not found:
            return False, budget, line
    return True, 0.0, line


@uncounted
def _bounce(
    scene: Scene, p: int, along: F64, d: Point, image: Point, height: float, end_moves: bool, line: Triple, work: Work,
    k: int,
) -> tuple[bool, float]:  # fmt: skip
    """Find the reflection on plane p between the point d of the edge and the end whose image is given."""
    n, side = scene.normal[p], _height(scene, p, d)
    if side * height <= 0.0:
        slope = abs(along[0] * n[0] + along[1] * n[1] + along[2] * n[2])
        budget = _hold(line, min(_FAR, abs(side) / max(slope, 1e-9)), False)
        return False, min(budget, SAFETY * abs(height)) if end_moves else budget
    part = side / (side + height)
    dx, dy, dz = image[0] - d[0], image[1] - d[1], image[2] - d[2]
    leg = sqrt(dx * dx + dy * dy + dz * dz)
    x, y, z = d[0] + part * dx, d[1] + part * dy, d[2] + part * dz
    grazing = abs(side + height) / leg
    triangle, far = locate(scene, p, x, y, z, 0)
    if triangle < 0:
        weight = 1.0 if end_moves else 1.0 - part
        return False, _hold(line, reach(far, weight, grazing, leg), end_moves)
    work.vertex[k, 0], work.vertex[k, 1], work.vertex[k, 2] = x, y, z
    work.triangle[k], work.grazing[k], work.fraction[k] = triangle, grazing, part
    return True, 0.0


@uncounted
def _lift(scene: Scene, edges: Edges, detours: Detours, i: int, k: int, point: Point, towards: Point) -> Triple:
    """Return vertex k of detour i moved off the matter that it lies on."""
    before = detours.before[i]
    if k == (1 if before >= 0 else 0):
        a = edges.away[detours.edge[i]]
        return point[0] + STAND * a[0], point[1] + STAND * a[1], point[2] + STAND * a[2]
    p = before if k == 0 else detours.after[i]
    n = scene.normal[p]
    shift = CLEARANCE if _height(scene, p, towards) > 0.0 else -CLEARANCE
    return point[0] + shift * n[0], point[1] + shift * n[1], point[2] + shift * n[2]


@uncounted
def detour_clear(
    scene: Scene, edges: Edges, detours: Detours, i: int, source: F64, moves: bool, target: F64, line: Triple,
    order: int, work: Work,
) -> tuple[bool, float]:  # fmt: skip
    """Look along the legs of detour i; return (clear, budget). Every material is opaque to it."""
    clear, budget = True, 0.0
    for k in range(order + 1):
        held = _blocked(scene, edges, detours, i, source, moves, target, line, order, k, work)
        if held >= 0.0:
            clear, budget = False, max(budget, held)
            if budget >= AMPLE:
                break
    return clear, budget


@uncounted
def _blocked(
    scene: Scene, edges: Edges, detours: Detours, i: int, source: F64, moves: bool, target: F64, line: Triple,
    order: int, k: int, work: Work,
) -> float:  # fmt: skip
    """Return for how long leg k stays blocked, -1 where nothing is in its way."""
    here, there = source if k == 0 else work.vertex[k - 1], target if k == order else work.vertex[k]
    start, end = (here[0], here[1], here[2]), (there[0], there[1], there[2])
    if k > 0:
        start = _lift(scene, edges, detours, i, k - 1, here, there)
    if k < order:
        end = _lift(scene, edges, detours, i, k, there, here)
    dx, dy, dz = end[0] - start[0], end[1] - start[1], end[2] - start[2]
    leg = sqrt(dx * dx + dy * dy + dz * dz)
    if leg == 0.0:
        return 0.0
    dx, dy, dz = dx / leg, dy / leg, dz / leg
    begin, stop = ray_range(leg, k == 0, k == order)
    held, walls = -1.0, 0
    while walls < WALLS and held < AMPLE:
        hit, t = closest_hit(scene.bvh, start, (dx, dy, dz), begin, stop)
        if hit < 0:
            break
        x, y, z = start[0] + t * dx, start[1] + t * dy, start[2] + t * dz
        bend = 1 if detours.before[i] >= 0 else 0
        end_moves = moves or k > bend
        margin = 0.0
        if scene.plane[hit] >= 0:
            along = edges.along[detours.edge[i]]
            grazing = abs(_slope(scene, scene.plane[hit], (dx, dy, dz)))
            margin = _margin(scene, along, start, end, leg, t, order, k, bend, end_moves, hit, (x, y, z), grazing, work)
        held, walls = max(held, _hold(line, margin, end_moves)), walls + 1
        begin = t + 1e-6
    return held


@uncounted
def _slope(scene: Scene, p: int, direction: Point) -> float:
    n = scene.normal[p]
    return float(direction[0] * n[0] + direction[1] * n[1] + direction[2] * n[2])


@uncounted
def _margin(
    scene: Scene, along: F64, start: Point, end: Point, leg: float, t: float, order: int, k: int, bend: int,
    end_moves: bool, hit: int, point: Point, grazing: float, work: Work,
) -> float:  # fmt: skip
    """Return by how much edge point and radio of a leg's side may move while triangle `hit` blocks the leg.

    Unfolded, the side is a straight line from the edge (vertex `bend`) to the radio: its crossing must stay on the
    face, and the ends of the leg on their sides of it.
    """
    p, length = scene.plane[hit], leg
    from_edge = t if k > bend else leg - t
    weight, r = 1.0, 0 if k <= bend else order - 1
    bounces = r != bend
    if bounces:
        part = work.fraction[r]
        at_edge = k == bend or k == bend + 1
        length = leg / part if at_edge else leg / (1.0 - part)
        from_edge += 0.0 if at_edge else part * length
    if not end_moves:
        weight = 1.0 - min(1.0, from_edge / length)
    inside = rim_distance(scene, hit, point[0], point[1], point[2]) - 2.0 * STAND
    margin = reach(inside, weight, grazing, length)
    for tip in range(2):
        vertex = k - 1 if tip == 0 else k
        room = abs(_height(scene, p, start if tip == 0 else end)) - 2.0 * STAND
        if room <= 0.0:
            return 0.0
        if vertex == bend:
            room /= max(abs(_slope(scene, p, along)), 1e-9)
        elif vertex >= 0 and vertex < order:
            room = reach(room, 1.0 if end_moves else 1.0 - work.fraction[r], work.grazing[r], length)
        elif not end_moves:
            room = _FAR
        margin = min(margin, room)
    return margin


@uncounted
def detour_room(
    scene: Scene, edges: Edges, detours: Detours, i: int, source: F64, target: F64, line: Triple, order: int, work: Work
) -> float:
    """Return how far the ends of a clear detour may move together while nothing can come into its way.

    The wedge is a cone about its edge: a leg from the edge stays out of it while its other end does. What lies in the
    planes of its two faces meets the leg on the edge only.
    """
    e, bend = detours.edge[i], 1 if detours.before[i] >= 0 else 0
    least = min(ROOM, _off_wedge(edges, e, _image(scene, detours.before[i], source)[0]))
    least = min(least, _off_wedge(edges, e, _image(scene, detours.after[i], target)[0]))
    for k in range(order + 1):
        here, there = source if k == 0 else work.vertex[k - 1], target if k == order else work.vertex[k]
        before, after, p = 0.0, 0.0, -1
        if k > 0 and k - 1 != bend:
            before, p = 1.0 / work.grazing[k - 1], detours.before[i] if k - 1 < bend else detours.after[i]
        if k < order and k != bend:
            after, p = 1.0 / work.grazing[k], detours.before[i] if k < bend else detours.after[i]
        if max(before, after) * SHORTEST > 1.0:
            return 0.0
        faces = edges.plane[e]
        beside = k == bend or k == bend + 1
        least = leg_room(
            scene, here, there, before, after, p, -1, least, faces[0] if beside else -1, faces[1] if beside else -1
        )
        if least <= 3.0 * CLEARANCE + STAND:
            return 0.0
    return _hold(line, SAFETY * (least - 3.0 * CLEARANCE - STAND), True)


@uncounted
def _off_wedge(edges: Edges, e: int, point: Point) -> float:
    """Return how far at least a point is from the matter between the two faces of edge e; 0 inside it."""
    n, t, angle = edges.normal[e], edges.into[e], edges.open_angle[e]
    x, y, z = point[0] - edges.start[e, 0], point[1] - edges.start[e, 1], point[2] - edges.start[e, 2]
    first, inward = x * n[0] + y * n[1] + z * n[2], x * t[0] + y * t[1] + z * t[2]
    return float(max(first, sin(angle) * inward - cos(angle) * first, 0.0))
