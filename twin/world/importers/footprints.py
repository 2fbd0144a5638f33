"""Footprints on the earth -> prisms in local ENU: rings cleaned, then extruded along the local vertical."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import shapely

from twin.state import F64
from twin.world.builder import GeometryBuilder, rings_of
from twin.world.georeference import GeoReference
from twin.world.importers.content import Footprint, Tags, Tally
from twin.world.importers.tags import MAX_HEIGHT

MIN_AREA = 1.0
"""Square metres; smaller outlines are slivers."""
MAX_CROSSINGS = 5_000
"""Crossings of an outline with itself that are mended."""
_AT_ONCE = 50
"""Sides whose crossings are counted at once."""
_SHORTEST = 1e-3
"""Metres; shorter walls have no reliable direction."""
_SQUARE = 0.035
"""Cosine of an angle that is taken for a right one: within 2 degrees."""
_LOOKED_AT, _TELLING = 500, 40
"""Outlines, and least number of corners, to tell from whether coordinates are swapped."""


@dataclass(slots=True)
class Solid:
    """One valid polygon of a footprint, in geodetic or local horizontal coordinates."""

    footprint: Footprint
    rings: list[F64]  # (n, 2), open, outer one counter-clockwise, holes clockwise


def clean(footprints: list[Footprint], tally: Tally) -> list[Solid]:
    """Return valid polygons of all footprints with sensible heights, counting what is repaired or skipped."""
    solids = []
    for footprint in footprints:
        if not np.isfinite(footprint.top) or not footprint.base < footprint.top <= MAX_HEIGHT:
            tally.skipped[_height_reason(footprint)] += 1
            continue
        repaired = [_repaired(rings, tally) for rings in footprint.polygons]
        polygons = [polygon for part in repaired if part is not None for polygon in part]
        if not polygons and None not in repaired:
            tally.skipped["outline encloses no area"] += 1
        solids += [Solid(footprint, rings_of(polygon)) for polygon in polygons]
    return solids


def add_prisms(
    builder: GeometryBuilder, solids: list[Solid], places: list[F64], up: F64, tags: Tags, tally: Tally
) -> None:
    """Extrude solids whose rings lie at local `places` (n, 3) m, each along its own vertical `up` (3,)."""
    owners: dict[int, int] = {}
    slivers: Counter[int] = Counter()
    for solid, points, vertical in zip(solids, places, up, strict=True):
        footprint = solid.footprint
        rings = _flattened(solid.rings, points, vertical)
        if rings is None:
            slivers[id(footprint)] += 1
            continue
        if id(footprint) not in owners:
            owners[id(footprint)] = builder.add_object(footprint.name, tags.get(footprint.name, ()))
        rise = (footprint.top - footprint.base) * vertical
        # A floor that stands on the ground is seen by nothing.
        builder.add_prism(rings, rise, footprint.wall, footprint.roof, owners[id(footprint)], floor=footprint.base > 0)
    tally.used += len(owners)
    for key, count in slivers.items():
        if key in owners:
            tally.repaired[f"part smaller than {MIN_AREA:g} m2 dropped"] += count
        else:
            tally.skipped[f"outline smaller than {MIN_AREA:g} m2"] += 1


def place(solids: list[Solid], georeference: GeoReference | None, ground: F64) -> tuple[list[F64], F64]:
    """Return the local points (n, 3) m of each solid's base, and the verticals (solids, 3).

    `ground` (solids,) is the height of the ground above the ellipsoid [m], above z = 0 without a geo-reference.
    """
    if not solids:
        return [], np.empty((0, 3))
    sizes = [sum(len(ring) for ring in solid.rings) for solid in solids]
    horizontal = np.concatenate([np.concatenate(solid.rings) for solid in solids])
    height = np.repeat(ground + [solid.footprint.base for solid in solids], sizes)
    points = np.column_stack([horizontal, height])
    if georeference is None:
        local, up = points, np.tile([0.0, 0.0, 1.0], (len(solids), 1))
    else:
        starts = np.cumsum([0, *sizes[:-1]])
        centres = np.add.reduceat(points, starts, axis=0) / np.array(sizes)[:, None]
        local, up = georeference.to_local(points), georeference.up(centres)
    return np.split(local, np.cumsum(sizes)[:-1]), up


def look_swapped(rings: list[F64]) -> bool:
    """Tell whether outlines (n, 2) [degrees] have many more right angles with longitude and latitude swapped.

    A degree of longitude is shorter by cos(latitude), so the wrong order makes rhombs of turned rectangles.
    """
    some = rings[:: max(1, len(rings) // _LOOKED_AT)]
    read, swapped = _square_corners(some), _square_corners([ring[:, ::-1] for ring in some])
    corners = sum(len(ring) for ring in some)
    return corners >= _TELLING and swapped - read > 0.2 * corners


def _square_corners(rings: list[F64]) -> int:
    """Return how many corners of outlines (n, 2) of longitude, latitude [degrees] are right angles."""
    count = 0
    for ring in rings:
        side = (np.roll(ring, -1, axis=0) - ring) * (np.cos(np.radians(ring[:, 1].mean())), 1.0)
        following = np.roll(side, -1, axis=0)
        size = np.linalg.norm(side, axis=1) * np.linalg.norm(following, axis=1)
        count += int((np.abs((side * following).sum(axis=1)) < _SQUARE * size).sum())
    return count


def _height_reason(footprint: Footprint) -> str:
    if footprint.top > MAX_HEIGHT:
        return f"height above {MAX_HEIGHT:g} m"
    return "height zero or negative" if footprint.top <= 0 else "top not above base"


def _repaired(rings: list[F64], tally: Tally) -> list[shapely.Polygon] | None:
    """Return the valid polygons that a list of rings stands for, none where it encloses nothing; None: too tangled."""
    if any(not np.isfinite(ring).all() for ring in rings) or len(np.unique(rings[0], axis=0)) < 3:
        return []
    holes = [ring for ring in rings[1:] if len(np.unique(ring, axis=0)) >= 3]
    polygon = shapely.Polygon(rings[0], holes)
    if not polygon.is_valid:
        if crossings(polygon) > MAX_CROSSINGS:
            tally.skipped[f"outline that crosses itself more than {MAX_CROSSINGS} times"] += 1
            return None
        tally.repaired[shapely.is_valid_reason(polygon).split("[")[0].lower()] += 1
        polygon = shapely.make_valid(polygon, method="structure", keep_collapsed=False)
    return [part for part in getattr(polygon, "geoms", [polygon]) if part.geom_type == "Polygon" and part.area > 0]


def crossings(polygon: shapely.Polygon) -> int:
    """Return how often the rings of a polygon cross themselves or each other; no more than a bit over the limit.

    Mending takes time with their number, which grows with the square of the corners.
    """
    ends = [np.array(ring.coords) for ring in (polygon.exterior, *polygon.interiors)]
    sides = np.concatenate([np.stack([ring[:-1, :2], ring[1:, :2]], axis=1) for ring in ends])
    if len(sides) ** 2 <= MAX_CROSSINGS:
        return 0
    lines = shapely.linestrings(sides)
    tree, count = shapely.STRtree(lines), 0
    for begin in range(0, len(lines), _AT_ONCE):
        count += len(tree.query(lines[begin : begin + _AT_ONCE], predicate="crosses")[0]) // 2
        if count > MAX_CROSSINGS:
            break
    return count


def _flattened(rings: list[F64], points: F64, vertical: F64) -> list[F64] | None:
    """Return the rings moved onto the plane through their middle square to the vertical; None if too small.

    The level surface bends away from a plane by s^2 / 8R over a length s: 0.2 mm over 100 m.
    """
    flat = points - np.outer((points - points.mean(axis=0)) @ vertical, vertical)
    kept = [_without_repeats(ring) for ring in np.split(flat, np.cumsum([len(ring) for ring in rings])[:-1])]
    if len(kept[0]) < 3 or shapely.Polygon(kept[0][:, :2]).area < MIN_AREA:
        return None
    return [kept[0], *(ring for ring in kept[1:] if len(ring) >= 3)]


def _without_repeats(ring: F64) -> F64:
    far = np.linalg.norm(ring - np.roll(ring, 1, axis=0), axis=1) > _SHORTEST
    kept: F64 = ring[far]
    return kept
