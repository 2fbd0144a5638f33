"""Kinetic search: which rows of an image tree are paths to each target now, and which can't be yet.

Each target has two lists. `wide` holds the rows whose certificates end within WIDE metres, and is made anew from
the whole tree only after the ends have moved that far together; `near` holds those of `wide` that end within NEAR
metres, and is all that a step looks at. A row in `near` is examined only once its certificate has ended.
"""

from __future__ import annotations

from typing import NamedTuple

from twin.kernels import kernel, uncounted  # isort: skip  before numba
import numpy as np

from twin.channel.clearance import path_clearance
from twin.channel.images import Work, bounce_points, clear_legs, make_work
from twin.channel.paths import REFLECTIONS, Paths, emit
from twin.channel.planes import Scene
from twin.channel.tree import Tree
from twin.state import F64, I32, I64, Bool

WIDE, NEAR = 6.0, 0.25
"""Metres that the ends move together between two searches of the tree, and of the wide list."""


class Lists(NamedTuple):
    """Candidates of m targets; odometers and ends of certificates in metres moved by both ends together."""

    row: I32  # (m, W) rows of the tree
    expiry: F64  # (m, W) reading of the odometer at which the certificate ends
    size: I32  # (m,) rows in use
    until: F64  # (m,) reading at which `row` must be made anew
    near: I32  # (m, W) places in `row`
    near_expiry: F64  # (m, W) their `expiry`, side by side
    near_count: I32  # (m,)
    near_until: F64  # (m,)
    clear: F64  # (m, W) reading up to which nothing can come into the way of a row that is a path
    direct: F64  # (m,) expiry of the direct path's certificate
    direct_clear: F64  # (m,) as `clear`, for the direct path
    odometer: F64  # (m,)
    triangle: I32  # (m, W, K) where the row's reflections were last


def make_lists(targets: int, order: int, capacity: int = 512) -> Lists:
    """Return lists that are due to be made."""
    return Lists(
        np.zeros((targets, capacity), dtype=np.int32),
        np.zeros((targets, capacity)),
        np.zeros(targets, dtype=np.int32),
        np.full(targets, -1.0),
        np.zeros((targets, capacity), dtype=np.int32),
        np.zeros((targets, capacity)),
        np.zeros(targets, dtype=np.int32),
        np.full(targets, -1.0),
        np.full((targets, capacity), -1.0),
        np.full(targets, -1.0),
        np.full(targets, -1.0),
        np.zeros(targets),
        np.zeros((targets, capacity, order), dtype=np.int32),
    )


def grown(lists: Lists, capacity: int) -> Lists:
    """Return the lists with room for `capacity` rows a target."""
    more = make_lists(len(lists.size), lists.triangle.shape[2], capacity)
    width = lists.row.shape[1]
    wide = ("row", "expiry", "near", "near_expiry", "clear", "triangle")
    for name in wide:
        getattr(more, name)[:, :width] = getattr(lists, name)
    return lists._replace(**{name: getattr(more, name) for name in wide})


def is_due(lists: Lists) -> bool:
    """Tell whether the ends of any target have moved as far as its lists hold."""
    return bool((lists.odometer >= np.minimum(lists.near_until, lists.until)).any())


def refresh(tree: Tree, lists: Lists, moves: bool, targets: F64, known: int) -> Lists:
    """Bring the lists up to date for `targets` (m, 3); rows from `known` on are new in the tree."""
    while True:
        needed = _refresh(tree.scene, tree.sequence, tree.order, tree.image, tree.count, known, moves, targets, lists)
        if needed <= lists.row.shape[1]:
            return lists
        lists = grown(lists, 2 * needed)


@kernel
def _refresh(
    scene: Scene, sequence: I32, order: I64, image: F64, count: int, known: int, moves: bool, targets: F64, lists: Lists
) -> int:
    """Return the room that a target needs; more than there is: nothing of that target was changed."""
    from_row = 0
    work = make_work(sequence.shape[1])
    capacity = lists.row.shape[1]
    for j in range(targets.shape[0]):
        reading = lists.odometer[j]
        if reading >= lists.until[j]:
            from_row, size, until = 0, 0, reading + WIDE
        else:
            from_row, size, until = known, lists.size[j], lists.until[j]
        held = size
        for i in range(from_row, count):
            found, budget = bounce_points(scene, moves, targets[j], sequence[i], image[i], order[i], work)
            if not found and reading + budget >= until:
                continue
            if size < capacity:
                lists.row[j, size], lists.expiry[j, size], lists.clear[j, size] = i, reading + budget, -1.0
            size += 1
        if size > capacity:
            return size
        lists.size[j], lists.until[j] = size, until
        if reading >= lists.near_until[j] or size != held or from_row == 0:
            _refresh_near(lists, j)
    return 0


@uncounted
def _refresh_near(lists: Lists, j: int) -> None:
    until = lists.odometer[j] + NEAR
    size = 0
    for q in range(lists.size[j]):
        if lists.expiry[j, q] < until:
            lists.near[j, size], lists.near_expiry[j, size] = q, lists.expiry[j, q]
            size += 1
    lists.near_count[j], lists.near_until[j] = size, until


@uncounted
def follow(
    scene: Scene,
    transparent: Bool,
    sequence: I32,
    order: I64,
    image: F64,
    seen: I64,
    step: int,
    source: F64,
    moves: bool,
    targets: F64,
    lists: Lists,
    pair: I32,
    backwards: Bool,
    work: Work,
    paths: Paths,
) -> None:
    """Append to `paths` the paths from `source` (3,) to each target (m, 3); certificates decide what is examined.

    `pair` (m,) is the pair of each target, `backwards` (m,) tells whether the source is its second place.
    """
    for j in range(targets.shape[0]):
        reading = lists.odometer[j]
        if reading < lists.direct_clear[j]:
            work.crossings[0] = 0
            emit(paths, pair[j], backwards[j], work, REFLECTIONS, work.triangle, 0)
        elif reading >= lists.direct[j]:
            clear, budget = clear_legs(scene, transparent, source, moves, targets[j], sequence[0], 0, work)
            lists.direct[j] = reading + budget
            if clear:
                emit(paths, pair[j], backwards[j], work, REFLECTIONS, work.triangle, 0)
                if work.crossings[0] == 0:
                    room = path_clearance(scene, source, targets[j], sequence[0], 0, work)
                    lists.direct_clear[j] = reading + room
        for m in range(lists.near_count[j]):
            if reading < lists.near_expiry[j, m]:
                continue
            q = lists.near[j, m]
            i = lists.row[j, q]
            for k in range(order[i]):
                work.triangle[k] = lists.triangle[j, q, k]
            found, budget = bounce_points(scene, moves, targets[j], sequence[i], image[i], order[i], work)
            if found:
                for k in range(order[i]):
                    lists.triangle[j, q, k] = work.triangle[k]
                if reading < lists.clear[j, q]:
                    work.crossings[0] = 0
                    emit(paths, pair[j], backwards[j], work, REFLECTIONS, work.triangle, order[i])
                    seen[i] = step
                    continue
                clear, budget = clear_legs(scene, transparent, source, moves, targets[j], sequence[i], order[i], work)
                if clear:
                    emit(paths, pair[j], backwards[j], work, REFLECTIONS, work.triangle, order[i])
                    seen[i] = step
                    if work.crossings[0] == 0:
                        room = path_clearance(scene, source, targets[j], sequence[i], order[i], work)
                        lists.clear[j, q] = reading + room
            lists.expiry[j, q] = lists.near_expiry[j, m] = reading + budget


@uncounted
def exhaust(
    scene: Scene,
    transparent: Bool,
    sequence: I32,
    order: I64,
    image: F64,
    seen: I64,
    count: int,
    step: int,
    source: F64,
    moves: bool,
    targets: F64,
    pair: I32,
    backwards: Bool,
    work: Work,
    paths: Paths,
) -> None:
    """Append what `follow` appends, from every row of the tree and without certificates: its oracle."""
    for j in range(targets.shape[0]):
        if clear_legs(scene, transparent, source, moves, targets[j], sequence[0], 0, work)[0]:
            emit(paths, pair[j], backwards[j], work, REFLECTIONS, work.triangle, 0)
        for i in range(count):
            if not bounce_points(scene, moves, targets[j], sequence[i], image[i], order[i], work)[0]:
                continue
            if clear_legs(scene, transparent, source, moves, targets[j], sequence[i], order[i], work)[0]:
                emit(paths, pair[j], backwards[j], work, REFLECTIONS, work.triangle, order[i])
                seen[i] = step
