"""CityJSON 1.0 to 2.0 (cityjson.org/specs): things and ground of the highest level of detail, with materials."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from twin.errors import WorldError
from twin.state import F64, I64
from twin.world.builder import newell, triangulate
from twin.world.importers.files import read_json
from twin.world.importers.source import Mesh, Source, Tally
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


def read(path: Path, visual: bool = False) -> Source:
    """Read all city objects.

    Raises:
        WorldError: the file is not JSON or not CityJSON, or its vertices are not numbers.
    """
    document = read_json(path)
    if not isinstance(document, dict) or not isinstance(document.get("CityObjects"), dict):
        raise WorldError(f"{path}: expected a CityJSON document with CityObjects")
    vertices = _vertices(document, path)
    objects = {name: entry for name, entry in document["CityObjects"].items() if isinstance(entry, dict)}
    source = Source("CityJSON", _crs(document, path), Tally())
    if source.crs is None:
        source.tally.warnings.append("no metadata.referenceSystem: taken as local metres; give --crs if it is wrong")
    things = set()
    for name, entry in objects.items():
        try:
            root = _root(name, objects)
            if entry.get("type") not in GROUND:
                things.add(root)
                said = texts({"type": entry.get("type"), **entry.get("attributes", {})}, source.tally)
                source.tags[root] = tuple(dict.fromkeys((*source.tags.get(root, ()), *said)))
            _add_object(source, vertices, name, root, objects)
        except (TypeError, KeyError, IndexError, AttributeError, ValueError) as error:
            raise WorldError(f"{path}: city object {name!r} is not as CityJSON has it: {error!r}") from error
    source.tally.found = len(things)
    return source


def _add_object(source: Source, vertices: F64, name: str, root: str, objects: dict[str, Any]) -> None:
    kind = objects[name].get("type")
    if kind in NOT_BUILT:
        source.tally.skipped[kind] += 1
    elif kind in GROUND:
        _add(source, vertices, None, GROUND[kind], _geometry(name, objects, source.tally))
    else:
        _add(source, vertices, root, BUILT, _geometry(name, objects, source.tally))


def _vertices(document: dict[str, Any], path: Path) -> F64:
    try:
        vertices: F64 = np.array(document.get("vertices"), dtype=float)
        transform = document.get("transform", {"scale": [1, 1, 1], "translate": [0, 0, 0]})
        vertices *= np.array(transform["scale"], dtype=float)
        vertices += np.array(transform["translate"], dtype=float)
    except (ValueError, TypeError, KeyError) as error:
        raise WorldError(f"{path}: vertices or transform: {error}") from error
    if vertices.ndim != 2 or vertices.shape[1] != 3 or not np.isfinite(vertices).all():
        raise WorldError(f"{path}: vertices: found shape {vertices.shape}; allowed: finite numbers in threes")
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
    known = [geometry for geometry in entry.get("geometry", []) if geometry.get("type") in _DEPTH]
    return max(known, key=_lod, default=None)


def _lod(geometry: dict[str, Any]) -> float:
    try:
        return float(geometry.get("lod", 0))
    except (TypeError, ValueError):
        return 0.0


def _add(source: Source, vertices: F64, owner: str | None, material: str, geometry: dict[str, Any] | None) -> None:
    """Add a geometry's surfaces, one mesh a material."""
    if geometry is None:
        return
    triangles: dict[str, list[I64]] = {}
    for rings, kind in _surfaces(geometry):
        if kind in OPEN:
            source.tally.skipped[f"{kind}: nothing is built there"] += 1
        elif (surface := _triangles(rings, vertices)) is None:
            source.tally.skipped["surface that encloses no area"] += 1
        else:
            triangles.setdefault(SURFACES.get(kind, material), []).append(surface)
    for name, parts in triangles.items():
        used, corners = np.unique(np.concatenate(parts), return_inverse=True)
        source.meshes.append(Mesh(owner, vertices[used], corners.reshape(-1, 3), name))


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
