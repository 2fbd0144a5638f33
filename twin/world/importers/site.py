"""Where the content of a source lies in local ENU, and what ground it stands on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

import numpy as np

from twin.errors import WorldError
from twin.state import F64
from twin.world.builder import GeometryBuilder
from twin.world.datum import accuracy_note, area_note, height_note, latitude_first, to_wgs84
from twin.world.georeference import GeoReference
from twin.world.ground import add_ground
from twin.world.importers.content import Content, Lane, Mesh, Tags, Tally
from twin.world.importers.footprints import Solid, add_prisms, clean, look_swapped, place
from twin.world.importers.report import reasons
from twin.world.importers.terrain import Terrain, read_terrain
from twin.world.importers.triangles import add_meshes

MAX_EXTENT = 100_000.0
"""Metres; a site is no larger, so more is taken for a mistake."""
MAX_RISE = 20_000.0
"""Metres above or below the origin; what flies at a site stays within it."""
MARGIN = 100.0
"""Metres of ground around what was imported."""
GROUND_MATERIAL = "medium_dry_ground"
CLEARANCE = 0.05
"""Metres by which level ground stays below a floor that the source brings, so that the two never coincide."""
SWAP_HINT = "give --latitude-first where the place is wrong"
FOUNDATION = 1.0
"""Metres by which a building reaches into its terrain."""


class Options(TypedDict, total=False):
    """What a user can say about a file."""

    crs: str | None  # to read it in, instead of what it declares
    ground: float | None  # m above the ellipsoid, where the file knows none
    geoid_height: float | None  # m, the vertical datum's zero above the ellipsoid
    terrain: Path | str | None  # SRTM or GeoTIFF to stand on
    latitude_first: bool  # degrees are latitude, longitude
    visual: bool  # what is to be seen of a robot model, instead of its collision shapes


@dataclass(slots=True)
class Placed:
    """A source in its place."""

    georeference: GeoReference | None
    ground: float  # m above the ellipsoid, or z without a geo-reference
    tags: Tags
    tally: Tally
    solids: list[Solid] = field(default_factory=list)
    bases: list[F64] = field(default_factory=list)  # (n, 3) m, local, of each solid
    up: F64 = field(default_factory=lambda: np.empty((0, 3)))  # (solids, 3)
    meshes: list[Mesh] = field(default_factory=list)
    places: list[F64] = field(default_factory=list)  # (V, 3) m, local, of each mesh
    terrain: bool = False

    def build(self, builder: GeometryBuilder, path: Path) -> None:
        """Add ground, prisms and meshes.

        Raises:
            WorldError: the site is larger than a site can be, or nothing but level ground is left of it.
        """
        points = np.concatenate([*self.bases, *self.places])[:, :2]
        low, high = points.min(axis=0), points.max(axis=0)
        size = float(max((high - low).max(), np.abs(points).max()))
        if not size <= MAX_EXTENT:
            raise WorldError(
                f"{path}: reaches {size / 1000:.0f} km; allowed: {MAX_EXTENT / 1000:.0f} km; check CRS and origin"
            )
        zero = self.georeference.height if self.georeference else 0.0
        rise = np.concatenate([*(base[:, 2] for base in self.bases), *(place[:, 2] for place in self.places)])
        if not (most := float(np.abs([*rise, self.ground - zero]).max())) <= MAX_RISE:
            raise WorldError(f"{path}: found a height of {most:.6g} m; allowed: within {MAX_RISE:g} m of the origin's")
        if not self.terrain:
            add_ground(builder, self.georeference, low - MARGIN, high + MARGIN, self.ground, GROUND_MATERIAL)
        add_prisms(builder, self.solids, self.bases, self.up, self.tags, self.tally)
        if self.meshes:
            add_meshes(builder, self.meshes, self.places, self.tags, self.tally)
        if not self.tally.used and all(mesh.name is not None for mesh in self.meshes):
            raise WorldError(_unusable(path, self.tally))


def locate(source: Content, origin: str | GeoReference, options: Options, path: Path) -> Placed:
    """Put a source into its place.

    Raises:
        WorldError: nothing in it is usable, its coordinates can't be right, or options contradict each other.
    """
    solids = clean(source.footprints, source.tally)
    meshes = [mesh for mesh in source.meshes if len(mesh.triangles)]
    if not solids and not meshes:
        raise WorldError(_unusable(path, source.tally))
    _check(source, meshes, options)
    if source.crs is None:
        _check_local(source, meshes, path)
        return _local(source, solids, meshes, origin, options)
    if _swapped(source, solids, meshes, options):
        for solid in solids:
            solid.rings = [ring[::-1, ::-1] for ring in solid.rings]
        for mesh in meshes:
            mesh.vertices = mesh.vertices[:, [1, 0, 2]]
    try:
        rings = _apply([ring for solid in solids for ring in solid.rings], source.crs, None)
        points = _apply([mesh.vertices for mesh in meshes], source.crs, options.get("geoid_height"))
    except WorldError as error:
        raise WorldError(f"{path}: {error}") from error
    remaining = iter(rings)
    for solid in solids:
        solid.rings = [next(remaining) for _ in solid.rings]
    flat = np.concatenate([*rings, *(point[:, :2] for point in points)])
    _check_place(flat, source, path)
    if look_swapped([*rings, *_level_triangles(meshes, points)]):
        told = "walls are square only with longitude and latitude swapped: are they?"
        source.tally.warnings.append(f"{told} {SWAP_HINT}")
    terrain = _terrain(flat, source.tally, options)
    ground = _level(meshes, points, source, options)
    if terrain is not None:
        ground = float(terrain.height((flat.min(axis=0) + flat.max(axis=0))[None] / 2)[0])
    georeference = _georeference(origin, flat, ground)
    grounds = np.full(len(solids), ground) if terrain is None else _on(terrain, solids)
    bases, up = place(solids, georeference, grounds)
    if terrain is not None:
        meshes, points = [terrain.mesh(), *meshes], [terrain.nodes.reshape(-1, 3), *points]
    places = [georeference.to_local(point) for point in points]
    lies_on = terrain is not None
    return Placed(georeference, ground, source.tags, source.tally, solids, bases, up, meshes, places, lies_on)


def _moved(lane: Lane, known: GeoReference, origin: GeoReference) -> Lane:
    start, end = origin.to_local(known.to_geodetic(np.array([lane.start, lane.end])))
    return Lane(start, end, lane.both_ways)


def _check_local(source: Content, meshes: list[Mesh], path: Path) -> None:
    """Say that a format that has a CRS names none.

    Raises:
        WorldError: coordinates without a CRS can't be metres of a site.
    """
    if not source.has_crs:
        return
    points = np.concatenate([mesh.vertices for mesh in meshes])
    low, high = points.min(axis=0), points.max(axis=0)
    reach = np.abs([low[:2], high[:2]]).max(axis=0)
    where = f"x {low[0]:.7g}..{high[0]:.7g}, y {low[1]:.7g}..{high[1]:.7g}"
    if (high - low)[:2].max() < 1.0 and reach.min() <= 90 and reach.max() <= 180 and high[2] - low[2] > 1.0:
        raise WorldError(f"{path}: names no CRS and looks like degrees ({where}); give --crs, such as EPSG:4979")
    if reach.max() > MAX_EXTENT:
        raise WorldError(f"{path}: names no CRS and looks projected ({where}); give --crs, such as EPSG:25832")
    source.tally.warnings.append(f"{source.format} names no CRS: taken as local metres; give --crs if it is wrong")


def _swapped(source: Content, solids: list[Solid], meshes: list[Mesh], options: Options) -> bool:
    """Tell whether latitude comes first: as asked for, or where it can't be otherwise; warn where it may be."""
    crs = source.crs or ""
    if options.get("latitude_first"):
        source.tally.repaired["latitude first, as asked for"] += 1
        return True
    if not (source.has_crs and meshes and latitude_first(crs)):
        return False
    first, second = (np.concatenate([mesh.vertices[:, k] for mesh in meshes]) for k in (0, 1))
    if np.abs(second).max() > 90.0 >= np.abs(first).max():
        source.tally.repaired[f"latitude first, as {crs} declares"] += 1
        return True
    source.tally.warnings.append(
        f"{crs} declares latitude first, but most files have longitude first and are read so: longitude"
        f" {first.min():.5g}, latitude {second.min():.5g}; {SWAP_HINT}"
    )
    return False


def _level_triangles(meshes: list[Mesh], points: list[F64]) -> list[F64]:
    """Return the triangles (3, 2) of roofs and floors, longitude, latitude [degrees]."""
    level = []
    for mesh, point in zip(meshes, points, strict=True):
        corners = point[mesh.triangles]
        if mesh.name is not None:
            level += list(corners[np.ptp(corners[..., 2], axis=1) < CLEARANCE, :, :2])
    return level


def _check(source: Content, meshes: list[Mesh], options: Options) -> None:
    """Say what will be without effect of what was asked for.

    Raises:
        WorldError: two heights of the ground are given.
    """
    terrain = options.get("terrain") is not None
    if terrain and options.get("ground") is not None:
        raise WorldError("found both --ground and --terrain; allowed: one of them, as terrain brings its own heights")
    if options.get("geoid_height") is not None and (source.crs is None or not (meshes or terrain)):
        source.tally.warnings.append(f"--geoid-height has no effect: {source.format} and no terrain: no such heights")
    if options.get("visual") and source.format not in ("SDF", "URDF"):
        source.tally.warnings.append(f"--visual has no effect: {source.format} has no collision shapes")


def _unusable(path: Path, tally: Tally) -> str:
    return f"{path}: nothing usable in it; found {tally.found}, skipped {reasons(tally)}"


def _local(
    source: Content, solids: list[Solid], meshes: list[Mesh], origin: str | GeoReference, options: Options
) -> Placed:
    """Take local metres as they are; an origin says where on the earth they lie."""
    if options.get("terrain"):
        raise WorldError(f"{source.format} has no place on the earth that terrain could be found for")
    points = [mesh.vertices for mesh in meshes]
    georeference = source.place if origin == "auto" else _georeference(origin, np.empty((0, 2)), 0.0)
    zero = georeference.height if georeference else 0.0  # of z, above the ellipsoid
    said = options.get("ground")
    ground = _level(meshes, points, source, options) if said is None else said - zero
    bases, up = place(solids, None, np.full(len(solids), ground))
    if source.place and georeference and georeference != source.place:
        known, ground = source.place, ground + source.place.height - zero
        points, bases = ([georeference.to_local(known.to_geodetic(p)) for p in part] for part in (points, bases))
        source.lanes[:] = [_moved(lane, known, georeference) for lane in source.lanes]
    return Placed(georeference, zero + ground, source.tags, source.tally, solids, bases, up, meshes, points)


def _apply(parts: list[F64], crs: str, geoid_height: float | None) -> list[F64]:
    """Return arrays of points in WGS 84, transformed all at once."""
    if not parts:
        return []
    points = to_wgs84(np.concatenate(parts), crs, geoid_height)
    return np.split(points, np.cumsum([len(part) for part in parts])[:-1])


def _check_place(flat: F64, source: Content, path: Path) -> None:
    low, high = flat.min(axis=0), flat.max(axis=0)
    if not (np.abs([low[1], high[1]]).max() <= 90 and np.abs([low[0], high[0]]).max() <= 180):
        raise WorldError(
            f"{path}: found longitude {low[0]:g}..{high[0]:g}, latitude {low[1]:g}..{high[1]:g}; allowed are"
            " -180..180 and -90..90: longitude and latitude swapped, or metres of another CRS (--crs)?"
        )
    where = f"longitude {low[0]:.2f}..{high[0]:.2f}, latitude {low[1]:.2f}..{high[1]:.2f}"
    if low[1] > 72 or high[1] < -60 or np.abs([low, high]).max() < 1:
        source.tally.warnings.append(f"{where} is an unlikely place: longitude and latitude swapped?")
    heights = height_note(source.crs) if source.crs and source.meshes else None
    notes = (accuracy_note(source.crs), area_note(source.crs, low, high), heights) if source.crs else ()
    source.tally.warnings += [note for note in notes if note]


def _georeference(origin: str | GeoReference, flat: F64, ground: float) -> GeoReference:
    if isinstance(origin, GeoReference):
        return origin
    if origin == "auto":
        longitude, latitude = ((flat.min(axis=0) + flat.max(axis=0)) / 2).tolist()
        return GeoReference(longitude, latitude, ground)
    try:
        numbers = [float(part) for part in origin.split(",")]
        return GeoReference(*numbers)
    except (ValueError, TypeError) as error:
        raise WorldError(f"origin: found {origin!r}; allowed: auto or LONGITUDE,LATITUDE[,HEIGHT]") from error


def _level(meshes: list[Mesh], points: list[F64], source: Content, options: Options) -> float:
    """Return the height of level ground: as said, or else as high as meshes allow."""
    said = options.get("ground")
    known = said if said is not None else source.ground
    if known is not None or not meshes:
        return known or 0.0
    lowest = min(float(point[:, 2].min()) for point in points)
    floors = 0
    for mesh, point in zip(meshes, points, strict=True):
        a, b, c = (point[mesh.triangles[:, k]] for k in range(3))
        with np.errstate(over="ignore"):  # of absurd coordinates, which `build` refuses
            up = (b - a)[:, 0] * (c - a)[:, 1] > (b - a)[:, 1] * (c - a)[:, 0]
        floors += int((up & (np.maximum(np.maximum(a, b), c)[:, 2] < lowest + CLEARANCE)).sum())
    return lowest - CLEARANCE if floors else lowest


def _terrain(flat: F64, tally: Tally, options: Options) -> Terrain | None:
    path = options.get("terrain")
    if path is None:
        return None
    terrain = read_terrain(Path(path), flat, MARGIN, options.get("geoid_height"))
    if terrain.voids:
        tally.repaired["void of the terrain filled"] += terrain.voids
    return terrain


def _on(terrain: Terrain, solids: list[Solid]) -> F64:
    """Return the ground (solids,) m of solids, the lowest under their whole footprint; they reach below it."""
    lowest: dict[int, float] = {}
    for solid in solids:
        key = id(solid.footprint)
        lowest[key] = min(lowest.get(key, np.inf), terrain.lowest(solid.rings[0]))
        if solid.footprint.base == 0.0:
            solid.footprint.base = -FOUNDATION
    return np.array([lowest[id(solid.footprint)] for solid in solids])
