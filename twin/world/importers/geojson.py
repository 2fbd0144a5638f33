"""GeoJSON (RFC 7946, and the older `crs` member): footprints with heights; also a bare list of polygons."""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from twin.errors import WorldError
from twin.state import F64
from twin.world.importers.source import Footprint, Source, Tally

HEIGHT_KEYS = ("height", "building:height", "Height", "HEIGHT", "building_height")
LEVEL_KEYS = ("building:levels", "levels", "Floor", "floors", "num_floors")
BASE_KEYS = ("min_height", "building:min_height", "base_height")
LEVEL_HEIGHT = 3.0
"""Metres of one storey where only storeys are known."""
DEFAULT_HEIGHT = 9.0
"""Metres of a building of which neither height nor storeys are known."""


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether the first bytes of a file look like GeoJSON or a list of polygons."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return start[:1] == b"[" or (start[:1] == b"{" and b"CityJSON" not in head)


def read(path: Path) -> Source:
    """Read building footprints.

    Raises:
        WorldError: the file is not JSON, or neither a FeatureCollection nor a list of {"polygon", "height"}.
    """
    document = _parse(path)
    if isinstance(document, list):
        features = [_as_feature(entry) for entry in document]
    elif isinstance(document, dict) and isinstance(document.get("features"), list):
        features = document["features"]
    else:
        kind = document.get("type") if isinstance(document, dict) else type(document).__name__
        raise WorldError(f"{path}: expected a FeatureCollection or a list of polygons, found {kind!r}")
    source = Source("GeoJSON", _crs(document, path), Tally(found=len(features)))
    for i, feature in enumerate(features):
        footprint = _footprint(f"building_{i}", feature, source.tally)
        if footprint is not None:
            source.footprints.append(footprint)
    return source


def _parse(path: Path) -> Any:
    def refuse(name: str) -> NoReturn:
        raise ValueError(f"{name} is not a number")

    try:
        return json.loads(path.read_text(encoding="utf-8-sig"), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise WorldError(f"{path}: not valid JSON: {error}") from error


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
    if kind not in ("Polygon", "MultiPolygon"):
        tally.skipped[f"not a polygon ({kind})"] += 1
        return None
    parts: Any = [coordinates] if kind == "Polygon" else coordinates
    try:
        polygons = [[_ring(ring) for ring in rings] for rings in parts]
    except (TypeError, ValueError):
        tally.skipped["coordinates are not rings of numbers"] += 1
        return None
    try:
        base, top = _heights(feature.get("properties") or {}, tally)
    except ValueError:
        tally.skipped["height is not a number"] += 1
        return None
    return Footprint(name, [rings for rings in polygons if rings], top, base)


def _ring(ring: Any) -> F64:
    array = np.array([position[:2] for position in ring], dtype=float)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError("not a ring")
    return array


def _heights(properties: dict[str, Any], tally: Tally) -> tuple[float, float]:
    """Return base and top above ground [m].

    Raises:
        ValueError: one that is there isn't a number.
    """
    height, levels, base = (_first(properties, keys) for keys in (HEIGHT_KEYS, LEVEL_KEYS, BASE_KEYS))
    if height is None and levels is not None:
        tally.assumed[f"height of {LEVEL_HEIGHT:g} m a storey"] += 1
        height = levels * LEVEL_HEIGHT
    elif height is None:
        tally.assumed[f"height of {DEFAULT_HEIGHT:g} m"] += 1
        height = DEFAULT_HEIGHT
    return base or 0.0, height


def _first(properties: dict[str, Any], keys: tuple[str, ...]) -> float | None:
    for key in keys:
        value = properties.get(key)
        if value not in (None, ""):
            number = float(str(value).removesuffix("m").strip())
            if not isfinite(number):
                raise ValueError(f"{value!r} is not a finite number")
            return number
    return None
