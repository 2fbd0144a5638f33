"""Edges of the site that diffract: where two faces meet at an outer angle, and the rims of free-standing faces."""

from __future__ import annotations

from math import cos, pi, sin, sqrt
from typing import NamedTuple

import numpy as np

from twin.channel.search.planes import Scene
from twin.numerics.kernels import kernel
from twin.state import F64, I32, I64, Bool
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
JOIN = 1e-3
"""Metres within which corners are one, and lie on an edge."""
_STRAIGHT = 1e-6
"""1 minus the cosine of the angle up to which pieces are in one line."""


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


class Rims(NamedTuple):
    """Pieces of the rims of faces, n of them, from corner to corner; the face lies to their left."""

    corner: I64  # (n, 2) corners that are closer than JOIN are one
    face: I64  # (n,)


def find_edges(geometry: Geometry, scene: Scene) -> Edges:
    """Return the edges of things and of the terrain."""
    points, rims = _pieces(scene)
    plane_of = np.full(len(geometry.face_normal), -1, dtype=np.int32)
    plane_of[scene.face] = np.maximum(scene.plane, plane_of[scene.face])
    start, end, first, second = _joined(*_sides(geometry, points, rims), points, plane_of, geometry)
    along = end - start
    length = np.linalg.norm(along, axis=1)
    along /= np.maximum(length, 1e-12)[:, None]
    normal = geometry.face_normal[first]
    into = np.cross(normal, along)  # the first face lies to the left
    into /= np.linalg.norm(into, axis=1, keepdims=True)
    across = np.cross(along, geometry.face_normal[second])  # the second to the right
    angle = np.arctan2(np.einsum("ek,ek->e", across, normal), np.einsum("ek,ek->e", across, into)) % (2.0 * pi)
    angle = np.where(first == second, 2.0 * pi, angle)
    half = 0.5 * angle[:, None]
    away = np.cos(half) * into + np.sin(half) * normal
    faces = np.column_stack([first, second])
    edges = Edges(
        start, along, length, normal, into, angle, away, geometry.face_material[faces].astype(np.int32), plane_of[faces]
    )
    edges = _chosen(edges, (length >= _SHORT) & (angle >= pi + _FLAT))
    return _chosen(edges, _free(scene, edges))


def _chosen(edges: Edges, wanted: Bool) -> Edges:
    return edges._replace(**{name: np.ascontiguousarray(getattr(edges, name)[wanted]) for name in Edges._fields})


def _pieces(scene: Scene) -> tuple[F64, Rims]:
    """Return the corners (n, 3), and the rims between them, cut where a corner of another face lies on them.

    A roof may have a corner where the wall below has none, and walls may end a little above or below it.
    """
    from scipy.sparse import coo_array  # a tenth of a second, for those with edges only
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import KDTree

    points, corner = np.unique(np.round(scene.rim.reshape(-1, 3), 6), axis=0, return_inverse=True)
    near = KDTree(points).query_pairs(JOIN, output_type="ndarray")
    links = coo_array((np.ones(len(near)), (near[:, 0], near[:, 1])), shape=(len(points), len(points)))
    _, group = connected_components(links, directed=False)
    _, kept = np.unique(group, return_index=True)
    corner = group[corner.reshape(-1, 2)].astype(np.int64)
    face = np.repeat(np.arange(len(scene.rim_first) - 1), np.diff(scene.rim_first))
    whole = corner[:, 0] != corner[:, 1]
    rims = Rims(corner[whole], face[whole])
    return points[kept], _cut(points[kept], rims)


def _cut(points: F64, rims: Rims) -> Rims:
    """Cut the rims that no other face shares as a whole at the corners of others that lie on them."""
    from scipy.spatial import KDTree

    _, same, count = np.unique(np.sort(rims.corner, axis=1), axis=0, return_inverse=True, return_counts=True)
    alone = count[same.reshape(-1)] == 1
    open_ = np.unique(rims.corner[alone])
    if not len(open_):
        return rims
    tree = KDTree(points[open_])
    corners, faces = [rims.corner[~alone]], [rims.face[~alone]]
    for (a, b), face in zip(rims.corner[alone].tolist(), rims.face[alone].tolist(), strict=True):
        along = points[b] - points[a]
        square = float(along @ along)
        on = open_[tree.query_ball_point(0.5 * (points[a] + points[b]), 0.5 * sqrt(square) + JOIN)]
        part = (points[on] - points[a]) @ along / square
        off = np.linalg.norm(points[on] - points[a] - part[:, None] * along, axis=1)
        inside = (off < JOIN) & (part > 0.0) & (part < 1.0) & (on != a) & (on != b)
        stops = np.concatenate([[a], on[inside][np.argsort(part[inside])], [b]])
        corners.append(np.column_stack([stops[:-1], stops[1:]]))
        faces.append(np.full(len(stops) - 1, face))
    return Rims(np.concatenate(corners), np.concatenate(faces))


def _sides(geometry: Geometry, points: F64, rims: Rims) -> tuple[I64, I64, I64]:
    """Return pieces of edges: corners (n, 2), the face to the left, and the one to the right, or the same alone.

    More than two faces meet where two things touch: no edge. The border of the ground is none either.
    """
    forward = rims.corner[:, 0] < rims.corner[:, 1]
    key = np.sort(rims.corner, axis=1)
    order = np.lexsort((~forward, key[:, 1], key[:, 0]))
    key, face, forward = key[order], rims.face[order], forward[order]
    _, first, count = np.unique(key, axis=0, return_index=True, return_counts=True)
    one, two = first[count == 1], first[count == 2]
    one = one[geometry.face_object[face[one]] >= 0]
    two = two[forward[two] != forward[two + 1]]  # else one of both is seen from behind
    turned = np.where(forward[one, None], key[one], key[one][:, ::-1])
    left, right = np.concatenate([face[two], face[one]]), np.concatenate([face[two + 1], face[one]])
    return np.concatenate([key[two], turned]), left, right


def _joined(
    corner: I64, left: I64, right: I64, points: F64, plane_of: I32, geometry: Geometry
) -> tuple[F64, F64, I64, I64]:
    """Return start, end and faces of edges: pieces in one line, between the same planes and materials, are one."""
    start, end = points[corner[:, 0]], points[corner[:, 1]]
    material = geometry.face_material
    keys = np.column_stack([plane_of[left], plane_of[right], material[left], material[right]])
    _, kind = np.unique(keys, axis=0, return_inverse=True)
    kind = kind.reshape(-1)
    begins = {(k, a): i for i, (k, a) in enumerate(zip(kind.tolist(), corner[:, 0].tolist(), strict=True))}
    follows = np.array(
        [begins.get((k, b), -1) for k, b in zip(kind.tolist(), corner[:, 1].tolist(), strict=True)], dtype=np.int64
    )
    along = (end - start) / np.maximum(np.linalg.norm(end - start, axis=1), 1e-12)[:, None]
    straight = (follows >= 0) & (np.einsum("nk,nk->n", along, along[follows]) > 1.0 - _STRAIGHT)
    follows = np.where(straight, follows, -1)
    heads = np.setdiff1d(np.arange(len(start)), follows[straight])
    last = heads.copy()
    while (more := follows[last] >= 0).any():
        last[more] = follows[last[more]]
    return start[heads], end[last], left[heads], right[heads]


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
