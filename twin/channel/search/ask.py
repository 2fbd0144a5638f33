"""Sequences found from a target: a mirror that is small from the source may be large from there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from twin.channel.search.images import Walls, bounce_points, clear_legs, make_work
from twin.channel.search.planes import Scene
from twin.channel.search.tree import Rows, Tree, _insert
from twin.numerics.kernels import kernel
from twin.state import F64, I32, Bool


class Asking(NamedTuple):
    """When each of m targets that no path reaches is asked; metres are those of its odometer."""

    at: F64  # (m,) m
    pause: F64  # (m,) m until it is asked again
    due: Bool  # (m,) now


def make_asking(targets: int, pause: float) -> Asking:
    """Return targets that are asked at once where they are dark."""
    return Asking(np.full(targets, -np.inf), np.full(targets, pause), np.zeros(targets, dtype=np.bool_))


def ask(tree: Tree, source: F64, target: F64, rays: int, step: int) -> None:
    """Shoot `rays` from a target, and enter into the tree of the source what are paths to it now.

    The other sequences would only make the tree longer: most of them the source can't see.
    """
    seen = Tree(tree.scene, tree.walls, tree.max_order)
    first = seen.count
    seen.discover(target, rays, step, backwards=True)
    seen.mirror(source, first)
    good = _paths(tree.scene, tree.walls, seen.rows, (first, seen.count), source, target)
    for planes in seen.rows.sequence[first : seen.count][good]:
        enter(tree, planes, step)


def enter(tree: Tree, planes: I32, step: int) -> None:
    """Enter one sequence (K,), -1 beyond its order, into a tree."""
    if tree.count >= len(tree.rows.order) // 2:
        tree._allocate(2 * len(tree.rows.order))
    tree.count = _insert(tree.rows, tree.count, planes, int((planes >= 0).sum()), step)


@kernel
def note_dark(found: I32, pair: I32, odometer: F64, asking: Asking) -> bool:
    """Note which targets are to be asked, as no path of their `pair` (m,) is `found` (pairs,); tell whether any is."""
    any_due = False
    for j in range(len(pair)):
        asking.due[j] = found[pair[j]] == 0 and odometer[j] >= asking.at[j]
        any_due = any_due or asking.due[j]
        if asking.at[j] == -np.inf and not asking.due[j]:  # one in the light has time
            asking.at[j] = odometer[j] + asking.pause[j]
    return any_due


@kernel
def _paths(scene: Scene, walls: Walls, rows: Rows, span: tuple[int, int], source: F64, target: F64) -> Bool:
    first, last = span
    good = np.zeros(last - first, np.bool_)
    work = make_work(rows.sequence.shape[1])
    for i in range(first, last):
        planes, order = rows.sequence[i], rows.order[i]
        if bounce_points(scene, False, target, planes, rows.image[i], order, work)[0]:
            good[i - first] = clear_legs(scene, walls, source, False, target, planes, order, work)[0]
    return good
