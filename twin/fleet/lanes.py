"""Lanes that robots drive on: a graph of places, each with room for one robot."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from twin.errors import ScenarioError
from twin.numerics.kernels import kernel
from twin.state import F64, I64, Bool

_ON = 1e-3
"""m from a lane within which a point is on it."""
_MOST = 3000
"""Pieces of lanes: each is compared with each."""


class Lanes:
    """A directed graph: nodes (N, 2) m, and lanes (L, 2) from node to node.

    By lane, `near_nodes` and `near_lanes`: a robot on it leaves no room for another one there. Lanes that share a node
    are kept apart by who holds the node.

    Raises:
        ScenarioError: a path has fewer than two points, two paths cross without a common point, or there would be too
            many lanes.
    """

    def __init__(self, paths: Sequence[F64], spacing: float, clearance: float) -> None:
        _check(paths, spacing)
        pieces = [piece for path in _cut(paths) for piece in _spaced(path, spacing)]
        number: dict[tuple[float, float], int] = {}
        for point in (point for piece in pieces for point in piece):
            number.setdefault(_rounded(point), len(number))
        self.places = list(number)  # the same as tuples
        self.node: F64 = np.array(self.places, dtype=float).reshape(-1, 2)
        pairs = dict.fromkeys((number[_rounded(a)], number[_rounded(b)]) for p in pieces for a, b in pairwise(p))
        self.lane: I64 = np.array(list(pairs), dtype=np.int64).reshape(-1, 2)
        self.number = {(int(a), int(b)): i for i, (a, b) in enumerate(self.lane)}
        self._find_close(clearance)
        length = np.linalg.norm(self.node[self.lane[:, 1]] - self.node[self.lane[:, 0]], axis=1)
        self._graph = csr_array((length, self.lane.T), shape=(len(self.node),) * 2)
        self._distance, self._before = dijkstra(self._graph, return_predecessors=True)

    def at(self, place: Sequence[float]) -> int:
        """Return the node at a place.

        Raises:
            ScenarioError: there is none.
        """
        away = np.linalg.norm(self.node - np.array(place)[:2], axis=1)
        nearest = int(np.argmin(away))
        if away[nearest] > _ON:
            x, y = self.node[nearest]
            raise ScenarioError(f"({place[0]:g}, {place[1]:g}) m is no point of a lane; the nearest is ({x:g}, {y:g})")
        return nearest

    def route(self, start: int, end: int) -> list[int]:
        """Return the nodes of the shortest way, without `start`.

        Raises:
            ScenarioError: there is none.
        """
        if not np.isfinite(self._distance[start, end]):
            a, b = (f"({x:g}, {y:g})" for x, y in self.node[[start, end]])
            raise ScenarioError(f"no lanes lead from {a} to {b} m")
        return _way(self._before[start], start, end)

    def way_round(self, start: int, end: int, shut: set[int]) -> list[int] | None:
        """Return the nodes of the shortest way past those that are `shut`, without `start`; None without one."""
        open_nodes = np.ones(len(self.node))
        open_nodes[list(shut)] = 0.0
        graph = (self._graph * open_nodes[:, None] * open_nodes).tocsr()
        graph.eliminate_zeros()
        distance, before = dijkstra(graph, indices=start, return_predecessors=True)
        return _way(before, start, end) if np.isfinite(distance[end]) else None

    def offset(self, points: F64) -> F64:
        """Return the distance (n,) [m] of points (n, 2) from the nearest lane."""
        least: F64 = _to_segments(points, self.node[self.lane[:, 0]], self.node[self.lane[:, 1]]).min(axis=1)
        return least

    def _find_close(self, clearance: float) -> None:
        a, b = self.node[self.lane[:, 0]], self.node[self.lane[:, 1]]
        gap = _to_segments(self.node, a, b).T  # (L, N)
        rows = np.arange(len(self.lane))
        shares = (self.lane[:, :, None, None] == self.lane[None, None]).any(axis=(1, 3))
        close = gap < clearance
        close[rows, self.lane[:, 0]] = close[rows, self.lane[:, 1]] = False
        self.near_nodes = [frozenset(np.flatnonzero(row).tolist()) for row in close]
        between = np.minimum(gap[:, self.lane[:, 0]], gap[:, self.lane[:, 1]])
        closer = (np.minimum(between, between.T) < clearance) & ~shares
        self.near_lanes = [frozenset(np.flatnonzero(row).tolist()) for row in closer]
        crossing = _cross(a, b) & ~shares
        if crossing.any():
            i, j = np.argwhere(crossing)[0]
            words = " and ".join(f"({a[k, 0]:g}, {a[k, 1]:g})-({b[k, 0]:g}, {b[k, 1]:g})" for k in (i, j))
            raise ScenarioError(f"lanes {words} m cross; allowed: where both have a point")


def _check(paths: Sequence[F64], spacing: float) -> None:
    for path in paths:
        if len(path) < 2:
            raise ScenarioError(f"a lane of {len(path)} points; allowed: 2 or more")
        still = np.flatnonzero(~np.diff(path, axis=0).any(axis=1))
        if len(still):
            x, y = path[still[0]]
            raise ScenarioError(f"a lane has ({x:g}, {y:g}) m twice in a row; allowed: each point once")
    length = sum(float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum()) for path in paths)
    if length > _MOST * spacing:
        raise ScenarioError(
            f"{length:g} m of lanes in pieces of {spacing:g} m are {length / spacing:.0f} pieces; "
            f"allowed: {_MOST}, by a longer `spacing`"
        )


def _way(before: I64, start: int, end: int) -> list[int]:
    way = []
    while end != start:
        way.append(end)
        end = int(before[end])
    return way[::-1]


def _cut(paths: Sequence[F64]) -> list[F64]:
    """Return the paths with the points of all others that lie on them."""
    points = np.concatenate([np.empty((0, 2)), *paths])
    cut = []
    for path in paths:
        whole = [path[0]]
        for a, b in pairwise(path):
            way = b - a
            along = (points - a) @ way / (way @ way)
            on = (_to_segments(points, a[None], b[None])[:, 0] < _ON) & (along > 1e-6) & (along < 1 - 1e-6)
            whole += [a + t * way for t in sorted({round(t, 9) for t in along[on].tolist()})] + [b]
        cut.append(np.array(whole))
    return cut


def _spaced(path: F64, spacing: float) -> list[F64]:
    """Return each stretch of a path with so many points that none are further apart than `spacing`."""
    stretches = []
    for a, b in pairwise(path):
        n = max(1, int(np.ceil(np.linalg.norm(b - a) / spacing - 1e-9)))
        stretches.append(a + np.linspace(0.0, 1.0, n + 1)[:, None] * (b - a))
    return stretches


def _rounded(point: F64) -> tuple[float, float]:
    return round(float(point[0]), 4), round(float(point[1]), 4)


@kernel
def _to_segments(points: F64, a: F64, b: F64) -> F64:
    """Return the distances (n, s) of points (n, 2) from segments a to b (s, 2)."""
    distance = np.empty((len(points), len(a)))
    for s in range(len(a)):
        x, y = b[s, 0] - a[s, 0], b[s, 1] - a[s, 1]
        size = max(x * x + y * y, 1e-12)
        for n in range(len(points)):
            share = min(max(((points[n, 0] - a[s, 0]) * x + (points[n, 1] - a[s, 1]) * y) / size, 0.0), 1.0)
            u, v = points[n, 0] - (a[s, 0] + share * x), points[n, 1] - (a[s, 1] + share * y)
            distance[n, s] = np.sqrt(u * u + v * v)
    return distance


def _cross(a: F64, b: F64) -> Bool:
    """Tell which segments a to b (s, 2) cross each other, (s, s)."""
    way = b - a

    def side(points: F64) -> F64:
        gap = points[None] - a[:, None]
        return np.sign(way[:, None, 0] * gap[..., 1] - way[:, None, 1] * gap[..., 0])

    apart: Bool = side(a) * side(b) < 0
    return apart & apart.T
