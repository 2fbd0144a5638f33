"""Poses and simple shapes that robot models (SDF, URDF) and scenes (Mitsuba) are made of."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, sin

import numpy as np

from twin.errors import WorldError
from twin.state import F64, I64

SIDES = 24
"""Flat sides that stand for a cylinder or sphere."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Triangles about the origin of a shape."""

    vertices: F64  # (V, 3) m
    triangles: I64  # (T, 3)


def numbers(text: str | None, count: int, default: float, place: str) -> F64:
    """Return the finite numbers in a text, (count,), or `default` throughout where there is none.

    Raises:
        WorldError: there are others or fewer.
    """
    if text is None or not text.strip():
        return np.full(count, default)
    try:
        values = np.array([float(part) for part in text.replace(",", " ").split()])
    except ValueError as error:
        raise WorldError(f"{place}: found {text.strip()!r}; allowed: {count} numbers") from error
    if len(values) != count or not np.isfinite(values).all():
        raise WorldError(f"{place}: found {text.strip()!r}; allowed: {count} finite numbers")
    return values


def pose(xyz: F64, rpy: F64) -> F64:
    """Return the transform (4, 4) of a pose: metres, then roll, pitch, yaw [rad] about fixed x, y, z."""
    (cr, cp, cy), (sr, sp, sy) = np.vectorize(cos)(rpy), np.vectorize(sin)(rpy)
    matrix = np.eye(4)
    matrix[:3, :3] = [
        [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
        [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
        [-sp, cp * sr, cp * cr],
    ]
    matrix[:3, 3] = xyz
    return matrix


def moved(matrix: F64, vertices: F64) -> F64:
    """Return points (n, 3) under a transform (4, 4)."""
    result: F64 = vertices @ matrix[:3, :3].T + matrix[:3, 3]
    return result


def box(size: F64) -> Shape:
    """Return a box of a size (3,) m."""
    corners = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    triangles = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))])
    return Shape(corners * size, triangles)


def cylinder(radius: float, length: float) -> Shape:
    """Return a prism about z of the cylinder's volume."""
    turn = 2 * np.pi * np.arange(SIDES) / SIDES
    reach = radius * np.sqrt(2 * np.pi / SIDES / np.sin(2 * np.pi / SIDES))
    ring = np.column_stack([reach * np.cos(turn), reach * np.sin(turn)])
    low, high = (np.column_stack([ring, np.full(SIDES, z)]) for z in (-length / 2, length / 2))
    here, then = np.arange(SIDES), np.roll(np.arange(SIDES), -1)
    fan = np.column_stack([np.zeros(SIDES - 2, dtype=int), here[1:-1], here[2:]])
    sides = [np.column_stack([here, then, then + SIDES]), np.column_stack([here, then + SIDES, here + SIDES])]
    return Shape(np.vstack([low, high]), np.vstack([*sides, fan[:, ::-1], fan + SIDES]))


def sphere(radius: float) -> Shape:
    """Return the sphere's corners on rings of latitude."""
    rings = SIDES // 2 - 1
    turn, tilt = 2 * np.pi * np.arange(SIDES) / SIDES, np.pi * np.arange(1, rings + 1) / (rings + 1)
    points = np.array([[np.cos(a) * np.sin(t), np.sin(a) * np.sin(t), np.cos(t)] for t in tilt for a in turn])
    top, bottom = len(points), len(points) + 1
    triangles = []
    for i in range(SIDES):
        j = (i + 1) % SIDES
        triangles += [(top, i, j), (bottom, (rings - 1) * SIDES + j, (rings - 1) * SIDES + i)]
        for k in range(rings - 1):
            a, b, c, d = k * SIDES + i, k * SIDES + j, (k + 1) * SIDES + j, (k + 1) * SIDES + i
            triangles += [(a, d, c), (a, c, b)]
    return Shape(radius * np.vstack([points, [0, 0, 1], [0, 0, -1]]), np.array(triangles))
