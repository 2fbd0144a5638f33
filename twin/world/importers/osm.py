"""OpenStreetMap extracts (.osm, .osm.pbf): buildings and their parts by the Simple 3D Buildings rules.

https://wiki.openstreetmap.org/wiki/Simple_3D_Buildings. Needs `osmium`, the extra `twin[osm]`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from twin.errors import WorldError
from twin.state import F64
from twin.world.importers.files import root_tag
from twin.world.importers.names import DEFAULT, material_of
from twin.world.importers.source import Footprint, Source, Tally
from twin.world.importers.tags import base_and_top, texts

COVERED = 0.5
"""Share of a building's outline that its parts must cover to stand in its place."""


@dataclass(frozen=True, slots=True)
class _Area:
    name: str
    tags: dict[str, str]
    polygons: list[list[F64]]  # rings (n, 2) of longitude, latitude [degrees], the outer one first
    part: bool


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether a file is OSM XML or PBF by its first bytes."""
    return b"OSMHeader" in head[:64] or root_tag(head) == "osm"


def read(path: Path, visual: bool = False) -> Source:
    """Read buildings and building parts.

    Raises:
        WorldError: osmium is not installed, or the file can't be read.
    """
    source = Source("OpenStreetMap", "OGC:CRS84", Tally())
    areas = _areas(path, source.tally)
    for area in _replaced_by_parts(areas, source.tally):
        try:
            base, top = base_and_top(area.tags, source.tally)
        except ValueError:
            source.tally.skipped["height is not a length"] += 1
            continue
        if area.tags.get("roof:shape", "flat") != "flat":
            source.tally.assumed["flat roof at the height of the ridge"] += 1
        source.tags[area.name] = texts(area.tags, source.tally)
        wall = material_of(area.tags.get("building:material"), area.tags.get("building:wall:material"))
        roof = material_of(area.tags.get("roof:material"))
        source.footprints.append(
            Footprint(area.name, area.polygons, top, base, wall or DEFAULT, roof or wall or DEFAULT)
        )
    return source


def _areas(path: Path, tally: Tally) -> list[_Area]:
    try:
        import osmium
    except ImportError as error:
        raise WorldError(f"{path}: OpenStreetMap files need osmium: pip install 'twin[osm]'") from error
    outlines: dict[tuple[bool, int], str] = {}
    areas = []
    try:
        tagged = osmium.filter.KeyFilter("building", "building:part")
        entity: Any
        for entity in osmium.FileProcessor(str(path)).with_areas().with_filter(tagged):
            tags = {tag.k: tag.v for tag in entity.tags}
            if not _built(tags, "building") and not _built(tags, "building:part"):
                continue
            if entity.is_area():
                outlines.pop((entity.from_way(), entity.orig_id()), None)
                areas.append(_area(entity, tags))
            elif entity.is_way() or tags.get("type") == "multipolygon":
                outlines[entity.is_way(), entity.id] = "outline that does not close (cut off at the extract's edge?)"
    except (RuntimeError, ValueError, osmium.InvalidLocationError) as error:
        raise WorldError(f"{path}: can't be read as OpenStreetMap: {error}") from error
    tally.found = len(areas) + len(outlines)
    tally.skipped.update(outlines.values())
    return areas


def _built(tags: dict[str, str], key: str) -> bool:
    return tags.get(key, "no") != "no"


def _area(entity: Any, tags: dict[str, str]) -> _Area:
    def points(ring: Any) -> F64:
        return np.array([(node.lon, node.lat) for node in ring])

    polygons = [
        [points(outer), *(points(inner) for inner in entity.inner_rings(outer))] for outer in entity.outer_rings()
    ]
    kind = "way" if entity.from_way() else "relation"
    return _Area(f"{kind}/{entity.orig_id()}", tags, polygons, not _built(tags, "building"))


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
    return shapely.make_valid(shapely.MultiPolygon(polygons), method="structure", keep_collapsed=False)
