"""Static geometry: planar faces cut into triangles, one source for rays and for physics."""

from __future__ import annotations

from dataclasses import dataclass

from twin.state import F64, I32


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """Planar faces in world ENU metres; V vertices, T triangles, F faces.

    A face is planar, its triangles wind counter-clockwise seen from outside, and its plane is normal . x = offset.
    """

    vertices: F64  # (V, 3) m
    triangles: I32  # (T, 3) vertex indices
    triangle_face: I32  # (T,) face of each triangle
    face_normal: F64  # (F, 3) unit, outward
    face_offset: F64  # (F,) m
    face_material: I32  # (F,) index into materials
    face_object: I32  # (F,) building or thing that the face belongs to; -1 for the ground
    materials: tuple[str, ...]  # names: concrete, glass, metal, ground, ...
    objects: tuple[str, ...]  # names of buildings and things
