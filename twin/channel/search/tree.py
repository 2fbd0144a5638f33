"""The image tree of one source: plane sequences found by shooting and bouncing rays."""

from __future__ import annotations

from math import cos, pi, sin, sqrt
from typing import NamedTuple

import numpy as np

from twin.channel.search.images import CLEARANCE, Walls, mirror_all
from twin.channel.search.planes import Scene
from twin.numerics.kernels import kernel
from twin.state import F64, I32, I64
from twin.world.bvh import closest_hit

_GOLDEN_ANGLE = pi * (3.0 - sqrt(5.0))


class Rows(NamedTuple):
    """Rows of a tree, and the hash table that finds them; K planes a row."""

    sequence: I32  # (rows, K) planes, -1 beyond the order
    order: I64  # (rows,)
    seen: I64  # (rows,) step at which a ray or a path last met it
    image: F64  # (rows, K, 3) m
    table: I32  # rows by hash, -1 where there is none


class Tree:
    """Plane sequences of order 1 to K seen from one source, each once; rows are in order of discovery.

    Order 1 holds every plane. Sequences of higher order are those that rays from the source have met.
    """

    def __init__(self, scene: Scene, walls: Walls, order: int) -> None:
        self.scene, self.walls, self.max_order = scene, walls, order
        self.count, self.launches = 0, 0
        self.rows: Rows
        self._allocate(4096)
        planes = len(scene.offset) if order > 0 else 0
        while planes > len(self.rows.order) // 2:
            self._allocate(2 * len(self.rows.order))
        self.count = _plant(self.rows, planes)

    def _allocate(self, capacity: int) -> None:
        """Make room for `capacity` rows, keeping those that are there."""
        shape = (capacity, max(self.max_order, 1))
        made = Rows(
            sequence=np.full(shape, -1, dtype=np.int32),
            order=np.zeros(capacity, dtype=np.int64),
            seen=np.zeros(capacity, dtype=np.int64),
            image=np.zeros((*shape, 3)),
            table=np.full(4 * capacity, -1, dtype=np.int32),
        )
        if old := self.count:
            for name in ("sequence", "order", "seen", "image"):
                getattr(made, name)[:old] = getattr(self.rows, name)[:old]
        self.rows = made
        _rehash(made, old)

    def discover(self, place: F64, rays: int, step: int, backwards: bool = False) -> int:
        """Shoot `rays` from `place` (3,) and return how many sequences are new; `backwards` from a target.

        The directions are a spherical Fibonacci lattice, turned at each launch by the additive recurrence R2, so
        that launches from nearby places complete each other.
        """
        if self.max_order < 2 or rays <= 0:
            return 0
        before = self.count
        done = 0
        while done < rays:
            if self.count + self.max_order > len(self.rows.order) // 2:
                self._allocate(2 * len(self.rows.order))
            done, self.count = _shoot(
                self.scene, self.walls, self.rows, place, (done, rays, backwards), self.launches, self.count, step
            )
        self.launches += 1
        return self.count - before

    def mirror(self, source: F64, first: int = 0) -> None:
        """Compute the images of `source` (3,) for the rows from `first` on."""
        rows, used = self.rows, slice(0, self.count)
        mirror_all(self.scene, source, rows.sequence[used], rows.order[used], first, rows.image[used])

    def forget(self, before: int) -> None:
        """Drop the sequences of order 2 and more that were last seen before step `before`."""
        rows = self.rows
        keep = np.flatnonzero((rows.order[: self.count] == 1) | (rows.seen[: self.count] >= before))
        for array in (rows.sequence, rows.order, rows.seen, rows.image):
            array[: len(keep)] = array[keep]
        self.count = len(keep)
        rows.table[:] = -1
        _rehash(rows, self.count)


@kernel
def _hash(key: I32, order: int) -> np.uint64:
    """Return the FNV-1a hash of the first `order` planes."""
    h = np.uint64(14695981039346656037)
    for k in range(order):
        h = (h ^ np.uint64(key[k])) * np.uint64(1099511628211)
    return h ^ (h >> np.uint64(29))


@kernel
def _insert(rows: Rows, count: int, key: I32, length: int, step: int) -> int:
    """Note that `key` was seen at `step`; return the number of rows."""
    table, sequence = rows.table, rows.sequence
    place = np.int64(_hash(key, length) % np.uint64(table.size))
    while table[place] >= 0:
        row = table[place]
        same = rows.order[row] == length
        for k in range(length):
            same = same and sequence[row, k] == key[k]
        if same:
            rows.seen[row] = step
            return count
        place = (place + 1) % table.size
    table[place] = count
    for k in range(length):
        sequence[count, k] = key[k]
    rows.order[count], rows.seen[count] = length, step
    return count + 1


@kernel
def _plant(rows: Rows, planes: int) -> int:
    """Enter every plane as a sequence of order 1; return the number of rows."""
    key, count = np.empty(1, dtype=np.int32), 0
    for plane in range(planes):
        key[0] = plane
        count = _insert(rows, count, key, 1, 0)
    return count


@kernel
def _rehash(rows: Rows, count: int) -> None:
    table = rows.table
    for row in range(count):
        place = np.int64(_hash(rows.sequence[row], rows.order[row]) % np.uint64(table.size))
        while table[place] >= 0:
            place = (place + 1) % table.size
        table[place] = row


@kernel
def _shoot(
    scene: Scene, walls: Walls, rows: Rows, place: F64, span: tuple[int, int, bool], launch: int, count: int, step: int
) -> tuple[int, int]:
    """Shoot the rays first:rays of `span` until the rows are half full; return the next ray and the rows in use."""
    (first, rays, backwards), max_order = span, rows.sequence.shape[1]
    turn_z = (launch * 0.7548776662466927 + 0.5) % 1.0
    turn = 2.0 * pi * ((launch * 0.5698402909980532) % 1.0)
    key, turned = np.empty(max_order, dtype=np.int32), np.empty(max_order, dtype=np.int32)
    for i in range(first, rays):
        if count + max_order > rows.order.size // 2:
            return i, count
        dz = 1.0 - 2.0 * (i + turn_z) / rays
        across = sqrt(max(0.0, 1.0 - dz * dz))
        dx, dy = across * cos(_GOLDEN_ANGLE * i + turn), across * sin(_GOLDEN_ANGLE * i + turn)
        x, y, z = place[0], place[1], place[2]
        order, choices = 0, i
        while order < max_order:
            hit, t = closest_hit(scene.bvh, (x, y, z), (dx, dy, dz), 0.0, 1e9)
            if hit < 0 or scene.plane[hit] < 0:
                break
            p = scene.plane[hit]
            n = scene.normal[p]
            along = dx * n[0] + dy * n[1] + dz * n[2]
            shift = CLEARANCE if along > 0.0 else -CLEARANCE
            x, y, z = x + t * dx, y + t * dy, z + t * dz
            if walls.loss[scene.surface[hit]] < np.inf:
                choices, passes = choices >> 1, choices & 1  # half of the rays pass, half are reflected
                if passes:
                    x, y, z = x + shift * n[0], y + shift * n[1], z + shift * n[2]
                    if choices == 0:
                        break
                    continue
            key[order] = p
            order += 1
            if order > 1:
                for k in range(order):
                    turned[k] = key[order - 1 - k] if backwards else key[k]
                count = _insert(rows, count, turned, order, step)
            dx, dy, dz = dx - 2.0 * along * n[0], dy - 2.0 * along * n[1], dz - 2.0 * along * n[2]
            x, y, z = x - shift * n[0], y - shift * n[1], z - shift * n[2]
    return rays, count
