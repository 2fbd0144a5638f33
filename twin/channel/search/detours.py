"""Paths by way of one edge, alone or with one reflection before or after it: their points, and what is in their way.

    source                          source
       *   edge                        *
         `.|                             `.
           X. . . . * target               X            Turned about the edge into one plane such a path is a straight
           |                                 `.         line: what is along and across the edge keeps its length. So
           |                                   `.       its point on the edge (Keller's law) is where the line crosses
       ____|                             ________`*____ the edge, and the certificates of `images.py` hold, with that
                                                        point as one end of the legs beside it.

With a reflection before or after the edge, source or target are their images. `room` is how far the ends may move
before anything can come into the way: the wedge itself can't, as long as both ends stay out of its two faces' planes.
"""

from __future__ import annotations

from math import cos, inf, sin, sqrt
from typing import NamedTuple

from twin.channel.search.clearance import ROOM, SHORTEST, leg_room
from twin.channel.search.edges import STAND, Edges
from twin.channel.search.images import (
    AMPLE,
    CLEARANCE,
    CROSSINGS,
    SAFETY,
    Leg,
    Walls,
    Work,
    cover_of,
    crossing_of,
    ray_range,
    reach,
)
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


class SearchSpace(NamedTuple):
    """What all sources share."""

    scene: Scene
    walls: Walls
    edges: Edges
    detours: Detours


class Bend(NamedTuple):
    """A detour whose points are found: its row, its reflections and edges, and the line that moves its point."""

    i: int
    order: int
    vertex: int  # which of its points is on the edge
    moves: bool  # the source does
    line: Triple  # weight, sine and length that `reach` takes


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
    space: SearchSpace, i: int, source: F64, moves: bool, target: F64, work: Work
) -> tuple[bool, float, Bend]:
    """Find the points of detour i; return (found, budget, the bend)."""
    scene, edges = space.scene, space.edges
    e, before, after = space.detours.edge[i], space.detours.before[i], space.detours.after[i]
    a, height_a = _image(scene, before, source)
    b, height_b = _image(scene, after, target)
    ta, ra = _along(edges, e, a)
    tb, rb = _along(edges, e, b)
    across, k = ra + rb, 1 if before >= 0 else 0
    order = k + 2 if after >= 0 else k + 1
    if ra < 1e-6 or rb < 1e-6:
        return False, 0.0, Bend(i=i, order=order, vertex=k, moves=moves, line=(1.0, 1.0, 1.0))
    length = sqrt(across * across + (ta - tb) * (ta - tb))
    t, fraction = (ta * rb + tb * ra) / across, ra / across
    line = (max(fraction, 1.0 - fraction) if moves else fraction, across / length, length)
    bend = Bend(i=i, order=order, vertex=k, moves=moves, line=line)
    outside = max(-t, t - edges.length[e])
    if outside > 0.0:
        return False, _hold(line, outside, False), bend
    u = edges.along[e]
    d = (edges.start[e, 0] + t * u[0], edges.start[e, 1] + t * u[1], edges.start[e, 2] + t * u[2])
    if before >= 0:
        found, budget = _bounce(space, bend, 0, moves, d, a, height_a, work)
        if not found:
            return False, budget, bend
    work.vertex[k, 0], work.vertex[k, 1], work.vertex[k, 2] = d
    if after >= 0:
        found, budget = _bounce(space, bend, k + 1, True, d, b, height_b, work)
        if not found:
            return False, budget, bend
    return True, 0.0, bend


@uncounted
def _mirror(space: SearchSpace, bend: Bend, k: int) -> int:
    """Return the plane that reflects at vertex k of a detour."""
    return int(space.detours.before[bend.i] if k < bend.vertex else space.detours.after[bend.i])


@uncounted
def _bounce(
    space: SearchSpace, bend: Bend, k: int, end_moves: bool, d: Triple, image: Triple, height: float, work: Work
) -> tuple[bool, float]:
    """Find the reflection k between the point d of the edge and the end whose image is given."""
    scene, line, p = space.scene, bend.line, _mirror(space, bend, k)
    side = _height(scene, p, d)
    if side * height <= 0.0:
        slope = abs(_slope(scene, p, space.edges.along[space.detours.edge[bend.i]]))
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
def _lift(space: SearchSpace, bend: Bend, k: int, point: Triple, towards: Triple) -> Triple:
    """Return vertex k of a detour moved off the matter that it lies on."""
    if k == bend.vertex:
        a = space.edges.away[space.detours.edge[bend.i]]
        return point[0] + STAND * a[0], point[1] + STAND * a[1], point[2] + STAND * a[2]
    p = _mirror(space, bend, k)
    n = space.scene.normal[p]
    shift = CLEARANCE if _height(space.scene, p, towards) > 0.0 else -CLEARANCE
    return point[0] + shift * n[0], point[1] + shift * n[1], point[2] + shift * n[2]


@uncounted
def _leg(space: SearchSpace, bend: Bend, source: F64, target: F64, k: int, work: Work) -> Leg:
    """Return leg k, from the target."""
    here, there = target if k == bend.order else work.vertex[k], source if k == 0 else work.vertex[k - 1]
    a, b = (here[0], here[1], here[2]), (there[0], there[1], there[2])
    start = _lift(space, bend, k, a, b) if k < bend.order else a
    end = _lift(space, bend, k - 1, b, a) if k > 0 else b
    dx, dy, dz = end[0] - start[0], end[1] - start[1], end[2] - start[2]
    leg = sqrt(dx * dx + dy * dy + dz * dz)
    inverse = 1.0 / leg if leg > 0.0 else 0.0
    return Leg(
        k=k, here=a, there=b, start=start, end=end, direction=(inverse * dx, inverse * dy, inverse * dz), length=leg,
        reach=ray_range(leg, k == bend.order, k == 0), travelled=0.0,
    )  # fmt: skip


@uncounted
def detour_clear(space: SearchSpace, bend: Bend, source: F64, target: F64, work: Work) -> tuple[bool, float]:
    """Look along the legs of a detour; return (clear, budget), and note the walls that it passes in `work`."""
    clear, budget, lost = True, 0.0, 0.0
    work.crossings[0] = 0
    for k in range(bend.order, -1, -1):
        leg = _leg(space, bend, source, target, k, work)
        if k < bend.order and k != bend.vertex and cover_of(space.scene, _mirror(space, bend, k), leg.start) >= 0:
            return False, 0.0
        held, lost = _blocked(space, bend, leg, lost, work)
        if held >= 0.0:
            clear, budget = False, max(budget, held)
            if budget >= AMPLE:
                break
    return clear, budget


@uncounted
def _blocked(space: SearchSpace, bend: Bend, leg: Leg, lost: float, work: Work) -> tuple[float, float]:
    """Return for how long a leg stays blocked, -1 where nothing is in its way, and what walls have taken by its end."""
    scene, walls = space.scene, space.walls
    if leg.length == 0.0:
        return 0.0, lost
    begin = leg.reach[0]
    held, blocks = -1.0, 0
    while blocks < walls.looks and held < AMPLE:
        hit, t = closest_hit(scene.bvh, leg.start, leg.direction, begin, leg.reach[1])
        if hit < 0:
            break
        begin, loss, m = t + 1e-6, walls.loss[scene.surface[hit]], work.crossings[0]
        if loss == inf:
            held, blocks = max(held, _held(space, bend, leg, hit, t, work)), blocks + 1
            continue
        lost += loss
        if lost > walls.most or m == CROSSINGS:
            return 0.0, lost
        work.through[m, 0], work.through[m, 1], work.through[m, 2] = crossing_of(scene, hit, leg.here, leg.there)
        work.wall[m], work.leg[m] = hit, leg.k
        work.crossings[0] = m + 1
    return held, lost


@uncounted
def _slope(scene: Scene, p: int, direction: Point) -> float:
    n = scene.normal[p]
    return float(direction[0] * n[0] + direction[1] * n[1] + direction[2] * n[2])


@uncounted
def _held(space: SearchSpace, bend: Bend, leg: Leg, hit: int, t: float, work: Work) -> float:
    """Return for how long triangle `hit`, which a leg meets after t metres, blocks it.

    Unfolded, the side is a straight line from the edge to the radio: its crossing must stay on the face, and the ends
    of the leg on their sides of it.
    """
    scene, p, k, vertex = space.scene, space.scene.plane[hit], leg.k, bend.vertex
    end_moves, margin = bend.moves or k > vertex, 0.0
    if p < 0:
        return _hold(bend.line, 0.0, end_moves)
    t = leg.length - t  # from the leg's end that is nearer to the source
    length, grazing = leg.length, abs(_slope(scene, p, leg.direction))
    from_edge = t if k > vertex else length - t
    weight, r = 1.0, 0 if k <= vertex else bend.order - 1
    if r != vertex:
        part = work.fraction[r]
        at_edge = k == vertex or k == vertex + 1
        length = leg.length / part if at_edge else leg.length / (1.0 - part)
        from_edge += 0.0 if at_edge else part * length
    if not end_moves:
        weight = 1.0 - min(1.0, from_edge / length)
    s, d = leg.end, leg.direction
    inside = rim_distance(scene, hit, s[0] - t * d[0], s[1] - t * d[1], s[2] - t * d[2]) - 2.0 * STAND
    margin = reach(inside, weight, grazing, length)
    for tip in range(2):
        v = k - 1 if tip == 0 else k
        room = abs(_height(scene, p, leg.end if tip == 0 else leg.start)) - 2.0 * STAND
        if room <= 0.0:
            return _hold(bend.line, 0.0, end_moves)
        if v == vertex:
            room /= max(abs(_slope(scene, p, space.edges.along[space.detours.edge[bend.i]])), 1e-9)
        elif v >= 0 and v < bend.order:
            room = reach(room, 1.0 if end_moves else 1.0 - work.fraction[r], work.grazing[r], length)
        elif not end_moves:
            room = _FAR
        margin = min(margin, room)
    return _hold(bend.line, margin, end_moves)


@uncounted
def detour_room(space: SearchSpace, bend: Bend, source: F64, target: F64, work: Work) -> float:
    """Return how far the ends of a clear detour may move together while nothing can come into its way.

    The wedge is a cone about its edge: a leg from the edge stays out of it while its other end does. What lies in the
    planes of its two faces meets the leg on the edge only.
    """
    scene, edges, detours, order = space.scene, space.edges, space.detours, bend.order
    e, at = detours.edge[bend.i], bend.vertex
    least = min(ROOM, _off_wedge(edges, e, _image(scene, detours.before[bend.i], source)[0]))
    least = min(least, _off_wedge(edges, e, _image(scene, detours.after[bend.i], target)[0]))
    for k in range(order + 1):
        here, there = source if k == 0 else work.vertex[k - 1], target if k == order else work.vertex[k]
        before, after, p = 0.0, 0.0, -1
        if k > 0 and k - 1 != at:
            before, p = 1.0 / work.grazing[k - 1], _mirror(space, bend, k - 1)
        if k < order and k != at:
            after, p = 1.0 / work.grazing[k], _mirror(space, bend, k)
        if max(before, after) * SHORTEST > 1.0:
            return 0.0
        faces, beside = edges.plane[e], k == at or k == at + 1
        planes = (p, -1, faces[0] if beside else -1, faces[1] if beside else -1)
        least = leg_room(scene, here, there, (before, after), planes, least)
        if least <= 3.0 * CLEARANCE + STAND:
            return 0.0
    return _hold(bend.line, SAFETY * (least - 3.0 * CLEARANCE - STAND), True)


@uncounted
def _off_wedge(edges: Edges, e: int, point: Point) -> float:
    """Return how far at least a point is from the matter between the two faces of edge e; 0 inside it."""
    n, t, angle = edges.normal[e], edges.into[e], edges.open_angle[e]
    x, y, z = point[0] - edges.start[e, 0], point[1] - edges.start[e, 1], point[2] - edges.start[e, 2]
    first, inward = x * n[0] + y * n[1] + z * n[2], x * t[0] + y * t[1] + z * t[2]
    return float(max(first, sin(angle) * inward - cos(angle) * first, 0.0))
