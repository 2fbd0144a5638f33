"""Paths to many places at once: neighbours share the search.

all places            Places in order along a Z-curve are cut into eight blocks, each of these again, down to single
[. . . . . . . .]     places. A block asks at its centre which rows give no path there, and for how long: a row whose
[. . . .]            certificate outlasts the block's radius is a path to no place in it. The blocks within look only
[. .]               at the rows that are left: of all rows of a city's tree some dozens reach a single place, and the
[.]                same are found as if each place had looked at all of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from twin.channel.search.detours import SearchSpace, detour_clear, detour_points
from twin.channel.search.diffraction import Labels, emit_detour
from twin.channel.search.images import Work, bounce_points, clear_legs
from twin.channel.search.paths import REFLECTIONS, Paths, emit
from twin.channel.search.planes import curve
from twin.channel.search.search import Quest
from twin.channel.search.tree import Rows
from twin.numerics.kernels import kernel, uncounted
from twin.state import F64, I32, I64

_FAN = 8
_NEAR = 30.0
"""Metres of a block's radius from which on it also asks for how long a path to its centre stays blocked."""


class Descent(NamedTuple):
    """The blocks from all places down to the one in hand: D depths, R rows."""

    turn: I64  # (m,) places along the curve
    row: I32  # (D, R) rows that can be paths to places of the block; those from `tree` on are detours
    size: I64  # (D,) rows in use
    first: I64  # (D,) places turn[first:last] are in the block
    last: I64  # (D,)
    part: I64  # (D,) its parts that are done
    tree: int  # rows that are not detours


def make_descent(targets: F64, count: int, detours: int) -> Descent:
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
    )
    made.row[0], made.size[0] = np.arange(count + detours), count + detours
    return made


@kernel
def sweep(
    space: SearchSpace, rows: Rows, quest: Quest, descent: Descent, labels: Labels, work: Work, paths: Paths
) -> None:
    """Append what `search.exhaust` and `diffraction.exhaust_detours` append."""
    depth = 1
    descent.first[1], descent.last[1], descent.part[1] = 0, len(descent.turn), 0
    _sift(space, rows, quest, descent, 1, work)
    while depth >= 1:
        first, last = descent.first[depth], descent.last[depth]
        if last - first == 1:
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
            _sift(space, rows, quest, descent, depth, work)


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
    return float(np.sqrt(most))


@kernel
def _sift(space: SearchSpace, rows: Rows, quest: Quest, descent: Descent, depth: int, work: Work) -> None:
    """List the rows of the block above that can be paths to places of this one."""
    centre, kept = np.empty(3), 0
    radius = _ball(quest.targets, descent, depth, centre)
    for r in range(descent.size[depth - 1]):
        i = descent.row[depth - 1, r]
        if i >= descent.tree:
            found, budget, _ = detour_points(space, i - descent.tree, quest.source, False, centre, work)
        else:
            planes, order = rows.sequence[i], rows.order[i]
            found, budget = bounce_points(space.scene, False, centre, planes, rows.image[i], order, work)
            if found and radius < _NEAR:
                found, budget = clear_legs(space.scene, space.walls, quest.source, False, centre, planes, order, work)
        if found or budget <= radius:
            descent.row[depth, kept] = i
            kept += 1
    descent.size[depth] = kept


@uncounted
def _arrive(
    space: SearchSpace, rows: Rows, quest: Quest, descent: Descent, depth: int, labels: Labels, work: Work, paths: Paths
) -> None:
    """Append the paths to the one place of a block."""
    j = descent.turn[descent.first[depth]]
    source, target = quest.source, quest.targets[j]
    if clear_legs(space.scene, space.walls, source, False, target, rows.sequence[0], 0, work)[0]:
        emit(paths, quest.pair[j], quest.backwards[j], work, REFLECTIONS, work.triangle, 0)
    for r in range(descent.size[depth]):
        i = descent.row[depth, r]
        if i >= descent.tree:
            found, _, bend = detour_points(space, i - descent.tree, source, False, target, work)
            if found and detour_clear(space, bend, source, target, work)[0]:
                emit_detour(space, bend, quest, j, labels, work, paths)
            continue
        planes, order = rows.sequence[i], rows.order[i]
        if not bounce_points(space.scene, False, target, planes, rows.image[i], order, work)[0]:
            continue
        if clear_legs(space.scene, space.walls, source, False, target, planes, order, work)[0]:
            emit(paths, quest.pair[j], quest.backwards[j], work, REFLECTIONS, work.triangle, order)
