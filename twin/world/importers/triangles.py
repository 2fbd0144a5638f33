"""Triangle meshes -> planar faces: corners welded, things turned outside out, coplanar neighbours joined."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from twin.numerics.kernels import kernel
from twin.state import F64, I32, I64, Bool
from twin.world.builder import GeometryBuilder
from twin.world.geometry import GROUND
from twin.world.importers.content import Mesh, Tags, Tally

PLANAR = 0.01
"""Metres by which a corner may leave the plane of its face."""
_FLAT = 1e-6
"""Metres; a triangle that is less high has no direction."""


class Faces(NamedTuple):
    """Planar faces over the triangles of a mesh."""

    of: I64  # (T,) face of each triangle
    seed: I64  # (F,) its largest triangle, whose plane is the face's


class _Soup(NamedTuple):
    vertices: F64  # (V, 3) m
    triangles: I64  # (T, 3)
    owner: I64  # (T,) index of the thing, GROUND for the ground
    material: I64  # (T,)


def add_meshes(builder: GeometryBuilder, meshes: list[Mesh], places: list[F64], tags: Tags, tally: Tally) -> None:
    """Add meshes whose vertices lie at local `places` (V, 3) m, as things and as ground."""
    names = list(dict.fromkeys(mesh.name for mesh in meshes if mesh.name is not None))
    materials = list(dict.fromkeys(mesh.material for mesh in meshes))
    soup = _turned(_cleaned(_welded(meshes, places, names, materials), tally), tally)
    normal, _ = _normals(soup)
    faces = planar_faces(soup.vertices, soup.triangles, soup.owner * len(materials) + soup.material)
    owner, seen = soup.owner[faces.seed], np.unique(soup.owner[soup.owner != GROUND])
    objects = np.full(len(names) + 1, GROUND)  # the last one stands for the ground: index -1
    objects[seen] = [builder.add_object(names[i], tags.get(names[i], ())) for i in seen]
    tally.used += len(seen)
    if len(names) > len(seen):
        tally.skipped["thing without any area"] += len(names) - len(seen)
    builder.add_faces(
        soup.vertices,
        soup.triangles,
        faces.of,
        normal[faces.seed],
        np.einsum("ij,ij->i", normal[faces.seed], soup.vertices[soup.triangles[faces.seed, 0]]),
        [materials[i] for i in soup.material[faces.seed]],
        objects[owner].tolist(),
    )


def planar_faces(vertices: F64, triangles: I64, label: I64, tolerance: float = PLANAR) -> Faces:
    """Join triangles (T, 3) of one label (T,) that share an edge and a plane.

    A face grows from its largest triangle, whose plane (not that of the neighbour: a fine cylinder would become
    one face) no corner may leave by more than `tolerance` [m].
    """
    normal, area = _normals(_Soup(vertices, triangles, label, label))
    order = np.argsort(-area, kind="stable")
    of, seed = _grow(vertices, triangles, normal, label, _edges(triangles), order, tolerance)
    return Faces(of, seed)


@kernel
def _grow(
    vertices: F64, triangles: I64, normal: F64, label: I64, edges: _Edges, order: I64, tolerance: float
) -> tuple[I64, I64]:
    """Return the face of each triangle (T,) and the seed of each face (F,)."""
    face = np.full(len(triangles), -1)
    seed = np.empty(len(triangles), np.int64)
    stack = np.empty(len(triangles), np.int64)
    count = 0
    for first in order:
        if face[first] >= 0:
            continue
        face[first], seed[count], stack[0], top = count, first, first, 1
        n, corner = normal[first], vertices[triangles[first, 0]]
        while top > 0:
            top -= 1
            edge = 3 * stack[top]
            for k in range(3):
                group = edges.group[edge + k]
                for i in range(edges.start[group], edges.start[group + 1]):
                    other = edges.slots[i] // 3
                    if face[other] >= 0 or label[other] != label[first]:
                        continue
                    if (normal[other] * n).sum() > 0.0 and _leaves(vertices, triangles[other], n, corner) <= tolerance:
                        face[other] = count
                        stack[top] = other
                        top += 1
        count += 1
    return face, seed[:count]


@kernel
def _leaves(vertices: F64, triangle: I64, normal: F64, corner: F64) -> float:
    """Return by how much [m] a triangle leaves the plane through `corner`."""
    most = 0.0
    for k in range(3):
        most = max(most, abs(((vertices[triangle[k]] - corner) * normal).sum()))
    return most


def _welded(meshes: list[Mesh], places: list[F64], names: list[str], materials: list[str]) -> _Soup:
    """Join corners of one thing that the source put in exactly the same place."""
    index = {name: i for i, name in enumerate(names)}
    owner = np.array([GROUND if mesh.name is None else index[mesh.name] for mesh in meshes])
    material = np.array([materials.index(mesh.material) for mesh in meshes])
    sizes, counts = [len(mesh.vertices) for mesh in meshes], [len(mesh.triangles) for mesh in meshes]
    starts = np.cumsum([0, *sizes[:-1]])
    triangles = np.concatenate([mesh.triangles + at for mesh, at in zip(meshes, starts, strict=True)])
    keys = np.column_stack([np.repeat(owner, sizes), np.concatenate([mesh.vertices for mesh in meshes])])
    first, same = _groups(keys + 0.0)  # -0.0 becomes 0.0
    return _Soup(np.concatenate(places)[first], same[triangles], np.repeat(owner, counts), np.repeat(material, counts))


def _cleaned(soup: _Soup, tally: Tally) -> _Soup:
    """Drop triangles without area, and all but the first of those with the same three corners."""
    corners = soup.vertices[soup.triangles]
    longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1, initial=0.0)
    _, area = _normals(soup)
    solid = 2.0 * area > _FLAT * longest
    first, same = _groups(np.sort(soup.triangles, axis=1))
    single = first[same] == np.arange(len(same))
    _count(tally, "triangle without area dropped", ~solid)
    _count(tally, "triangle drawn twice dropped", solid & ~single)
    kept = solid & single
    return _Soup(soup.vertices, soup.triangles[kept], soup.owner[kept], soup.material[kept])


def _turned(soup: _Soup, tally: Tally) -> _Soup:
    """Turn the closed parts of each thing whose volume, hollows deducted, is negative: it was inside out."""
    if not len(soup.triangles):
        return soup
    part, closed = _parts(soup)
    corners = soup.vertices[soup.triangles] - soup.vertices[soup.triangles[:, 0]].mean(axis=0)
    volume = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6.0
    counted = closed[part] & (soup.owner != GROUND)
    total = np.bincount(soup.owner[counted], weights=volume[counted], minlength=max(soup.owner.max() + 1, 1))
    wrong = counted & (total[soup.owner] < 0.0)
    _count(tally, "thing inside out turned", np.unique(soup.owner[wrong]) >= 0)
    triangles = soup.triangles.copy()
    triangles[wrong] = triangles[wrong][:, ::-1]
    return soup._replace(triangles=triangles)


def _parts(soup: _Soup) -> tuple[I32, Bool]:
    """Return the connected part of each triangle (T,), and whether a part is closed and wound one way (parts,)."""
    group, start, slots = _edges(soup.triangles)
    paired = np.diff(start) == 2
    one, other = slots[start[:-1][paired]], slots[start[:-1][paired] + 1]
    tail = soup.triangles.reshape(-1)
    opposite = np.zeros(len(paired), dtype=bool)
    opposite[paired] = tail[one] != tail[other]  # an edge's slot starts at its tail
    count = len(soup.triangles)
    links = coo_array((np.ones(len(slots)), (slots // 3, slots[start[group[slots]]] // 3)), shape=(count, count))
    parts, part = connected_components(links, directed=False)
    closed = np.ones(parts, dtype=bool)
    np.logical_and.at(closed, part[np.arange(3 * count) // 3], opposite[group])
    return part, closed


class _Edges(NamedTuple):
    """Which triangles share which edges; edge k of triangle t is slot 3 t + k."""

    group: I64  # (3 T,) edge of each slot
    start: I64  # (E + 1,) where each edge's slots are in `slots`
    slots: I64  # (3 T,)


def _edges(triangles: I64) -> _Edges:
    ends = np.sort(np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=-1).reshape(-1, 2), axis=1)
    key = ends[:, 0] * (int(triangles.max(initial=0)) + 1) + ends[:, 1]
    _, group, count = np.unique(key, return_inverse=True, return_counts=True)
    start = np.concatenate([[0], np.cumsum(count)])
    return _Edges(group=group, start=start, slots=np.argsort(group, kind="stable"))


def _normals(soup: _Soup) -> tuple[F64, F64]:
    """Return unit normals (T, 3), zero where there is none, and areas (T,) m2."""
    a, b, c = (soup.vertices[soup.triangles[:, k]] for k in range(3))
    doubled = np.cross(b - a, c - a)
    size = np.linalg.norm(doubled, axis=1)
    return doubled / np.where(size > 0.0, size, 1.0)[:, None], size / 2.0


def _groups(rows: F64 | I64) -> tuple[I64, I64]:
    """Return the first row of each group of equal rows, in order of appearance, and each row's group."""
    order = np.lexsort(rows.T[::-1])
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (rows[order][1:] != rows[order][:-1]).any(axis=1)
    sorted_group = np.cumsum(new) - 1
    first = np.minimum.reduceat(order, np.flatnonzero(new)) if len(rows) else order
    rank = np.argsort(np.argsort(first))
    group = np.empty(len(rows), dtype=np.int64)
    group[order] = rank[sorted_group]
    return np.sort(first), group


def _count(tally: Tally, reason: str, which: Bool) -> None:
    if count := int(which.sum()):
        tally.repaired[reason] += count
