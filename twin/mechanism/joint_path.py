"""Joints that lead a tool along a closed path: planned once, then read by arc length."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline

from twin.mechanism.kinematics import Posture, inverse_kinematics, tool_pose
from twin.mechanism.tree import Frame, Tree
from twin.numerics.kernels import kernel
from twin.state import F64

_ITERATIONS = 200
_WITHIN = 1e-3
"""m by which the tool may miss its path, and rad by which joints may differ after a lap"""


class JointPath(NamedTuple):
    """A periodic cubic spline of J joints over the arc length of a tool's path."""

    length: float  # m
    pieces: F64  # (n, 4, J) coefficients over arc length, the highest power first


def plan_joints(
    tree: Tree, tool: Frame, bounds: tuple[F64, F64], start: F64, place: Callable[[float], F64], length: float
) -> JointPath:
    """Return the joints for a closed path that begins where the tool is at joints `start` (J,), its axes kept.

    `place` gives the tool's place (3,) m by arc length; `bounds` are the joints' limits (J,).

    Raises:
        ValueError: the arm can't get there, or comes back to the start with other joints.
    """
    _, axes = tool_pose(tree, tool, start)
    along = np.linspace(0.0, length, max(16, int(np.ceil(length / 0.005))) + 1)
    joints, q, posture = [], start, Posture(lower=bounds[0], upper=bounds[1], rest=start)
    for s in along:
        q = inverse_kinematics(tree, tool, posture, q, place(s), axes, _ITERATIONS)
        miss = float(np.linalg.norm(tool_pose(tree, tool, q)[0] - place(s)))
        if miss > _WITHIN:
            x, y, z = place(s)
            raise ValueError(f"the arm misses ({x:.3f}, {y:.3f}, {z:.3f}) m by {miss * 1e3:.1f} mm")
        joints.append(q)
    if (turned := float(np.abs(joints[-1] - joints[0]).max())) > _WITHIN:
        raise ValueError(f"after a lap a joint is {turned:.3f} rad from where it started")
    joints[-1] = joints[0]
    pieces = CubicSpline(along, np.array(joints), bc_type="periodic").c
    return JointPath(length, np.ascontiguousarray(pieces.transpose(1, 0, 2)))


@kernel
def joints_at(path: JointPath, place: float) -> tuple[F64, F64]:
    """Return the joints (J,) at arc length `place` [m], and how they change with it (J,) per m."""
    n = path.pieces.shape[0]
    step = path.length / n
    s = place % path.length
    i = min(int(s / step), n - 1)
    s -= i * step
    c = path.pieces[i]
    return ((c[0] * s + c[1]) * s + c[2]) * s + c[3], (3.0 * c[0] * s + 2.0 * c[1]) * s + c[2]
