"""One end of the pairs of places: its image tree, and what is known of the other ends."""

from __future__ import annotations

import numpy as np

from twin.channel.search.ask import ask, make_asking, note_dark
from twin.channel.search.detours import SearchSpace
from twin.channel.search.diffraction import exhaust_detours, follow_detours, refresh_detours, scratch
from twin.channel.search.images import Work
from twin.channel.search.paths import Paths
from twin.channel.search.planes import Scene
from twin.channel.search.search import Quest, exhaust, follow, is_due, make_lists, refresh, walk
from twin.channel.search.shared import discover_first
from twin.channel.search.sweep import make_descent, sweep
from twin.channel.search.tree import Tree
from twin.specs import RayTracingSpec
from twin.state import F64, I32, Bool

REMEMBERED = 500
"""Steps for which a moving source remembers a sequence that gave no path and no ray met."""
CROWDED = 200_000
"""Rows of a tree from which on it forgets."""
FEWEST, MOST, A_PLANE = 300_000, 3_000_000, 60
"""Rays of a first search: so many a plane of the site, within these limits."""
ASKED, AGAIN = 10_000, 50.0
"""Rays from a target that no reflection reaches, and metres until it is asked again, doubled by each time in vain."""


class Source:
    """A place from which paths are searched to other places, its targets."""

    def __init__(
        self, space: SearchSpace, spec: RayTracingSpec, place: int, moves: bool,
        targets: I32, pairs: I32, backwards: Bool,
    ) -> None:  # fmt: skip
        self.space, self.spec, self.place, self.moves = space, spec, place, moves
        self.targets, self.pairs, self.backwards = targets, pairs, backwards
        self.tree = Tree(space.scene, space.walls, spec.order)
        self.lists = make_lists(len(targets), max(spec.order, 1))
        # One odometer for both.
        self.detour_lists = make_lists(len(targets), 1)._replace(odometer=self.lists.odometer)
        self.position: F64 | None = None  # (places, 3) at the last step
        self._ends = np.zeros((0, 3))  # the targets at the last step
        self._owed = 0.0  # rays that a moving source has not shot yet
        self._rays = spec.rays if spec.rays is not None else rays_for(space.scene)
        self._asking = make_asking(len(targets), AGAIN)
        self._due = False  # one of the targets is to be asked

    def advance(self, position: F64, step: int) -> None:
        """Take note of where the places (n, 3) are now: odometers, new sequences, images, lists."""
        tree, here = self.tree, position[self.place]
        known, due = tree.count, True
        if self.position is None:
            discover_first(tree, here, self._rays, step)
            tree.mirror(here)
            known = 0
        else:
            moved = float(np.linalg.norm(here - self.position[self.place])) if self.moves else 0.0
            due = walk(self.lists, position, self.position, self.targets, moved)
            if moved > 0.0:
                known = self._explore(here, moved, step)
        self.position, self._ends = position, position[self.targets]
        if self.spec.mode == "kinetic":
            targets = self._ends
            if due or known < tree.count:
                self.lists = refresh(tree, self.lists, self.moves, targets, known)
            if len(self.space.detours.edge) and is_due(self.detour_lists):
                self.detour_lists = refresh_detours(self.space, self.detour_lists, here, self.moves, targets)

    def _explore(self, here: F64, moved: float, step: int) -> int:
        """Shoot the rays that the way moved is worth; return the first row that is new."""
        tree = self.tree
        self._owed += min(moved * self.spec.rays_per_metre, float(self._rays))
        rays = int(self._owed)
        self._owed -= rays
        known = tree.count
        if known > CROWDED:
            tree.forget(step - REMEMBERED)
            known = 0
            self.lists.until[:] = -1.0
        tree.discover(here, rays, step)
        tree.mirror(here)
        return known

    def find(self, step: int, work: Work, paths: Paths) -> None:
        """Append the paths to all targets, where `advance` was told that they are, to `paths`."""
        assert self.position is not None
        scene, walls, _, detours = self.space
        here, kinetic = self.position[self.place], self.spec.mode == "kinetic"
        quest = Quest(
            source=here, moves=self.moves, targets=self._ends, pair=self.pairs, backwards=self.backwards, step=step
        )
        if self.spec.mode == "sweep":
            descent = make_descent(scene, self.tree.rows, self.tree.count, len(detours.edge), self._ends)
            sweep(self.space, self.tree.rows, quest, descent, scratch(), work, paths)
            return
        if kinetic:
            self._due = follow(scene, walls, self.tree.rows, quest, self.lists, self._asking, work, paths)
        else:
            exhaust(scene, walls, self.tree.rows, self.tree.count, quest, work, paths)
            self._due = note_dark(paths.found, self.pairs, self.lists.odometer, self._asking)
        if len(detours.edge) and kinetic:
            follow_detours(self.space, quest, self.detour_lists, scratch(), work, paths)
        elif len(detours.edge):
            exhaust_detours(self.space, quest, scratch(), work, paths)

    def ask(self, step: int) -> bool:
        """Shoot rays from the targets that no reflection reaches; tell whether they met paths that are new."""
        if not self._due or self.position is None or self.spec.order < 2 or not self._rays:
            return False
        here, known = self.position[self.place], self.tree.count
        for j in np.flatnonzero(self._asking.due).tolist():
            before = self.tree.count
            ask(self.tree, here, self._ends[j], min(ASKED, self._rays), step)
            pause = self._asking.pause[j]
            self._asking.at[j] = self.lists.odometer[j] + pause
            self._asking.pause[j] = 2.0 * pause if self.tree.count == before else AGAIN
        if self.tree.count == known:
            return False
        self.tree.mirror(self.position[self.place], known)
        if self.spec.mode == "kinetic":
            self.lists = refresh(self.tree, self.lists, self.moves, self._ends, known)
        return True


def rays_for(scene: Scene) -> int:
    """Return how many rays a first search of the site takes: more where there are more mirrors to meet."""
    return min(MOST, max(FEWEST, A_PLANE * len(scene.offset)))


def make_sources(space: SearchSpace, spec: RayTracingSpec, place_body: I32, first: I32, second: I32) -> list[Source]:
    """Return the sources of the pairs of places (first, second: (G,)): of each pair the end that stands fixed."""
    fixed = place_body < 0
    backwards = fixed[second] & ~fixed[first]
    source, target = np.where(backwards, second, first), np.where(backwards, first, second)
    made = []
    for place in np.unique(source):
        pairs = np.flatnonzero(source == place).astype(np.int32)
        moves = bool(~fixed[place])
        made.append(Source(space, spec, int(place), moves, target[pairs], pairs, backwards[pairs]))
    return made
