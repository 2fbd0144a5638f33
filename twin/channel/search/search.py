"""Kinetic search: which rows of an image tree are paths to each target now, and which can't be yet.

Each target has two lists. `wide` holds the rows whose certificates end within WIDE metres, and is made anew from
the whole tree only after the ends have moved that far together; `near` holds those of `wide` that end within NEAR
metres, and is all that a step looks at. A row in `near` is examined only once its certificate has ended.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from twin.channel.search.ask import Asking, note_dark
from twin.channel.search.clearance import path_clearance
from twin.channel.search.images import Walls, Work, bounce_points, clear_legs, make_work
from twin.channel.search.paths import REFLECTIONS, Paths, emit
from twin.channel.search.planes import Scene
from twin.channel.search.tree import Rows, Tree
from twin.numerics.kernels import kernel, uncounted
from twin.state import F64, I32, Bool

WIDE, NEAR = 32.0, 0.5
"""Metres that the ends move together between two searches of the tree, and of the wide list."""

NEVER = -np.inf
"""End of the room of what is not known to be clear."""


class Lists(NamedTuple):
    """Candidates of m targets; odometers and ends of certificates in metres moved by both ends together.

    What a step reads of a near row lies side by side, and goes back to the wide list when `near` is made anew.
    """

    row: I32  # (m, W) rows of the tree
    expiry: F64  # (m, W) reading of the odometer at which the certificate ends
    clear: F64  # (m, W) reading up to which nothing can come into the way of a row that is a path
    triangle: I32  # (m, W, K) where the row's reflections were last
    size: I32  # (m,) rows in use
    until: F64  # (m,) reading at which `row` must be made anew
    near: I32  # (m, N) places in `row`
    near_row: I32  # (m, N)
    near_expiry: F64  # (m, N)
    near_clear: F64  # (m, N)
    near_triangle: I32  # (m, N, K)
    near_count: I32  # (m,)
    near_until: F64  # (m,)
    direct: F64  # (m,) expiry of the direct path's certificate
    direct_clear: F64  # (m,) as `clear`, for the direct path
    odometer: F64  # (m,)


_BY_ROW = ("row", "expiry", "clear", "triangle")
_BY_NEAR = ("near", "near_row", "near_expiry", "near_clear", "near_triangle")


def make_lists(targets: int, order: int, capacity: int = 512, near: int = 64) -> Lists:
    """Return lists that are due to be made, with room for `capacity` rows a target, `near` of them near."""
    return Lists(
        np.zeros((targets, capacity), dtype=np.int32),
        np.zeros((targets, capacity)),
        np.zeros((targets, capacity)),
        np.zeros((targets, capacity, order), dtype=np.int32),
        np.zeros(targets, dtype=np.int32),
        np.full(targets, -1.0),
        np.zeros((targets, near), dtype=np.int32),
        np.zeros((targets, near), dtype=np.int32),
        np.zeros((targets, near)),
        np.zeros((targets, near)),
        np.zeros((targets, near, order), dtype=np.int32),
        np.zeros(targets, dtype=np.int32),
        np.full(targets, -1.0),
        np.full(targets, -1.0),
        np.full(targets, NEVER),
        np.zeros(targets),
    )


def grown(lists: Lists, capacity: int, near: int) -> Lists:
    """Return the lists with room for at least so many rows a target, all and near ones."""
    width, close = lists.row.shape[1], lists.near.shape[1]
    capacity, near = (max(2 * need if need > have else 0, have) for need, have in ((capacity, width), (near, close)))
    more = make_lists(len(lists.size), lists.triangle.shape[2], capacity, near)
    for names, used in ((_BY_ROW, width), (_BY_NEAR, close)):
        for name in names:
            getattr(more, name)[:, :used] = getattr(lists, name)
    return lists._replace(**{name: getattr(more, name) for name in _BY_ROW + _BY_NEAR})


@kernel
def is_due(lists: Lists) -> bool:
    """Tell whether the ends of any target have moved as far as its lists hold."""
    for j in range(len(lists.odometer)):
        if lists.odometer[j] >= min(lists.near_until[j], lists.until[j]):
            return True
    return False


@kernel
def walk(lists: Lists, position: F64, before: F64, targets: I32, moved: float) -> bool:
    """Add to the odometers how far the source has `moved`, and how far each target (m,) among the places (n, 3).

    Tell whether the ends of any target have moved as far as its lists hold.
    """
    for j in range(len(targets)):
        k = targets[j]
        x, y, z = position[k, 0] - before[k, 0], position[k, 1] - before[k, 1], position[k, 2] - before[k, 2]
        lists.odometer[j] += np.sqrt(x * x + y * y + z * z) + moved
    return is_due(lists)


def refresh(tree: Tree, lists: Lists, moves: bool, targets: F64, known: int) -> Lists:
    """Bring the lists up to date for `targets` (m, 3); rows from `known` on are new in the tree."""
    while True:
        rows, near = _refresh(tree.scene, tree.rows, tree.count, known, moves, targets, lists)
        if rows <= lists.row.shape[1] and near <= lists.near.shape[1]:
            return lists
        lists = grown(lists, rows, near)
        lists.until[:] = -1.0


@kernel
def _refresh(
    scene: Scene, rows: Rows, count: int, known: int, moves: bool, targets: F64, lists: Lists
) -> tuple[int, int]:
    """Return the room that a target needs; more than there is: its list must be made again."""
    from_row = 0
    sequence, order, image = rows.sequence, rows.order, rows.image
    work = make_work(sequence.shape[1])
    capacity = lists.row.shape[1]
    for j in range(targets.shape[0]):
        reading = lists.odometer[j]
        if reading >= lists.until[j]:
            from_row, size, until = 0, 0, reading + wide_reach(lists, j, WIDE)
            lists.near_count[j] = 0
        else:
            from_row, size, until = known, lists.size[j], lists.until[j]
        held = size
        for i in range(from_row, count):
            found, budget = bounce_points(scene, moves, targets[j], sequence[i], image[i], order[i], work)
            if not found and reading + budget >= until:
                continue
            if size < capacity:
                lists.row[j, size], lists.expiry[j, size], lists.clear[j, size] = i, reading + budget, NEVER
            size += 1
        if size > capacity:
            return size, 0
        lists.size[j], lists.until[j] = size, until
        if reading >= lists.near_until[j] or size != held or from_row == 0:
            near = refresh_near(lists, j)
            if near > lists.near.shape[1]:
                return 0, near
    return 0, 0


@uncounted
def wide_reach(lists: Lists, j: int, wide: float) -> float:
    """Return how far the list of target j is to hold: `wide` [m], at first less, so that not all end at once."""
    return wide * (0.5 + 0.5 * (j * 0.6180339887498949 % 1.0)) if lists.until[j] < 0.0 else wide


@uncounted
def refresh_near(lists: Lists, j: int) -> int:
    """Make the near list of target j anew; return the room that it needs."""
    for m in range(lists.near_count[j]):
        q = lists.near[j, m]
        lists.expiry[j, q], lists.clear[j, q] = lists.near_expiry[j, m], lists.near_clear[j, m]
        for k in range(lists.triangle.shape[2]):
            lists.triangle[j, q, k] = lists.near_triangle[j, m, k]
    lists.near_count[j] = 0
    until, size = lists.odometer[j] + NEAR, 0
    for q in range(lists.size[j]):
        if lists.expiry[j, q] >= until:
            continue
        if size < lists.near.shape[1]:
            lists.near[j, size], lists.near_row[j, size] = q, lists.row[j, q]
            lists.near_expiry[j, size], lists.near_clear[j, size] = lists.expiry[j, q], lists.clear[j, q]
            for k in range(lists.triangle.shape[2]):
                lists.near_triangle[j, size, k] = lists.triangle[j, q, k]
        size += 1
    if size <= lists.near.shape[1]:
        lists.near_count[j], lists.near_until[j] = size, until
    return size


class Quest(NamedTuple):
    """What is sought at one step: paths from a source to m targets."""

    source: F64  # (3,) m
    moves: bool  # the source does
    targets: F64  # (m, 3) m
    pair: I32  # (m,) pair of each target
    backwards: Bool  # (m,) the source is its pair's second place
    step: int


@uncounted
def follow(
    scene: Scene, walls: Walls, rows: Rows, quest: Quest, lists: Lists, asking: Asking, work: Work, paths: Paths
) -> bool:
    """Append the paths to each target to `paths`; certificates decide what is examined. Tell whether any is to ask."""
    for j in range(quest.targets.shape[0]):
        reading = lists.odometer[j]
        if reading < lists.direct_clear[j]:
            work.crossings[0] = 0
            emit(paths, quest.pair[j], quest.backwards[j], work, REFLECTIONS, work.triangle, 0)
        elif reading >= lists.direct[j]:
            was_clear = lists.direct_clear[j] > NEVER
            clear, budget, room = _look(scene, walls, quest, j, rows.sequence[0], 0, was_clear, work)
            lists.direct[j], lists.direct_clear[j] = reading + budget, reading + room
            if clear:
                emit(paths, quest.pair[j], quest.backwards[j], work, REFLECTIONS, work.triangle, 0)
        for m in range(lists.near_count[j]):
            if reading >= lists.near_expiry[j, m]:
                _follow_row(scene, walls, rows, quest, lists, (j, m), work, paths)
    return note_dark(paths.found, quest.pair, lists.odometer, asking)


@uncounted
def _follow_row(
    scene: Scene, walls: Walls, rows: Rows, quest: Quest, lists: Lists, at: tuple[int, int], work: Work, paths: Paths
) -> None:
    """Examine the row m of the near list of target j, and append it if it is a path."""
    (j, m), reading = at, lists.odometer[at[0]]
    i = lists.near_row[j, m]
    planes, order = rows.sequence[i], rows.order[i]
    for k in range(order):
        work.triangle[k] = lists.near_triangle[j, m, k]
    found, budget = bounce_points(scene, quest.moves, quest.targets[j], planes, rows.image[i], order, work)
    if found:
        for k in range(order):
            lists.near_triangle[j, m, k] = work.triangle[k]
        if reading < lists.near_clear[j, m]:
            work.crossings[0] = 0
            emit(paths, quest.pair[j], quest.backwards[j], work, REFLECTIONS, work.triangle, order)
            rows.seen[i] = quest.step
            return
        was_clear = lists.near_clear[j, m] > NEVER
        clear, budget, room = _look(scene, walls, quest, j, planes, order, was_clear, work)
        lists.near_clear[j, m] = reading + room
        if clear:
            emit(paths, quest.pair[j], quest.backwards[j], work, REFLECTIONS, work.triangle, order)
            rows.seen[i] = quest.step
    lists.near_expiry[j, m] = reading + budget


@uncounted
def _look(
    scene: Scene, walls: Walls, quest: Quest, j: int, planes: I32, order: int, was_clear: bool, work: Work
) -> tuple[bool, float, float]:
    """Look for obstacles on a path to target j; return (clear, budget while it is not, room while it is clear).

    A path that has room has nothing in its way, so that one that was clear needs no rays to stay so.
    """
    source, target = quest.source, quest.targets[j]
    if was_clear:
        room = path_clearance(scene, source, target, planes, order, work)
        if room > 0.0:
            work.crossings[0] = 0
            return True, 0.0, room
    clear, budget = clear_legs(scene, walls, source, quest.moves, target, planes, order, work)
    if not clear:
        return False, budget, NEVER
    if was_clear or work.crossings[0] > 0:
        return True, 0.0, 0.0
    return True, 0.0, path_clearance(scene, source, target, planes, order, work)


@uncounted
def exhaust(scene: Scene, walls: Walls, rows: Rows, count: int, quest: Quest, work: Work, paths: Paths) -> None:
    """Append what `follow` appends, from every row of the tree and without certificates: its oracle."""
    source, moves = quest.source, quest.moves
    for j in range(quest.targets.shape[0]):
        target, pair, backwards = quest.targets[j], quest.pair[j], quest.backwards[j]
        if clear_legs(scene, walls, source, moves, target, rows.sequence[0], 0, work)[0]:
            emit(paths, pair, backwards, work, REFLECTIONS, work.triangle, 0)
        for i in range(count):
            planes, order = rows.sequence[i], rows.order[i]
            if not bounce_points(scene, moves, target, planes, rows.image[i], order, work)[0]:
                continue
            if clear_legs(scene, walls, source, moves, target, planes, order, work)[0]:
                emit(paths, pair, backwards, work, REFLECTIONS, work.triangle, order)
                rows.seen[i] = quest.step
