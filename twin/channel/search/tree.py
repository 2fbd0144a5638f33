"""The image tree of one source: plane sequences found by shooting and bouncing rays."""

from __future__ import annotations

from math import cos, pi, sin, sqrt

import numpy as np

from twin.channel.search.images import CLEARANCE, mirror_all
from twin.channel.search.planes import Scene
from twin.numerics.kernels import kernel
from twin.state import F64, I32, I64, Bool
from twin.world.bvh import closest_hit

_GOLDEN_ANGLE = pi * (3.0 - sqrt(5.0))


class Tree:
    """Plane sequences of order 1 to K seen from one source, each once; rows are in order of discovery.

    Order 1 holds every plane. Sequences of higher order are those that rays from the source have met.
    """

    def __init__(self, scene: Scene, transparent: Bool, order: int) -> None:
        self.scene, self.transparent, self.max_order = scene, transparent, order
        self.count, self.launches = 0, 0
        self.sequence: I32  # (rows, K) planes, -1 beyond the order
        self.order: I64  # (rows,)
        self.seen: I64  # (rows,) step at which a ray or a path last met it
        self.image: F64  # (rows, K, 3) m
        self.table: I32  # hash table of rows
        self._allocate(4096)
        planes = len(scene.offset) if order > 0 else 0
        while planes > len(self.order) // 2:
            self._allocate(2 * len(self.order))
        self.count = _plant(self.table, self.sequence, self.order, self.seen, planes)

    def _allocate(self, capacity: int) -> None:
        """Make room for `capacity` rows, keeping those that are there."""
        old = self.count
        shape = (capacity, max(self.max_order, 1))
        sequence, order = np.full(shape, -1, dtype=np.int32), np.zeros(capacity, dtype=np.int64)
        seen, image = np.zeros(capacity, dtype=np.int64), np.zeros((*shape, 3))
        if old:
            sequence[:old], order[:old] = self.sequence[:old], self.order[:old]
            seen[:old], image[:old] = self.seen[:old], self.image[:old]
        self.sequence, self.order, self.seen, self.image = sequence, order, seen, image
        self.table = np.full(4 * capacity, -1, dtype=np.int32)
        _rehash(self.table, self.sequence, self.order, old)

    def discover(self, source: F64, rays: int, step: int) -> int:
        """Shoot `rays` from `source` (3,) and return how many sequences are new.

        The directions are a spherical Fibonacci lattice, turned at each launch by the additive recurrence R2, so
        that launches from nearby places complete each other.
        """
        if self.max_order < 2 or rays <= 0:
            return 0
        before = self.count
        done = 0
        while done < rays:
            if self.count + self.max_order > len(self.order) // 2:
                self._allocate(2 * len(self.order))
            done, self.count = _shoot(
                self.scene,
                self.transparent,
                source,
                done,
                rays,
                self.launches,
                self.max_order,
                self.table,
                self.sequence,
                self.order,
                self.seen,
                self.count,
                step,
            )
        self.launches += 1
        return self.count - before

    def mirror(self, source: F64, first: int = 0) -> None:
        """Compute the images of `source` (3,) for the rows from `first` on."""
        rows = slice(0, self.count)
        mirror_all(self.scene, source, self.sequence[rows], self.order[rows], first, self.image[rows])

    def forget(self, before: int) -> None:
        """Drop the sequences of order 2 and more that were last seen before step `before`."""
        keep = np.flatnonzero((self.order[: self.count] == 1) | (self.seen[: self.count] >= before))
        for array in (self.sequence, self.order, self.seen, self.image):
            array[: len(keep)] = array[keep]
        self.count = len(keep)
        self.table[:] = -1
        _rehash(self.table, self.sequence, self.order, self.count)


@kernel
def _hash(key: I32, order: int) -> np.uint64:
    """Return the FNV-1a hash of the first `order` planes."""
    h = np.uint64(14695981039346656037)
    for k in range(order):
        h = (h ^ np.uint64(key[k])) * np.uint64(1099511628211)
    return h ^ (h >> np.uint64(29))


@kernel
def _insert(table: I32, sequence: I32, order: I64, seen: I64, count: int, key: I32, length: int, step: int) -> int:
    """Note that `key` was seen at `step`; return the number of rows."""
    size = np.uint64(table.size)
    place = np.int64(_hash(key, length) % size)
    while table[place] >= 0:
        row = table[place]
        same = order[row] == length
        for k in range(length):
            same = same and sequence[row, k] == key[k]
        if same:
            seen[row] = step
            return count
        place = (place + 1) % table.size
    table[place] = count
    sequence[count, :length] = key[:length]
    order[count], seen[count] = length, step
    return count + 1


@kernel
def _plant(table: I32, sequence: I32, order: I64, seen: I64, planes: int) -> int:
    """Enter every plane as a sequence of order 1; return the number of rows."""
    key, count = np.empty(1, dtype=np.int32), 0
    for plane in range(planes):
        key[0] = plane
        count = _insert(table, sequence, order, seen, count, key, 1, 0)
    return count


@kernel
def _rehash(table: I32, sequence: I32, order: I64, count: int) -> None:
    size = np.uint64(table.size)
    for row in range(count):
        place = np.int64(_hash(sequence[row], order[row]) % size)
        while table[place] >= 0:
            place = (place + 1) % table.size
        table[place] = row


@kernel
def _shoot(
    scene: Scene,
    transparent: Bool,
    source: F64,
    first: int,
    rays: int,
    launch: int,
    max_order: int,
    table: I32,
    sequence: I32,
    orders: I64,
    seen: I64,
    count: int,
    step: int,
) -> tuple[int, int]:
    """Shoot rays first:rays until the rows are half full; return the next ray and the number of rows."""
    turn_z = (launch * 0.7548776662466927 + 0.5) % 1.0
    turn = 2.0 * pi * ((launch * 0.5698402909980532) % 1.0)
    key = np.empty(max_order, dtype=np.int32)
    for i in range(first, rays):
        if count + max_order > orders.size // 2:
            return i, count
        dz = 1.0 - 2.0 * (i + turn_z) / rays
        across = sqrt(max(0.0, 1.0 - dz * dz))
        dx, dy = across * cos(_GOLDEN_ANGLE * i + turn), across * sin(_GOLDEN_ANGLE * i + turn)
        x, y, z = source[0], source[1], source[2]
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
            if transparent[scene.surface[hit]]:
                choices, passes = choices >> 1, choices & 1  # half of the rays pass, half are reflected
                if passes:
                    x, y, z = x + shift * n[0], y + shift * n[1], z + shift * n[2]
                    if choices == 0:
                        break
                    continue
            key[order] = p
            order += 1
            if order > 1:
                count = _insert(table, sequence, orders, seen, count, key, order, step)
            dx, dy, dz = dx - 2.0 * along * n[0], dy - 2.0 * along * n[1], dz - 2.0 * along * n[2]
            x, y, z = x - shift * n[0], y - shift * n[1], z - shift * n[2]
    return rays, count
