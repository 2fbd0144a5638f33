"""What moves bodies that nothing touches: single bodies, and arms on fixed bases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from twin.mechanism.tree import Mechanism, Tree, read_mechanism
from twin.numerics.rotation import unrotate
from twin.physics.bodies import BodyGroup, Motion
from twin.physics.bullet.free_flight import fly_freely, swing_freely
from twin.state import F64, I64


class _Arms(NamedTuple):
    """The mechanisms of a group on fixed bases."""

    rows: slice
    joints: slice
    tree: Tree
    damping: F64  # (J,) N m s/rad or N s/m
    gravity: F64  # (n, 3) m/s2, in the axes of each base


class Unhindered:
    """Moves the bodies of all groups as Bullet would if nothing touched them.

    `mass` (N,) kg is 0 for what is no single free body, `inertia` (N, 3) kg m2 about the principal axes; `offset`
    (N + 1,) says where a body's joints are.
    """

    def __init__(self, groups: Sequence[BodyGroup], offset: I64, mass: F64, inertia: F64, gravity: float) -> None:
        self._mass, self._inertia, self._gravity = mass, inertia, gravity
        self.mechanisms: dict[int, Mechanism] = {}
        """By the row of each body with joints."""
        self._arms: list[_Arms] = []
        start = 0
        for group in groups:
            stop = start + len(group.names)
            if offset[stop] > offset[start]:
                mechanism = read_mechanism(group.spec.urdf)
                self.mechanisms |= dict.fromkeys(range(start, stop), mechanism)
                if group.spec.fixed:
                    self._arms.append(_arms(group, mechanism, slice(start, stop), offset, gravity))
            start = stop

    def step(self, now: Motion, wrench: F64, effort: F64, step: F64) -> Motion:
        """Return the motion after `step` (N,) s under `wrench` (N, 6) and the drives' `effort` (K,)."""
        pose, twist = fly_freely(now.pose, now.twist, wrench, self._mass, self._inertia, self._gravity, step)
        joint, speed = now.joint.copy(), now.speed.copy()
        for arms in self._arms:
            if step[arms.rows].any():
                shape, joints = (-1, len(arms.damping)), arms.joints
                q, v = swing_freely(arms.tree, arms.damping, arms.gravity, now.joint[joints].reshape(shape),
                                    now.speed[joints].reshape(shape), effort[joints].reshape(shape),
                                    step[arms.rows])  # fmt: skip
                joint[joints], speed[joints] = q.ravel(), v.ravel()
        return Motion(pose, twist, joint, speed)


def _arms(group: BodyGroup, mechanism: Mechanism, rows: slice, offset: I64, gravity: float) -> _Arms:
    joints = slice(int(offset[rows.start]), int(offset[rows.stop]))
    down = [unrotate(tuple(q), (0.0, 0.0, -gravity)) for q in group.orientation.tolist()]
    damping = np.array([joint.damping for joint in mechanism.joints])
    return _Arms(rows, joints, mechanism.tree, damping, np.array(down))
