"""The static site as the search wants it: planes with their triangles, and a hierarchy for rays."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import NamedTuple

import numpy as np

from twin.errors import WorldError
from twin.numerics.kernels import uncounted
from twin.state import F64, I32, I64
from twin.world.bvh import Bvh, build_bvh
from twin.world.geometry import Geometry

COPLANAR = 1e-5
"""Metres by which corners may lie off a plane that faces of one object share."""
FLAT = 5e-4
"""Metres by which a corner may lie off its face: less than the rays' clearance of 1 mm."""
INSIDE = 1e-9
"""Barycentric tolerance of a point in a triangle: a point on a shared edge is in one of the two."""
BLOCK = 8
"""Triangles of a plane, side by side, that share a bounding box."""
_LONG_RIM = 64


class Scene(NamedTuple):
    """P planes, T triangles, F faces; triangles are numbered as in the geometry."""

    bvh: Bvh
    normal: F64  # (P, 3)
    offset: F64  # (P,) m
    low: F64  # (P, 3) m, bounding box of the plane's triangles
    high: F64  # (P, 3) m
    first: I32  # (P + 1,) plane p has triangles member[first[p]:first[p + 1]]
    member: I32  # (T,)
    block: I32  # (P + 1,) plane p has boxes block[p]:block[p + 1], each of BLOCK members one after another
    block_low: F64  # (B, 3) m
    block_high: F64  # (B, 3) m
    corners: F64  # (T, 3, 3) m
    plane: I32  # (T,) -1 for a triangle without area
    surface: I32  # (T,) index of the material
    face: I32  # (T,)
    rim_first: I32  # (F + 1,) face f has boundary edges rim[rim_first[f]:rim_first[f + 1]]
    rim: F64  # (n, 2, 3) m


def flattened(geometry: Geometry) -> Geometry:
    """Return `geometry` with the faces that are bent by more than FLAT taken apart: their triangles are faces."""
    face, corners = geometry.triangle_face.astype(np.int64), geometry.vertices[geometry.triangles]
    height = np.einsum("tkj,tj->tk", corners, geometry.face_normal[face]) - geometry.face_offset[face, None]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(normal, axis=1)
    bent = np.unique(face[(np.abs(height).max(axis=1) > FLAT) & (area > 1e-12)])
    if not len(bent):
        return geometry
    apart = np.flatnonzero(np.isin(face, bent) & (area > 1e-12))
    own = normal[apart] / area[apart, None]
    triangle_face = geometry.triangle_face.copy()
    triangle_face[apart] = len(geometry.face_normal) + np.arange(len(apart))
    return replace(
        geometry,
        triangle_face=triangle_face,
        face_normal=np.vstack([geometry.face_normal, own]),
        face_offset=np.append(geometry.face_offset, np.einsum("tj,tj->t", own, corners[apart, 0])),
        face_material=np.append(geometry.face_material, geometry.face_material[face[apart]]),
        face_object=np.append(geometry.face_object, geometry.face_object[face[apart]]),
    )


def build_scene(geometry: Geometry) -> Scene:
    """Return the scene of `geometry`, whose faces are flat; triangles without area block and reflect nothing.

    Raises:
        WorldError: a coordinate is not finite, or nothing has an area.
    """
    corners = np.ascontiguousarray(geometry.vertices[geometry.triangles], dtype=np.float64)
    if not np.isfinite(corners).all():
        raise WorldError("geometry: a vertex is not finite")
    face = geometry.triangle_face.astype(np.int32)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    solid = area > 1e-12
    if not solid.any():
        raise WorldError("geometry: no triangle has an area")
    plane_of_face, normal, offset = _merge(geometry, corners, face, solid)
    plane = np.where(solid, plane_of_face[face], -1).astype(np.int32)
    low, high = np.full((len(offset), 3), np.inf), np.full((len(offset), 3), -np.inf)
    np.minimum.at(low, plane[solid], corners[solid].min(axis=1))
    np.maximum.at(high, plane[solid], corners[solid].max(axis=1))
    member = np.lexsort((curve(corners.mean(axis=1)), plane))[np.count_nonzero(~solid) :].astype(np.int32)
    first = np.searchsorted(plane[member], np.arange(len(offset) + 1)).astype(np.int32)
    blocks = _blocks(corners, plane, member, first)
    rim_first, rim = _rims(geometry, face, solid)
    vertices, triangles = geometry.vertices, geometry.triangles
    surface = geometry.face_material[face].astype(np.int32)
    bvh = build_bvh(np.asarray(vertices, dtype=np.float64), np.asarray(triangles))
    return Scene(bvh, normal, offset, low, high, first, member, *blocks, corners, plane, surface, face, rim_first, rim)


def curve(points: F64) -> I64:
    """Return where points (n, 3) lie along a Z-order curve of 1,024 cells a side (Morton)."""
    if not len(points):
        return np.zeros(0, dtype=np.int64)
    low, high = points.min(axis=0), points.max(axis=0)
    cell = ((points - low) / max(float((high - low).max()), 1e-9) * 1023.0).astype(np.int64)
    bits = np.arange(10)
    spread = ((cell[..., None] >> bits & 1) << 3 * bits).sum(axis=-1)
    curve: I64 = (spread << np.arange(3)).sum(axis=-1)
    return curve


def _blocks(corners: F64, plane: I32, member: I32, first: I32) -> tuple[I32, F64, F64]:
    """Return the blocks of each plane, and their bounding boxes."""
    block = np.append(0, np.cumsum(-(-np.diff(first) // BLOCK))).astype(np.int32)
    of = plane[member]
    row = block[of] + (np.arange(len(member)) - first[of]) // BLOCK
    low, high = np.full((block[-1], 3), np.inf), np.full((block[-1], 3), -np.inf)
    np.minimum.at(low, row, corners[member].min(axis=1))
    np.maximum.at(high, row, corners[member].max(axis=1))
    return block, low, high


def _merge(geometry: Geometry, corners: F64, face: I32, solid: np.ndarray) -> tuple[I32, F64, F64]:
    """Return the plane of each face, and normal and offset of each plane.

    Faces of one object in one plane share it: fewer sequences to search, and no path is found twice.
    """
    ends = _face_extents(len(geometry.face_normal), corners, face, solid)
    plane_of_face = np.full(len(geometry.face_normal), -1, dtype=np.int32)
    # Both sides of a wall are one plane: take the sign that makes the largest component positive.
    largest = np.abs(geometry.face_normal).argmax(axis=1)
    sign = np.where(np.take_along_axis(geometry.face_normal, largest[:, None], axis=1) > 0, 1.0, -1.0)
    normals = np.round(sign * geometry.face_normal, 4).tolist()
    offsets, objects = (sign[:, 0] * geometry.face_offset).tolist(), geometry.face_object.tolist()
    buckets: dict[tuple[float, ...], list[int]] = {}
    chosen: list[int] = []
    for f in ends:
        key = (objects[f], *normals[f], round(offsets[f], 2))
        for p in buckets.setdefault(key, []):
            g = chosen[p]
            if np.abs(ends[f] @ geometry.face_normal[g] - geometry.face_offset[g]).max() < COPLANAR:
                plane_of_face[f] = p
                break
        else:
            buckets[key].append(len(chosen))
            plane_of_face[f] = len(chosen)
            chosen.append(f)
    return plane_of_face, geometry.face_normal[chosen].copy(), geometry.face_offset[chosen].copy()


def _face_extents(count: int, corners: F64, face: I32, solid: np.ndarray) -> dict[int, F64]:
    """Return the corners (n, 3) of each face that has an area."""
    order = np.argsort(face[solid], kind="stable")
    sorted_face, points = face[solid][order], corners[solid][order]
    bounds = np.searchsorted(sorted_face, np.arange(count + 1))
    return {f: points[bounds[f] : bounds[f + 1]].reshape(-1, 3) for f in range(count) if bounds[f] < bounds[f + 1]}


def _rims(geometry: Geometry, face: I32, solid: np.ndarray) -> tuple[I32, F64]:
    """Return the edges that only one triangle of their face has."""
    _, same = np.unique(np.round(geometry.vertices, 6), axis=0, return_inverse=True)
    vertex = geometry.triangles[solid].astype(np.int64)
    pairs = np.concatenate([vertex[:, [0, 1]], vertex[:, [1, 2]], vertex[:, [2, 0]]])
    faces = np.tile(face[solid].astype(np.int64), 3)
    key = np.column_stack([faces, np.sort(same.reshape(-1)[pairs], axis=1)])
    _, index, count = np.unique(key, axis=0, return_index=True, return_counts=True)
    rim = index[count == 1]  # in order of the face
    first = np.searchsorted(faces[rim], np.arange(len(geometry.face_normal) + 1)).astype(np.int32)
    return first, np.ascontiguousarray(geometry.vertices[pairs[rim]], dtype=np.float64)


@uncounted
def edge_distance(a: F64, b: F64, x: float, y: float, z: float) -> float:
    """Return the distance of point (x, y, z) from the segment a to b."""
    ex, ey, ez = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    px, py, pz = x - a[0], y - a[1], z - a[2]
    square = ex * ex + ey * ey + ez * ez
    t = 0.0
    if square > 0.0:
        t = min(1.0, max(0.0, (px * ex + py * ey + pz * ez) / square))
    px, py, pz = px - t * ex, py - t * ey, pz - t * ez
    return sqrt(px * px + py * py + pz * pz)


@uncounted
def triangle_edge_distance(corners: F64, x: float, y: float, z: float) -> float:
    """Return the distance of a point in the plane of a triangle, `corners` (3, 3), from its nearest edge."""
    nearest = np.inf
    for k in range(3):
        nearest = min(nearest, edge_distance(corners[k], corners[(k + 1) % 3], x, y, z))
    return nearest


@uncounted
def rim_distance(scene: Scene, triangle: int, x: float, y: float, z: float) -> float:
    """Return how far inside its face a point of `triangle` is; at least that far for faces of many edges."""
    f = scene.face[triangle]
    first, last = scene.rim_first[f], scene.rim_first[f + 1]
    if last - first > _LONG_RIM:
        return triangle_edge_distance(scene.corners[triangle], x, y, z)
    nearest = np.inf
    for e in range(first, last):
        nearest = min(nearest, edge_distance(scene.rim[e, 0], scene.rim[e, 1], x, y, z))
    return nearest


@uncounted
def in_triangle(corners: F64, normal: F64, x: float, y: float, z: float) -> bool:
    """Tell whether a point of the plane lies in the triangle `corners` (3, 3), edges included."""
    nx, ny, nz = abs(normal[0]), abs(normal[1]), abs(normal[2])
    if nx >= ny and nx >= nz:
        i, j, u, v = 1, 2, y, z
    elif ny >= nz:
        i, j, u, v = 0, 2, x, z
    else:
        i, j, u, v = 0, 1, x, y
    a, b = corners[1, i] - corners[0, i], corners[1, j] - corners[0, j]
    c, d = corners[2, i] - corners[0, i], corners[2, j] - corners[0, j]
    u, v = u - corners[0, i], v - corners[0, j]
    det = a * d - b * c
    if det == 0.0:
        return False
    s, t = (u * d - v * c) / det, (a * v - b * u) / det
    return bool(s >= -INSIDE and t >= -INSIDE and s + t <= 1.0 + INSIDE)


@uncounted
def _outside(low: F64, high: F64, x: float, y: float, z: float) -> float:
    """Return the squared distance of a point from a box."""
    dx = max(low[0] - x, x - high[0], 0.0)
    dy = max(low[1] - y, y - high[1], 0.0)
    dz = max(low[2] - z, z - high[2], 0.0)
    return float(dx * dx + dy * dy + dz * dz)


@uncounted
def locate(scene: Scene, p: int, x: float, y: float, z: float, hint: int) -> tuple[int, float]:
    """Return (triangle, 0) of plane `p` under a point of it, or (-1, distance of the nearest triangle).

    `hint` is a triangle that may well be it, such as that of the step before.
    """
    away = _outside(scene.low[p], scene.high[p], x, y, z)
    if away > 1e-12:
        return -1, sqrt(away)
    if scene.plane[hint] == p and in_triangle(scene.corners[hint], scene.normal[p], x, y, z):
        return hint, 0.0
    for b in range(scene.block[p], scene.block[p + 1]):
        if _outside(scene.block_low[b], scene.block_high[b], x, y, z) > 1e-12:
            continue
        first, last = _members(scene, p, b)
        for m in range(first, last):
            if in_triangle(scene.corners[scene.member[m]], scene.normal[p], x, y, z):
                return scene.member[m], 0.0
    return -1, _nearest(scene, p, x, y, z)


@uncounted
def _members(scene: Scene, p: int, b: int) -> tuple[int, int]:
    """Return the members first:last of block b of plane p."""
    first = scene.first[p] + (b - scene.block[p]) * BLOCK
    return first, min(first + BLOCK, scene.first[p + 1])


@uncounted
def _nearest(scene: Scene, p: int, x: float, y: float, z: float) -> float:
    """Return the distance of a point of plane p, on none of its triangles, from the nearest of them."""
    start, least = scene.block[p], np.inf
    for b in range(scene.block[p], scene.block[p + 1]):
        away = _outside(scene.block_low[b], scene.block_high[b], x, y, z)
        if away < least:
            start, least = b, away
    nearest = np.inf
    count = scene.block[p + 1] - scene.block[p]
    for k in range(count):  # from the block whose box is nearest, which leaves few of the others
        b = scene.block[p] + (start - scene.block[p] + k) % count
        if _outside(scene.block_low[b], scene.block_high[b], x, y, z) >= nearest * nearest:
            continue
        first, last = _members(scene, p, b)
        for m in range(first, last):
            nearest = min(nearest, triangle_edge_distance(scene.corners[scene.member[m]], x, y, z))
    return nearest
