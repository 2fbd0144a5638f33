"""GeoJSON (RFC 7946, and the older `crs` member): footprints with heights.

Also one feature a line (.geojsonl, RFC 8142), and a bare list of polygons.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from twin.errors import WorldError
from twin.state import F64
from twin.world.importers.content import Content, Footprint, Tally
from twin.world.importers.files import read_json_lines
from twin.world.importers.tags import base_and_top, texts

POLYGONS = ("Polygon", "MultiPolygon")


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether the first bytes of a file look like GeoJSON or a list of polygons."""
    start = head.lstrip(b"\xef\xbb\xbf\x1e \t\r\n")
    return start[:1] == b"[" or (start[:1] == b"{" and b"CityJSON" not in head)


def read(path: Path, visual: bool = False) -> Content:
    """Read building footprints.

    Raises:
        WorldError: the file is not JSON, or neither features, a polygon, nor a list of {"polygon", "height"}.
    """
    document = read_json_lines(path)
    if isinstance(document, list):
        features = [entry if _is_feature(entry) else _as_feature(entry) for entry in document]
    elif isinstance(document, dict) and isinstance(document.get("features"), list):
        features = document["features"]
    elif isinstance(document, dict) and document.get("type") == "Feature":
        features = [document]
    elif isinstance(document, dict) and document.get("type") in POLYGONS:
        features = [{"geometry": document}]
    else:
        kind = document.get("type") if isinstance(document, dict) else type(document).__name__
        known = f"a FeatureCollection, Feature, {', '.join(POLYGONS)} or a list of polygons"
        raise WorldError(f"{path}: expected {known}, found {kind!r}")
    source = Content("GeoJSON", _crs(document, path), Tally(found=len(features)))
    for i, feature in enumerate(features):
        footprint = _footprint(f"building_{i}", feature, source.tally)
        if footprint is not None:
            source.footprints.append(footprint)
            source.tags[footprint.name] = texts(_properties(feature), source.tally)
    return source


def _is_feature(entry: Any) -> bool:
    return isinstance(entry, dict) and entry.get("type") == "Feature"


def _as_feature(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return None
    properties = {key: value for key, value in entry.items() if key != "polygon"}
    return {"properties": properties, "geometry": {"type": "Polygon", "coordinates": [entry.get("polygon")]}}


def _crs(document: Any, path: Path) -> str:
    declared = document.get("crs") if isinstance(document, dict) else None
    if declared is None:
        return "OGC:CRS84"
    try:
        return str(declared["properties"]["name"])
    except (KeyError, TypeError) as error:
        raise WorldError(f"{path}: crs: found {declared!r}, expected a named CRS") from error


def _footprint(name: str, feature: Any, tally: Tally) -> Footprint | None:
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    geometry = geometry if isinstance(geometry, dict) else {}
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind not in POLYGONS:
        tally.skipped[f"not a polygon ({kind})"] += 1
        return None
    parts: Any = [coordinates] if kind == "Polygon" else coordinates
    try:
        polygons = [[_ring(ring) for ring in rings] for rings in parts]
    except (TypeError, ValueError, LookupError, OverflowError):
        tally.skipped["coordinates are not rings of numbers"] += 1
        return None
    base, top = base_and_top(_properties(feature), tally)
    return Footprint(name, [rings for rings in polygons if rings], top, base)


def _properties(feature: dict[str, Any]) -> dict[str, Any]:
    properties = feature.get("properties")
    return properties if isinstance(properties, dict) else {}


def _ring(ring: Any) -> F64:
    array = np.array([position[:2] for position in ring], dtype=float)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError("not a ring")
    return array
