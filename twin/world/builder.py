"""Builds a Geometry from planar polygons, prisms and boxes; used by importers and by world generators."""

from __future__ import annotations

from collections.abc import Sequence

import mapbox_earcut
import numpy as np
from shapely import Polygon
from shapely.geometry.polygon import orient

from twin.state import F64, I64
from twin.world.geometry import GROUND, Geometry, checked
from twin.world.materials import default_thickness


class GeometryBuilder:
    """Collects faces; each belongs to an object (or to the ground) and has a material."""

    def __init__(self) -> None:
        self._vertices: list[F64] = []
        self._triangles: list[I64] = []
        self._triangle_face: list[I64] = []
        self._normals: list[F64] = []
        self._offsets: list[F64] = []
        self._materials: list[int] = []
        self._objects: list[int] = []
        self._material_names: dict[str, int] = {}
        self._object_names: list[str] = []
        self._tags: dict[str, int] = {}
        self._object_tags: list[tuple[int, int]] = []
        self._vertex_count = 0

    def add_object(self, name: str, tags: Sequence[str] = ()) -> int:
        """Return the index of a new building or thing, which faces can then belong to; tags: "building=church"."""
        number = len(self._object_names)
        self._object_names.append(name)
        self._object_tags += [(number, self._tags.setdefault(tag, len(self._tags))) for tag in tags]
        return number

    def add_polygon(self, rings: Sequence[F64], material: str, owner: int = GROUND) -> None:
        """Add one face: an outer ring counter-clockwise seen from outside, clockwise holes; each (n, 3) m."""
        points = np.concatenate(rings)
        normal = newell(rings[0])
        triangles = triangulate(rings, normal)
        faces = np.zeros(len(triangles), dtype=np.int64)
        offset = np.array([np.mean(points @ normal)])
        self.add_faces(points, triangles, faces, normal[None], offset, [material], [owner])

    def add_prism(
        self, rings: Sequence[F64], rise: F64, wall: str, roof: str | None, owner: int, *, floor: bool = True
    ) -> None:
        """Add a planar base extruded along `rise` (3,) m: one face a wall and, if wanted, a roof and a floor.

        `rings` are seen from above: an outer ring counter-clockwise, then clockwise holes; each (n, 3) m.
        """
        for ring in rings:
            self._add_walls(ring, np.asarray(rise, dtype=float), wall, owner)
        if roof is not None:
            self.add_polygon([ring + rise for ring in rings], roof, owner)
        if floor:
            self.add_polygon([ring[::-1] for ring in rings], wall, owner)

    def _add_walls(self, ring: F64, rise: F64, wall: str, owner: int) -> None:
        n = len(ring)
        here, following = np.arange(n), np.roll(np.arange(n), -1)
        normals = np.cross(np.roll(ring, -1, axis=0) - ring, rise)
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        lower, upper = (
            np.stack([here, following, following + n], 1),
            np.stack([here, following + n, here + n], 1),
        )
        self.add_faces(
            np.vstack([ring, ring + rise]),
            np.vstack([lower, upper]),
            np.concatenate([here, here]),
            normals,
            np.einsum("ij,ij->i", normals, ring),
            [wall] * n,
            [owner] * n,
        )

    def add_storeys(
        self,
        outlines: Sequence[Polygon],
        levels: Sequence[float],
        wall: str,
        roof: str,
        owner: int,
        *,
        floor: bool = False,
    ) -> None:
        """Add a stack of prisms: outline i [m, with holes] reaches from z = levels[i] to levels[i + 1].

        Each outline holds the next; where that one stands there is neither a roof nor a floor. The lowest has a
        floor if wanted: one that stands on the ground is seen by nothing.
        """
        for i, outline in enumerate(outlines):
            base, rise = levels[i], np.array([0.0, 0.0, levels[i + 1] - levels[i]])
            rings = [np.column_stack([ring, np.full(len(ring), base)]) for ring in rings_of(outline)]
            above = outlines[i + 1] if i + 1 < len(outlines) else None
            self.add_prism(rings, rise, wall, roof if above is None else None, owner, floor=i == 0 and base > 0)
            if above is not None:
                self.add_surface(outline.difference(above), levels[i + 1], roof, owner)

    def add_surface(self, outline: Polygon, z: float, material: str, owner: int = GROUND) -> None:
        """Add an outline in local x, y [m] as a horizontal face that looks up."""
        rings = [np.column_stack([ring, np.full(len(ring), z)]) for ring in rings_of(outline)]
        self.add_polygon(rings, material, owner)

    def add_box(
        self, low: Sequence[float], high: Sequence[float], material: str, owner: int, *, floor: bool = True
    ) -> None:
        """Add an axis-aligned box between two corners, each (3,) m."""
        (x0, y0, z0), (x1, y1, z1) = low, high
        ring = np.array([[x0, y0, z0], [x1, y0, z0], [x1, y1, z0], [x0, y1, z0]], dtype=float)
        self.add_prism([ring], np.array([0.0, 0.0, z1 - z0]), material, material, owner, floor=floor)

    def build(self) -> Geometry:
        """Return all that was added.

        Raises:
            WorldError: nothing was added, or a number is not finite.
        """
        geometry = Geometry(
            vertices=_joined(self._vertices, (0, 3)),
            triangles=_joined(self._triangles, (0, 3)).astype(np.int32),
            triangle_face=_joined(self._triangle_face, (0,)).astype(np.int32),
            face_normal=_joined(self._normals, (0, 3)),
            face_offset=_joined(self._offsets, (0,)),
            face_material=np.array(self._materials, dtype=np.int32),
            face_object=np.array(self._objects, dtype=np.int32),
            materials=tuple(self._material_names),
            thickness=np.array([default_thickness(name) for name in self._material_names]),
            objects=tuple(self._object_names),
            tags=tuple(self._tags),
            object_tags=np.array(self._object_tags, dtype=np.int32).reshape(-1, 2),
        )
        return checked(geometry, "geometry")

    def add_faces(
        self,
        vertices: F64,
        triangles: I64,
        triangle_face: I64,
        normals: F64,
        offsets: F64,
        materials: Sequence[str],
        owners: Sequence[int],
    ) -> None:
        """Add F faces that are cut into triangles already, arrays as in `Geometry`; a material and an owner each."""
        self._triangles.append(triangles + self._vertex_count)
        self._triangle_face.append(triangle_face + len(self._materials))
        self._vertices.append(vertices)
        self._vertex_count += len(vertices)
        self._normals.append(normals)
        self._offsets.append(offsets)
        names = self._material_names
        self._materials.extend(names.setdefault(material, len(names)) for material in materials)
        self._objects.extend(owners)


def rings_of(outline: Polygon) -> list[F64]:
    """Return a polygon's rings (n, 2), open: the outer one counter-clockwise, then its holes clockwise."""
    oriented = orient(outline)
    return [np.array(ring.coords)[:-1, :2] for ring in (oriented.exterior, *oriented.interiors)]


def triangulate(rings: Sequence[F64], normal: F64) -> I64:
    """Return triangles (m, 3) of a planar polygon with holes, rings (n, 3) m, wound about `normal` (3,)."""
    drop = int(np.argmax(np.abs(normal)))
    points = np.delete(np.concatenate(rings), drop, axis=1)
    ends = np.cumsum([len(ring) for ring in rings]).astype(np.uint32)
    triangles = mapbox_earcut.triangulate_float64(points, ends).reshape(-1, 3).astype(np.int64)
    a, b, c = (points[triangles[:, k]] for k in range(3))
    doubled = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    # Dropping y leaves (x, z), which is left-handed about y.
    wanted = np.sign(normal[drop]) * (-1.0 if drop == 1 else 1.0)
    triangles[doubled * wanted < 0] = triangles[doubled * wanted < 0][:, ::-1]
    kept: I64 = triangles[doubled != 0]
    return kept


def newell(ring: F64) -> F64:
    """Return the unit normal (3,) of a ring by Newell's method (Tampieri, Graphics Gems III, 1992)."""
    centred = ring - ring[0]
    normal = np.cross(centred, np.roll(centred, -1, axis=0)).sum(axis=0)
    unit: F64 = normal / np.linalg.norm(normal)
    return unit


def _joined(parts: list[F64] | list[I64], empty: tuple[int, ...]) -> F64:
    return np.concatenate(parts) if parts else np.empty(empty)
