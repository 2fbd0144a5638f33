"""Paths to many places at once: neighbours share the search.

all places            Places in order along a Z-curve are cut into eight blocks, each of these again, down to a few
[. . . . . . . .]     neighbours. All places that a row of the tree reaches lie in a cone from its last image through
[. . . .]            one of its mirrors, unfolded. A block drops the rows whose cones miss the ball about its places,
[. .]               and the blocks within look only at those that are left: of all rows of a city's tree some
[.]                hundreds. Detours are dropped where their certificate outlasts the block's radius.

Most of what is left at a place is blocked, and by the triangle that blocked the same row at the place before. So the
same paths are found as if each place had looked at all rows.
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import numpy as np

from twin.channel.search.detours import SearchSpace, detour_clear, detour_points
from twin.channel.search.diffraction import Labels, emit_detour
from twin.channel.search.images import Line, Walls, Work, _leg, bounce_points, clear_legs
from twin.channel.search.paths import REFLECTIONS, Paths, emit
from twin.channel.search.planes import Scene, curve
from twin.channel.search.search import Quest
from twin.channel.search.tree import Rows
from twin.numerics.kernels import kernel, uncounted
from twin.state import F64, I32, I64
from twin.world.bvh import Triple, _meet, _ray, closest_hit

_FAN, _FEW = 8, 16
"""Parts of a block; places of one that has no parts."""
SECTORS = 64
"""Parts of the horizon of a place for which it remembers what blocked a leg."""
_SLACK = 1e-3
"""Metres by which a cone is wider than its mirror."""


class Descent(NamedTuple):
    """The blocks from all places down to the one in hand: D depths, R rows."""

    turn: I64  # (m,) places along the curve
    row: I32  # (D, R) rows that can be paths to places of the block; those from `tree` on are detours
    size: I64  # (D,) rows in use
    first: I64  # (D,) places turn[first:last] are in the block
    last: I64  # (D,)
    part: I64  # (D,) its parts that are done
    tree: int  # rows that are not detours
    cone: F64  # (rows, 8) apex [m], axis, cosine and sine of half the angle
    blocker: I32  # (rows + 1, 2) triangle that blocked the row at the last place, -1 without one, and the leg
    beside: I32  # (m, SECTORS) triangle that last blocked a leg to the place from there, -1 without one
    corners: F64  # (T, 9) m


def make_descent(scene: Scene, rows: Rows, count: int, detours: int, targets: F64) -> Descent:
    """Return room for the blocks of `targets` (m, 3); depth 0 holds all rows."""
    depth = 4 + int(np.ceil(np.log(max(len(targets), 2)) / np.log(_FAN)))
    made = Descent(
        turn=np.argsort(curve(targets), kind="stable").astype(np.int64),
        row=np.empty((depth, count + detours), dtype=np.int32),
        size=np.zeros(depth, dtype=np.int64),
        first=np.zeros(depth, dtype=np.int64),
        last=np.zeros(depth, dtype=np.int64),
        part=np.zeros(depth, dtype=np.int64),
        tree=count,
        cone=_cones(scene, rows, count),
        blocker=np.full((count + 1, 2), -1, dtype=np.int32),
        beside=np.full((len(targets), SECTORS), -1, dtype=np.int32),
        corners=scene.corners.reshape(-1, 9),
    )
    made.row[0], made.size[0] = np.arange(count + detours), count + detours
    return made


@kernel
def _cones(scene: Scene, rows: Rows, count: int) -> F64:
    """Return the narrowest cone of each row; one that holds everything has a cosine of -1."""
    cone = np.zeros((count, 8))
    for i in range(count):
        apex, least = rows.image[i, rows.order[i] - 1], 1.0
        cone[i, 0], cone[i, 1], cone[i, 2], cone[i, 3], cone[i, 6] = apex[0], apex[1], apex[2], 1.0, -1.0
        for k in range(rows.order[i]):
            low, high = scene.low[rows.sequence[i, k]], scene.high[rows.sequence[i, k]]
            x, y, z = 0.5 * (low[0] + high[0]), 0.5 * (low[1] + high[1]), 0.5 * (low[2] + high[2])
            a, b, c = high[0] - x, high[1] - y, high[2] - z
            for q in range(k + 1, rows.order[i]):
                p = rows.sequence[i, q]
                n = scene.normal[p]
                twice = 2.0 * (x * n[0] + y * n[1] + z * n[2] - scene.offset[p])
                x, y, z = x - twice * n[0], y - twice * n[1], z - twice * n[2]
            x, y, z = x - apex[0], y - apex[1], z - apex[2]
            away = sqrt(x * x + y * y + z * z)
            sine = (sqrt(a * a + b * b + c * c) + _SLACK) / max(away, _SLACK)
            if sine < least:
                least = sine
                cone[i, 3], cone[i, 4], cone[i, 5] = x / away, y / away, z / away
                cone[i, 6], cone[i, 7] = sqrt(1.0 - sine * sine), sine
    return cone


@kernel
def sweep(
    space: SearchSpace, rows: Rows, quest: Quest, descent: Descent, labels: Labels, work: Work, paths: Paths
) -> None:
    """Append what `search.exhaust` and `diffraction.exhaust_detours` append."""
    depth = 1
    descent.first[1], descent.last[1], descent.part[1] = 0, len(descent.turn), 0
    _sift(space, quest, descent, 1, work)
    while depth >= 1:
        first, last = descent.first[depth], descent.last[depth]
        if last - first <= _FEW:
            _arrive(space, rows, quest, descent, depth, labels, work, paths)
            depth -= 1
            continue
        k = descent.part[depth]
        if k == _FAN:
            depth -= 1
            continue
        descent.part[depth] = k + 1
        a, b = first + (last - first) * k // _FAN, first + (last - first) * (k + 1) // _FAN
        if a < b:
            depth += 1
            descent.first[depth], descent.last[depth], descent.part[depth] = a, b, 0
            _sift(space, quest, descent, depth, work)


@uncounted
def _ball(targets: F64, descent: Descent, depth: int, centre: F64) -> float:
    """Write the centre (3,) of a block's places; return its radius [m]."""
    first, last, most = descent.first[depth], descent.last[depth], 0.0
    for k in range(3):
        low, high = np.inf, -np.inf
        for i in range(first, last):
            low, high = min(low, targets[descent.turn[i], k]), max(high, targets[descent.turn[i], k])
        centre[k] = 0.5 * (low + high)
    for i in range(first, last):
        p, square = targets[descent.turn[i]], 0.0
        for k in range(3):
            square += (p[k] - centre[k]) ** 2
        most = max(most, square)
    return sqrt(most)


@kernel
def _sift(space: SearchSpace, quest: Quest, descent: Descent, depth: int, work: Work) -> None:
    """List the rows of the block above that can be paths to places of this one."""
    centre, kept = np.empty(3), 0
    radius = _ball(quest.targets, descent, depth, centre)
    for r in range(descent.size[depth - 1]):
        i = descent.row[depth - 1, r]
        if i < descent.tree:
            reaches = _in_cone(descent.cone[i], centre, radius)
        else:
            found, budget, _ = detour_points(space, i - descent.tree, quest.source, False, centre, work)
            reaches = found or budget <= radius
        if reaches:
            descent.row[depth, kept] = i
            kept += 1
    descent.size[depth] = kept


@uncounted
def _in_cone(cone: F64, centre: F64, radius: float) -> bool:
    """Tell whether a ball may reach into a cone."""
    x, y, z = centre[0] - cone[0], centre[1] - cone[1], centre[2] - cone[2]
    along = x * cone[3] + y * cone[4] + z * cone[5]
    across = sqrt(max(0.0, x * x + y * y + z * z - along * along))
    return bool(cone[6] < 0.0 or (along >= -radius and across * cone[6] - along * cone[7] <= radius + _SLACK))


@uncounted
def _arrive(
    space: SearchSpace, rows: Rows, quest: Quest, descent: Descent, depth: int, labels: Labels, work: Work, paths: Paths
) -> None:
    """Append the paths to the places of a block."""
    first, last = descent.first[depth], descent.last[depth]
    for t in range(first, last):
        j = descent.turn[t]
        _see(space, rows.sequence[0], 0, quest, descent, (descent.tree, j), work, paths)
    for r in range(descent.size[depth]):
        i = descent.row[depth, r]
        for t in range(first, last):
            j = descent.turn[t]
            if i < descent.tree:
                _reflect(space, rows, quest, descent, (i, j), work, paths)
                continue
            found, _, bend = detour_points(space, i - descent.tree, quest.source, False, quest.targets[j], work)
            if found and detour_clear(space, bend, quest.source, quest.targets[j], work)[0]:
                emit_detour(space, bend, quest, j, labels, work, paths)


@uncounted
def _reflect(
    space: SearchSpace, rows: Rows, quest: Quest, descent: Descent, at: tuple[int, int], work: Work, paths: Paths
) -> None:
    """Append row i to place j, `at` (i, j), if it is a path."""
    (i, j), scene = at, space.scene
    target, planes, order = quest.targets[j], rows.sequence[i], rows.order[i]
    if not _in_cone(descent.cone[i], target, 0.0):
        return
    if not bounce_points(scene, False, target, planes, rows.image[i], order, work)[0]:
        return
    _see(space, planes, order, quest, descent, at, work, paths)


@uncounted
def _see(
    space: SearchSpace, planes: I32, order: int, quest: Quest, descent: Descent, at: tuple[int, int], work: Work,
    paths: Paths,
) -> None:  # fmt: skip
    """Append row i to place j, `at` (i, j), if nothing is in the way of it."""
    j, source = at[1], quest.source
    target = quest.targets[j]
    if _shaded(space.scene, space.walls, descent, at, (source, target), planes, order, work):
        return
    if clear_legs(space.scene, space.walls, source, False, target, planes, order, work)[0]:
        emit(paths, quest.pair[j], quest.backwards[j], work, REFLECTIONS, work.triangle, order)


@uncounted
def _shaded(
    scene: Scene, walls: Walls, descent: Descent, at: tuple[int, int], ends: tuple[F64, F64], planes: I32, order: int,
    work: Work,
) -> bool:  # fmt: skip
    """Tell whether what blocked row i or a leg to place j last, `at` (i, j), does so, or what comes first on a leg."""
    (i, j), line = at, Line(moves=False, order=order, length=1.0)
    last = descent.blocker[i]
    if last[0] >= 0:
        leg = _leg(scene, ends[0], ends[1], planes, line, last[1], 0.0, work)
        if _blocks(descent.corners, last[0], leg.start, leg.direction, leg.reach):
            return True
    for k in range(order, -1, -1):
        leg = _leg(scene, ends[0], ends[1], planes, line, k, 0.0, work)
        if leg.length <= 0.0:
            continue
        s = _sector(leg.direction)
        if k == order and descent.beside[j, s] >= 0:
            if _blocks(descent.corners, descent.beside[j, s], leg.start, leg.direction, leg.reach):
                return True
        hit, _ = closest_hit(scene.bvh, leg.start, leg.direction, leg.reach[0], leg.reach[1])
        if hit >= 0 and walls.loss[scene.surface[hit]] == np.inf:
            last[0], last[1] = hit, k
            if k == order:
                descent.beside[j, s] = hit
            return True
    return False


@uncounted
def _blocks(corners: F64, triangle: int, start: Triple, direction: Triple, reach: tuple[float, float]) -> bool:
    _, _, _, turned, axes, shear = _ray(start, direction)
    return bool(reach[0] < _meet(corners, triangle, turned, axes, shear) < reach[1])


@uncounted
def _sector(d: Triple) -> int:
    """Return the part of the horizon in which a direction lies."""
    across = abs(d[0]) + abs(d[1])
    turn = 1.0 - d[0] / across if across > 0.0 else 0.0
    return int((turn if d[1] >= 0.0 else 4.0 - turn) * (SECTORS // 4)) % SECTORS
