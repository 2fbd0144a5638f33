"""What moves bodies that nothing touches: single bodies, and arms on fixed bases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from twin.mechanism.tree import Mechanism, read_mechanism
from twin.numerics.rotation import unrotate
from twin.physics.bodies import BodyGroup, Motion, is_midway
from twin.physics.bullet.free_flight import Solids, Swings, fly_freely, swing_freely
from twin.state import F64, I64


class _Arms(NamedTuple):
    """The mechanisms of a group on fixed bases."""

    rows: slice
    joints: slice
    swings: Swings


class Unhindered:
    """Moves the bodies of all groups that nothing touches.

    `mass` (N,) kg is 0 for what is no single free body, `inertia` (N, 3) kg m2 about the principal axes; `offset`
    (N + 1,) says where a body's joints are.
    """

    def __init__(self, groups: Sequence[BodyGroup], offset: I64, mass: F64, inertia: F64, gravity: float) -> None:
        midway = [is_midway(group.dynamics) for group in groups for _ in group.names]
        self._solids, self._gravity = Solids(mass, inertia, np.array(midway, dtype=bool)), gravity
        self.mechanisms: dict[int, Mechanism] = {}
        """By the row of each body with joints."""
        self.arms: set[int] = set()
        """Rows of mechanisms on fixed bases whose steps are these, whoever else is near."""
        self._arms: list[_Arms] = []
        start = 0
        for group in groups:
            stop = start + len(group.names)
            if offset[stop] > offset[start]:
                mechanism = read_mechanism(group.spec.urdf)
                self.mechanisms |= dict.fromkeys(range(start, stop), mechanism)
                if group.spec.fixed:
                    self.arms |= set(range(start, stop)) if is_midway(group.dynamics) else set()
                    self._arms.append(_arms(group, mechanism, slice(start, stop), offset, gravity))
            start = stop
        limits = [joint for row in sorted(self.mechanisms) for joint in self.mechanisms[row].joints]
        self._lower, self._upper = (np.array([getattr(j, end) for j in limits]) for end in ("lower", "upper"))
        self._offset = offset

    def at_an_end(self, rows: Sequence[int], joint: F64) -> set[int]:
        """Return which of `rows` have a joint that is at or beyond a limit; positions `joint` (K,)."""
        if not len(joint):
            return set()
        ends = np.flatnonzero(~((self._lower < joint) & (joint < self._upper)))
        return set((np.searchsorted(self._offset, ends, side="right") - 1).tolist()) & set(rows)

    def step(self, now: Motion, wrench: F64, effort: F64, step: F64) -> Motion:
        """Return the motion after `step` (N,) s under `wrench` (N, 6) and the drives' `effort` (K,)."""
        pose, twist, change = fly_freely(self._solids, self._gravity, now.pose, now.twist, wrench, step)
        joint, speed, joint_change = now.joint.copy(), now.speed.copy(), np.zeros(len(now.joint))
        for arms in self._arms:
            if step[arms.rows].any():
                shape, joints = (-1, len(arms.swings.damping)), arms.joints
                q, v, gain = swing_freely(
                    arms.swings, now.joint[joints].reshape(shape), now.speed[joints].reshape(shape),
                    now.joint_change[joints].reshape(shape), effort[joints].reshape(shape), step[arms.rows],
                )  # fmt: skip
                joint[joints], speed[joints], joint_change[joints] = q.ravel(), v.ravel(), gain.ravel()
        return Motion(pose, twist, joint, speed, change, joint_change)


def _arms(group: BodyGroup, mechanism: Mechanism, rows: slice, offset: I64, gravity: float) -> _Arms:
    joints = slice(int(offset[rows.start]), int(offset[rows.stop]))
    down = [unrotate(tuple(q), (0.0, 0.0, -gravity)) for q in group.orientation.tolist()]
    damping = np.array([joint.damping for joint in mechanism.joints])
    swings = Swings(mechanism.tree, damping, np.array(down), is_midway(group.dynamics))
    return _Arms(rows, joints, swings)
