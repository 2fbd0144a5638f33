"""From a file that describes a site to a World; the reader is chosen by the file's content.

A reader is a module with `recognises(path, head) -> bool` and `read(path, visual) -> Content`; add it to `READERS`.
"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Protocol, Unpack

from twin.errors import WorldError
from twin.gzipped import unpacked
from twin.world.builder import GeometryBuilder
from twin.world.georeference import GeoReference
from twin.world.importers import cityjson, geojson, meshes, mitsuba, osm, rmf, sdf, urdf
from twin.world.importers.content import Content, Lane
from twin.world.importers.files import check_size, read_bytes
from twin.world.importers.report import ImportReport, make_report
from twin.world.importers.site import Options, locate
from twin.world.world import World, save_world


class Reader(Protocol):
    """A module that reads one format."""

    __name__: str

    def recognises(self, path: Path, head: bytes) -> bool:
        """Tell whether a file is of the format, by its first bytes."""

    def read(self, path: Path, visual: bool = False) -> Content:
        """Read it."""


READERS: tuple[Reader, ...] = (osm, cityjson, mitsuba, sdf, urdf, rmf, meshes, geojson)
"""Tried in this order on a file's first bytes."""

HEAD = 1 << 16
"""Bytes that a file is recognised by: some begin with a long licence."""
LANES = "lanes.csv"
TERRAIN = (".hgt", ".tif", ".tiff")


def import_world(
    path: Path, origin: str | GeoReference = "auto", *, name: str | None = None, **options: Unpack[Options]
) -> tuple[World, ImportReport]:
    """Import a site.

    Args:
        path: a file in one of the formats of `READERS`.
        origin: where local coordinates begin; "auto" is the middle of what is imported, at ground level.
        name: of the world; the file's stem if not given.
        options: see `Options`.

    Raises:
        WorldError: the file can't be read, holds nothing usable, or its coordinates can't be right.
    """
    world, report, _ = _import(path, origin, name or _stem(path), options)
    return world, report


def import_to_folder(
    path: Path,
    folder: Path,
    origin: str | GeoReference = "auto",
    *,
    name: str | None = None,
    **options: Unpack[Options],
) -> ImportReport:
    """Import a site into a new world folder; on any error nothing of it is left there.

    Raises:
        WorldError: as `import_world` and `save_world`.
    """
    world, report, lanes = _import(path, origin, name or folder.resolve().name, options)
    provenance: dict[str, str | int | float] = {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "format": report.format,
        "crs": report.crs,
        "found": report.found,
        "used": report.used,
        "ground": report.ground,
    }
    for key, value in options.items():
        if isinstance(value, str | float | Path) and key not in provenance:
            provenance[key] = value.name if isinstance(value, Path) else value
    save_world(world, folder, provenance, {LANES: _lanes_text(lanes)} if lanes else {})
    return report


def _import(
    path: Path, origin: str | GeoReference, name: str, options: Options
) -> tuple[World, ImportReport, list[Lane]]:
    started = time.perf_counter()
    with unpacked(path, WorldError) as plain:
        source = _read(plain, options.get("visual", False))
    source.crs = options.get("crs") or source.crs
    site = locate(source, origin, options, path)
    builder = GeometryBuilder()
    site.build(builder, path)
    world = World(name, builder.build(), site.georeference)
    return world, make_report(path, source, world, site.ground, time.perf_counter() - started), source.lanes


def _read(path: Path, visual: bool) -> Content:
    check_size(path)
    head = read_bytes(path, HEAD)
    for reader in READERS:
        if reader.recognises(path, head):
            try:
                return reader.read(path, visual)
            except RecursionError as error:
                raise WorldError(f"{path}: nested too deeply") from error
    names = ", ".join(reader.__name__.rpartition(".")[2] for reader in READERS)
    hint = "; terrain goes with --terrain" if path.suffix.lower() in TERRAIN else ""
    raise WorldError(f"{path}: not a format that can be imported; known: {names}{hint}")


def _stem(path: Path) -> str:
    return Path(path.stem).stem if path.suffix.lower() == ".gz" else path.stem


def _lanes_text(lanes: list[Lane]) -> str:
    """Return lanes as CSV: start and end in local metres, and whether both ways may be driven."""
    lines = ["x0,y0,z0,x1,y1,z1,both_ways"]
    for lane in lanes:
        ends = ",".join(f"{value:.3f}" for value in (*lane.start, *lane.end))
        lines.append(f"{ends},{int(lane.both_ways)}")
    return "\n".join(lines) + "\n"
