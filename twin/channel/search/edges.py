"""Edges of the site that diffract: where two faces meet at an outer angle, and the rims of free-standing faces."""

from __future__ import annotations

from math import cos, pi, sin, sqrt
from typing import NamedTuple

import numpy as np

from twin.channel.search.planes import Scene
from twin.numerics.kernels import kernel
from twin.state import F64, I32, Bool
from twin.world.bvh import closest_hit
from twin.world.geometry import Geometry

STAND = 2e-3
"""Metres off an edge, away from the matter, at which rays start and end."""
_FLAT = 0.02
"""Faces that meet at less than this angle [rad] form no edge."""
_SHORT = 0.2
"""Metres below which an edge is left out."""
_RAYS = 128
_IN_PLANE = 1e-3


class Edges(NamedTuple):
    """E edges; the angle phi about an edge starts on its first face and grows through the open air."""

    start: F64  # (E, 3) m
    along: F64  # (E, 3) unit
    length: F64  # (E,) m
    normal: F64  # (E, 3) outward normal of the first face: phi = pi / 2
    into: F64  # (E, 3) unit, from the edge into the first face: phi = 0
    open_angle: F64  # (E,) rad of air between the faces, 2 pi at a rim
    away: F64  # (E, 3) unit, halfway between the faces through the air
    surface: I32  # (E, 2) materials of first and second face
    plane: I32  # (E, 2) their planes


def no_edges() -> Edges:
    """Return no edges."""
    z = np.zeros((0, 3))
    two = np.zeros((0, 2), dtype=np.int32)
    return Edges(z, z, np.zeros(0), z, z, np.zeros(0), z, two, two)


def find_edges(geometry: Geometry, scene: Scene) -> Edges:
    """Return the edges of things; the ground has none."""
    sides = _sides(geometry, scene)
    plane_of = np.full(len(geometry.face_normal), -1, dtype=np.int32)
    plane_of[scene.face] = np.maximum(scene.plane, plane_of[scene.face])
    found = []
    for (a, b), faces in sides.items():
        if np.linalg.norm(b_minus_a := np.subtract(b, a)) < _SHORT or len(faces) > 2:
            continue
        along = b_minus_a / np.linalg.norm(b_minus_a)
        first = faces[0]
        normal = geometry.face_normal[first]
        into = _into(geometry, scene, first, np.asarray(a), along)
        angle, second = 2.0 * pi, first
        if len(faces) == 2:
            second = faces[1]
            other = _into(geometry, scene, second, np.asarray(a), along)
            angle = float(np.arctan2(other @ normal, other @ into)) % (2.0 * pi)
            if angle < pi + _FLAT:
                continue
        away = cos(angle / 2.0) * into + sin(angle / 2.0) * normal
        found.append((np.array(a), along, np.linalg.norm(b_minus_a), normal, into, angle, away,
                      (geometry.face_material[first], geometry.face_material[second]),
                      (plane_of[first], plane_of[second])))  # fmt: skip
    if not found:
        return no_edges()
    start, along, length, normal, into, angles, away, surface, plane = (
        np.array(c, dtype=float) for c in zip(*found, strict=True)
    )
    edges = Edges(start, along, length, normal, into, angles, away, surface.astype(np.int32), plane.astype(np.int32))
    free = _free(scene, edges)
    return edges._replace(**{name: np.ascontiguousarray(getattr(edges, name)[free]) for name in Edges._fields})


def _sides(geometry: Geometry, scene: Scene) -> dict[tuple[tuple[float, ...], tuple[float, ...]], list[int]]:
    """Return the faces that have each rim edge, by its end points."""
    sides: dict[tuple[tuple[float, ...], tuple[float, ...]], list[int]] = {}
    ends = np.round(scene.rim, 6).tolist()
    for f in np.flatnonzero(geometry.face_object >= 0).tolist():
        for e in range(scene.rim_first[f], scene.rim_first[f + 1]):
            a, b = sorted(tuple(point) for point in ends[e])
            sides.setdefault((a, b), []).append(f)
    return sides


def _into(geometry: Geometry, scene: Scene, face: int, point: F64, along: F64) -> F64:
    """Return the unit vector in `face`, across the edge through `point`, to where the face is."""
    across = np.cross(geometry.face_normal[face], along)
    rim = scene.rim[scene.rim_first[face] : scene.rim_first[face + 1]]
    reach = (rim.reshape(-1, 3) - point) @ across
    side = 1.0 if reach.max() > -reach.min() else -1.0
    into: F64 = side * across / np.linalg.norm(across)
    return into


def _free(scene: Scene, edges: Edges) -> Bool:
    """Tell which edges stand in the air: not those where a wall meets the ground or another house."""
    return np.array([_in_air(scene, edges, e) for e in range(len(edges.length))], dtype=np.bool_)


@kernel
def _in_air(scene: Scene, edges: Edges, e: int) -> bool:
    m = edges.start[e] + 0.5 * edges.length[e] * edges.along[e]
    n, t, a = edges.normal[e], edges.into[e], edges.away[e]
    for side in (-1.0, 1.0):
        # From just beside the face, past the edge: anything met there fills the air about the edge.
        x, y, z = m[0] + 0.01 * t[0], m[1] + 0.01 * t[1], m[2] + 0.01 * t[2]
        point = (x + side * 0.005 * n[0], y + side * 0.005 * n[1], z + side * 0.005 * n[2])
        if side < 0.0 and edges.open_angle[e] < 2.0 * pi - 1e-6:
            continue
        if closest_hit(scene.bvh, point, (-t[0], -t[1], -t[2]), 0.0, 0.05)[0] >= 0:
            return False
    point = (m[0] + 1e-3 * a[0], m[1] + 1e-3 * a[1], m[2] + 1e-3 * a[2])
    return closest_hit(scene.bvh, point, (a[0], a[1], a[2]), 0.0, 0.02)[0] < 0


def seen_planes(scene: Scene, edges: Edges) -> I32:
    """Return the pairs (n, 2) of edge and plane that see each other, by rays from points of each edge.

    A plane that the edge lies in reflects nothing from it: its part is in the diffraction coefficient.
    """
    pairs = _look(scene, edges, _RAYS)
    pairs = np.unique(pairs[(pairs >= 0).all(axis=1)], axis=0)
    edge, plane = pairs.T
    far_end = edges.start + edges.length[:, None] * edges.along
    ends = np.stack([edges.start[edge], far_end[edge]], axis=1)
    height = np.einsum("nkj,nj->nk", ends, scene.normal[plane]) - scene.offset[plane, None]
    return np.ascontiguousarray(pairs[np.abs(height).max(axis=1) > _IN_PLANE])


@kernel
def _look(scene: Scene, edges: Edges, rays: int) -> I32:
    pairs = np.full((len(edges.length) * rays, 2), -1, np.int32)
    for e in range(len(edges.length)):
        for i in range(rays):
            dz = 1.0 - (2.0 * i + 1.0) / rays
            across, turn = sqrt(1.0 - dz * dz), pi * (3.0 - sqrt(5.0)) * i
            d = (across * cos(turn), across * sin(turn), dz)
            part = (0.5 + i * 0.6180339887498949) % 1.0 * edges.length[e]
            s, u, a = edges.start[e], edges.along[e], edges.away[e]
            x, y, z = s[0] + part * u[0], s[1] + part * u[1], s[2] + part * u[2]
            point = (x + STAND * a[0], y + STAND * a[1], z + STAND * a[2])
            hit, _ = closest_hit(scene.bvh, point, d, 0.0, 1e9)
            if hit >= 0:
                pairs[e * rays + i, 0], pairs[e * rays + i, 1] = e, scene.plane[hit]
    return pairs
