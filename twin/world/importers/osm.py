"""OpenStreetMap extracts (.osm, .osm.pbf): buildings and their parts by the Simple 3D Buildings rules.

https://wiki.openstreetmap.org/wiki/Simple_3D_Buildings. Needs `osmium`, the extra `osm`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from twin.errors import WorldError
from twin.extras import install
from twin.state import F64
from twin.world.importers.content import Content, Footprint, Tally
from twin.world.importers.files import root_tag
from twin.world.importers.footprints import MAX_CROSSINGS, crossings
from twin.world.importers.names import DEFAULT, material_of
from twin.world.importers.osm_order import Disorder, in_order
from twin.world.importers.tags import DEFAULT_HEIGHT, base_and_top, metres, texts

COVERED = 0.5
"""Share of a building's outline that its parts must cover to stand in its place."""
UNCLOSED = "outline that does not close (cut off at the extract's edge?)"
CANOPY_HEIGHT, CANOPY_THICKNESS = 5.0, 0.3
"""Metres: height of a roof without walls where none is stated, and how thick any is."""
_CANOPIES = ("roof", "canopy", "carport")
_GONE = ("demolished", "razed", "removed", "destroyed", "dismantled")
_PLANNED = ("proposed", "planned")
_UNFINISHED = {"construction": "building under construction taken as finished", "ruins": "ruin taken as a solid"}


@dataclass(frozen=True, slots=True)
class _Area:
    name: str
    tags: dict[str, str]
    polygons: list[list[F64]]  # rings (n, 2) of longitude, latitude [degrees], the outer one first
    part: bool


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether a file is OSM XML or PBF by its first bytes."""
    return b"OSMHeader" in head[:64] or root_tag(head) == "osm"


def read(path: Path, visual: bool = False) -> Content:
    """Read buildings and building parts.

    Raises:
        WorldError: osmium is not installed, or the file can't be read.
    """
    source = Content("OpenStreetMap", "OGC:CRS84", Tally())
    standing = []
    for area in _areas(path, source.tally):
        if (reason := _absence(area.tags)) is None:
            standing.append(area)
        else:
            source.tally.skipped[reason] += 1
    for area in _replaced_by_parts(standing, source.tally):
        source.tags[area.name] = texts(area.tags, source.tally)
        source.footprints.append(_footprint(area, source.tally))
    return source


def _absence(tags: Mapping[str, str]) -> str | None:
    """Return why nothing stands above the ground where a building is mapped; None where something does."""
    kinds = (tags.get("building"), tags.get("building:part"))
    for reason, marks in (("demolished", _GONE), ("only planned", _PLANNED)):
        if any(kind in marks for kind in kinds) or any(tags.get(mark, "no") != "no" for mark in marks):
            return reason
    below = _number(tags.get("layer")) < 0 or tags.get("location") == "underground"
    only_below = tags.get("building:levels") == "0" and _number(tags.get("building:levels:underground")) > 0
    return "underground" if below or only_below else None


def _number(text: str | None) -> float:
    try:
        return metres(text)
    except ValueError:
        return 0.0


def _footprint(area: _Area, tally: Tally) -> Footprint:
    """Return an area as a solid from base to top, or the slab that a roof without walls is."""
    tags = area.tags
    wall = material_of(tags.get("building:material"), tags.get("building:wall:material"))
    roof = material_of(tags.get("roof:material"))
    kinds = (tags.get("building"), tags.get("building:part"))
    canopy = any(kind in _CANOPIES for kind in kinds) or tags.get("wall") == "no"
    base, top = base_and_top(tags, tally, CANOPY_HEIGHT if canopy else DEFAULT_HEIGHT)
    if canopy:
        tally.assumed[f"roof without walls, {CANOPY_THICKNESS:g} m thick"] += 1
        base, wall = max(base, top - CANOPY_THICKNESS), roof or wall
    if tags.get("roof:shape", "flat") != "flat":
        tally.assumed["flat roof at the height of the ridge"] += 1
    for kind in kinds:
        if kind in _UNFINISHED:
            tally.assumed[_UNFINISHED[kind]] += 1
    return Footprint(area.name, area.polygons, top, base, wall or DEFAULT, roof or wall or DEFAULT)


def _areas(path: Path, tally: Tally) -> list[_Area]:
    """Return all areas; where an outline stays open, or osmium stumbles, once more with everything in osmium's order.

    Raises:
        WorldError: osmium is not installed, or the file can't be read.
    """
    try:
        import osmium
    except ImportError as error:
        raise WorldError(f"{path}: OpenStreetMap files need osmium: {install('osm')}") from error
    wrong = (RuntimeError, ValueError, osmium.InvalidLocationError)
    try:
        try:
            areas, outlines = _assembled(path, None)
            disorder = Disorder.of(path) if outlines else None
        except wrong as error:
            disorder = Disorder.of(path)
            if not disorder:
                raise error
        if disorder:
            with tempfile.TemporaryDirectory() as folder:
                sorted_file = Path(folder) / "sorted.osm.pbf"
                in_order(path, sorted_file, disorder)
                areas, outlines = _assembled(sorted_file, disorder.above)
    except wrong as error:
        raise WorldError(f"{path}: can't be read as OpenStreetMap: {error}") from error
    tally.found = len(areas) + outlines
    if outlines:
        tally.skipped[UNCLOSED] += outlines
    return areas


def _assembled(path: Path, above: int | None) -> tuple[list[_Area], int]:
    """Return the areas of a file, and how many outlines don't close; ids above `above`, if any, were negative."""
    import osmium

    outlines: set[tuple[bool, int]] = set()
    areas = []
    tagged = osmium.filter.KeyFilter("building", "building:part")
    entity: Any
    for entity in osmium.FileProcessor(str(path)).with_areas().with_filter(tagged):
        tags = {tag.k: tag.v for tag in entity.tags}
        if not _built(tags, "building") and not _built(tags, "building:part"):
            continue
        if entity.is_area():
            outlines.discard((entity.from_way(), entity.orig_id()))
            areas.append(_area(entity, tags, above))
        elif entity.is_way() or tags.get("type") == "multipolygon":
            outlines.add((entity.is_way(), entity.id))
    return areas, len(outlines)


def _built(tags: dict[str, str], key: str) -> bool:
    return tags.get(key, "no") != "no"


def _area(entity: Any, tags: dict[str, str], above: int | None) -> _Area:
    def points(ring: Any) -> F64:
        return np.array([(node.lon, node.lat) for node in ring])

    polygons = [
        [points(outer), *(points(inner) for inner in entity.inner_rings(outer))] for outer in entity.outer_rings()
    ]
    kind = "way" if entity.from_way() else "relation"
    number = entity.orig_id()
    number = above - number if above is not None and number > above else number
    return _Area(f"{kind}/{number}", tags, polygons, not _built(tags, "building"))


def _replaced_by_parts(areas: list[_Area], tally: Tally) -> list[_Area]:
    """Leave out the buildings that their parts stand for."""
    parts = [_outline(area) for area in areas if area.part]
    tree = shapely.STRtree(parts)
    kept = []
    for area in areas:
        if not area.part and parts:
            outline = _outline(area)
            near = [parts[i] for i in tree.query(outline, predicate="intersects")]
            covered = shapely.union_all(near).intersection(outline).area if near else 0.0
            if near and covered >= COVERED * outline.area:
                tally.skipped["building replaced by its parts"] += 1
                continue
        kept.append(area)
    return kept


def _outline(area: _Area) -> Any:
    polygons = [shapely.Polygon(rings[0], rings[1:]) for rings in area.polygons]
    if not all(polygon.is_valid or crossings(polygon) <= MAX_CROSSINGS for polygon in polygons):
        return shapely.MultiPolygon()
    return shapely.make_valid(shapely.MultiPolygon(polygons), method="structure", keep_collapsed=False)
