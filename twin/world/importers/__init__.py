"""From a file that describes a site to a World; the reader is chosen by the file's content.

A reader is a module with `recognises(path, head) -> bool` and `read(path) -> Source`; add it to `READERS`.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from twin.errors import WorldError
from twin.state import F64
from twin.world.builder import GeometryBuilder
from twin.world.georeference import GeoReference
from twin.world.ground import add_ground
from twin.world.importers import geojson
from twin.world.importers.footprints import Solid, add_prisms, clean, place
from twin.world.importers.source import Source, Tally
from twin.world.world import World, save_world

READERS = (geojson,)
"""Modules tried in this order on a file's first bytes."""

MAX_BYTES = 1 << 30
MAX_EXTENT = 100_000.0
"""Metres; a site is no larger, so more is taken for a mistake."""
MARGIN = 100.0
"""Metres of ground around what was imported."""
GROUND_MATERIAL = "medium_dry_ground"


@dataclass(slots=True)
class ImportReport:
    """What an import used, mended, left out and assumed."""

    file: str
    format: str
    crs: str
    origin: tuple[float, float, float] | None  # longitude, latitude [degrees], ellipsoidal height [m]
    extent: tuple[list[float], list[float]]  # m, lowest and highest corner in local ENU
    found: int
    used: int
    repaired: dict[str, int]
    skipped: dict[str, int]
    assumed: dict[str, int]
    warnings: list[str]
    faces: int
    triangles: int
    seconds: float = field(compare=False, default=0.0)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data for JSON."""
        return asdict(self)


def import_world(
    path: Path,
    origin: str | GeoReference = "auto",
    *,
    name: str | None = None,
    crs: str | None = None,
    ground: float = 0.0,
) -> tuple[World, ImportReport]:
    """Import a site.

    Args:
        path: a file in one of the formats of `READERS`.
        origin: where local coordinates begin; "auto" is the middle of what is imported, at ground level.
        name: of the world; the file's stem if not given.
        crs: coordinate system to read the file in, instead of what it declares.
        ground: height of the ground above the WGS 84 ellipsoid in metres, where the file knows none.

    Raises:
        WorldError: the file can't be read, holds nothing usable, or its coordinates can't be right.
    """
    started = time.perf_counter()
    source = _read(path)
    if crs is not None:
        source.crs = crs
    solids = clean(source.footprints, source.tally)
    if not solids:
        raise WorldError(
            f"{path}: nothing usable in it; found {source.tally.found}, skipped {_reasons(source.tally)}"
        )
    georeference = None
    if source.crs is not None:
        _to_wgs84(solids, source.crs, path)
        georeference = _origin(origin, _horizontal(solids), ground, source.tally, path)
    builder = GeometryBuilder()
    places, up = place(solids, georeference, ground)
    low, high = _extent(places, path)
    add_ground(builder, georeference, low - MARGIN, high + MARGIN, ground, GROUND_MATERIAL)
    add_prisms(builder, solids, places, up, source.tally)
    world = World(name or path.stem, builder.build(), georeference)
    return world, _report(path, source, world, time.perf_counter() - started)


def import_to_folder(
    path: Path,
    folder: Path,
    origin: str | GeoReference = "auto",
    *,
    name: str | None = None,
    crs: str | None = None,
    ground: float = 0.0,
) -> ImportReport:
    """Import a site into a new world folder; on any error nothing that looks like a world is left there.

    Raises:
        WorldError: as `import_world` and `save_world`.
    """
    world, report = import_world(path, origin, name=name or folder.resolve().name, crs=crs, ground=ground)
    provenance: dict[str, str | int | float] = {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "format": report.format,
        "crs": report.crs,
        "found": report.found,
        "used": report.used,
        "ground": ground,
    }
    save_world(world, folder, provenance)
    return report


def _read(path: Path) -> Source:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise WorldError(f"{path}: can't be read: {error.strerror}") from error
    if size == 0:
        raise WorldError(f"{path}: the file is empty")
    if size > MAX_BYTES:
        raise WorldError(f"{path}: found {size / 1e6:.0f} MB; allowed: at most {MAX_BYTES / 1e6:.0f} MB")
    for reader in READERS:
        if reader.recognises(path, head):
            source: Source = reader.read(path)
            return source
    names = ", ".join(reader.__name__.rpartition(".")[2] for reader in READERS)
    raise WorldError(f"{path}: not a format that can be imported; known: {names}")


def _to_wgs84(solids: list[Solid], crs: str, path: Path) -> None:
    """Turn the rings into WGS 84 longitude and latitude [degrees], in place."""
    from pyproj import CRS, Transformer
    from pyproj.exceptions import CRSError, ProjError

    try:
        transformer = Transformer.from_crs(CRS.from_user_input(crs), "OGC:CRS84", always_xy=True)
        for solid in solids:
            solid.rings = [
                np.stack(transformer.transform(ring[:, 0], ring[:, 1], errcheck=True), axis=-1)
                for ring in solid.rings
            ]
    except (CRSError, ProjError) as error:
        raise WorldError(f"{path}: crs {crs!r}: {error}") from error


def _origin(
    origin: str | GeoReference, horizontal: F64, ground: float, tally: Tally, path: Path
) -> GeoReference:
    low, high = horizontal.min(axis=0), horizontal.max(axis=0)
    if np.abs([low[1], high[1]]).max() > 90 or np.abs([low[0], high[0]]).max() > 180:
        raise WorldError(
            f"{path}: found longitude {low[0]:g}..{high[0]:g}, latitude {low[1]:g}..{high[1]:g}; allowed are"
            " -180..180 and -90..90: longitude and latitude swapped, or metres of another CRS (--crs)?"
        )
    if low[1] > 72 or high[1] < -60:
        tally.warnings.append(
            f"latitude {low[1]:.2f}..{high[1]:.2f} is an unlikely place: longitude and latitude swapped?"
        )
    if isinstance(origin, GeoReference):
        return origin
    if origin == "auto":
        longitude, latitude = ((low + high) / 2).tolist()
        return GeoReference(longitude, latitude, ground)
    try:
        numbers = [float(part) for part in origin.split(",")]
        return GeoReference(*numbers)
    except (ValueError, TypeError) as error:
        raise WorldError(f"origin: found {origin!r}; allowed: auto or LONGITUDE,LATITUDE[,HEIGHT]") from error


def _horizontal(solids: list[Solid]) -> F64:
    return np.concatenate([ring for solid in solids for ring in solid.rings])


def _extent(places: list[F64], path: Path) -> tuple[F64, F64]:
    points = np.concatenate(places)[:, :2]
    low, high = points.min(axis=0), points.max(axis=0)
    size = float(max((high - low).max(), np.abs(points).max()))
    if not size <= MAX_EXTENT:
        raise WorldError(
            f"{path}: reaches {size / 1000:.0f} km; allowed: {MAX_EXTENT / 1000:.0f} km; check CRS and origin"
        )
    return low, high


def _reasons(tally: Tally) -> str:
    return "; ".join(f"{count} x {reason}" for reason, count in tally.skipped.items()) or "none"


def _report(path: Path, source: Source, world: World, seconds: float) -> ImportReport:
    tally, place, geometry = source.tally, world.georeference, world.geometry
    low, high = geometry.bounds()
    return ImportReport(
        file=path.name,
        format=source.format,
        crs=source.crs or "local metres",
        origin=(place.longitude, place.latitude, place.height) if place else None,
        extent=(low.round(3).tolist(), high.round(3).tolist()),
        found=tally.found,
        used=tally.used,
        repaired=dict(tally.repaired),
        skipped=dict(tally.skipped),
        assumed=dict(tally.assumed),
        warnings=tally.warnings,
        faces=len(geometry.face_normal),
        triangles=len(geometry.triangles),
        seconds=round(seconds, 3),
    )
