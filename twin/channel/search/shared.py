"""What several channels of one process share: the scene of an unchanged site, and first searches in it."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from functools import lru_cache

import numpy as np

from twin.channel.search.planes import Scene, build_scene, flattened
from twin.channel.search.tree import Rows, Tree
from twin.state import F64
from twin.world.geometry import Geometry

KEPT = 8
"""First searches that are kept, the last used ones: of a city some megabytes each."""
_found: OrderedDict[bytes, tuple[Rows, int]] = OrderedDict()


@lru_cache(maxsize=2)
def scene_of(geometry: Geometry) -> tuple[Geometry, Scene]:
    """Return a geometry with flat faces and its scene; of the same geometry the very same, as neither ever changes.

    Raises:
        WorldError: as `build_scene`.
    """
    flat = flattened(geometry)
    return flat, build_scene(flat)


def discover_first(tree: Tree, place: F64, rays: int, step: int) -> None:
    """Let a tree discover from `place` (3,) for the first time: by rays, or as another tree found it in this process.

    What is found is a function of scene, walls, order, place and rays alone, so it is the same, bit for bit.
    """
    name = _name(tree, place, rays, step)
    if name in _found:
        rows, tree.count = _found[name]
        tree.rows, tree.launches = _copied(rows), tree.launches + 1
    else:
        tree.discover(place, rays, step)
        _found[name] = _copied(tree.rows), tree.count
    _found.move_to_end(name)
    while len(_found) > KEPT:
        _found.popitem(last=False)


def _name(tree: Tree, place: F64, rays: int, step: int) -> bytes:
    """Return a digest of all that decides what a first search finds."""
    scene, walls = tree.scene, tree.walls
    numbers = (tree.max_order, tree.count, tree.launches, rays, step, walls.most, walls.looks)
    digest = hashlib.sha256(repr(numbers).encode())
    for array in (place, walls.loss, scene.normal, scene.offset, scene.corners, scene.plane, scene.surface):
        digest.update(repr((array.shape, array.dtype.str)).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.digest()


def _copied(rows: Rows) -> Rows:
    return Rows(
        rows.sequence.copy(), rows.order.copy(), rows.seen.copy(), rows.image.copy(), rows.table.copy()
    )  # fmt: skip
