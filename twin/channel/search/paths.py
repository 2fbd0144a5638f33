"""Paths of all pairs of places at one instant, before any carrier is known."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.channel.search.images import CROSSINGS, REFLECTION, TRANSMISSION, Work
from twin.numerics.kernels import kernel, uncounted
from twin.numerics.sorting import ascending
from twin.state import F64, I32

DOUBLE = 1e-5
"""Metres within which the points of two paths are the same."""


class Paths(NamedTuple):
    """Up to M paths of K interactions for each of G pairs of places, from the pair's first place to its second.

    The index of an interaction is a triangle for a reflection or a transmission, an edge for a diffraction, a
    face of a moving hull for a moving reflection.
    """

    found: I32  # (G,) paths; may exceed M: then the arrays must grow
    length: I32  # (G, M) interactions of a path
    kind: NDArray[np.int8]  # (G, M, K)
    what: I32  # (G, M, K) index of each interaction
    vertex: F64  # (G, M, K, 3) m
    metres: F64  # (G, M) length of a path
    rank: I32  # (G, M) paths in order of length


def make_paths(pairs: int, capacity: int, interactions: int) -> Paths:
    """Return empty arrays for `capacity` paths a pair."""
    shape = (pairs, capacity, interactions)
    return Paths(
        np.zeros(pairs, dtype=np.int32),
        np.zeros((pairs, capacity), dtype=np.int32),
        np.zeros(shape, dtype=np.int8),
        np.zeros(shape, dtype=np.int32),
        np.zeros((*shape, 3)),
        np.zeros((pairs, capacity)),
        np.zeros((pairs, capacity), dtype=np.int32),
    )


@uncounted
def emit(
    paths: Paths, pair: int, backwards: bool, work: Work, kinds: NDArray[np.int8], indices: I32, order: int
) -> None:
    """Append the path in `work` to `pair`; `backwards` where the source is the pair's second place.

    `kinds` and `indices` (K,) are the path's interactions but for its transmissions, from the source.
    """
    slot = paths.found[pair]
    paths.found[pair] = slot + 1
    if slot >= paths.length.shape[1]:
        return
    total = order + work.crossings[0]
    paths.length[pair, slot] = total
    place, step = (total - 1, -1) if backwards else (0, 1)
    crossing = work.crossings[0] - 1  # crossings are noted from the target
    for k in range(order + 1):
        while crossing >= 0 and work.leg[crossing] == k:
            _put(paths, (pair, slot, place), TRANSMISSION, work.wall[crossing], work.through[crossing])
            place, crossing = place + step, crossing - 1
        if k < order:
            _put(paths, (pair, slot, place), kinds[k], indices[k], work.vertex[k])
            place += step


@uncounted
def _put(paths: Paths, at: tuple[int, int, int], kind: int, index: int, vertex: F64) -> None:
    paths.kind[at], paths.what[at] = kind, index
    pair, slot, k = at
    paths.vertex[pair, slot, k, 0] = vertex[0]
    paths.vertex[pair, slot, k, 1] = vertex[1]
    paths.vertex[pair, slot, k, 2] = vertex[2]


@uncounted
def rank(paths: Paths, position: F64, first: I32, second: I32, many: bool) -> None:
    """Sort the paths of each pair (first, second: (G,) places) by length, and forget doubles.

    A double is a path with the same points, off faces of two things that touch. `many` tells whether a pair may have
    so many that they are better put into order roughly before it is done exactly.
    """
    for g in range(len(first)):
        count = 0
        for m in range(paths.found[g]):
            paths.metres[g, m] = _metres(paths, g, m, position[first[g]], position[second[g]])
            paths.rank[g, m] = m
        if many:
            _by_length(paths.metres[g, : paths.found[g]], paths.rank[g])
        for k in range(paths.found[g]):
            m, place = paths.rank[g, k], count
            while place > 0 and _shorter(paths, g, m, paths.rank[g, place - 1]):
                paths.rank[g, place] = paths.rank[g, place - 1]
                place -= 1
            if place > 0 and _same(paths, g, m, paths.rank[g, place - 1]):
                for j in range(place, count):  # close the gap again
                    paths.rank[g, j] = paths.rank[g, j + 1]
                continue
            paths.rank[g, place] = m
            count += 1
        paths.found[g] = count


@kernel
def _by_length(metres: F64, order: I32) -> None:
    sequence = ascending(metres)
    for k in range(len(metres)):
        order[k] = sequence[k]


@uncounted
def _metres(paths: Paths, g: int, m: int, start: F64, end: F64) -> float:
    total = 0.0
    here = start
    for k in range(paths.length[g, m] + 1):
        there = end if k == paths.length[g, m] else paths.vertex[g, m, k]
        total += sqrt((there[0] - here[0]) ** 2 + (there[1] - here[1]) ** 2 + (there[2] - here[2]) ** 2)
        here = there
    return total


@uncounted
def _shorter(paths: Paths, g: int, m: int, n: int) -> bool:
    """Tell whether path m is shorter than path n; of equal ones (in a symmetric site) the first vertex decides."""
    if abs(paths.metres[g, m] - paths.metres[g, n]) > DOUBLE:
        return bool(paths.metres[g, m] < paths.metres[g, n])
    if paths.length[g, m] != paths.length[g, n]:
        return bool(paths.length[g, m] < paths.length[g, n])
    for k in range(paths.length[g, m]):
        for axis in range(3):
            if abs(paths.vertex[g, m, k, axis] - paths.vertex[g, n, k, axis]) > DOUBLE:
                return bool(paths.vertex[g, m, k, axis] < paths.vertex[g, n, k, axis])
    return False


@uncounted
def _same(paths: Paths, g: int, m: int, n: int) -> bool:
    if abs(paths.metres[g, m] - paths.metres[g, n]) > DOUBLE or paths.length[g, m] != paths.length[g, n]:
        return False
    for k in range(paths.length[g, m]):
        if paths.kind[g, m, k] != paths.kind[g, n, k]:
            return False
        for axis in range(3):
            if abs(paths.vertex[g, m, k, axis] - paths.vertex[g, n, k, axis]) > DOUBLE:
                return False
    return True


def interactions(order: int, transparent: bool) -> int:
    """Return the largest number of interactions of a path."""
    return max(order, 1) + (CROSSINGS if transparent else 0)


REFLECTIONS = np.full(16, REFLECTION, dtype=np.int8)
"""Kinds of a path that is reflected only."""
