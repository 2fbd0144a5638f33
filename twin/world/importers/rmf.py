"""open-rmf traffic-editor maps (`*.building.yaml`): walls, slabs and lanes; scale from the measurements.

Format: https://osrf.github.io/ros2multirobotbook/traffic-editor.html. Doors are left open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from twin.errors import WorldError
from twin.state import C128, F64
from twin.world.datum import to_wgs84
from twin.world.georeference import GeoReference
from twin.world.importers import shapes
from twin.world.importers.content import Content, Footprint, Lane, Mesh, Tally
from twin.world.importers.files import check_size, read_bytes
from twin.world.importers.names import material_of

WALL_HEIGHT, WALL_THICKNESS = 2.5, 0.1
"""Metres, as open-rmf makes its walls: rmf_traffic_editor, rmf_building_map_tools/building_map/wall.py."""
SLAB = 0.2
"""Metres of thickness of the floor of an upper level."""
MAX_BYTES, MAX_DEPTH, MAX_EVENTS = 50_000_000, 64, 1_000_000
ON_EARTH = {"wgs84": "OGC:CRS84", "web_mercator": "EPSG:3857"}
"""Coordinate systems of maps whose vertices are places on the earth, by PROJ's names."""
WALL, FLOOR = "plasterboard", "concrete"
_MARK = re.compile(rb"^(levels|coordinate_system|crowd_sim|reference_level_name|lifts):", re.MULTILINE)


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether the first bytes of a file look like a traffic-editor map."""
    return _MARK.search(head) is not None


def read(path: Path, visual: bool = False) -> Content:
    """Read all levels into one local frame, that of the reference level.

    Raises:
        WorldError: the file is not such a map, a level has no measurement, or an index leads nowhere.
    """
    document = _parse(path)
    source = Content("open-rmf building", None, Tally())
    levels = {name: _level(str(name), level, document, path) for name, level in document["levels"].items()}
    if (system := document.get("coordinate_system")) in ON_EARTH:
        source.place = _place_on_earth(levels.values(), ON_EARTH[system], path)
    scaled = [level for level in levels.values() if level.scaled] or list(levels.values())
    reference = levels.get(document.get("reference_level_name"), scaled[0])
    reference = reference if reference.scaled else scaled[0]
    source.ground = min(level.elevation for level in levels.values())
    for name, level in levels.items():
        _align(level, reference, source.tally, path)
        try:
            _add(source, level, document["levels"][name])
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise WorldError(f"{path}: level {name}: {error!r}") from error
    if document.get("lifts"):
        source.tally.skipped["lift"] += len(document["lifts"])
    return source


@dataclass(slots=True)
class _Level:
    name: str
    points: C128  # (n,) vertices as x + i y [m]
    fiducials: dict[str, complex]  # m
    elevation: float  # m
    scaled: bool = True  # whether points are metres already


def _parse(path: Path) -> dict[str, Any]:
    import yaml

    if (size := check_size(path)) > MAX_BYTES:
        raise WorldError(f"{path}: found {size / 1e6:.0f} MB of YAML; allowed: at most {MAX_BYTES / 1e6:.0f} MB")
    data = read_bytes(path)
    try:
        _bounded(data)
        document = yaml.load(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, ArithmeticError, RecursionError) as error:
        raise WorldError(f"{path}: not valid YAML: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("levels"), dict) or not document["levels"]:
        raise WorldError(f"{path}: expected a traffic-editor map with levels")
    allowed = ("reference_image", "cartesian_meters", *ON_EARTH)
    if document.get("coordinate_system", allowed[0]) not in allowed:
        raise WorldError(
            f"{path}: coordinate_system: found {document['coordinate_system']!r}; allowed: {', '.join(allowed)}"
        )
    return document


def _bounded(data: bytes) -> None:
    """Refuse aliases, keys that are there twice, deep nesting and floods before anything is built.

    The C loader recurses until it crashes, and of equal keys takes the last one.

    Raises:
        ValueError: says which.
    """
    import yaml

    depth = count = 0
    open_keys: list[set[str] | None] = []  # of each mapping that is open; None for a sequence
    is_key: list[bool] = []
    for event in yaml.parse(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        count += 1
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.NodeEvent) and open_keys and (keys := open_keys[-1]) is not None:
            if is_key[-1] and isinstance(event, yaml.ScalarEvent):
                if event.value in keys:
                    raise ValueError(f"line {event.start_mark.line + 1}: found {event.value[:40]!r} a second time")
                keys.add(event.value)
            is_key[-1] = not is_key[-1]
        if isinstance(event, yaml.CollectionStartEvent):
            open_keys.append(set() if isinstance(event, yaml.MappingStartEvent) else None)
            is_key.append(True)
        elif isinstance(event, yaml.CollectionEndEvent):
            open_keys.pop()
            is_key.pop()
        if isinstance(event, yaml.AliasEvent):
            raise ValueError(f"line {event.start_mark.line + 1}: found an alias, *{event.anchor}; allowed: none")
        if depth > MAX_DEPTH:
            raise ValueError(f"line {event.start_mark.line + 1}: more than {MAX_DEPTH} levels inside each other")
        if count > MAX_EVENTS:
            raise ValueError(f"more than {MAX_EVENTS} entries; allowed: that many")


def _place_on_earth(levels: Iterable[_Level], crs: str, path: Path) -> GeoReference:
    """Bring the points of levels, in place, from `crs` to local metres about their middle, which is returned."""
    levels = list(levels)
    points = np.concatenate([level.points for level in levels])
    if not len(points):
        raise WorldError(f"{path}: holds no vertex")
    degrees = to_wgs84(_xy(points), crs)
    if not (np.abs(degrees) <= (180.0, 90.0)).all():
        raise WorldError(f"{path}: found a vertex beyond 180 degrees of longitude or 90 of latitude")
    middle = (degrees.min(axis=0) + degrees.max(axis=0)) / 2
    place = GeoReference(float(middle[0]), float(middle[1]))
    local = place.to_local(np.column_stack([degrees, np.zeros(len(degrees))]))
    parts = np.split(local, np.cumsum([len(level.points) for level in levels])[:-1])
    for level, part in zip(levels, parts, strict=True):
        level.points = part[:, 0] + 1j * part[:, 1]
        level.fiducials = {}  # levels lie on each other already
    return place


def _level(name: str, level: Any, document: dict[str, Any], path: Path) -> _Level:
    image = document.get("coordinate_system", "reference_image") == "reference_image"
    try:
        points = np.array([complex(float(v[0]), float(v[1])) for v in level["vertices"]])
        marks = {str(f[2]): complex(float(f[0]), float(f[1])) for f in level.get("fiducials") or [] if f[2]}
        scale = _scale(points, level.get("measurements") or []) if image else 1.0
        elevation = float(level.get("elevation", 0.0))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise WorldError(f"{path}: level {name}: {error!r}") from error
    if not (np.isfinite(points).all() and np.isfinite(elevation)):
        raise WorldError(f"{path}: level {name}: a vertex or the elevation is not a finite number")
    scaled = bool(0 < scale < np.inf)
    if not scaled and not np.isnan(scale):
        raise WorldError(f"{path}: level {name}: its measurements give a scale of {scale:g} m a pixel")
    scale = scale if scaled else 1.0
    # Pixels count downwards.
    turn: Any = np.conj if image else np.asarray
    fiducials = {key: scale * complex(turn(mark)) for key, mark in marks.items()}
    return _Level(name, scale * turn(points), fiducials, elevation, scaled)


def _scale(points: C128, measurements: list[Any]) -> float:
    """Return metres a pixel, the mean over the measurements; nan without any."""
    ratios = [float(tags["distance"][1]) / float(abs(points[a] - points[b])) for a, b, tags in measurements]
    return float(np.mean(ratios)) if ratios else float("nan")


def _align(level: _Level, reference: _Level, tally: Tally, path: Path) -> None:
    """Turn, scale and move a level onto the reference by their common fiducials, by least squares, in place.

    Raises:
        WorldError: neither measurements nor fiducials say how large the level is.
    """
    common = sorted(level.fiducials.keys() & reference.fiducials.keys())
    apart = len({level.fiducials[name] for name in common}) > 1 and len({reference.fiducials[n] for n in common}) > 1
    if not level.scaled and not (reference.scaled and apart):
        raise WorldError(f"{path}: level {level.name}: no usable measurement, so its scale is not known")
    if level is reference:
        return
    if not apart:
        tally.warnings.append(f"level {level.name}: fewer than two fiducials in common; placed as it is drawn")
        return
    here = np.array([[level.fiducials[name], 1.0] for name in common])
    there = np.array([reference.fiducials[name] for name in common])
    factor, shift = np.linalg.lstsq(here, there, rcond=None)[0]
    level.points = factor * level.points + shift


def _add(source: Content, level: _Level, data: dict[str, Any]) -> None:
    tally = source.tally
    ground = source.ground or 0.0
    for i, (a, b, tags) in enumerate(data.get("walls") or []):
        tally.found += 1
        material = material_of(_tag(tags, "texture_name")) or WALL
        source.meshes.append(
            _wall(f"{level.name}_wall_{i}", level.points[a], level.points[b], level.elevation, material)
        )
    for i, floor in enumerate(data.get("floors") or []):
        top = level.elevation - ground
        if top > 0:
            tally.found += 1
            outline = _xy(level.points[floor["vertices"]])
            name = f"{level.name}_floor_{i}"
            source.footprints.append(Footprint(name, [[outline]], top, max(top - SLAB, 0.0), FLOOR, FLOOR))
    for a, b, tags in data.get("lanes") or []:
        start, end = (np.append(_xy(level.points[k]), level.elevation) for k in (a, b))
        source.lanes.append(Lane(start, end, bool(_tag(tags, "bidirectional"))))
    for what in ("doors", "models"):
        if count := len(data.get(what) or []):
            tally.skipped[f"{what[:-1]} ({'left open' if what == 'doors' else 'not part of the file'})"] += count
            tally.found += count


def _wall(name: str, a: complex, b: complex, low: float, material: str) -> Mesh:
    """Return a wall between two points, longer by half its thickness at both ends so that corners close."""
    box = shapes.box(np.array([abs(b - a) + WALL_THICKNESS, WALL_THICKNESS, WALL_HEIGHT]))
    middle = np.append(_xy((a + b) / 2), low + WALL_HEIGHT / 2)
    matrix = shapes.pose(middle, np.array([0.0, 0.0, np.angle(b - a)]))
    return Mesh(name, shapes.moved(matrix, box.vertices), box.triangles, material)


def _tag(tags: Any, key: str) -> Any:
    """Return the value of a typed parameter, which the format writes as [type, value]."""
    value = (tags or {}).get(key)
    return value[1] if isinstance(value, list) and len(value) == 2 else value


def _xy(points: Any) -> F64:
    return np.stack([np.real(points), np.imag(points)], axis=-1)
