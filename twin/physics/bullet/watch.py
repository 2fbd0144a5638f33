"""Which worlds Bullet has to step: those in which something may touch something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from twin.mechanism.tree import Mechanism
from twin.physics.bodies import Motion
from twin.physics.bullet.interaction import levers
from twin.physics.bullet.rooms import Rooms, Shapes
from twin.physics.bullet.world import ROOT, BulletWorld
from twin.state import F64, I64
from twin.world.bvh import Bvh, build_bvh

_NOTHING = build_bvh(np.empty((0, 3)), np.empty((0, 3), np.int32))
RETRY = 16
"""Ticks after which a world in which nothing touches any more is looked at again."""


class Watch:
    """Keeps every body of a clear world in a room of its own, and wakes Bullet where one leaves it.

    A world is clear while all of its bodies have rooms; what moves them then needs no Bullet, which learns where they
    are when it is woken. `mechanisms` are those of bodies with joints, by their row, `offset` (N + 1,) says where
    their joints are; a world with joints on a base that moves, or with scenery that isn't known (`bvh`), never is.
    """

    def __init__(
        self, worlds: Sequence[BulletWorld], offset: I64, mechanisms: Mapping[int, Mechanism], bvh: Bvh | None
    ) -> None:
        self._worlds, self._offset = worlds, offset
        self._home = {row: world for world in worlds for row in world.bodies}
        self._able = [world for world in worlds if world.is_bolted() and (bvh is not None or not world.scenery)]
        self._all = _rows(worlds)
        self._links = {row: self._home[row].shapes(row) for row in sorted(self._home)}
        self._rooms = Rooms(self._shapes(mechanisms), _NOTHING if bvh is None else bvh)

    def begin(self, now: Motion) -> None:
        """Look at all worlds for the first time."""
        for world in self._able:
            for row in world.bodies:
                self._put(world, row, now)
            self._look_round(world, now)

    def look(self, before: Motion, after: Motion, worlds: Sequence[BulletWorld]) -> None:
        """Wake those of the clear `worlds` in which something may touch something in a step from one to the other."""
        clear = [world for world in worlds if world.clear]
        if not clear:
            return
        rows = self._all if len(clear) == len(self._worlds) else _rows(clear)
        for row in self._rooms.left(rows, after.pose, after.joint).tolist():
            world = self._home[row]
            if world.clear and not self._moves_on(world, row, before, after):
                self.wake(world, before)

    def look_again(self, worlds: Sequence[BulletWorld], now: Motion) -> None:
        """Look whether `worlds`, in which nothing touches, are clear."""
        for world in worlds:
            if not world.clear and world in self._able:
                self._look_round(world, now)

    def wake(self, world: BulletWorld, now: Motion) -> None:
        """Let Bullet step a world from `now` on."""
        if world.clear:
            world.clear = False
            for row in world.moving:
                self.place(world, row, now)

    def _moves_on(self, world: BulletWorld, row: int, before: Motion, after: Motion) -> bool:
        """Give a body another room, and if need be all of its world; tell whether nobody leaves them in this step."""
        self.place(world, row, after)
        self._put(world, row, after)
        mine = np.array([row])
        if self._rooms.claim(row, after.twist[row, :3]) and not len(self._rooms.left(mine, before.pose, before.joint)):
            return True
        self.wake(world, before)
        self._look_round(world, before)
        return world.clear and not len(self._rooms.left(np.array(world.moving), after.pose, after.joint))

    def _look_round(self, world: BulletWorld, now: Motion) -> None:
        for row in world.moving:
            self._put(world, row, now)
        world.clear = self._rooms.divide(world.moving, now.twist[:, :3])

    def _put(self, world: BulletWorld, row: int, now: Motion) -> None:
        self._rooms.put(row, world.boxes(row, self._links[row]), now.pose, now.joint)

    def place(self, world: BulletWorld, row: int, now: Motion) -> None:
        """Tell a world where a body is and how it moves."""
        joints = slice(int(self._offset[row]), int(self._offset[row + 1]))
        world.place(row, now.pose[row], now.twist[row], now.joint[joints], now.speed[joints])

    def _shapes(self, mechanisms: Mapping[int, Mechanism]) -> Shapes:
        rows = range(len(self._home))
        extents = {row: self._home[row].extent(row) for row in rows}
        limits = [joint for row in rows if row in mechanisms for joint in mechanisms[row].joints]
        arms: list[F64] = [levers(mechanisms[row], extents[row]) for row in rows if row in mechanisms]
        number = {id(world): i for i, world in enumerate(self._worlds)}
        still = [link == ROOT and self._home[row].is_fixed(row) for row in rows for link in self._links[row]]
        return Shapes(
            first=np.cumsum([0, *(len(self._links[row]) for row in rows)]),
            still=np.array(still, dtype=bool),
            world=np.array([number[id(self._home[row])] for row in rows]),
            radius=np.array([extents[row][""] for row in rows]),
            joint=self._offset,
            lever=np.concatenate([np.empty(0), *arms]),
            lower=np.array([joint.lower for joint in limits], dtype=float),
            upper=np.array([joint.upper for joint in limits], dtype=float),
        )


def _rows(worlds: Sequence[BulletWorld]) -> I64:
    """Return the rows of all that moves in some worlds."""
    return np.array([row for world in worlds for row in world.moving], dtype=np.int64)
