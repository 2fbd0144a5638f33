"""What a world holds, as plain data."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

import numpy as np

from twin.state import F64
from twin.world.geometry import Geometry
from twin.world.world import World


def describe(world: World) -> dict[str, Any]:
    """Return name, place, size, counts and surfaces of a world; metres and square metres."""
    geometry = world.geometry
    low, high = geometry.bounds()
    tops = object_tops(geometry)
    return {
        "name": world.name,
        "description": world.description,
        "origin": asdict(world.georeference) if world.georeference else None,
        "extent": [low.round(3).tolist(), high.round(3).tolist()],
        "objects": len(geometry.objects),
        "median_top": round(float(np.median(tops)), 3) if len(tops) else None,
        "highest_top": round(float(tops.max()), 3) if len(tops) else None,
        "faces": len(geometry.face_normal),
        "triangles": len(geometry.triangles),
        "surfaces": _slabs(geometry),
        "tags": _tag_keys(geometry),
        "provenance": dict(world.provenance),
        "digest": world.digest,
    }


def object_tops(geometry: Geometry) -> F64:
    """Return the highest z [m] of each building or thing, (objects,)."""
    owner = geometry.face_object[geometry.triangle_face]
    z = geometry.vertices[geometry.triangles, 2].max(axis=1)
    tops = np.full(len(geometry.objects), -np.inf)
    np.maximum.at(tops, owner[owner >= 0], z[owner >= 0])
    return tops


def triangle_areas(geometry: Geometry) -> F64:
    """Return the area of each triangle, (T,) m2."""
    a, b, c = (geometry.vertices[geometry.triangles[:, k]] for k in range(3))
    areas: F64 = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    return areas


def _slabs(geometry: Geometry) -> list[dict[str, Any]]:
    """Return material, thickness [m] (None: a half-space) and area [m2] of what faces are made of."""
    material = geometry.face_material[geometry.triangle_face]
    sums = np.bincount(material, weights=triangle_areas(geometry), minlength=len(geometry.materials))
    slabs = zip(geometry.materials, geometry.thickness.tolist(), sums.tolist(), strict=True)
    return [
        {"material": name, "thickness": metres if np.isfinite(metres) else None, "area": round(area, 1)}
        for name, metres, area in slabs
        if area > 0.0
    ]


def _tag_keys(geometry: Geometry) -> dict[str, int]:
    """Return how many objects have a tag of each key, the most frequent first."""
    keys = Counter(geometry.tags[i].partition("=")[0] for i in geometry.object_tags[:, 1])
    return dict(keys.most_common())
