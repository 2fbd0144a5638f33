"""Search for paths by way of one edge: which detours are paths to each target now, and which can't be yet.

Lists and certificates are those of `search.py`; the rows are the detours, the same for all sources.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.channel.search.detours import Bend, Detours, SearchSpace, detour_clear, detour_points, detour_room
from twin.channel.search.edges import Edges, seen_planes
from twin.channel.search.images import DIFFRACTION, REFLECTION, Work, make_work
from twin.channel.search.paths import Paths, emit
from twin.channel.search.planes import Scene
from twin.channel.search.search import NEVER, Lists, Quest, grown, refresh_near, wide_reach
from twin.numerics.kernels import kernel, uncounted
from twin.state import F64, I32

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


def refresh_detours(space: SearchSpace, lists: Lists, source: F64, moves: bool, targets: F64) -> Lists:
    """Bring the lists up to date, as `search.refresh` does for the image tree."""
    while True:
        rows, near = _refresh(space, source, moves, targets, lists)
        if rows <= lists.row.shape[1] and near <= lists.near.shape[1]:
            return lists
        lists = grown(lists, rows, near)
        lists.until[:] = -1.0


@kernel
def _refresh(space: SearchSpace, source: F64, moves: bool, targets: F64, lists: Lists) -> tuple[int, int]:
    return _refill(space, source, moves, targets, lists, make_work(3))


@uncounted
def _refill(space: SearchSpace, source: F64, moves: bool, targets: F64, lists: Lists, work: Work) -> tuple[int, int]:
    capacity = lists.row.shape[1]
    for j in range(targets.shape[0]):
        reading = lists.odometer[j]
        if reading >= lists.until[j]:
            size, until = 0, reading + wide_reach(lists, j, WIDE)
            for i in range(len(space.detours.edge)):
                found, budget, _ = detour_points(space, i, source, moves, targets[j], work)
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


class Labels(NamedTuple):
    """Room for the interactions of a detour."""

    kind: NDArray[np.int8]  # (K,)
    what: I32  # (K,)


@uncounted
def emit_detour(space: SearchSpace, bend: Bend, quest: Quest, j: int, labels: Labels, work: Work, paths: Paths) -> None:
    """Append the detour whose points are in `work` to the paths of target j."""
    for k in range(bend.order):
        if k == bend.vertex:
            labels.kind[k], labels.what[k] = DIFFRACTION, space.detours.edge[bend.i]
        else:
            labels.kind[k], labels.what[k] = REFLECTION, work.triangle[k]
    emit(paths, quest.pair[j], quest.backwards[j], work, labels.kind, labels.what, bend.order)


@uncounted
def follow_detours(space: SearchSpace, quest: Quest, lists: Lists, labels: Labels, work: Work, paths: Paths) -> None:
    """Append the detours from the source to each target to `paths`; see `search.follow`."""
    for j in range(quest.targets.shape[0]):
        reading = lists.odometer[j]
        for m in range(lists.near_count[j]):
            if reading < lists.near_expiry[j, m]:
                continue
            i = lists.near_row[j, m]
            found, budget, bend = detour_points(space, i, quest.source, quest.moves, quest.targets[j], work)
            if found:
                clear, held = True, 0.0
                work.crossings[0] = 0
                if reading >= lists.near_clear[j, m]:
                    was_clear = lists.near_clear[j, m] > NEVER
                    clear, held, room = _look(space, bend, quest, j, was_clear, work)
                    lists.near_clear[j, m] = reading + room
                if clear:
                    emit_detour(space, bend, quest, j, labels, work, paths)
                budget = held
            lists.near_expiry[j, m] = reading + budget


@uncounted
def _look(
    space: SearchSpace, bend: Bend, quest: Quest, j: int, was_clear: bool, work: Work
) -> tuple[bool, float, float]:
    """Look for obstacles on a detour to target j, as `search._look` does."""
    source, target = quest.source, quest.targets[j]
    if was_clear:
        room = detour_room(space, bend, source, target, work)
        if room > 0.0:
            return True, 0.0, room
    clear, budget = detour_clear(space, bend, source, target, work)
    if not clear:
        return False, budget, NEVER
    if was_clear or work.crossings[0] > 0:
        return True, 0.0, 0.0
    return True, 0.0, detour_room(space, bend, source, target, work)


@uncounted
def exhaust_detours(space: SearchSpace, quest: Quest, labels: Labels, work: Work, paths: Paths) -> None:
    """Append what `follow_detours` appends, from every detour and without certificates: its oracle."""
    for j in range(quest.targets.shape[0]):
        for i in range(len(space.detours.edge)):
            found, _, bend = detour_points(space, i, quest.source, quest.moves, quest.targets[j], work)
            if found and detour_clear(space, bend, quest.source, quest.targets[j], work)[0]:
                emit_detour(space, bend, quest, j, labels, work, paths)


def scratch() -> Labels:
    """Return scratch for `follow_detours`."""
    return Labels(np.zeros(3, dtype=np.int8), np.zeros(3, dtype=np.int32))
