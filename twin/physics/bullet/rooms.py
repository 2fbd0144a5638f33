"""Rooms: how far bodies may move before any of them can touch another one or the scenery.

Round each shape of a body is a box with room to spare. Boxes of two bodies of a world don't overlap, and no triangle
of the scenery reaches into one: while every body is in its room nothing touches anything, and nobody needs to look.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from twin.numerics.kernels import kernel
from twin.numerics.rotation import Vector
from twin.numerics.vectors import store
from twin.state import F64, I64, Bool
from twin.world.boxes import box_meets
from twin.world.bvh import Bvh

PAD = 0.02
"""m round each shape: nearer things are in contact for Bullet, though nothing presses yet."""
_PADDING = PAD * np.repeat([-1.0, 1.0], 3)
_SPARE, _AHEAD = 0.1, 0.25
"""The room that a body would have: m on each side, and s of its motion along each axis."""
_HALVED = 6
"""Times that a body may halve the room it wants; what is left then is the smallest that is worth having."""


class Shapes(NamedTuple):
    """What N bodies with K joints look like from afar; S shapes, those of a body side by side."""

    first: I64  # (N + 1,) first shape of each body
    still: Bool  # (S,) shapes that never move: roots of fixed bodies
    world: I64  # (N,) that a body is in
    radius: F64  # (N,) m, how far the shapes of a body without joints reach from its centre
    joint: I64  # (N + 1,) first joint of each body
    lever: F64  # (K,) m per rad or m per m, how far a joint moves what is behind it at most
    lower: F64  # (K,) rad or m
    upper: F64  # (K,)


class Boxes(NamedTuple):
    """Where shapes are and how much room they have; S shapes of N bodies."""

    bare: F64  # (S, 6) m, low and high corner round each shape
    room: F64  # (S, 6) m, the same with room to spare
    spare: F64  # (N, 3) m, on each side


class Rooms:
    """The rooms of bodies in a scenery (`bvh`)."""

    def __init__(self, shapes: Shapes, bvh: Bvh) -> None:
        n, s = len(shapes.radius), int(shapes.first[-1])
        self._shapes, self._bvh = shapes, bvh
        self._pose, self._joint = np.zeros((n, 7)), np.zeros(len(shapes.lever))
        self._boxes = Boxes(bare=np.zeros((s, 6)), room=np.zeros((s, 6)), spare=np.zeros((n, 3)))

    def left(self, rows: I64, pose: F64, joint: F64) -> I64:
        """Return which bodies `rows` are out of their rooms, or beyond a limit, at `pose` (N, 7), `joint` (K,)."""
        return rows[_out(self._shapes, rows, pose, joint, self._pose, self._joint, self._boxes.spare)]

    def put(self, row: int, boxes: F64, pose: F64, joint: F64) -> None:
        """Take note of where a body is now, and of the boxes (shapes, 6) m round its shapes, without a room."""
        s, mine = self._shapes, slice(self._shapes.joint[row], self._shapes.joint[row + 1])
        shapes = slice(s.first[row], s.first[row + 1])
        self._boxes.bare[shapes] = self._boxes.room[shapes] = boxes + _PADDING
        self._pose[row], self._joint[mine], self._boxes.spare[row] = pose[row], joint[mine], 0.0

    def claim(self, row: int, velocity: F64) -> bool:
        """Give a body as much room as it wants at `velocity` (3,) m/s and as there is; tell whether there is any."""
        return self._claim(row, velocity, 0, _HALVED)

    def divide(self, rows: Sequence[int], velocity: F64) -> bool:
        """Divide a world's room between its bodies `rows`, at `velocity` (N, 3) m/s; tell whether all have some."""
        if not all(self._claim(row, velocity[row], _HALVED, _HALVED) for row in rows):
            return False
        for halved in range(_HALVED - 2, -1, -2):
            for row in rows:
                self._claim(row, velocity[row], halved, halved)
        return True

    def _claim(self, row: int, velocity: F64, least: int, most: int) -> bool:
        return _claim(self._shapes, self._bvh, self._boxes, row, velocity, least, most)


@kernel
def _claim(shapes: Shapes, bvh: Bvh, boxes: Boxes, row: int, velocity: F64, least: int, most: int) -> bool:
    """Give a body the room that it wants, halved `least` times and `most` at the most, if that much is free."""
    for halved in range(least, most + 1):
        share = 0.5**halved
        wanted = (
            share * (_SPARE + _AHEAD * abs(velocity[0])),
            share * (_SPARE + _AHEAD * abs(velocity[1])),
            share * (_SPARE + _AHEAD * abs(velocity[2])),
        )
        if _free(shapes, boxes, row, wanted) and not _in_the_way(shapes, bvh, boxes, row, wanted):
            store(boxes.spare, row, wanted)
            for s in range(shapes.first[row], shapes.first[row + 1]):
                for k in range(3):
                    more = 0.0 if shapes.still[s] else wanted[k]
                    boxes.room[s, k], boxes.room[s, 3 + k] = boxes.bare[s, k] - more, boxes.bare[s, 3 + k] + more
            return True
    return False


@kernel
def _out(shapes: Shapes, rows: I64, pose: F64, joint: F64, was: F64, had: F64, spare: F64) -> Bool:
    """Tell of each body whether a point of it may have moved further than its spare room, or a joint is at an end."""
    out = np.zeros(len(rows), np.bool_)
    for i in range(len(rows)):
        row = rows[i]
        along = 0.0  # Bullet turns a body about its centre, and joints what is behind them: no way is longer
        for k in range(shapes.joint[row], shapes.joint[row + 1]):
            along += shapes.lever[k] * abs(joint[k] - had[k])
            out[i] = out[i] or not shapes.lower[k] < joint[k] < shapes.upper[k]
        same = 0.0
        for k in range(3, 7):
            same += pose[row, k] * was[row, k]
        along += 2.0 * shapes.radius[row] * np.sqrt(max(0.0, 1.0 - same * same))
        for k in range(3):
            out[i] = out[i] or not abs(pose[row, k] - was[row, k]) + along <= spare[row, k]
    return out


@kernel
def _free(shapes: Shapes, boxes: Boxes, row: int, spare: Vector) -> bool:
    """Tell whether a body with this room [m] to spare keeps out of the rooms of all others in its world."""
    bare, room = boxes.bare, boxes.room
    for other in range(len(shapes.world)):
        if other == row or shapes.world[other] != shapes.world[row]:
            continue
        for a in range(shapes.first[row], shapes.first[row + 1]):
            grown = 0.0 if shapes.still[a] else 1.0
            for b in range(shapes.first[other], shapes.first[other + 1]):
                apart = shapes.still[a] and shapes.still[b]
                for k in range(3):
                    more = grown * spare[k]
                    apart = apart or bare[a, k] - more > room[b, 3 + k] or bare[a, 3 + k] + more < room[b, k]
                if not apart:
                    return False
    return True


@kernel
def _in_the_way(shapes: Shapes, bvh: Bvh, boxes: Boxes, row: int, spare: Vector) -> bool:
    """Tell whether something of the scenery is in the room that a body would have with this room to spare."""
    for s in range(shapes.first[row], shapes.first[row + 1]):
        bare = boxes.bare[s]
        low = (bare[0] - spare[0], bare[1] - spare[1], bare[2] - spare[2])
        high = (bare[3] + spare[0], bare[4] + spare[1], bare[5] + spare[2])
        if not shapes.still[s] and box_meets(bvh, low, high):
            return True
    return False
