"""Search for paths by way of one edge: which detours are paths to each target now, and which can't be yet.

Lists and certificates are those of `search.py`; the rows are the detours, the same for all sources.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.channel.search.detours import Detours, detour_clear, detour_points, detour_room
from twin.channel.search.edges import Edges, seen_planes
from twin.channel.search.images import DIFFRACTION, REFLECTION, Work, make_work
from twin.channel.search.paths import Paths, emit
from twin.channel.search.planes import Scene
from twin.channel.search.search import NEVER, Lists, grown, refresh_near, wide_reach
from twin.numerics.kernels import kernel, uncounted
from twin.state import F64, I32, Bool

_NONE = -1
WIDE = 8.0
"""Metres that the lists of detours hold: they are many, and quickly looked through."""


def make_detours(scene: Scene, edges: Edges, with_reflection: bool) -> Detours:
    """Return every edge alone and, if wanted, with each plane that it sees before it and after it."""
    alone = np.arange(len(edges.length), dtype=np.int32)
    none = np.full(len(alone), _NONE, dtype=np.int32)
    if not with_reflection or not len(alone):
        return Detours(none, alone, none.copy())
    edge, plane = np.ascontiguousarray(seen_planes(scene, edges).T)
    absent = np.full(len(edge), _NONE, dtype=np.int32)
    return Detours(
        np.concatenate([none, plane, absent]),
        np.concatenate([alone, edge, edge]),
        np.concatenate([none, absent, plane]),
    )


def refresh_detours(
    scene: Scene, edges: Edges, detours: Detours, lists: Lists, source: F64, moves: bool, targets: F64
) -> Lists:
    """Bring the lists up to date, as `search.refresh` does for the image tree."""
    while True:
        rows, near = _refresh(scene, edges, detours, source, moves, targets, lists)
        if rows <= lists.row.shape[1] and near <= lists.near.shape[1]:
            return lists
        lists = grown(lists, rows, near)
        lists.until[:] = -1.0


@kernel
def _refresh(
    scene: Scene, edges: Edges, detours: Detours, source: F64, moves: bool, targets: F64, lists: Lists
) -> tuple[int, int]:
    return _refill(scene, edges, detours, source, moves, targets, lists, make_work(3))


@uncounted
def _refill(
    scene: Scene, edges: Edges, detours: Detours, source: F64, moves: bool, targets: F64, lists: Lists, work: Work
) -> tuple[int, int]:
    capacity = lists.row.shape[1]
    for j in range(targets.shape[0]):
        reading = lists.odometer[j]
        if reading >= lists.until[j]:
            size, until = 0, reading + wide_reach(lists, j, WIDE)
            for i in range(len(detours.edge)):
                found, budget, _ = detour_points(scene, edges, detours, i, source, moves, targets[j], work)
                if not found and reading + budget >= until:
                    continue
                if size < capacity:
                    lists.row[j, size], lists.expiry[j, size], lists.clear[j, size] = i, reading + budget, NEVER
                size += 1
            if size > capacity:
                return size, 0
            lists.size[j], lists.until[j], lists.near_until[j], lists.near_count[j] = size, until, -1.0, 0
        if reading >= lists.near_until[j]:
            near = refresh_near(lists, j)
            if near > lists.near.shape[1]:
                return 0, near
    return 0, 0


@uncounted
def _label(detours: Detours, i: int, work: Work, kinds: NDArray[np.int8], indices: I32) -> int:
    """Write the interactions of detour i, whose points are in `work`; return how many they are."""
    order = 0
    if detours.before[i] >= 0:
        kinds[order], indices[order] = REFLECTION, work.triangle[order]
        order += 1
    kinds[order], indices[order] = DIFFRACTION, detours.edge[i]
    order += 1
    if detours.after[i] >= 0:
        kinds[order], indices[order] = REFLECTION, work.triangle[order]
        order += 1
    return order


@uncounted
def follow_detours(
    scene: Scene,
    edges: Edges,
    detours: Detours,
    source: F64,
    moves: bool,
    targets: F64,
    lists: Lists,
    pair: I32,
    backwards: Bool,
    kinds: NDArray[np.int8],
    indices: I32,
    work: Work,
    paths: Paths,
) -> None:
    """Append the detours from `source` (3,) to each target (m, 3) to `paths`; see `search.follow`."""
    work.crossings[0] = 0
    for j in range(targets.shape[0]):
        reading = lists.odometer[j]
        for m in range(lists.near_count[j]):
            if reading < lists.near_expiry[j, m]:
                continue
            i = lists.near_row[j, m]
            found, budget, line = detour_points(scene, edges, detours, i, source, moves, targets[j], work)
            if found:
                order = _label(detours, i, work, kinds, indices)
                clear, room = True, 0.0
                if reading >= lists.near_clear[j, m]:
                    if lists.near_clear[j, m] > NEVER:
                        room = detour_room(scene, edges, detours, i, source, targets[j], line, order, work)
                    if room == 0.0:
                        clear, budget = detour_clear(
                            scene, edges, detours, i, source, moves, targets[j], line, order, work
                        )
                        if clear and lists.near_clear[j, m] == NEVER:
                            room = detour_room(scene, edges, detours, i, source, targets[j], line, order, work)
                    lists.near_clear[j, m] = reading + room if clear else NEVER
                if clear:
                    emit(paths, pair[j], backwards[j], work, kinds, indices, order)
            lists.near_expiry[j, m] = reading + budget


@uncounted
def exhaust_detours(
    scene: Scene,
    edges: Edges,
    detours: Detours,
    source: F64,
    moves: bool,
    targets: F64,
    pair: I32,
    backwards: Bool,
    kinds: NDArray[np.int8],
    indices: I32,
    work: Work,
    paths: Paths,
) -> None:
    """Append what `follow_detours` appends, from every detour and without certificates: its oracle."""
    work.crossings[0] = 0
    for j in range(targets.shape[0]):
        for i in range(len(detours.edge)):
            found, _, line = detour_points(scene, edges, detours, i, source, moves, targets[j], work)
            if not found:
                continue
            order = _label(detours, i, work, kinds, indices)
            if detour_clear(scene, edges, detours, i, source, moves, targets[j], line, order, work)[0]:
                emit(paths, pair[j], backwards[j], work, kinds, indices, order)


def scratch() -> tuple[NDArray[np.int8], I32]:
    """Return scratch for `follow_detours`."""
    return np.zeros(3, dtype=np.int8), np.zeros(3, dtype=np.int32)
