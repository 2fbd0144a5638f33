"""Where a mechanism's links are, how a tool moves with the joints, and joints for a wanted place of a tool."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from twin.mechanism.tree import Frame, Tree
from twin.numerics.kernels import kernel
from twin.numerics.rotation import Vector, cross
from twin.numerics.vectors import apply, minus, plus, product, row_of, store, times
from twin.state import F64


@kernel
def link_frames(tree: Tree, q: F64, turn: F64, place: F64) -> None:
    """Write each link's axes (J, 3, 3) and origin (J, 3) m in the base's frame for joint positions `q` (J,)."""
    own, turned = np.empty((3, 3)), np.empty((3, 3))
    for row in tree.order:
        before, axis = tree.parent[row], row_of(tree.axis, row)
        if before < 0:
            turned[:] = tree.turn[row]
            at = row_of(tree.place, row)
        else:
            product(turn[before], tree.turn[row], turned)
            at = plus(row_of(place, before), apply(turn[before], row_of(tree.place, row)))
        if tree.slides[row]:
            turn[row] = turned
            at = plus(at, times(q[row], apply(turned, axis)))
        else:
            about(axis, q[row], own)
            product(turned, own, turn[row])
        store(place, row, at)


@kernel
def about(axis: Vector, angle: float, out: F64) -> None:
    """Write the rotation (3, 3) by `angle` [rad] about a unit vector (Rodrigues)."""
    s, c = np.sin(angle), np.cos(angle)
    x, y, z = axis
    v = 1.0 - c
    out[0, 0], out[0, 1], out[0, 2] = c + v * x * x, v * x * y - s * z, v * x * z + s * y
    out[1, 0], out[1, 1], out[1, 2] = v * x * y + s * z, c + v * y * y, v * y * z - s * x
    out[2, 0], out[2, 1], out[2, 2] = v * x * z - s * y, v * y * z + s * x, c + v * z * z


@kernel
def tool_pose(tree: Tree, tool: Frame, q: F64) -> tuple[F64, F64]:
    """Return place (3,) m and axes (3, 3) of a tool in the base's frame."""
    turn, place = np.empty((len(q), 3, 3)), np.empty((len(q), 3))
    link_frames(tree, q, turn, place)
    if tool.joint < 0:
        return tool.place.copy(), tool.turn.copy()
    return place[tool.joint] + turn[tool.joint] @ tool.place, turn[tool.joint] @ tool.turn


@kernel
def tool_jacobian(tree: Tree, tool: Frame, q: F64) -> F64:
    """Return (6, J): the tool's velocity [m/s] and turning rate [rad/s] in base axes per joint velocity."""
    turn, place = np.empty((len(q), 3, 3)), np.empty((len(q), 3))
    link_frames(tree, q, turn, place)
    out = np.zeros((6, len(q)))
    row = tool.joint
    if row < 0:
        return out
    at = plus(row_of(place, row), apply(turn[row], (tool.place[0], tool.place[1], tool.place[2])))
    while row >= 0:
        axis = apply(turn[row], row_of(tree.axis, row))
        moves = axis if tree.slides[row] else cross(axis, minus(at, row_of(place, row)))
        for i in range(3):
            out[i, row] = moves[i]
            out[3 + i, row] = 0.0 if tree.slides[row] else axis[i]
        row = tree.parent[row]
    return out


@kernel
def turn_between(have: F64, want: F64) -> F64:
    """Return the rotation vector (3,) rad that turns axes `have` (3, 3) into `want` (3, 3), in the axes of both."""
    turn = want @ have.T
    vector = 0.5 * np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
    sine, cosine = np.sqrt(vector @ vector), 0.5 * (turn[0, 0] + turn[1, 1] + turn[2, 2] - 1.0)
    return vector * (np.arctan2(sine, cosine) / sine) if sine > 1e-9 else vector


class Posture(NamedTuple):
    """Where joints may be, and where they would rather be; J joints."""

    lower: F64  # (J,) rad or m
    upper: F64  # (J,)
    rest: F64  # (J,)


@kernel
def inverse_kinematics(
    tree: Tree, tool: Frame, posture: Posture, start: F64, place: F64, turn: F64, steps: int
) -> F64:
    """Return joints (J,) that bring the tool to `place` (3,) m and axes `turn` (3, 3), from `start` on.

    Damped least squares within the joint limits (Wampler, IEEE Trans. SMC 16(1), 1986), with a pull towards the
    posture's rest where the tool doesn't feel it. It may fall short where the place is out of reach: see `tool_pose`.
    """
    q = start.copy()
    for _ in range(steps):
        at, axes = tool_pose(tree, tool, q)
        error = np.empty(6)
        error[:3], error[3:] = _at_most(place - at, 0.1), _at_most(turn_between(axes, turn), 0.3)
        jacobian = tool_jacobian(tree, tool, q)
        damped = jacobian @ jacobian.T + 1e-4 * np.eye(6)
        pull = 0.1 * (posture.rest - q)
        q += pull + jacobian.T @ np.linalg.solve(damped, error - jacobian @ pull)
        q = np.minimum(np.maximum(q, posture.lower), posture.upper)
    return q


@kernel
def _at_most(vector: F64, size: float) -> F64:
    """Return a vector, shortened to `size` where it is longer: Newton steps overshoot far from their end."""
    length = np.sqrt(vector @ vector)
    return vector * (size / length) if length > size else vector
