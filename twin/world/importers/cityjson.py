"""CityJSON 1.0 to 2.0 (cityjson.org/specs): things and ground of the highest level of detail, with materials."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from twin.errors import WorldError
from twin.state import F64, I64
from twin.world.builder import newell, triangulate
from twin.world.importers.content import Content, Mesh, Tally
from twin.world.importers.files import read_json
from twin.world.importers.tags import texts

GROUND = {
    "Road": "concrete", "Railway": "medium_dry_ground", "TransportSquare": "concrete", "Waterway": "fresh_water",
    "LandUse": "medium_dry_ground", "PlantCover": "medium_dry_ground", "TINRelief": "medium_dry_ground",
    "WaterBody": "fresh_water",
}  # fmt: skip
"""Kinds of city objects that are ground, with the material of their surfaces."""
NOT_BUILT = ("SolitaryVegetationObject", "CityObjectGroup")
SURFACES = {"Window": "glass", "Door": "wood", "InteriorWallSurface": "plasterboard", "WaterSurface": "fresh_water",
            "WaterGroundSurface": "fresh_water"}  # fmt: skip
"""Semantic surfaces that are not of the material of their object."""
OPEN = ("ClosureSurface", "WaterClosureSurface")
"""Semantic surfaces that close a volume where nothing is built."""
BUILT = "concrete"
INSTANCE = "GeometryInstance"
_DEPTH = {"MultiSurface": 0, "CompositeSurface": 0, "Solid": 1, "MultiSolid": 2, "CompositeSolid": 2}


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether a file is CityJSON; the mark may stand at the end of one long line."""
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] != b"{":
        return False
    if b'"CityJSON"' in head or b'"CityObjects"' in head:
        return True
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 65536))
        return b'"CityJSON"' in file.read()


def read(path: Path, visual: bool = False) -> Content:
    """Read all city objects.

    Raises:
        WorldError: the file is not JSON or not CityJSON, holds nothing, or its vertices are not numbers.
    """
    document = read_json(path)
    if not isinstance(document, dict) or not isinstance(document.get("CityObjects"), dict):
        raise WorldError(f"{path}: expected a CityJSON document with CityObjects")
    objects = {name: entry for name, entry in document["CityObjects"].items() if isinstance(entry, dict)}
    if not objects:
        raise WorldError(f"{path}: holds no city object")
    vertices = _vertices(document, path)
    templates = _templates(document, path)
    source = Content("CityJSON", _crs(document, path), Tally(), has_crs=True)
    things = set()
    for name, entry in objects.items():
        try:
            root = _root(name, objects)
            if entry.get("type") not in GROUND:
                things.add(root)
                said = texts({"type": entry.get("type"), **entry.get("attributes", {})}, source.tally)
                source.tags[root] = tuple(dict.fromkeys((*source.tags.get(root, ()), *said)))
            _add_object(source, _Corners(vertices, templates), name, root, objects)
        except (TypeError, KeyError, IndexError, AttributeError, ValueError, OverflowError) as error:
            raise WorldError(f"{path}: city object {name!r} is not as CityJSON has it: {error!r}") from error
    source.tally.found = len(things)
    return source


def _add_object(source: Content, corners: _Corners, name: str, root: str, objects: dict[str, Any]) -> None:
    kind = objects[name].get("type")
    if kind in NOT_BUILT:
        source.tally.skipped[kind] += 1
    elif kind in GROUND:
        _add(source, corners, None, GROUND[kind], _geometry(name, objects, source.tally))
    else:
        _add(source, corners, root, BUILT, _geometry(name, objects, source.tally))


class _Corners(NamedTuple):
    """What indices in boundaries stand for."""

    vertices: F64  # (n, 3)
    templates: list[tuple[dict[str, Any], F64]]  # geometries, each with its corners (n, 3)

    def of(self, geometry: dict[str, Any]) -> tuple[dict[str, Any], F64]:
        """Return a geometry and its corners; an instance is its template, moved (CityJSON 2.0, 4.2).

        Raises:
            ValueError: its matrix isn't 16 finite numbers.
        """
        if geometry["type"] != INSTANCE:
            return geometry, self.vertices
        template, corners = self.templates[geometry["template"]]
        matrix = np.array(geometry.get("transformationMatrix", np.eye(4).ravel()), dtype=float)
        if matrix.shape != (16,) or not np.isfinite(matrix).all():
            raise ValueError(f"transformationMatrix: found {matrix.size} entries; allowed: 16 finite numbers")
        (place,) = geometry["boundaries"]
        if not 0 <= place < len(self.vertices):
            raise IndexError(f"instance at vertex {place}")
        turn = matrix.reshape(4, 4)
        return template, corners @ turn[:3, :3].T + turn[:3, 3] + self.vertices[place]


def _templates(document: dict[str, Any], path: Path) -> list[tuple[dict[str, Any], F64]]:
    found = document.get("geometry-templates", {})
    try:
        corners = np.array(found.get("vertices-templates", []), dtype=float).reshape(-1, 3)
        templates = [(template, corners) for template in found.get("templates", [])]
        if not np.isfinite(corners).all() or any(template["type"] not in _DEPTH for template, _ in templates):
            raise ValueError("a corner is not finite, or a template is not made of surfaces")
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise WorldError(f"{path}: geometry-templates: {error}") from error
    return templates


def _vertices(document: dict[str, Any], path: Path) -> F64:
    try:
        vertices: F64 = np.array(document.get("vertices"), dtype=float)
        if vertices.ndim != 2 or vertices.shape[1] != 3:
            raise ValueError(f"found shape {vertices.shape}; allowed: numbers in threes")
        transform = document.get("transform", {"scale": [1, 1, 1], "translate": [0, 0, 0]})
        vertices *= np.array(transform["scale"], dtype=float)
        vertices += np.array(transform["translate"], dtype=float)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise WorldError(f"{path}: vertices or transform: {error}") from error
    if not np.isfinite(vertices).all():
        raise WorldError(f"{path}: vertices: found a number that isn't finite; allowed: finite numbers in threes")
    return vertices


def _crs(document: dict[str, Any], path: Path) -> str | None:
    metadata = document.get("metadata", {})
    crs = metadata.get("referenceSystem") if isinstance(metadata, dict) else None
    if crs is not None and not isinstance(crs, str):
        raise WorldError(f"{path}: metadata.referenceSystem: found {crs!r}; allowed: the URL of a CRS")
    return crs


def _root(name: str, objects: dict[str, Any]) -> str:
    """Return the outermost parent of an object: a building and its parts are one thing."""
    seen = {name}
    while parents := [parent for parent in objects[name].get("parents", []) if parent in objects]:
        if parents[0] in seen:
            break
        name = parents[0]
        seen.add(name)
    return name


def _geometry(name: str, objects: dict[str, Any], tally: Tally) -> dict[str, Any] | None:
    """Return the geometry of the highest level of detail, unless the object's parts have a higher one."""
    best = _best(objects[name])
    children = [_best(objects[child]) for child in objects[name].get("children", []) if child in objects]
    if best and any(child and _lod(child) > _lod(best) for child in children):
        return None
    if best is None and not children:
        tally.skipped["city object without surfaces"] += 1
    return best


def _best(entry: dict[str, Any]) -> dict[str, Any] | None:
    known = [geometry for geometry in entry.get("geometry", []) if geometry.get("type") in (*_DEPTH, INSTANCE)]
    return max(known, key=_lod, default=None)


def _lod(geometry: dict[str, Any]) -> float:
    try:
        return float(geometry.get("lod", 0))
    except (TypeError, ValueError):
        return 0.0


def _add(source: Content, corners: _Corners, owner: str | None, material: str, geometry: dict[str, Any] | None) -> None:
    """Add a geometry's surfaces, one mesh a material."""
    if geometry is None:
        return
    geometry, vertices = corners.of(geometry)
    triangles: dict[str, list[I64]] = {}
    for rings, kind in _surfaces(geometry):
        if kind in OPEN:
            source.tally.skipped[f"{kind}: nothing is built there"] += 1
        elif (surface := _triangles(rings, vertices)) is None:
            source.tally.skipped["surface that encloses no area"] += 1
        else:
            triangles.setdefault(SURFACES.get(kind, material), []).append(surface)
    for name, parts in triangles.items():
        used, indices = np.unique(np.concatenate(parts), return_inverse=True)
        source.meshes.append(Mesh(owner, vertices[used], indices.reshape(-1, 3), name))


def _surfaces(geometry: dict[str, Any]) -> Iterator[tuple[Any, str]]:
    """Yield the rings of every surface and the kind that its semantics give it."""
    semantics = geometry.get("semantics") or {}
    kinds = [str(surface.get("type")) for surface in semantics.get("surfaces", [])]
    level = [(geometry.get("boundaries", []), semantics.get("values"))]
    for _ in range(_DEPTH[geometry["type"]]):
        level = [
            (inner, values[i] if isinstance(values, list) and i < len(values) else None)
            for nested, values in level
            for i, inner in enumerate(nested)
        ]
    for surfaces, values in level:
        for i, rings in enumerate(surfaces):
            value = values[i] if isinstance(values, list) and i < len(values) else None
            yield rings, kinds[value] if isinstance(value, int) and 0 <= value < len(kinds) else ""


def _triangles(rings: Any, vertices: F64) -> I64 | None:
    """Return the triangles (n, 3) of a surface's rings of indices; None where they are no polygon."""
    try:
        indices = [np.array(ring, dtype=np.int64) for ring in rings]
    except (TypeError, ValueError, OverflowError):
        return None
    indices = [ring for ring in indices if ring.ndim == 1 and len(ring) >= 3]
    if not indices or any(ring.min() < 0 or ring.max() >= len(vertices) for ring in indices):
        return None
    if len(indices) == 1 and len(indices[0]) == 3:
        return indices[0][None]
    corners = [vertices[ring] for ring in indices]
    normal = newell(corners[0])
    if not np.isfinite(normal).all():
        return None
    cut = np.concatenate(indices)[triangulate([corner - corners[0][0] for corner in corners], normal)]
    return cut if len(cut) else None
