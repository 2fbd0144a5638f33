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


def quaternion_pose(xyz: F64, xyzw: F64, place: str) -> F64:
    """Return the transform (4, 4) of metres and a quaternion, which is made a unit one.

    Raises:
        WorldError: the quaternion has no direction.
    """
    from scipy.spatial.transform import Rotation  # a fifth of a second, and most who import this have no use for it

    if not 1e-9 < (size := float(np.abs(xyzw).max())) < 1e9:
        raise WorldError(f"{place}: found a quaternion as large as {size:g}; allowed: a unit one")
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = Rotation.from_quat(xyzw / size).as_matrix(), xyz
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
    return Shape(radius * np.vstack([points, [0, 0, 1], [0, 0, -1]]), _ringed(rings))


def ellipsoid(radii: F64) -> Shape:
    """Return a sphere that is stretched to radii (3,) m."""
    unit = sphere(1.0)
    return Shape(unit.vertices * radii, unit.triangles)


def capsule(radius: float, length: float) -> Shape:
    """Return a cylinder about z, `length` [m] long, between two half spheres."""
    ball = sphere(radius)
    rings = SIDES // 2 - 1
    middle = rings // 2  # the ring at the equator, which both halves have
    upper, lower = ball.vertices[: (middle + 1) * SIDES], ball.vertices[middle * SIDES : rings * SIDES]
    shift = np.array([0.0, 0.0, length / 2])
    points = [upper + shift, lower - shift, ball.vertices[-2:] + np.array([shift, -shift])]
    return Shape(np.vstack(points), _ringed(rings + 1))


def cone(radius: float, length: float) -> Shape:
    """Return a cone about z of the volume of a round one, its tip up, halfway between its ends at z = 0."""
    base = cylinder(radius, length).vertices[:SIDES]
    here, then = np.arange(SIDES), np.roll(np.arange(SIDES), -1)
    fan = np.column_stack([np.zeros(SIDES - 2, dtype=int), here[1:-1], here[2:]])
    sides = np.column_stack([here, then, np.full(SIDES, SIDES)])
    return Shape(np.vstack([base, [0.0, 0.0, length / 2]]), np.vstack([sides, fan[:, ::-1]]))


def _ringed(rings: int) -> I64:
    """Return triangles over rings of latitude from the top down, then the top and the bottom point."""
    top, bottom = rings * SIDES, rings * SIDES + 1
    triangles = []
    for i in range(SIDES):
        j = (i + 1) % SIDES
        triangles += [(top, i, j), (bottom, (rings - 1) * SIDES + j, (rings - 1) * SIDES + i)]
        for k in range(rings - 1):
            a, b, c, d = k * SIDES + i, k * SIDES + j, (k + 1) * SIDES + j, (k + 1) * SIDES + i
            triangles += [(a, d, c), (a, c, b)]
    return np.array(triangles)
